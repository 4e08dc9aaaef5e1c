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
#: How long a call with an unknown outcome may take beyond the horizon, s: the wait before its
#: next attempt, the attempt, and a machine that is busy.
RECONCILED_MARGIN_S = 10.0
#: Calls that are in the hands of each of two workers, one of which dies.
HELD = 60


def leases(scale: Scale, seed: int) -> tuple[str, str]:
    """SIGKILL of a worker that has taken calls, some of which are at Twilio."""
    rounds = scale.pick(1, 8, 10)
    picked_up: list[float] = []
    ended_s: list[float] = []
    with arena(scale, seed) as made:
        made.start(workers=2, CALL_WORKER_CONCURRENCY=str(HELD))
        made.phone.faults({"fault": "slow", "ms": int(3_000 * scale.pace), "when": "after"})
        for _ in range(rounds):
            _one(made, picked_up, ended_s)
        made.judge(within_s=60)
    limit_s = PICKED_UP_S * scale.pace + 1.0
    slowest = max(picked_up, default=0.0)
    if scale.timed:
        fail_on([f"a call was picked up after {slowest:.1f} s"] if slowest > limit_s else [])
        last, horizon_s = max(ended_s, default=0.0), scale.pick(2.0, 6.0, 300.0)
        late = last > horizon_s + RECONCILED_MARGIN_S
        fail_on([f"a call with an unknown outcome ended after {last:.1f} s"] if late else [])
    orphans = sum(took_s > 0.5 * scale.pace for took_s in picked_up)
    return f"{rounds} kills with up to {HELD} calls in hand", (
        f"{len(picked_up)} not at Twilio yet, {orphans} of them a dead worker's, started within "
        f"{slowest:.1f} s; {len(ended_s)} others ended within {max(ended_s, default=0.0):.1f} s"
    )


def _one(made: Arena, picked_up: list[float], ended_s: list[float]) -> None:
    victim = made.workers[-1]
    job_ids = made.client().add(made.numbers(2 * HELD))
    with made.server.client() as direct:
        until(lambda: direct.zcard("{calls}:active"), within_s=60, what="calls are taken")
    # A thread a call: it takes some ms until each of them has asked Twilio.
    time.sleep(made.rng.uniform(0.0, 0.08))
    of_process(victim).send(signal.SIGKILL)
    killed_ms = time.time() * 1000
    held = {job["jobId"]: job["progress"] for job in made.api("GET", "/active?end=999")["jobs"]}
    if made.scale.pace < 1:
        # An idle worker looks around every 5 s, which is not made faster for tests: a call
        # that comes in wakes it, and it learns when the leases run out.
        made.client().add(made.numbers(1))
    until(lambda: made.api.stats()["active"] == 0, within_s=400, what="nothing is active")
    made.until_quiet(within_s=60)
    jobs = {job_id: made.api.job(job_id) for job_id in job_ids}
    for job_id, progress in held.items():
        job: dict[str, Any] = jobs[job_id]
        took_s = ((job["processedOn"] if progress == 0 else job["finishedOn"]) - killed_ms) / 1000
        (picked_up if progress == 0 else ended_s).append(took_s)
    victim.kill()
    made.new_worker().wait_for(" ready.", within_s=60)
