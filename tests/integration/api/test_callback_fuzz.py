"""Thousands of callbacks: shuffled, repeated, lost and forged. None lies, none turns time back."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
import redis

from tests.integration.api.conftest import Api
from tests.integration.api.test_callbacks import path_of, placed, post, shown
from tests.twilio import PUBLIC_URL, REACHED, a_sid, callback, sign
from vomind_queue.calls.decisions import DialStarted
from vomind_queue.queue import keys
from vomind_queue.queue.worker_queue import WorkerQueue

#: How many callbacks for how many calls, in `make test` and in `make chaos`.
SHORT, WHOLE = (700, 56), (5_000, 400)
COURSES = (
    ("initiated", "ringing", "in-progress", "completed"),
    ("initiated", "ringing", "no-answer"),
    ("initiated", "busy"),
    ("failed",),
    ("initiated", "ringing", "canceled"),
)


@dataclass
class Told:
    """One call, and what was said of it so far."""

    started: DialStarted
    sid: str
    course: tuple[str, ...]
    arrived: set[int] = field(default_factory=set)

    def expected(self) -> str:
        """Where it is, by what has arrived: the furthest of it, whatever the order."""
        return self.course[max(self.arrived)] if self.arrived else "queued"

    def hear(self, step: int) -> str:
        """Notes that one step arrived; how it compares with what did before."""
        known, latest = step in self.arrived, max(self.arrived, default=-1)
        self.arrived.add(step)
        return "repeated" if known else "late" if step < latest else "on"


def forge(rng: random.Random, path: str, form: dict[str, str]) -> tuple[str, dict[str, str], str]:
    """A request with a signature that is not its own."""
    good = sign(PUBLIC_URL + path, form.items())
    kind = rng.randrange(6)
    if kind == 0:
        return path, form, ""
    if kind == 1:
        return path, form, sign(PUBLIC_URL + path, form.items(), "a" * 32)
    if kind == 2:
        at = rng.randrange(len(good) - 1)
        return path, form, good[:at] + ("A" if good[at] != "A" else "B") + good[at + 1 :]
    if kind == 3:
        name = rng.choice(["CallStatus", "SequenceNumber", "CallSid", "To"])
        return path, {**form, name: form[name] + "1"}, good
    if kind == 4:
        return path + rng.choice("abcdefgh"), form, good
    return path.replace("/status/", f"/status/{rng.randrange(1, 9)}"), form, good


def misdirect(
    rng: random.Random, reported: list[Told], call: Told, fresh: str
) -> tuple[str, dict[str, str], int, bool]:
    """A request that Twilio did sign, about a call that is not the attempt's.

    Also its status, and whether it proves an orphaned call; an unknown token proves nothing.
    """
    path, step = path_of(call.started), rng.randrange(3)
    kind = rng.randrange(4)
    if kind == 0:
        return path, callback(fresh, "ringing", step), 403, True
    if kind == 1:
        return f"{path}x", callback(fresh, "in-progress", step), 403, False
    if kind == 2:
        gone = f"/api/twilio/status/9{step}9/{call.started.attempt.token}"
        return gone, callback(fresh, "completed", step), 403, False
    other = rng.choice([each for each in reported if each is not call])
    return path, callback(other.sid, "completed", 9), 204, False


@pytest.mark.randomised
def test_none_is_accepted_wrongly_and_none_moves_a_call_back(
    make_api: Callable[..., Api], worker_queue: WorkerQueue, client: redis.Redis, full: bool
) -> None:
    """Signed ones are taken once, in the order of the call; all others change not a byte."""
    count, calls = WHOLE if full else SHORT
    rng = random.Random(20261124)
    api = make_api(**REACHED)
    reported = [
        Told(placed(api, worker_queue, a_sid(i), to=f"+1555{i:07d}"), a_sid(i), rng.choice(COURSES))
        for i in range(calls)
    ]
    seen: Counter[str] = Counter()
    for number in range(count):
        call = rng.choice(reported)
        step = rng.randrange(len(call.course))
        path, form = path_of(call.started), callback(call.sid, call.course[step], step)
        key = keys.job(call.started.attempt.job_id)
        before = client.hgetall(key)
        kind = rng.choices(["genuine", "forged", "misdirected", "lost"], [45, 40, 10, 5])[0]
        if kind == "genuine":
            assert post(api, path, form).status_code == 204
            seen[call.hear(step)] += 1
        elif kind == "forged":
            where, what, signature = forge(rng, path, form)
            assert post(api, where, what, signature=signature).status_code == 403
            assert client.hgetall(key) == before
        elif kind == "misdirected":
            where, what, status, is_orphan = misdirect(rng, reported, call, a_sid(10**6 + number))
            assert post(api, where, what).status_code == status
            assert client.hgetall(key) == before
            seen["orphans"] += is_orphan
        seen[kind] += 1
        assert shown(api, call.started.attempt.job_id)["status"] == call.expected()
    assert min(seen.values()) > count / 170, seen
    assert api.get("/stats").get_json()["orphanedCalls"] == seen["orphans"]
    assert client.zcard(keys.ORPHANS) == seen["orphans"]
