"""Accept calls, each request whole or not at all."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Protocol

from vomind_queue.calls.call import Call, NewCall, mask_number
from vomind_queue.calls.job import IdempotencyKey, Job, Receipt
from vomind_queue.usecases.deeds import Deeds

logger = logging.getLogger(__name__)


class Inbox(Protocol):
    """What scheduling needs of the queue."""

    def add(
        self,
        news: Sequence[NewCall],
        key: IdempotencyKey | None = None,
        *,
        refuse_listed: bool = False,
    ) -> Receipt: ...
    def change(self, job_id: str, decide: Callable[[Call], NewCall], by: str = "") -> None: ...
    def job(self, job_id: str) -> Job: ...


class Enqueue:
    """Accepts calls. Everything may raise StoreUnavailable."""

    def __init__(self, inbox: Inbox, deeds: Deeds) -> None:
        self._inbox = inbox
        self._deeds = deeds

    def schedule(self, new: NewCall, key: IdempotencyKey | None = None) -> Receipt:
        """Accept one call. Raise KeyReused, NumberListed."""
        receipt = self._inbox.add([new], key, refuse_listed=True)
        if not receipt.replayed:
            later = new.due_ms is not None or new.delay_ms is not None
            logger.info(
                "📞 ⏰ call scheduled" if later else "📞 ⏰ call queued",
                extra={"job_id": receipt.job_ids[0], "to": mask_number(new.call.to)},
            )
        return receipt

    def schedule_many(self, news: Sequence[NewCall], key: IdempotencyKey | None = None) -> Receipt:
        """Accept all of the calls or none. Raise KeyReused."""
        receipt = self._inbox.add(news, key)
        if not receipt.replayed:
            first, last = receipt.job_ids[0], receipt.job_ids[-1]
            logger.info("📞 ⏰ %d calls scheduled", len(news), extra={"job_id": f"{first}-{last}"})
        return receipt

    def change(self, job_id: str, decide: Callable[[Call], NewCall], by: str) -> Job:
        """Change a call that has not begun. Raise JobNotFound, WrongState, or as ``decide``."""
        self._inbox.change(job_id, decide, by)
        self._deeds.note(by, "changed", job_id)
        logger.info("📞 ⏰ call changed", extra={"job_id": job_id})
        return self._inbox.job(job_id)
