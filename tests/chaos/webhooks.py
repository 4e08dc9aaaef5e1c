"""Receivers fail in every way, notifiers die, Redis restarts: each still hears of everything."""

from __future__ import annotations

import random
import signal
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from typing import Any

import redis
import requests

from tests.chaos.arena import Arena, arena
from tests.chaos.harm import meanwhile, of_server
from tests.chaos.receivers import DEEDS, STEADY, Arrival, Follower, Receivers
from tests.chaos.scale import Scale
from tests.chaos.verify import Evidence, fail_on
from tests.ports import free_port
from tests.stack import Process, until
from vomind_queue.queue import keys

#: How much later half of the calls may start with webhooks than without, ms.
LATER_MS = 100


@dataclass(kw_only=True)
class _Experiment:
    """One run, with what its parts share."""

    made: Arena
    receivers: Receivers
    #: Ids of webhooks by the name of their receiver.
    webhooks: dict[str, str]
    notifiers: list[Process]
    #: Where they serve the live stream.
    ports: list[int]
    #: Delays that were asked for by number, ms.
    delays: dict[str, int]

    def ask(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        """Ask the API until it answers: Redis may be away."""

        def answered() -> dict[str, Any]:
            url = f"{self.made.stack.web_url}/api/{path}"
            try:
                answer = requests.request(method, url, json=body, timeout=30)
            except requests.RequestException:
                return {}
            return dict(answer.json()) if answer.ok else {}

        return until(answered, within_s=60, what=f"{method} {path} is answered")

    def call(self, calls: int, seconds: float) -> list[str]:
        """Add calls, spread over that time; return their numbers."""
        client, rng = self.made.client(), random.Random(self.made.rng.random())
        numbers, began = self.made.numbers(calls), time.monotonic()
        for index, number in enumerate(numbers):
            time.sleep(max(0.0, index * seconds / calls - (time.monotonic() - began)))
            self.delays[number] = rng.randint(1, 1_000)
            client.add([number], delayMs=self.delays[number])
        return numbers

    def kill(self, kills: int, seconds: float, _over: threading.Event) -> None:
        """Kill one of the notifiers at random moments within that time; all live in the end."""
        rng, began = random.Random(self.made.rng.random()), time.monotonic()
        for moment in sorted(rng.uniform(0, seconds) for _ in range(kills)):
            time.sleep(max(0.0, moment - (time.monotonic() - began)))
            notifier = rng.choice(self.notifiers)
            notifier.kill()
            notifier.start()

    def restart_redis(self, after_s: float, _over: threading.Event) -> None:
        """Redis dies as in a power cut."""
        time.sleep(after_s)
        victim = of_server(self.made.server)
        victim.send(signal.SIGKILL)
        victim.revive()

    def last(self) -> int:
        """Return the number of the last event."""
        with redis.Redis.from_url(self.made.stack.redis_url, decode_responses=True) as client:
            return int(client.get(keys.EVENTS_LAST) or 0)

    def states(self) -> Mapping[str, Mapping[str, Any]]:
        """Return how each webhook is, by the name of its receiver."""
        found = {each["id"]: each for each in self.ask("GET", "webhooks")["webhooks"]}
        return {name: found[webhook] for name, webhook in self.webhooks.items()}


def webhooks(scale: Scale, seed: int) -> tuple[str, str]:
    """Nine receivers, eight of which fail; notifiers killed, Redis killed."""
    calls, alone = scale.pick(16, 300, 2_000), scale.pick(4, 60, 400)
    away_s, unsteady_s = scale.pick(1.5, 20.0, 60.0), scale.pick(2.0, 40.0, 200.0)
    kills = scale.pick(2, 20, 50)
    with ExitStack() as stack:
        made = stack.enter_context(arena(scale, seed))
        run = _begin(made, stack.enter_context(Receivers(seed)))
        without = run.call(alone, away_s * alone / calls)
        made.until_quiet()
        _subscribe(run)
        first = run.last() + 1
        follower = Follower(run.ports, first - 1)
        with meanwhile(follower.run):
            under_harm = run.call(calls // 2, away_s)
            held = _others_have_all(run)
            killing = partial(run.kill, kills, unsteady_s)
            with meanwhile(killing, partial(run.restart_redis, unsteady_s / 3)):
                under_harm += run.call(calls - calls // 2, unsteady_s)
            evidence = made.judge(within_s=300)
            _heal(run)
            events = range(first, run.last() + 1)
            until(lambda: events[-1] in follower.heard, within_s=60, what="the stream has all")
        arrivals = run.receivers.arrivals
        if follower.heard != list(events):
            held.append(f"the stream said {follower.heard} of {events}")
        fail_on(held + _faults(events, arrivals, evidence, under_harm))
        before, after = (_lateness(run, evidence, each) for each in (without, under_harm))
    if scale.timed:
        late = [f"calls started {after} ms late, and {before} ms without webhooks"]
        fail_on(late if after > before + LATER_MS else [])
    repeated = sum(each.is_accepted for each in arrivals) - len(events) * len(run.webhooks)
    size = f"{calls} calls, {len(events)} events, {len(run.webhooks)} receivers, {kills} kills"
    return size, (
        f"each receiver has all, in order; {run.receivers.failures} deliveries failed, "
        f"{repeated} arrived again; a stream over {follower.connections} connections has each "
        f"event once; half of the calls within {after} ms of their time "
        f"({before} ms without)"
    )


def _begin(made: Arena, receivers: Receivers) -> _Experiment:
    made.start(workers=2, PUBLIC_URL=made.stack.web_url)
    ports = [free_port() for _ in range(2)]
    notifiers = [made.stack.start("notifier", NOTIFIER_PORT=str(port)) for port in ports]
    for each in notifiers:
        each.wait_for("notifier started")
    return _Experiment(
        made=made, receivers=receivers, webhooks={}, notifiers=notifiers, ports=ports, delays={}
    )


def _subscribe(run: _Experiment) -> None:
    for name in (STEADY, *DEEDS):
        made = run.ask("POST", "webhooks", {"url": run.receivers.url(name)})
        run.webhooks[name] = made["webhook"]["id"]


def _others_have_all(run: _Experiment) -> list[str]:
    """Wait until the one that works has all there is, and see that the ones away have nothing."""
    run.made.until_quiet()
    until(lambda: run.states()[STEADY]["behind"] == 0, within_s=120, what="the steady one has all")
    away = [each for each in run.receivers.arrivals if each.receiver == "away" and each.is_accepted]
    return ["the experiment is void: the receiver that is away accepted something"] if away else []


def _heal(run: _Experiment) -> None:
    """All receivers work again; that which said it was gone is switched on."""
    gone = run.webhooks["gone"]
    until(lambda: run.states()["gone"]["state"] != "active", within_s=60, what="410 ends it")
    run.receivers.is_trouble = False
    run.ask("PATCH", f"webhooks/{gone}", {"enabled": True})

    def have_all() -> bool:
        return all(not each["behind"] and not each["retrying"] for each in run.states().values())

    until(have_all, within_s=600, what=f"all have all: {run.states()}")


def _faults(
    events: Sequence[int], arrivals: Sequence[Arrival], evidence: Evidence, numbers: Sequence[str]
) -> list[str]:
    bodies: dict[int, bytes] = {}
    faults = [
        f"event {each.sequence} had two bodies"
        for each in arrivals
        if bodies.setdefault(each.sequence, each.body) != each.body
    ]
    for name in (STEADY, *DEEDS):
        accepted = [each for each in arrivals if each.receiver == name and each.is_accepted]
        faults += _faults_of(name, events, list(dict.fromkeys(accepted)))
    wanted = set(numbers)
    of_calls = {job_id: job for job_id, job in evidence.jobs.items() if job["data"]["to"] in wanted}
    return faults + _untold(of_calls, [each for each in arrivals if each.receiver == STEADY])


def _faults_of(name: str, events: Sequence[int], accepted: Sequence[Arrival]) -> list[str]:
    missing = set(events) - {each.sequence for each in accepted}
    faults = [f"{name} never got {len(missing)} events: {sorted(missing)[:5]}"] if missing else []
    newest: dict[str, int] = {}
    for each in accepted:
        if each.sequence < newest.get(each.call, 0):
            faults.append(f"{name} got event {each.sequence} of call {each.call} too late")
        newest[each.call] = max(each.sequence, newest.get(each.call, 0))
    return faults


def _untold(jobs: Mapping[str, Mapping[str, Any]], arrivals: Sequence[Arrival]) -> list[str]:
    """What the API shows of calls, and no event said."""
    told: dict[str, set[str]] = {}
    for each in arrivals:
        told.setdefault(each.call, set()).add(each.type)
    faults = []
    for job_id, job in jobs.items():
        wanted = {"call.accepted"}
        wanted |= {"call.started", "call.placed"} if job["state"] == "completed" else set()
        wanted |= {"call.ended"} if (job.get("call") or {}).get("status") == "completed" else set()
        if untold := wanted - told.get(job_id, set()):
            faults.append(f"nobody was told {sorted(untold)} of {job}")
    return faults


def _lateness(run: _Experiment, evidence: Evidence, numbers: Sequence[str]) -> int:
    """Return how late half of these calls started at most, ms."""
    wanted = set(numbers)
    late = sorted(
        job["processedOn"] - job["timestamp"] - run.delays[job["data"]["to"]]
        for job in evidence.jobs.values()
        if job["data"]["to"] in wanted and job["processedOn"]
    )
    return int(late[len(late) // 2])
