"""Operations for people who run the queue: to change it, and to see its state and why."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from typing import Protocol

from vomind_queue.calls.call import State
from vomind_queue.calls.campaign import CampaignView
from vomind_queue.calls.failure_kinds import kind_of
from vomind_queue.calls.job import Cleaned, Job
from vomind_queue.errors import JobNotFound, NotOverriding, WrongState
from vomind_queue.observability.explain import Explanation, Obstacle, Place, explain
from vomind_queue.observability.explain_campaign import (
    CampaignExplanation,
    CampaignWaits,
    explain_campaign,
)
from vomind_queue.observability.last_hour import Hour
from vomind_queue.observability.overview import Overview, assess
from vomind_queue.observability.queue_stats import Report, Stats
from vomind_queue.observability.webhook_stats import WebhookStats
from vomind_queue.rules.judge import Kind
from vomind_queue.usecases.calling_rules import CallingRules
from vomind_queue.usecases.deeds import Deeds

logger = logging.getLogger(__name__)

#: Kinds that are returned. There are about a dozen, unless unforeseen error texts add more.
MOST_KINDS = 100
#: States of calls that have ended.
HISTORY = (State.COMPLETED, State.FAILED)


class Queue(Protocol):
    """What control needs of the queue."""

    def cancel(self, job_id: str, by: str = "") -> State: ...
    def hang_up(self, job_id: str, by: str = "") -> None: ...
    def retry(self, job_id: str, by: str = "", once: str = "") -> None: ...
    def retry_until(self, job_id: str, not_after: str | None, by: str = "") -> None: ...
    def stats(self) -> Stats: ...
    def job(self, job_id: str) -> Job: ...
    def clean(self, grace_ms: int, limit: int) -> Cleaned: ...
    def pause(self, by: str, reason: str | None = None) -> None: ...
    def resume(self) -> None: ...


class Inspection(Protocol):
    """What control reads besides the queue."""

    def hour(self) -> Hour: ...
    def webhooks(self) -> WebhookStats: ...
    def place(self, job_id: str) -> Place: ...
    def campaign_waits(self, campaign_id: str) -> CampaignWaits: ...
    def failures(self) -> Iterator[tuple[str, str]]: ...
    def cleanable(self, grace_ms: int) -> Mapping[State, int]: ...


@dataclass(frozen=True, kw_only=True, slots=True)
class FailureKind:
    """Calls that failed alike."""

    #: Names the kind in a request: ``twilio-21211``, ``http-503`` or words.
    kind: str
    #: Why the last of them failed, in words.
    example: str
    count: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Retried:
    """The result of a request to retry failed calls."""

    job_ids: Sequence[str]
    #: Whether there are more of that kind.
    more: bool


class Control:
    """Answers questions and carries out orders. Everything may raise StoreUnavailable."""

    def __init__(
        self,
        queue: Queue,
        inspection: Inspection,
        deeds: Deeds,
        rules: CallingRules,
        report: Report,
    ) -> None:
        """``report``: the settings of this process that workers must share."""
        self._report = report
        self._queue = queue
        self._rules = rules
        self._deeds = deeds
        self._inspection = inspection

    def cancel(self, job_id: str, by: str) -> State:
        """Take a call out of the queue or out of history; return the state it was in.

        Raise JobNotFound, and WrongState while the call is being placed.
        """
        was = self._queue.cancel(job_id, by)
        self._deeds.note(by, "removed" if was in HISTORY else "cancelled", job_id)
        logger.info("call removed, was %s", was, extra={"job_id": job_id})
        return was

    def hang_up(self, job_id: str, by: str) -> None:
        """End a call that is on the line. Raise JobNotFound, or WrongState if there is none."""
        self._queue.hang_up(job_id, by)
        self._deeds.note(by, "hung up", job_id)
        logger.info("call to be hung up", extra={"job_id": job_id})

    def retry(self, job_id: str, by: str) -> None:
        """Give a failed call a new set of attempts. Raise JobNotFound, WrongState."""
        self._queue.retry(job_id, by)
        self._deeds.note(by, "retried", job_id)
        logger.info("📞 ⏰ failed call queued again", extra={"job_id": job_id})

    def retry_until(self, job_id: str, not_after: str | None, by: str) -> None:
        """Do the same with another latest start. Raise also ExpiresTooSoon."""
        self._queue.retry_until(job_id, not_after, by)
        self._deeds.note(by, "retried", job_id)
        logger.info("📞 ⏰ failed call queued again", extra={"job_id": job_id})

    def clean(self, grace_ms: int, limit: int, by: str) -> Cleaned:
        """Remove up to ``limit`` calls that ended at least ``grace_ms`` ago, oldest first."""
        cleaned = self._queue.clean(grace_ms, limit)
        removed = len(cleaned.completed) + len(cleaned.failed)
        self._deeds.note(by, "cleaned", calls=removed)
        logger.info("history cleaned: %d calls removed", removed)
        return cleaned

    def pause(self, by: str, reason: str | None = None) -> None:
        """Stop all workers from starting calls until `resume`."""
        self._queue.pause(by, reason)
        self._deeds.note(by, "paused", **({"reason": reason} if reason else {}))
        logger.warning("queue paused by %s", by)

    def resume(self, by: str) -> None:
        """Let calls start again."""
        self._queue.resume()
        self._deeds.note(by, "resumed")
        logger.info("queue resumed")

    def webhooks(self) -> WebhookStats:
        """Return how deliveries to webhooks go."""
        return self._inspection.webhooks()

    def overview(self) -> Overview:
        """Return the present state of the queue, and the last hour."""
        hour = self._inspection.hour()
        stats = self._queue.stats()
        assessment = assess(
            stats,
            hour.now_ms,
            lacks_rules=self._rules.missing,
            report=self._report,
            webhooks=self._inspection.webhooks(),
        )
        return Overview(stats=stats, hour=hour, assessment=assessment)

    def why(self, job_id: str) -> Explanation:
        """Return why a call has not rung yet. Raise JobNotFound."""
        place, stats = self._inspection.place(job_id), self._queue.stats()
        return explain(place, stats, self._rule(job_id, place))

    def why_campaign(self, view: CampaignView) -> CampaignExplanation:
        """Return why a campaign stands still. Raise CampaignNotFound."""
        waits = self._inspection.campaign_waits(view.id)
        return explain_campaign(view, waits, self._queue.stats())

    def _rule(self, job_id: str, place: Place) -> Obstacle | None:
        """Return what will keep a call from ringing when its turn comes."""
        is_judged = self._rules.hold or place.campaign_hours
        if not is_judged or place.state not in (State.WAITING, State.DELAYED):
            return None
        # A held call is judged as of now, one for later as of when it is due.
        due_ms = place.now_ms if place.held else max(place.now_ms, place.at_ms or 0)
        job = self._queue.job(job_id)
        judged = self._rules.explain(job.call, due_ms, job.held, place.campaign_hours)
        verdict = judged.verdict
        if verdict.kind is Kind.GO:
            return None
        return Obstacle(kind=verdict.why, text=judged.words, until_ms=verdict.until)

    def failure_kinds(self) -> Sequence[FailureKind]:
        """Return why calls failed, the most frequent kind first."""
        examples: dict[str, str] = {}
        counts: dict[str, int] = {}
        for _, reason in self._inspection.failures():
            kind = kind_of(reason)
            examples.setdefault(kind, reason)
            counts[kind] = counts.get(kind, 0) + 1
        kinds = sorted(counts, key=lambda kind: -counts[kind])[:MOST_KINDS]
        return [
            FailureKind(kind=kind, example=examples[kind], count=counts[kind]) for kind in kinds
        ]

    def retry_failed(self, kind: str | None, limit: int, by: str) -> Retried:
        """Give failed calls of a kind, or all of them, a new set of attempts; newest first."""
        alike = (
            job_id
            for job_id, reason in self._inspection.failures()
            if kind is None or kind_of(reason) == kind
        )
        # Read all before moving one: the list would shift under the reader.
        found = list(islice(alike, limit + 1))
        retried = []
        for job_id in found[:limit]:
            # Another request was quicker, or rules are lifted for it.
            with suppress(JobNotFound, WrongState, NotOverriding):
                self._queue.retry(job_id, by)
                retried.append(job_id)
        self._deeds.note(by, "retried", calls=len(retried), **({"kind": kind} if kind else {}))
        logger.info("📞 ⏰ %d failed calls queued again", len(retried))
        return Retried(job_ids=retried, more=len(found) > limit)

    def cleanable(self, grace_ms: int) -> Mapping[State, int]:
        """Return how many calls of history ended at least so long ago."""
        return self._inspection.cleanable(grace_ms)
