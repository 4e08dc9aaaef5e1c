"""RedBeat's scheduler, with recurring calls kept by the store.

Recurring calls are no entries of RedBeat's: an entry lives in two keys that no
script moves together with a call, so that a crash in between loses a tick, and
its schedule would be a second truth beside the call's record. The scheduler asks
the store instead, which hands out what is due and makes calls of it in one step.
RedBeat's keys may be lost or edited; no recurring call depends on them. Ordinary
periodic tasks (``beat_schedule``, RedBeat's entries) run by RedBeat's own code.

Several schedulers may run. One leads; who that is stands in the store, renewed
with each look, in place of RedBeat's lock, which ends the process in an outage.

Leans on RedBeat 2.4: ``setup_schedule``, ``tick`` and ``lock_key``, which a test guards.
"""

from __future__ import annotations

import logging
from typing import Any

import redis
from redbeat.schedulers import RedBeatScheduler

from vomind_queue.broker.link import Link
from vomind_queue.broker.names import LINK_OPTION
from vomind_queue.errors import StoreUnavailable

logger = logging.getLogger(__name__)

#: Between two tries while Redis is away, s.
AWAY_LOOK_S = 0.5


class Scheduler(RedBeatScheduler):
    """One for each beat process."""

    def __init__(self, app: Any, **kwargs: Any) -> None:
        link: Link = app.conf.broker_transport_options[LINK_OPTION]
        self._timekeeper = link.timekeeper
        #: Unknown before the first look.
        self._leads: bool | None = None
        self._away = False
        self._set_up = False
        super().__init__(app, **kwargs)

    def setup_schedule(self) -> None:
        """Does nothing yet: Redis may be away, and another scheduler may lead."""

    def tick(self, *args: Any, **kwargs: Any) -> float:
        """Fires what is due, if this scheduler leads; answers when to look again, s."""
        try:
            wait_s = self._tick(*args, **kwargs)
        except (StoreUnavailable, redis.RedisError) as error:
            if not self._away:
                logger.error("Redis cannot be reached, trying again: %s", error)
            self._away = True
            return AWAY_LOOK_S
        if self._away:
            logger.warning("Redis answers again")
        self._away = False
        return wait_s

    def close(self) -> None:
        """Lets another scheduler lead at once."""
        try:
            self._timekeeper.step_down()
        except StoreUnavailable as error:
            # Its time runs out instead.
            logger.warning("while stopping: %s", error)
        super().close()

    def _tick(self, *args: Any, **kwargs: Any) -> float:
        beat = self._timekeeper.beat()
        if beat.leads != self._leads:
            logger.info("scheduler leads" if beat.leads else "another scheduler leads")
            self._leads = beat.leads
        if not beat.leads:
            return beat.wait_s
        if not self._set_up:
            super().setup_schedule()
            self._set_up = True
        return float(min(super().tick(*args, **kwargs), beat.wait_s))
