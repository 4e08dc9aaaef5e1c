"""A worker dies with calls in hand: another one places them within seconds."""

from __future__ import annotations

import signal
import time
from typing import Any

from tests.chaos.arena import Arena, arena
from tests.chaos.harm import of_process
from tests.chaos.scale import Scale
from tests.chaos.verify import fail_on
from tests.stack import until

#: Within what time a call that was not at Twilio yet rings through another worker, s, at the
#: product's own pace.
PICKED_UP_S = 15.0
#: Calls that are in the hands of the worker that dies.
HELD = 60


def leases(scale: Scale, seed: int) -> tuple[str, str]:
    """SIGKILL of a worker that has taken calls, some of which are at Twilio."""
    rounds = scale.pick(1, 8, 10)
    picked_up: list[float] = []
    settled: list[float] = []
    with arena(scale, seed) as made:
        made.start(workers=0, CALL_WORKER_CONCURRENCY=str(HELD))
        for _ in range(rounds):
            _one(made, picked_up, settled)
        made.judge(within_s=60)
    limit_s = PICKED_UP_S * scale.pace + 1.0
    slowest = max(picked_up, default=0.0)
    if scale.timed:
        fail_on([f"a call was picked up after {slowest:.1f} s"] if slowest > limit_s else [])
    return f"{rounds} kills with {HELD} calls in hand", (
        f"{len(picked_up)} not at Twilio yet rang within {slowest:.1f} s; "
        f"{len(settled)} in doubt settled within {max(settled, default=0.0):.1f} s"
    )


def _one(made: Arena, picked_up: list[float], settled: list[float]) -> None:
    made.phone.faults({"fault": "slow", "ms": int(3_000 * made.scale.pace), "when": "after"})
    victim, other = made.new_worker(), made.new_worker()
    for worker in (victim, other):
        worker.wait_for(" ready.", within_s=60)
    # It must not take any of them before.
    other.send(signal.SIGSTOP)
    job_ids = made.client().add(made.numbers(HELD))
    # A thread a call: it takes some ms until each of them has asked Twilio.
    time.sleep(made.rng.uniform(0.0, 0.3))
    of_process(victim).send(signal.SIGKILL)
    killed_ms = time.time() * 1000
    held = {job["jobId"]: job["progress"] for job in made.api("GET", "/active?end=999")["jobs"]}
    other.send(signal.SIGCONT)
    if made.scale.pace < 1:
        # An idle worker looks around every 5 s, which is not made faster for tests: a call
        # that comes in wakes it, and it learns when the leases run out.
        made.client().add(made.numbers(1))
    until(lambda: made.api.stats()["active"] == 0, within_s=400, what="nothing is active")
    made.settle(within_s=60)
    jobs = {job_id: made.api.job(job_id) for job_id in job_ids}
    for job_id, progress in held.items():
        job: dict[str, Any] = jobs[job_id]
        took_s = ((job["processedOn"] if progress == 0 else job["finishedOn"]) - killed_ms) / 1000
        (picked_up if progress == 0 else settled).append(took_s)
    made.phone.mend()
    for worker in made.workers:
        worker.kill()
