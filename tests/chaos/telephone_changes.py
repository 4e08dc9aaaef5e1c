"""What is around a call changes while it is placed or on the line: addresses, wishes, the data."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import requests

from tests.chaos.arena import Arena, arena
from tests.chaos.scale import Scale
from tests.chaos.verify import fail_on
from tests.stack import until

_ONE, _TWO = ({"PUBLIC_URL": f"http://127.0.0.1:9/{name}"} for name in ("one", "two"))
_NONE = {"PUBLIC_URL": ""}
_HERE, _THERE = ({"TWILIO_PHONE_NUMBER": number} for number in ("+15005550006", "+4930123456"))
#: What is set before and after a restart: where Twilio reaches us, and whom the calls come from.
#: Nothing listens there, so the list is all there is.
CHANGES: tuple[tuple[Mapping[str, str], Mapping[str, str]], ...] = (
    (_ONE, _TWO),
    (_NONE, _ONE),
    (_TWO, _NONE),
    (_NONE | _HERE, _NONE | _THERE),
    (_ONE | _THERE, _NONE | _HERE),
)
#: A Russian number as people write it, with the 8 that is dialed there, and as Twilio lists it.
GIVEN, LISTED = "+7881234", "+781234"


def moves(scale: Scale, seed: int) -> tuple[str, str]:
    """PUBLIC_URL or the sender changes after a lost answer, numbers are respelt: one ring each."""
    each = scale.pick(1, 5, 20)
    with arena(scale, seed) as made:
        made.start(workers=0)
        for before, after in CHANGES:
            worker = made.new_worker(**before)
            worker.wait_for(" ready.", within_s=60)
            numbers = made.numbers(each)
            _lose_answers(made, numbers, lag_ms=scale.pick(1_000, 2_000, 20_000))
            made.client().add(numbers)
            until(lambda sought=numbers: _rung(made, sought), within_s=60, what="all ring")
            worker.kill()
            following = made.new_worker(**after)
            made.until_quiet(within_s=120 + 600 * scale.pace)
            following.kill()
            made.phone.mend()
        made.new_worker(PUBLIC_URL="")
        faults = _respelled(made, scale.pick(1, 5, 20))
        evidence = made.judge()
    faults += [f"lost: {job}" for job in evidence.jobs.values() if job["state"] != "completed"]
    fail_on(faults)
    return f"{len(CHANGES)} changes of settings, {len(evidence.jobs)} lost answers", (
        "each rang once and is completed with its own SID"
    )


def _lose_answers(made: Arena, numbers: Sequence[str], *, lag_ms: int) -> None:
    made.phone.faults({"fault": "list_lag", "ms": lag_ms})
    lost = {"fault": "drop", "when": "after", "times": 1}
    made.phone.faults(*({**lost, "to": number} for number in numbers))


def _rung(made: Arena, numbers: Sequence[str]) -> bool:
    return set(numbers) <= {ring["to"] for ring in made.phone.rings()}


def _respelled(made: Arena, each: int) -> list[str]:
    """Numbers that Twilio lists in another spelling than the one that it was given."""
    jobs: dict[str, str] = {}
    for index in range(each):
        given, listed = f"{GIVEN}{index:05d}", f"{LISTED}{index:05d}"
        made.phone.faults({"fault": "respell", "to": given, "number": listed})
        _lose_answers(made, [given, listed], lag_ms=0)
        jobs[listed] = made.api.schedule(given)
        made.journal.accepted[jobs[listed]] = listed
    made.until_quiet(within_s=120)
    return [
        f"{number} rang {len(rings)} times: {made.api.job(job_id)}"
        for number, job_id in jobs.items()
        if len(rings := made.phone.rings(number)) != 1
    ]


def wishes(scale: Scale, seed: int) -> tuple[str, str]:
    """Hang-ups, removals and forgetting at random moments: what was answered holds."""
    count = scale.pick(16, 200, 1_000)
    with arena(scale, seed) as made:
        made.start(workers=2, CALL_WORKER_CONCURRENCY="10")
        # Nobody ends these calls but those who ask for it.
        made.phone.outcomes({"outcome": "human", "pace": 1_000})
        numbers = made.numbers(count)
        _disturb(made, numbers)
        plan = [(number, made.rng.choice(_WISHES), made.rng.random()) for number in numbers]
        with ThreadPoolExecutor(8) as people:
            wished = list(people.map(lambda each: _wish(made, *each), plan))
        made.until_quiet(within_s=120 + 600 * scale.pace)
        until(lambda: not _open(made, wished), within_s=60, what="all are hung up that should be")
        faults = [fault for each in wished for fault in _broken(made, each)]
    fail_on(faults)
    done = [each["done"] for each in wished]
    sizes = ", ".join(f"{done.count(wish)} {wish}" for wish in _WISHES)
    return f"{count} calls: {sizes}", "no phone rings on or again; those left alone are on the line"


_WISHES = ("forget", "hangup", "delete", "nothing")


def _disturb(made: Arena, numbers: Sequence[str]) -> None:
    made.phone.faults({"fault": "slow", "ms": 300, "spread": 300, "when": "after"})
    rules: tuple[Mapping[str, Any], ...] = (
        {"fault": "drop", "when": "after"},
        {"fault": "error", "status": 429, "code": 10004},
        {"fault": "error", "status": 400, "code": 22005},
    )
    struck = made.rng.sample(list(numbers), len(numbers) // 4)
    made.phone.faults(
        *({**rules[index % 3], "to": to, "times": 1} for index, to in enumerate(struck))
    )


def _wish(made: Arena, number: str, wish: str, moment: float) -> dict[str, Any]:
    """Ask for a call, and for its end a moment later; what was answered."""
    api = made.api
    wished: dict[str, Any] = {"number": number, "done": "nothing", "job": api.schedule(number)}
    time.sleep(moment)
    if wish == "forget":
        url = f"{made.stack.web_url}/api/people/{number}"
        answer = requests.delete(url, timeout=30)
        wished |= {"done": wish} if answer.ok else {}
        wished["placing"] = answer.ok and bool(answer.json()["beingPlaced"])
    elif wish == "hangup":
        ok = api.ask("POST", f"/job/{wished['job']}/hangup").ok
        wished |= {"done": wish} if ok else {}
    elif wish == "delete":
        ok = api.ask("DELETE", f"/job/{wished['job']}").ok
        wished |= {"done": wish} if ok else {}
    wished["at"] = time.time() * 1000
    return wished


def _open(made: Arena, wished: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return numbers that ring on though somebody was told that they do not."""
    ended = {each["number"] for each in wished if each["done"] != "nothing"}
    return [r["to"] for r in made.phone.rings() if r["to"] in ended and r["endedBy"] is None]


