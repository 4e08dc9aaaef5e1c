"""Twilio takes a few calls at a time: the others wait, and lose nothing by it."""

from __future__ import annotations

from typing import Any

import requests

from tests.chaos.arena import Arena, arena
from tests.chaos.scale import Scale
from tests.chaos.verify import Evidence, fail_on
from tests.stack import until

#: How long a call lasts at the simulator's usual pace, s.
USUAL_LENGTH_S = 6.0
#: What Twilio says: too many calls at a time, and a full queue.
REFUSALS = ({"status": 429, "code": 10004}, {"status": 400, "code": 22005})


def capacity(scale: Scale, seed: int) -> tuple[str, str]:
    """Far more calls than Twilio takes at a time: all ring, and refusals use up no attempt."""
    count, lines = scale.pick(6, 20, 20), scale.pick(2, 4, 4)
    length_s = scale.pick(1.0, 2.0, 20.0)
    refused = []
    for refusal in REFUSALS[: scale.pick(1, 2, 2)]:
        with arena(scale, seed) as made:
            made.start(workers=2, CALL_WORKER_CONCURRENCY="10")
            made.phone.outcomes({"outcome": "human", "pace": length_s / USUAL_LENGTH_S})
            made.phone.faults({"fault": "crowded", "lines": lines, **refusal})
            made.client().add(made.numbers(count))
            until(lambda made=made: _names_it(made), within_s=60, what="the overview names it")
            evidence = made.judge(within_s=120 + 4 * count / lines * length_s)
            refused.append(made.phone.faults()[0]["struck"])
        fail_on(_faults(evidence, count))
    fail_on([] if all(refused) else ["nothing was refused"])
    return f"{count} calls, {lines} at a time for {length_s:g} s each", (
        f"all rang once; {' and '.join(map(str, refused))} refusals, none cost an attempt"
    )


def _names_it(made: Arena) -> bool:
    shown: dict[str, Any] = requests.get(f"{made.stack.web_url}/api/overview", timeout=30).json()
    return "capacity" in [reason["kind"] for reason in shown["reasons"]]


def _faults(evidence: Evidence, count: int) -> list[str]:
    faults = [
        f"not completed in its first attempt: {job}"
        for job in evidence.jobs.values()
        if (job["state"], job["attemptsMade"]) != ("completed", 1)
    ]
    if len(evidence.rings) != count:
        faults.append(f"{len(evidence.rings)} of {count} phones rang")
    return faults
