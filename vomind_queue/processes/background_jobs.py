"""What a worker sees to besides placing calls, each thing in a thread and when it is due.

Unknown outcomes are looked into, silent calls are asked for, rings without an attempt are ended.
One thread sleeps in Redis until the first of them is due, or until a script there says that
something is due sooner than it was. So a worker at rest asks next to nothing.
"""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable, Mapping

from vomind_queue.errors import StoreUnavailable
from vomind_queue.queue.due_times import DueTimes

logger = logging.getLogger(__name__)

#: The longest time between two checks, s: a worker that was not notified sees it then.
UNASKED_S = 5.0
#: The shortest time between two checks, s, however much is due …
LEAST_S = 0.5
#: … but for one that a notification asked for. A burst of them is one check, s.
WORD_S = 0.05
#: Time between two tries while Redis is unreachable, s.
RETRY_S = 0.5
#: Workers share the checks: the more there are, the longer each waits between two, up to
#: so many times as long. No more, so that the last one left is not late for long.
MOST_SHARING = 10


class BackgroundJob:
    """A thread that does one thing whenever it is called."""

    def __init__(self, name: str, step: Callable[[], int]) -> None:
        """``step`` returns how much it found to do; it is repeated until there was nothing."""
        self._name = name
        self._step = step
        self._called = threading.Event()
        self._stopped = False
        # A daemon: a step under way is not waited for, its lease hands it on.
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Start the thread; it does nothing yet."""
        self._thread.start()

    def call(self) -> None:
        """Have it done soon, unless it is being done."""
        self._called.set()

    def stop(self) -> None:
        """Do nothing more."""
        self._stopped = True
        self._called.set()

    def _run(self) -> None:
        while self._called.wait() and not self._stopped:
            self._called.clear()
            try:
                while self._step() and not self._stopped:
                    pass
            except StoreUnavailable as error:
                logger.warning("%s: Redis cannot be read: %s", self._name, error)
            except Exception:
                logger.exception("%s failed", self._name)


class BackgroundJobs:
    """Calls each job when it is due."""

    def __init__(
        self,
        times: DueTimes,
        steps: Mapping[str, Callable[[], int]],
        sharing: Callable[[], int],
    ) -> None:
        """``steps``: what to do by the name of what is due; ``sharing``: workers at the queue."""
        self._times = times
        self._jobs = {name: BackgroundJob(name, step) for name, step in steps.items()}
        self._sharing = sharing
        self._stopped = threading.Event()
        #: Tries in a row at which Redis was away.
        self._failures = 0
        self._thread = threading.Thread(target=self._run, name="duties", daemon=True)

    def start(self) -> None:
        """Start; does nothing when it runs already."""
        if self._thread.ident is None:
            for job in self._jobs.values():
                job.start()
            self._thread.start()

    def stop(self) -> None:
        """Stop all jobs."""
        self._stopped.set()
        for job in self._jobs.values():
            job.stop()
        self._times.interrupt()

    def _run(self) -> None:
        while not self._stopped.is_set():
            try:
                self._sleep(self._check())
            except StoreUnavailable as error:
                if not self._failures and not self._stopped.is_set():
                    logger.warning("Redis cannot be reached, trying again: %s", error)
                self._failures += 1
                self._stopped.wait(RETRY_S)
            except Exception:
                # A connection that is closed while it is read fails in any way.
                if not self._stopped.is_set():
                    logger.exception("check for due jobs failed")
                    self._stopped.wait(RETRY_S)
            else:
                if self._failures:
                    logger.warning("Redis answers again, after %d tries", self._failures)
                    self._failures = 0

    def _check(self) -> float:
        """Call what is due; return how long to wait for the next check, s."""
        waits = self._times.next()
        for name, wait_s in waits.items():
            if wait_s <= 0:
                self._jobs[name].call()
        share = min(self._sharing(), MOST_SHARING)
        # Spread them, so that they do not all run at once.
        least_s = share * LEAST_S * random.uniform(0.5, 1.5)  # noqa: S311
        return max(least_s, min([share * UNASKED_S, *waits.values()]))

    def _sleep(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while not self._stopped.is_set() and (left_s := until - time.monotonic()) > 0:
            if self._times.wait(left_s):
                if self._stopped.wait(WORD_S):
                    # It came for a worker that is stopping.
                    self._times.put_back()
                return
