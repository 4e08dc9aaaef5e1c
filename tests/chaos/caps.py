"""People are called by three campaigns and a recurring call, and by no more than a cap allows."""

from __future__ import annotations

import time
from collections import Counter
from typing import Any

from tests.chaos.arena import Arena, arena
from tests.chaos.harm import deeds, havoc, of_process, of_server
from tests.chaos.recurring import make_due, schedule
from tests.chaos.scale import Scale
from tests.chaos.verify import fail_on
from tests.integration.recurring_calls import RARELY
from tests.stack import until

#: Starts that are allowed, of those that are wanted: two of each campaign, and one recurring.
_MOST, _CAMPAIGNS = 3, 3


def caps_race(scale: Scale, seed: int) -> tuple[str, str]:
    """Each person is to be called seven times and may be called three times; workers die."""
    with arena(scale, seed) as made:
        made.start(workers=3, CALL_WORKER_CONCURRENCY="4", ATTEMPT_CAPS=f"{_MOST}/24h")
        made.stack.start("beat")
        made.phone.faults({"fault": "slow", "ms": 50, "when": "after"})
        people = made.numbers(scale.pick(6, 40, 200))
        recurring = [schedule(made, number, RARELY) for number in people]
        _start_campaigns(made, people)
        make_due(made, recurring)
        targets = [of_server(made.server), *map(of_process, made.workers)]
        with havoc(made, targets, every_s=(0.3, 2.0), stop_s=(0.1, 1.0)):
            time.sleep(scale.pick(4, 20, 120))
        until(
            lambda: _all_held(made, len(people)),
            within_s=180 + 2 * len(people),
            what="all calls that are left are held by the cap",
        )
        rings = Counter(ring["to"] for ring in made.phone.rings())
        size = f"{len(people)} people, {len(people) * (2 * _CAMPAIGNS + 1)} calls, {deeds(targets)}"
    fail_on([f"{each} rang {rings[each]} times" for each in people if rings[each] > _MOST])
    return size, f"{rings.total()} rings, none beyond {_MOST} a person; the other calls wait"


def _start_campaigns(made: Arena, people: list[str]) -> None:
    for number in range(_CAMPAIGNS):
        made_id = made.api("POST", "/campaigns", {"name": f"Campaign {number}"})["campaignId"]
        calls = [{"to": each} for each in people for _ in range(2)]
        made.api("POST", f"/campaigns/{made_id}/calls", {"calls": calls})
        made.api("POST", f"/campaigns/{made_id}/start")


def _all_held(made: Arena, people: int) -> bool:
    """Whether nothing is under way, and as many calls are held as are too many."""
    stats: dict[str, Any] = made.api("GET", "/stats")["stats"]
    if stats["waiting"] or stats["active"]:
        return False
    # In doubt counts, so that a person may have been rung less often than is allowed.
    left: list[dict[str, Any]] = made.api("GET", "/delayed?start=0&end=999")["jobs"]
    return len(left) >= people and all((job.get("held") or {}).get("by") == "cap" for job in left)
