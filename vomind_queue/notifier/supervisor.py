"""Which subscriptions this process delivers to: those whose lease it has."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass

from vomind_queue.errors import StoreUnavailable
from vomind_queue.notifier.deliverer import Deliverer, Means
from vomind_queue.queue.webhook_store import WebhookLeases

logger = logging.getLogger(__name__)

#: How long a notifier may be silent before others take its subscriptions over, ms.
LEASE_MS = 10_000
#: Between two renewals, s.
ROUND_S = 1.0


@dataclass(frozen=True, kw_only=True, slots=True)
class _Running:
    epoch: str
    deliverer: Deliverer
    task: asyncio.Task[None]

    @property
    def is_lost(self) -> bool:
        """Whether it broke, or was another notifier's for a moment: it has to begin again."""
        return self.task.done() and not self.deliverer.has_ended


class Supervisor:
    """Starts and ends deliverers."""

    def __init__(self, leases: WebhookLeases, means: Means) -> None:
        self._leases = leases
        self._means = means
        self._running: dict[str, _Running] = {}
        self._renewed_at = time.monotonic()

    async def run(self) -> None:
        """Run until cancelled."""
        while True:
            try:
                held = await self._means.feed.in_thread(self._leases.renew)
                self._renewed_at = time.monotonic()
                await self._follow(held)
            except StoreUnavailable as error:
                logger.warning("leases of webhooks not renewed: %s", error)
                if time.monotonic() - self._renewed_at > LEASE_MS / 1_000:
                    await self._end(list(self._running))
            await asyncio.sleep(ROUND_S)

    async def stop(self) -> None:
        """Finish what is under way, and leave the subscriptions to others."""
        for each in self._running.values():
            each.deliverer.stop()
        if self._running:
            await asyncio.wait([each.task for each in self._running.values()])
        try:
            await self._means.feed.in_thread(self._leases.give_back)
        except StoreUnavailable:
            logger.info("leases left to expire: Redis is unreachable")

    async def _follow(self, held: Mapping[str, str]) -> None:
        await self._end(
            [
                webhook_id
                for webhook_id, each in self._running.items()
                if held.get(webhook_id) != each.epoch or each.is_lost
            ]
        )
        # All at once: each waits for Redis, and a notifier that comes up may find a thousand.
        await asyncio.gather(
            *(
                self._start(webhook_id, epoch)
                for webhook_id, epoch in held.items()
                if webhook_id not in self._running
            )
        )

    async def _start(self, webhook_id: str, epoch: str) -> None:
        try:
            found = await self._means.feed.in_thread(lambda: self._leases.load(webhook_id))
        except (KeyError, TypeError, ValueError):
            # Of a newer version, perhaps: no other subscription waits for it.
            logger.error("webhook not read", extra={"webhook": webhook_id})
            return
        if found is None:
            return
        deliverer = Deliverer(*found, epoch, self._means)
        task = asyncio.create_task(deliverer.run())
        self._running[webhook_id] = _Running(epoch=epoch, deliverer=deliverer, task=task)

    async def _end(self, webhook_ids: list[str]) -> None:
        ended = [self._running.pop(webhook_id).task for webhook_id in webhook_ids]
        for task in ended:
            task.cancel()
        for outcome in await asyncio.gather(*ended, return_exceptions=True):
            if isinstance(outcome, Exception):
                logger.error("deliverer broke: %s", type(outcome).__name__)