def _broken(made: Arena, wished: Mapping[str, Any]) -> list[str]:
    rings = made.phone.rings(str(wished["number"]))
    left = made.api.ask("GET", f"/job/{wished['job']}")
    faults = []
    if len(rings) > 1:
        faults.append("rang twice")
    if wished["done"] in ("forget", "delete") and left.ok:
        faults.append(f"is there still: {left.json()['state']}")
    late = [ring for ring in rings if ring["at"] > wished["at"]]
    if wished["done"] in ("forget", "delete") and late and not wished.get("placing"):
        faults.append("rang after it was gone")
    if wished["done"] == "nothing" and [ring["endedBy"] for ring in rings] != [None]:
        faults.append("was left alone, and is not on the line")
    return [f"{wished}: {fault}; rings {rings}" for fault in faults]


def emptied(scale: Scale, seed: int) -> tuple[str, str]:
    """The data is emptied under calls on the line: their callbacks end none of them."""
    count = scale.pick(4, 20, 100)
    with arena(scale, seed) as made:
        made.stack.settings["PUBLIC_URL"] = made.stack.web_url
        made.start(workers=1)
        made.phone.outcomes({"outcome": "human"})
        made.client().add(made.numbers(count))
        made.until_quiet(within_s=60)
        before = len(made.phone.callbacks("answered"))
        made.server.client().flushall()
        made.workers[0].kill()
        made.new_worker().wait_for(" ready.", within_s=60)
        until(lambda: _all_over(made), within_s=60, what="all calls are over")
        ended = [ring["endedBy"] for ring in made.phone.rings()]
        after = len(made.phone.callbacks("completed"))
    fail_on([] if ended == ["callee"] * count else [f"not all were left alone: {ended}"])
    fail_on([] if after >= count > before else ["the callbacks came too early, or not at all"])
    return f"{count} calls on the line, data emptied", "all went on to their own end"


def _all_over(made: Arena) -> bool:
    is_over = all(ring["endedBy"] for ring in made.phone.rings())
    return is_over and len(made.phone.callbacks("completed")) >= len(made.phone.rings())
