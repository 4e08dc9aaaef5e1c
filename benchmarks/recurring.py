"""What recurring calls cost as their number grows: ``python -m benchmarks.recurring``.

Two embedded Valkeys, each with its own API, hold 1,000 and 100,000 schedules. Each
step is taken on both in turn, so that the ratio holds on a machine whose speed drifts.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import requests

from tests.integration.recurring_calls import RARELY, set_tick
from tests.servers import Server
from tests.stack import Stack, until
from vomind_queue.calls.call import Call
from vomind_queue.queue.connection import WORKER_TIMEOUT_S, RedisStore, connect
from vomind_queue.queue.recurring_store import RecurringStore
from vomind_queue.recurring.schedule import Overlap, Recurrence

SIZES = (1_000, 100_000)
REPEATS = 300
DUE = 5_000
ROUNDS = 3
#: Time to write down for all of them when they are due, and for a look of the scheduler, which
#: looks every 5 s while nothing is, ms.
AHEAD_MS = 8_000


@dataclass(kw_only=True)
class Place:
    """A server with so many schedules, an API, and the figures so far."""

    size: int
    stack: Stack
    server: Server
    recurring_store: RecurringStore
    session: requests.Session = field(default_factory=requests.Session)
    numbers: int = 0
    made: list[str] = field(default_factory=list)
    #: Those that become due at one moment.
    due: list[str] = field(default_factory=list)
    took: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))

    def put(self, next_ms: int) -> str:
        """Store one more schedule, for a new phone number; return its id."""
        self.numbers += 1
        call = Call(to=f"+1{self.numbers:012}")
        wanted = Recurrence(call=call, cron=RARELY, zone="UTC", overlap=Overlap.QUEUE)
        return self.recurring_store.put(wanted, next_ms).schedule_id

    def fill(self) -> None:
        """As many schedules as there are to be; none is due."""
        with self.server.client() as client:
            client.config_set("appendfsync", "no")
            ahead_ms = self.recurring_store.now_ms() + 30 * 86_400_000
            while self.numbers < self.size:
                self.put(ahead_ms + self.numbers * 1_000)
            self.due = [self.put(ahead_ms) for _ in range(DUE)]
            client.config_set("appendfsync", "always")

    def timed(self, what: str, step: Callable[[], object]) -> None:
        """Take a step and note how long it took, ms."""
        began = time.perf_counter()
        step()
        self.took[what].append((time.perf_counter() - began) * 1000)

    def ask(self, method: str, path: str, body: object = None) -> requests.Response:
        """Send a request that must succeed."""
        answer = self.session.request(method, self.stack.queue_url + path, json=body, timeout=30)
        answer.raise_for_status()
        return answer

    def create(self) -> None:
        """A schedule through the API."""
        self.numbers += 1
        body = {"to": f"+1{self.numbers:012}", "cronExpression": RARELY}
        self.made.append(self.ask("POST", "/schedule-recurring-call", body).json()["jobId"])

    def look(self) -> None:
        """A scheduler's look at which nothing is due."""
        self.recurring_store.look(250)

    def five_thousand(self) -> None:
        """Start a scheduler, and let 5,000 schedules be due at one moment."""
        began = time.perf_counter()
        beat = self.stack.start("beat")
        beat.wait_for("scheduler leads", within_s=60)
        self.took["start of a scheduler"].append((time.perf_counter() - began) * 1000)
        due_ms = self.recurring_store.now_ms() + AHEAD_MS
        with self.server.client() as client, client.pipeline() as pipe:
            for number in self.due:
                set_tick(pipe, number, due_ms)
            pipe.execute()
        if self.recurring_store.now_ms() > due_ms:
            sys.exit("It took too long to make them due at one moment.")
        with self.server.client() as client:
            until(
                lambda: client.zcard("{calls}:waiting:2") >= DUE,
                within_s=60,
                what="all are queued",
            )
            [(_, last)] = client.zrange("{calls}:waiting:2", -1, -1, withscores=True)
            client.delete("{calls}:waiting:2")
        self.took[f"{DUE:,} due at one moment, until all are queued"].append(float(last) - due_ms)
        beat.stop()


STEPS: dict[str, Callable[[Place], object]] = {
    "create one": Place.create,
    "list a page of 11": lambda place: place.ask("GET", "/recurring"),
    "show one": lambda place: place.ask("GET", f"/job/{place.made[0]}"),
    "delete one": lambda place: place.ask("DELETE", f"/job/{place.made.pop()}"),
    "look with nothing due": Place.look,
}


@contextmanager
def place(size: int) -> Iterator[Place]:
    """Everything of one size, in a separate directory."""
    with tempfile.TemporaryDirectory() as name:
        server = Server(kind="valkey", directory=Path(name) / "server", durable=True)
        server.start()
        stack = Stack(directory=Path(name), redis_url=server.url)
        try:
            stack.start_web()
            client = connect(server.url, timeout_s=WORKER_TIMEOUT_S)
            recurring_store = RecurringStore(RedisStore(client))
            yield Place(size=size, stack=stack, server=server, recurring_store=recurring_store)
        finally:
            stack.close()
            server.kill()


def measure(places: Sequence[Place]) -> None:
    """Each step at each size, in turn."""
    for each in places:
        each.fill()
    for what, step in STEPS.items():
        for _ in range(REPEATS):
            for each in places:
                each.timed(what, lambda step=step, each=each: step(each))  # type: ignore[misc]
    for _ in range(ROUNDS):
        for each in places:
            each.five_thousand()


def table(places: Sequence[Place]) -> str:
    """Return the medians."""
    sizes = " | ".join(f"{each.size:,} schedules" for each in places)
    lines = [f"| median, ms | {sizes} | ratio |", "|---|---|---|---|"]
    for what in places[0].took:
        small, large = (statistics.median(each.took[what]) for each in places)
        lines.append(f"| {what} | {small:,.2f} | {large:,.2f} | {large / small:.2f} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Measure and print the table."""
    with ExitStack() as open_places:
        places = [open_places.enter_context(place(size)) for size in SIZES]
        measure(places)
        sys.stdout.write(table(places))


if __name__ == "__main__":
    main()
