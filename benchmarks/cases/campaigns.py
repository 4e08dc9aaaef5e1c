"""What campaigns cost: calls, memory, and the end of a large one at once."""

from __future__ import annotations

import time
from collections.abc import Sequence
from functools import partial
from typing import Any

from benchmarks.bench import Bench, Figures, plural
from benchmarks.cases.scale import SLOW_US, TOO_LONG_US, longest, undisturbed
from benchmarks.client import BULK, Client, make_call
from benchmarks.machine import Meter
from benchmarks.sides import System, ours

#: How many run at the same time; 0: the calls belong to none.
MANY = (0, 1, 10, 1_000)
CALLS = 20_000
#: Share of the calls before the measurement begins, and after its end: they do not count.
EDGE = 0.03
POLL_S = 0.05
#: `GET /stats` looks at every campaign: asked more often, it would be measured, too.
RARE_POLL_S = 0.5
#: Waiting calls whose memory is measured, after as many others.
STORED = 50_000
#: Sizes of the records that take as much of the server's memory.
STEP_BYTES = 64
#: Calls of the campaign that is cancelled.
CANCELLED = 50_000


def campaigns(bench: Bench) -> None:
    """CPU of Redis and worker for each call: of none, and of 1, 10 and 1,000 campaigns."""
    side, calls = ours(), bench.size(CALLS, 4_000)
    for many in bench.turns(MANY):
        with System(side=side, workers=1, slots=50) as system:
            system.client.ask("POST", "/pause", {})
            _store(system.client, _running(system.client, many), calls)
            system.rest()
            what = f"dispatch beside {plural(many, 'running campaign')}"
            bench.measure(what, side.name, partial(_dispatched, system), again=0)


def _dispatched(system: System) -> Figures:
    client, total = system.client, system.client.backlog()
    client.ask("POST", "/resume", {})
    while (first := client.backlog()) > total * (1 - EDGE):
        time.sleep(RARE_POLL_S)
    meter = Meter(system.pids)
    while (last := client.backlog()) > total * EDGE:
        time.sleep(RARE_POLL_S)
    return {"per_s": round((first - last) / meter.seconds()), **meter.per(first - last)}


def _running(client: Client, many: int) -> Sequence[str]:
    made = []
    for number in range(many):
        body = {"name": f"Campaign {number}", "open": True}
        made.append(str(client.ask("POST", "/campaigns", body)["campaignId"]))
        client.ask("POST", f"/campaigns/{made[-1]}/start")
    return made


def _store(client: Client, campaign_ids: Sequence[str], calls: int) -> None:
    """Store calls, as many of each campaign; of none, where there are none."""
    paths = [f"/campaigns/{each}/calls" for each in campaign_ids] or ["/schedule-bulk-calls"]
    for path in paths:
        left = calls // len(paths)
        while left:
            numbers = range(client.next_number, client.next_number + min(left, BULK))
            client.next_number, left = numbers.stop, left - len(numbers)
            client.ask("POST", path, {"calls": [_call(n) for n in numbers]})


def _call(n: int) -> dict[str, object]:
    """Return a call; all lengths within one step of the server's allocator are as frequent."""
    return make_call(n, message="Hello from VoMindAI" + "." * (n % STEP_BYTES))


def campaign_memory(bench: Bench) -> None:
    """Redis bytes of a waiting call, of none and of a campaign."""
    side, calls = ours(), bench.size(STORED, 10_000)
    bench.round = 1
    for many in (0, 1):
        with System(side=side, settings=side.keep_all, whole=True) as system:
            system.client.ask("POST", "/pause", {})
            campaign_ids = _running(system.client, many)
            _store(system.client, campaign_ids, calls)
            before = _used(system)
            _store(system.client, campaign_ids, calls)
            figures = {"bytes": round((_used(system) - before) / calls, 1)}
        whose = "of a campaign" if many else "of no campaign"
        what = f"Redis memory of a waiting call {whose}"
        bench.measure(what, side.name, partial(dict, figures), noise=False)


def _used(system: System) -> int:
    """Return what the server uses once the log has all that it is to have."""
    system.rest()
    with system.server.client() as redis:
        return int(redis.info("memory")["used_memory"])


def campaign_cancel(bench: Bench) -> None:
    """A campaign of 50,000 calls is cancelled while two workers place them."""
    side, calls = ours(), bench.size(CANCELLED, 5_000)
    bench.round = 1
    with System(side=side, workers=2, slots=50, settings=side.keep_all) as system:
        client = system.client
        (campaign_id,) = _running(client, 1)
        client.ask("POST", f"/campaigns/{campaign_id}/pause")
        _store(client, [campaign_id], calls)
        undisturbed(system.server.pid)
        with system.server.client() as redis:
            redis.config_set("slowlog-max-len", 100_000)
            redis.config_set("slowlog-log-slower-than", SLOW_US)
            redis.slowlog_reset()
            client.ask("POST", f"/campaigns/{campaign_id}/resume")
            while client.backlog() > calls * (1 - EDGE):
                time.sleep(POLL_S)
            figures = _cancelled(client, campaign_id)
            us = [each for found in longest(redis).values() for each in found] or [0]
    over = sum(each > TOO_LONG_US for each in us)
    figures |= {"longest_script_ms": round(max(us) / 1000, 2), "over_5_ms": over}
    what = f"a campaign of {calls:,} calls cancelled while they are placed"
    bench.measure(what, "ours", partial(dict, figures), noise=False)


def _cancelled(client: Client, campaign_id: str) -> dict[str, float | None]:
    began = time.monotonic()
    client.ask("POST", f"/campaigns/{campaign_id}/cancel")
    answered_ms = time.time() * 1000
    took_ms = (time.monotonic() - began) * 1000
    counts = _counts(client, campaign_id)
    uneven, looks = 0, 0
    while counts["waiting"] + counts["delayed"] + counts["active"]:
        time.sleep(POLL_S)
        counts = _counts(client, campaign_id)
        looks += 1
        uneven += sum(counts.values()) != 2 * counts["total"]
    started = _started(client, campaign_id)
    return {
        "answered_ms": round(took_ms, 1),
        "swept_s": round(time.monotonic() - began, 1),
        "cancelled": counts["cancelled"],
        "started": len(started),
        "started_after_the_answer": sum(at > answered_ms for at in started),
        "looks": looks,
        "looks_that_did_not_add_up": uneven,
    }


def _counts(client: Client, campaign_id: str) -> dict[str, int]:
    counts: dict[str, int] = client.ask("GET", f"/campaigns/{campaign_id}")["counts"]
    return counts


def _started(client: Client, campaign_id: str) -> list[int]:
    """Return when calls of it started, unix ms."""
    found: list[int] = []
    path = f"/campaigns/{campaign_id}/calls?limit=1000"
    page: dict[str, Any] = client.ask("GET", path)
    while True:
        found += [job["processedOn"] for job in page["jobs"] if job["processedOn"]]
        if not page["next"]:
            return found
        page = client.ask("GET", f"{path}&cursor={page['next']}")
