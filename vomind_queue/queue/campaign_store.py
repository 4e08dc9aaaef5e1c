"""Campaigns in Redis, behind one script a request."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Any

from vomind_queue.calls.call import State
from vomind_queue.calls.campaign import (
    Campaign,
    CampaignCalls,
    CampaignCreated,
    CampaignPage,
    CampaignView,
)
from vomind_queue.calls.job import IdempotencyKey, Job
from vomind_queue.calls.limits import Retention
from vomind_queue.errors import CampaignNotFound, WrongCampaignState
from vomind_queue.queue import call_record, campaign_record, keys
from vomind_queue.queue.call_queue import RECORDS
from vomind_queue.queue.call_record import pairs
from vomind_queue.queue.codes import Code
from vomind_queue.queue.connection import RedisStore
from vomind_queue.queue.idempotency_keys import asked, refuse_misuse

#: Calls of a cancelled campaign that one script removes: it must not hold the server for 5 ms.
SWEPT_AT_ONCE = 30
#: Records that one page of a campaign's calls reads at most.
MOST_READ = 2_000
#: How often a change is tried again when the campaign was changed meanwhile.
CHANGE_TRIES = 5


class CampaignStore:
    """The campaigns. Everything may raise StoreUnavailable."""

    def __init__(self, store: RedisStore) -> None:
        self._store = store

    def create(self, campaign: Campaign, key: IdempotencyKey | None) -> CampaignCreated:
        """Store a new campaign as a draft. Raise KeyReused."""
        answer = self._store.run_with_deadline(
            "create_campaign",
            keys.LAST_CAMPAIGN,
            *asked(key),
            *campaign_record.settings(campaign),
        )
        refuse_misuse(answer)
        return CampaignCreated(id=answer[2], replayed=answer[0] == Code.REPLAY)

    def show(self, campaign_id: str) -> CampaignView:
        """Return a campaign. Raise CampaignNotFound."""
        fields = self._store.ask("HGETALL", keys.campaign(campaign_id))
        if not fields:
            raise CampaignNotFound(campaign_id)
        return campaign_record.view(campaign_id, fields)

    def page(self, start: int, end: int) -> CampaignPage:
        """Return campaigns ``start`` to ``end``, both included, newest first."""
        total, *flat = self._store.read("campaigns_page", [keys.CAMPAIGNS], start, end)
        views = [
            campaign_record.view(campaign_id, pairs(fields))
            for campaign_id, fields in zip(flat[::2], flat[1::2], strict=True)
        ]
        return CampaignPage(views=views, total=total)

    def change(self, campaign_id: str, decide: Callable[[CampaignView], Campaign]) -> None:
        """Make a campaign what ``decide`` makes of it.

        Raise CampaignNotFound, and WrongCampaignState where it has ended.
        """
        for _ in range(CHANGE_TRIES):
            old = self.show(campaign_id)
            wanted = campaign_record.settings(decide(old))
            answer = self._store.run_with_deadline(
                "change_campaign",
                keys.CAMPAIGNS,
                campaign_id,
                campaign_record.encode(old.campaign),
                *wanted,
            )
            if answer[0] != Code.MISMATCH:
                _refuse(answer, campaign_id, "it has ended")
                return
        text = f"Campaign {campaign_id} is being changed by others: try again."
        raise WrongCampaignState(text)

    def remove(self, campaign_id: str) -> None:
        """Remove a draft without calls, or one that has ended.

        Raise CampaignNotFound, WrongCampaignState.
        """
        answer = self._store.run_with_deadline("remove_campaign", keys.CAMPAIGNS, campaign_id)
        _refuse(answer, campaign_id, "it has calls that are not over; cancel it first")

    def steer(self, campaign_id: str, deed: str, by: str) -> bool:
        """Start, pause, resume or cancel a campaign; return whether that changed it.

        Raise CampaignNotFound, WrongCampaignState.
        """
        answer = self._store.run_with_deadline(
            "steer_campaign", keys.CAMPAIGNS, campaign_id, deed, by
        )
        _refuse(answer, campaign_id, f"there is nothing to {deed}")
        if answer[0] == Code.EXPIRED:
            text = f"The endAt of campaign {campaign_id} has passed; set a later one, or null."
            raise WrongCampaignState(text)
        return bool(answer[0] == Code.OK)

    def sweep(self, keep: Retention) -> int:
        """End some calls of campaigns that were cancelled, or whose end has come.

        ``keep``: how many failed calls are kept. Return how many were looked at.
        """
        _, looked_at = self._store.write(
            "sweep_campaigns", [keys.SWEEPING], SWEPT_AT_ONCE, keep.age_ms, keep.count
        )
        return int(looked_at)

    def calls(
        self, campaign_id: str, states: Sequence[State], after: str | None, limit: int
    ) -> CampaignCalls:
        """Return calls of a campaign in those states, none for any. Raise CampaignNotFound.

        ``after``: the `next` of the page before. A page may hold fewer calls than there are, and
        yet another one follow.
        """
        self.show(campaign_id)
        found: list[Job] = []
        read = 0
        for part in parts_of_calls(self._store, campaign_id, int(after or 0)):
            records = self._store.read("records", [keys.job(part[0])], *part)
            for job_id, fields in zip(part, records, strict=True):
                job = call_record.read(job_id, pairs(fields))
                if job and job.campaign_id == campaign_id and (not states or job.state in states):
                    found.append(job)
                if len(found) == limit:
                    return CampaignCalls(jobs=found, next=job_id)
            read += len(part)
            if read >= MOST_READ:
                return CampaignCalls(jobs=found, next=part[-1])
        return CampaignCalls(jobs=found, next=None)


def parts_of_calls(store: RedisStore, campaign_id: str, after: int = 0) -> Iterator[Sequence[str]]:
    """Yield the ids of calls that a campaign was given, behind that one, some at a time."""
    ids = _ids(store, campaign_id, after)
    while part := list(islice(ids, RECORDS)):
        yield part


def _ids(store: RedisStore, campaign_id: str, after: int) -> Iterator[str]:
    ranges = store.ask("LRANGE", keys.CAMPAIGN_CALLS + campaign_id, 0, -1)
    for first, count in (map(int, each.split(":")) for each in ranges):
        for number in range(max(first, after + 1), first + count):
            yield str(number)


def _refuse(answer: list[Any], campaign_id: str, why: str) -> None:
    if answer[0] == Code.MISSING:
        raise CampaignNotFound(campaign_id)
    if answer[0] == Code.WRONG_STATE:
        raise WrongCampaignState(f"Campaign {campaign_id} is {answer[2]}; {why}.")
