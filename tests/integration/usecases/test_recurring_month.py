"""Weeks of recurring calls on a clock that the test sets, with everything going wrong."""

from __future__ import annotations

import random
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise, takewhile

import pytest
import redis

from tests.integration.conftest import PATIENCE_S
from tests.integration.recurring_calls import beat
from vomind_queue.calls.call import Call
from vomind_queue.errors import StoreUnavailable
from vomind_queue.queue import scripts
from vomind_queue.queue.connection import RedisStore, connect
from vomind_queue.queue.recurring_store import RecurringStore
from vomind_queue.recurring.schedule import Overlap, Recurrence
from vomind_queue.recurring.ticks import Advance, Outcome
from vomind_queue.usecases.fire_recurring import RecurringScheduler

#: Both Berlin and New York move their clocks before it.
END = datetime(2026, 11, 4, tzinfo=UTC)
SEED = 5
CLOCK = "clock"
MINUTE = 60_000

ZONES = ("Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "UTC")
#: The real clock of the scripts, and what stands in its place.
_REAL = re.compile(r"local function now_ms\(\).*?\nend\n", re.DOTALL)
_SET = f"""
local function now_ms()
    script_now = tonumber(redis.call('GET', '{CLOCK}'))
    return script_now
end
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How much is tried, and how much must at least have gone wrong and rung."""

    days: int
    schedules: int
    deaths: int
    outages: int
    missed: int
    rung: int

    @property
    def begin(self) -> datetime:
        """When it begins."""
        return END - timedelta(days=self.days)


#: In `make test`: Berlin and New York move their clocks in it.
SHORT = Size(days=12, schedules=60, deaths=10, outages=2, missed=20, rung=800)
#: In `make chaos`: Lord Howe moves its clocks just before.
WHOLE = Size(days=31, schedules=1_000, deaths=20, outages=5, missed=100, rung=20_000)


class Killed(BaseException):
    """A scheduler process is gone, wherever it was."""


@pytest.fixture
def store(redis_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[RedisStore]:
    """The store's own scripts, but for what time it is."""
    real = scripts.source

    def source(name: str, outbox_max: int) -> str:
        text, changed = _REAL.subn(_SET, real(name, outbox_max))
        assert changed == 1 or "now_ms" not in text
        return text

    monkeypatch.setattr(scripts, "source", source)
    client = connect(redis_url, timeout_s=PATIENCE_S)
    yield RedisStore(client)
    client.close()


def recurrence(rng: random.Random, number: int) -> Recurrence:
    """A pattern of some times a day or a week, with its own grace."""
    minute, hour = rng.randrange(0, 60, 5), rng.randrange(24)
    cron = rng.choice(
        [
            f"{minute} {hour} * * *",
            f"{minute} {hour} * * *",
            f"{minute} {hour} * * 1-5",
            f"{minute},{(minute + 25) % 60} {hour} */2 * *",
            f"{minute} 1-3 * * *",
            f"{minute} */6 * * *",
            f"{minute} {hour} * * SUN",
        ]
    )
    return Recurrence(
        call=Call(to=f"+1555{number:07}"),
        cron=cron,
        zone=rng.choice(ZONES),
        misfire_grace_ms=rng.choice([60_000, 300_000, 900_000, 3_600_000]),
        overlap=Overlap.QUEUE,
    )


@dataclass(kw_only=True)
class World:
    """Two schedulers, a server, and a clock that all of them read."""

    rng: random.Random
    client: redis.Redis
    recurring_store: RecurringStore
    now_ms: int
    #: When a turn of each schedule was carried out, unix ms.
    handled: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    keepers: list[RecurringScheduler] = field(default_factory=list)
    deaths: int = 0
    outages: int = 0

    def __post_init__(self) -> None:
        self._fire = self.recurring_store.fire
        self.recurring_store.fire = self.fire_or_die  # type: ignore[method-assign]
        self.keepers = [self.new_keeper(), self.new_keeper()]
        self.set_clock(self.now_ms)

    def new_keeper(self) -> RecurringScheduler:
        """A scheduler process, started again."""
        return RecurringScheduler(self.recurring_store)

    def set_clock(self, now_ms: int) -> None:
        """It is later."""
        self.now_ms = now_ms
        self.client.set(CLOCK, now_ms)

    def fire_or_die(self, turns: Sequence[Advance], deadline_ms: int) -> list[Outcome]:
        """The real thing; at times the process dies before or after it, or the reply is lost."""
        fate = self.rng.random()
        if fate < 0.01:
            raise Killed
        if fate < 0.02:
            raise StoreUnavailable("never sent")
        outcomes = self._fire(turns, deadline_ms)
        for turn, outcome in zip(turns, outcomes, strict=True):
            if outcome is not Outcome.LOST:
                self.handled[turn.due.id].append(self.now_ms)
        if fate < 0.03:
            raise Killed
        if fate < 0.04:
            raise StoreUnavailable("the reply was lost")
        return outcomes

    def go_on(self) -> None:
        """To a moment after the next tick; rarely, long after it."""
        [(_, head)] = self.client.zrange("{calls}:redbeat::schedule", 0, 0, withscores=True)
        ahead = max(self.now_ms, int(head * 1000)) + self.rng.randrange(5_000)
        if self.rng.random() < 0.004:
            self.outages += 1
            ahead += self.rng.randrange(3 * 60 * MINUTE)
        self.set_clock(ahead)

    def look(self) -> None:
        """Both schedulers look, as if both led, until one has got to the end."""
        for _ in range(50):
            done = [self.beat(index) for index in self.rng.sample((0, 1), 2)]
            if any(done):
                assert self.client.zcount("{calls}:redbeat::schedule", 0, self.now_ms / 1000) == 0
                return
            self.set_clock(self.now_ms + 2_000)
        raise AssertionError("no scheduler gets to the end")

    def beat(self, index: int) -> bool:
        """What one of them does; whether it got to the end."""
        try:
            beat(self.keepers[index])
            return True
        except StoreUnavailable:
            return False
        except Killed:
            self.deaths += 1
            self.keepers[index] = self.new_keeper()
            return False


def expected(
    wanted: Recurrence, begin: int, handled: Sequence[int], until_ms: int
) -> tuple[set[int], int]:
    """Ticks that fire, and the number of those that are missed, for when somebody saw to them."""
    ticks = list(takewhile(lambda tick: tick <= until_ms, wanted.runs(begin)))
    fired = set()
    for last, seen in pairwise([begin, *handled]):
        due = [tick for tick in ticks if last < tick <= seen]
        if due and seen - due[-1] < wanted.misfire_grace_ms:
            fired.add(due[-1])
    return fired, len(ticks) - len(fired)


@pytest.mark.slow
@pytest.mark.randomised
def test_each_tick_in_its_grace_fires_exactly_once(store: RedisStore, full: bool) -> None:
    """Whichever process dies, and when: what fired and what was missed is what the rules say."""
    size = WHOLE if full else SHORT
    rng = random.Random(SEED)
    begin = int(size.begin.timestamp() * 1000)
    world = World(rng=rng, client=store.client, recurring_store=RecurringStore(store), now_ms=begin)
    wanted = {}
    for number in range(size.schedules):
        each = recurrence(rng, number)
        wanted[world.recurring_store.put(each, each.first(world.now_ms)).schedule_id] = each
    while world.now_ms < END.timestamp() * 1000:
        world.go_on()
        world.look()
    assert world.deaths > size.deaths
    assert world.outages > size.outages
    rung = _rung(store.client)
    missed = 0
    for schedule_id, each in wanted.items():
        schedule = world.recurring_store.show(schedule_id).schedule
        fires, misses = expected(each, begin, world.handled[schedule_id], world.now_ms)
        assert rung[schedule_id] == fires, each
        assert (schedule.fired, schedule.missed) == (len(fires), misses), each
        missed += misses
    assert missed > size.missed
    assert sum(map(len, rung.values())) > size.rung


def _rung(client: redis.Redis) -> dict[str, set[int]]:
    """Return the ticks that became jobs, by schedule."""
    rung = defaultdict(set)
    for key in client.scan_iter("{calls}:job:recurring:*", count=5_000):
        _, schedule_id, tick = key.rsplit(":", 2)
        rung[schedule_id].add(int(tick))
    return rung
