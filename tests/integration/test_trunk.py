"""One connection for many threads: whose answer is whose, and who hears of a failure."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest
import redis

from tests.stack import until
from vomind_queue.store.connection import connect
from vomind_queue.store.trunk import Trunk
from vomind_queue.store.wire import RESTED_S

SLOW_KEY = "nothing-is-ever-pushed-here"


@pytest.fixture
def patient(redis_url: str) -> Iterator[redis.Redis]:
    """The worker's kind of client."""
    made = connect(redis_url, timeout_s=2.0)
    yield made
    made.close()


@pytest.fixture
def trunk(patient: redis.Redis) -> Trunk:
    """A trunk that was not used yet."""
    return Trunk(patient)


@pytest.fixture
def crew() -> Iterator[ThreadPoolExecutor]:
    """Threads that ask."""
    with ThreadPoolExecutor(20) as pool:
        yield pool


@pytest.fixture
def ask_behind(
    trunk: Trunk, client: redis.Redis, crew: ThreadPoolExecutor
) -> Callable[..., list[Future[Any]]]:
    """Asks, in threads, for commands that all wait behind one that takes long."""

    def ask(*commands: tuple[Any, ...]) -> list[Future[Any]]:
        first = crew.submit(trunk.ask, "BLPOP", SLOW_KEY, 1)
        until(lambda: _blocked(client), within_s=5, what="the server holds the first one back")
        asked = [crew.submit(trunk.ask, *command) for command in commands]
        until(lambda: len(trunk._waiting) == len(commands), within_s=5, what="all wait")
        return [first, *asked]

    return ask


def _blocked(client: redis.Redis) -> int:
    count: int = client.info("clients")["blocked_clients"]
    return count


def test_each_thread_gets_its_own_answer(trunk: Trunk, crew: ThreadPoolExecutor) -> None:
    """However the commands of 20 threads fall together."""

    def ask_often(number: int) -> list[str]:
        return [trunk.ask("ECHO", f"{number}-{turn}") for turn in range(200)]

    answers = list(crew.map(ask_often, range(20)))
    assert answers == [[f"{number}-{turn}" for turn in range(200)] for number in range(20)]


def test_what_comes_in_the_same_moment_leaves_in_one_write(
    client: redis.Redis, ask_behind: Callable[..., list[Future[Any]]]
) -> None:
    """The server reads ten commands at once."""
    asked = ask_behind(*[("INCR", "count") for _ in range(10)])
    before = client.info("stats")["total_reads_processed"]
    assert sorted(future.result() for future in asked[1:]) == list(range(1, 11))
    # One is the asking itself.
    assert client.info("stats")["total_reads_processed"] - before <= 3


def test_the_servers_refusal_is_for_the_one_whom_it_concerns(
    ask_behind: Callable[..., list[Future[Any]]],
) -> None:
    """Those before and behind it in the same write are answered."""
    _, one, wrong, other = ask_behind(("ECHO", "one"), ("NONSENSE",), ("ECHO", "other"))
    assert one.result() == "one"
    assert other.result() == "other"
    with pytest.raises(redis.ResponseError, match="unknown command"):
        wrong.result()


def test_a_broken_connection_is_told_to_all_who_used_it_and_then_made_anew(
    trunk: Trunk, client: redis.Redis, crew: ThreadPoolExecutor
) -> None:
    """Nobody waits for an answer that will not come, and nothing is sent twice."""
    asked = crew.submit(trunk.ask, "BLPOP", SLOW_KEY, 1)
    until(lambda: _blocked(client), within_s=5, what="the server holds it back")
    client.client_kill_filter(_type="normal", skipme=True)
    with pytest.raises(redis.ConnectionError):
        asked.result(5)
    assert trunk.ask("ECHO", "again") == "again"


def test_a_connection_that_the_server_ended_meanwhile_costs_nobody_anything(
    trunk: Trunk, client: redis.Redis
) -> None:
    """It is noticed before something is sent over it."""
    trunk.ask("PING")
    client.client_kill_filter(_type="normal", skipme=True)
    # What was used a moment ago is trusted.
    time.sleep(2 * RESTED_S)
    assert trunk.ask("ECHO", "anew") == "anew"


def test_a_server_that_is_silent_is_given_up(
    trunk: Trunk, crew: ThreadPoolExecutor, client: redis.Redis
) -> None:
    """By everyone whose command was on the way."""
    client.client_pause(30_000, all=False)
    asked = [crew.submit(trunk.ask, "SET", f"key-{number}", "value") for number in range(3)]
    for future in asked:
        with pytest.raises((redis.TimeoutError, redis.ConnectionError)):
            future.result(10)
    client.client_unpause()
    assert trunk.ask("ECHO", "again") == "again"


def test_a_signal_that_ends_a_wait_leaves_nobody_without_a_driver(
    trunk: Trunk, ask_behind: Callable[..., list[Future[Any]]]
) -> None:
    """A worker's main thread is told to stop while others have calls to end."""

    class Stopped(Exception):
        pass

    def stop(*_: object) -> None:
        raise Stopped

    ask_behind()
    was = signal.signal(signal.SIGALRM, stop)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.2)
        with pytest.raises(Stopped):
            trunk.ask("ECHO", "from the main thread")
    finally:
        signal.signal(signal.SIGALRM, was)
    answers: list[Any] = []
    thread = threading.Thread(target=lambda: answers.append(trunk.ask("ECHO", "next")), daemon=True)
    thread.start()
    thread.join(10)
    assert answers == ["next"]
