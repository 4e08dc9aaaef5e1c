"""Turn an uploaded file into the calls of a campaign, once somebody says yes."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from vomind_queue.calls.call import NewCall
from vomind_queue.calls.campaign import Campaign, CampaignView
from vomind_queue.calls.job import IdempotencyKey, Receipt
from vomind_queue.errors import QueueError, StoreUnavailable
from vomind_queue.lists.columns import Hints
from vomind_queue.lists.models import (
    Answers,
    ReadList,
    Row,
    Sending,
    StagedList,
    UnreadableList,
)
from vomind_queue.lists.preview import AGAIN, SENT, Judged, Preview, digest_of, preview
from vomind_queue.lists.reading import nothing_to_tell, read_list
from vomind_queue.lists.rows import DEFAULT_WORDS
from vomind_queue.lists.work import AT_ONCE_ROWS

#: Calls that are stored together.
AT_ONCE = 1_000
#: Returns what the service says of the calls of rows, and the calls that are right by index.
Judge = Callable[[Sequence[Row], Campaign], tuple[Judged, Mapping[int, NewCall]]]


#: Is told how many rows are done, of how many.
Tell = Callable[[int, int], None]


class Store(Protocol):
    """Where lists are kept for a day."""

    def add(self, staged: StagedList, found: ReadList | None) -> str: ...
    def show(self, campaign_id: str, list_id: str) -> StagedList: ...
    def answer(self, list_id: str, old: Answers, new: Answers, found: ReadList) -> None: ...
    def begin(self, campaign_id: str, list_id: str, sending: Sending) -> None: ...
    def release(self, campaign_id: str, list_id: str, sending: Sending) -> None: ...
    def accepted(
        self, campaign_id: str, list_id: str, jobs: Mapping[str, str], again: str
    ) -> None: ...
    def accepted_rows(
        self, campaign_id: str, rows: Sequence[str], sending: Sending | None
    ) -> dict[str, int]: ...


class Campaigns(Protocol):
    """Where the calls go."""

    def show(self, campaign_id: str) -> CampaignView: ...
    def add_calls(
        self, campaign_id: str, news: Sequence[NewCall], key: IdempotencyKey | None = None
    ) -> Receipt: ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Seen:
    """A list with what would become of it."""

    staged: StagedList
    found: ReadList
    preview: Preview
    #: The calls that are right, by the digests of their rows.
    calls: Mapping[str, NewCall]


class StageLists:
    """Uploaded lists. Everything may raise StoreUnavailable and UnreadableList."""

    def __init__(self, store: Store, campaigns: Campaigns) -> None:
        self._store = store
        self._campaigns = campaigns

    def stage(
        self, campaign_id: str, filename: str, raw: bytes, hints: Hints
    ) -> tuple[str, ReadList]:
        """Keep a file; return its id and what is in it.

        Raise CampaignNotFound, TooManyLists, and TooManyRows where it is to be read elsewhere.
        """
        # What is no list is refused before anything is asked of Redis.
        found = read_list(raw, filename, Answers(), hints=hints, most_rows=AT_ONCE_ROWS)
        check_legible(found)
        answers = self._answers_of(campaign_id)
        if answers != Answers():
            found = read_list(raw, filename, answers, hints=hints)
        staged = StagedList(campaign_id=campaign_id, filename=filename, raw=raw, answers=answers)
        return self._store.add(staged, found), found

    def keep(self, campaign_id: str, filename: str, raw: bytes) -> str:
        """Keep a file that is read later; return its id. Raise CampaignNotFound, TooManyLists."""
        answers = self._answers_of(campaign_id)
        staged = StagedList(campaign_id=campaign_id, filename=filename, raw=raw, answers=answers)
        return self._store.add(staged, None)

    def _answers_of(self, campaign_id: str) -> Answers:
        """Return what a campaign says of its lists."""
        campaign = self._campaigns.show(campaign_id).campaign
        # What plays the campaign's TwiML needs no words.
        given = {"message": DEFAULT_WORDS} if "twimlUrl" in campaign.defaults else {}
        return Answers(
            country=campaign.country, message=campaign.defaults.get("message"), given=given
        )

    def read(self, campaign_id: str, list_id: str, hints: Hints) -> tuple[StagedList, ReadList]:
        """Return a list and what is in it. Raise ListNotFound."""
        staged = self._store.show(campaign_id, list_id)
        return staged, read_list(staged.raw, staged.filename, staged.answers, hints=hints)

    def answer(
        self, campaign_id: str, list_id: str, said: Mapping[str, Any], hints: Hints
    ) -> ReadList:
        """Add to what was said of a list; return what is in it now.

        Raise ListNotFound, and QueueError where another request was quicker.
        """
        staged = self._store.show(campaign_id, list_id)
        answers = staged.answers.with_said(said)
        found = read_list(staged.raw, staged.filename, answers, hints=hints)
        self._store.answer(list_id, staged.answers, answers, found)
        return found

    def preview(
        self,
        campaign_id: str,
        list_id: str,
        judge: Judge,
        hints: Hints,
        tell: Tell = nothing_to_tell,
    ) -> Seen:
        """Return what would become of a list. Raise ListNotFound, CampaignNotFound.

        ``tell`` gets the rows read and the rows in all.
        """
        staged = self._store.show(campaign_id, list_id)
        campaign = self._campaigns.show(campaign_id).campaign
        found = read_list(staged.raw, staged.filename, staged.answers, hints=hints, tell=tell)
        judged, right = judge(found.rows, campaign)
        accepted = self._store.accepted_rows(campaign_id, _digests(found.rows), staged.sending)
        shown = preview(found, judged, accepted, staged.answers, is_unfinished=bool(staged.jobs))
        calls = {row.digest: right[index] for index, row in enumerate(shown.rows) if index in right}
        return Seen(staged=staged, found=found, preview=shown, calls=calls)

    def accept(self, list_id: str, seen: Seen, tell: Tell = nothing_to_tell) -> Mapping[str, str]:
        """Give the campaign the calls of a list; return all ids of its calls, by row.

        Safe to repeat: what was accepted is not accepted again. ``tell`` gets the rows sent and
        those to be sent, before each step. Raise as `Campaigns.add_calls`.
        """
        jobs = dict(seen.staged.jobs)
        if broken_off := seen.staged.sending:
            # Their key says whether they became calls, whatever has been changed meanwhile.
            jobs |= self._send(list_id, broken_off, seen)
        again = f"{AGAIN} " if seen.staged.answers.given.get("again") == AGAIN else ""
        rows = [
            row.digest
            for row in seen.preview.rows
            if row.fate in SENT and f"{again}{row.digest}" not in jobs
        ]
        for start in range(0, len(rows), AT_ONCE):
            tell(start, len(rows))
            part = rows[start : start + AT_ONCE]
            jobs |= self._send(list_id, _sending(list_id, part, again), seen)
        return {
            row.removeprefix(again): job_id for row, job_id in jobs.items() if row.startswith(again)
        }

    def _send(self, list_id: str, sending: Sending, seen: Seen) -> dict[str, str]:
        """Store the calls of some rows; return their ids by what the list writes of the rows.

        Raise QueueError where some were accepted of another list meanwhile.
        """
        campaign_id = seen.staged.campaign_id
        sending = _able(sending, seen.calls)
        self._store.begin(campaign_id, list_id, sending)
        able = [row for row in sending.tries[-1] if row in seen.calls]
        if not able:
            return {}
        key = IdempotencyKey(name=sending.key, fingerprint=sending.key)
        try:
            receipt = self._campaigns.add_calls(campaign_id, [seen.calls[row] for row in able], key)
        except StoreUnavailable:
            # They may have been stored.
            raise
        except QueueError:
            if not seen.staged.sending or sending.key != seen.staged.sending.key:
                self._store.release(campaign_id, list_id, sending)
            raise
        ids = receipt.job_ids
        stored = next(rows for rows in sending.tries if len(rows) == len(ids))
        jobs = dict(zip(stored, ids, strict=True))
        self._store.accepted(campaign_id, list_id, jobs, sending.again)
        if left := [row for row in sending.rows if row not in jobs]:
            self._store.release(campaign_id, list_id, replace(sending, rows=left))
        return {f"{sending.again}{row}": job_id for row, job_id in jobs.items()}


def _able(sending: Sending, calls: Mapping[str, NewCall]) -> Sending:
    """Return rows that are sent once more, with those noted whose calls are still right."""
    before = sending.tries[-1]
    able = [row for row in before if row in calls]
    # None at all is no try: whichever is right again is sent then.
    if len(able) in (0, len(before)):
        return sending
    return replace(sending, narrower=[*sending.narrower, able])


def check_legible(found: ReadList) -> None:
    """Refuse a list of which nothing can be read. Raise UnreadableList."""
    if all(row.kind == "unreadable" for row in found.rows):
        raise UnreadableList(f"No row of the file can be read: {found.rows[0].why}.")


def _digests(rows: Sequence[Row]) -> list[str]:
    """Return the digests of all rows, those of equal rows as `preview` tells them apart."""
    seen: dict[str, int] = {}
    found = []
    for row in rows:
        if row.call is not None:
            plain = digest_of(row.call)
            times = seen[plain] = seen.get(plain, 0) + 1
            found.append(plain if times == 1 else digest_of(row.call, times))
    return found


def _sending(list_id: str, rows: Sequence[str], again: str) -> Sending:
    """Return rows with their key: the same rows of the same list are accepted once."""
    text = "\n".join(["list", list_id, again, *rows])
    return Sending(key=hashlib.sha256(text.encode()).hexdigest(), rows=rows, again=again)
