"""Connections to Redis: bounded, closed when idle, never used again after a failover."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from random import Random
from typing import Any

import pytest
import redis

from tests.chaos.proxy import Proxy
from tests.integration.conftest import new
from tests.ports import free_port
from tests.servers import Server
from tests.stack import until
from vomind_queue.errors import StoreUnavailable
from vomind_queue.queue import connection_pool
from vomind_queue.queue.call_queue import CallQueue
from vomind_queue.queue.connection import API_TIMEOUT_S, RedisStore, connect

SLOW_KEY = "nothing-is-ever-pushed-here"


@pytest.fixture
def server(start_server: Callable[..., Server]) -> Server:
    """A server of the test's own."""
    return start_server()


@pytest.fixture
def mine(server: Server) -> Iterator[redis.Redis]:
    """A client of that server's with two connections at most."""
    made = connect(server.url, timeout_s=1.0, max_connections=2)
    yield made
    server.thaw()
    made.close()


def clients_of(server: Server) -> int:
    """How many clients the server has, but for the one that asks."""
    with server.client() as direct:
        count: int = direct.info("clients")["connected_clients"]
    return count - 1


def test_threads_share_few_connections(server: Server) -> None:
    """However many of them ask, each has its turn and gets its own answer."""
    client = connect(server.url, timeout_s=20.0, max_connections=2)

    def ask(number: int) -> bool:
        return bool(client.echo(f"n{number}") == f"n{number}")

    with ThreadPoolExecutor(16) as threads:
        assert all(threads.map(ask, range(2_000)))
    assert clients_of(server) <= 2
    client.close()


@pytest.mark.alone
def test_who_gets_no_connection_is_told_soon_that_nothing_was_done(
    server: Server, mine: redis.Redis
) -> None:
    """A command that finds all connections in use did not leave."""
    with ThreadPoolExecutor(2) as threads:
        busy = [threads.submit(mine.blpop, [SLOW_KEY], 0.8) for _ in range(2)]
        until(
            lambda: server.client().info("clients")["blocked_clients"] == 2,
            within_s=30,
            what="both connections are in use",
        )
        began = time.monotonic()
        with pytest.raises(StoreUnavailable, match="all 2 connections are in use") as refused:
            CallQueue(RedisStore(mine), None).add([new(1)])
        assert time.monotonic() - began < 0.5
        assert not refused.value.outcome_unknown
        assert [each.result() for each in busy] == [None, None]
    assert mine.echo("free") == "free"


@pytest.mark.alone
def test_idle_connections_close(
    server: Server, mine: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """First those that a burst alone had needed, then all of them."""
    monkeypatch.setattr(connection_pool, "IDLE_S", 0.3)
    with ThreadPoolExecutor(2) as threads:
        for each in [threads.submit(mine.blpop, [SLOW_KEY], 0.2) for _ in range(2)]:
            each.result()
    assert clients_of(server) == 2
    asked_until = time.monotonic() + 1.2
    while time.monotonic() < asked_until:
        mine.echo("here")
        time.sleep(0.02)
    assert clients_of(server) == 1
    until(lambda: clients_of(server) == 0, within_s=30, what="it is closed, too")
    assert mine.echo("here") == "here"


def test_a_closed_client_leaves_no_thread(server: Server) -> None:
    """A check of whether a server is up makes a client each time."""
    before = threading.active_count()
    for _ in range(5):
        client = connect(server.url, timeout_s=1.0)
        client.ping()
        client.close()
    until(lambda: threading.active_count() <= before, within_s=30, what="its threads end")


def test_a_command_is_sent_where_no_thread_can_be_started(
    server: Server, mine: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its place comes back, and idle connections close once there are threads again."""

    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(connection_pool, "IDLE_S", 0.2)
    with monkeypatch.context() as scarce:
        scarce.setattr(threading.Timer, "start", refuse)
        for _ in range(3):
            assert mine.ping()
    assert mine.ping()
    until(lambda: clients_of(server) == 0, within_s=30, what="the idle connection is closed")


def test_who_waits_is_served_once_the_server_has_room(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that did with fewer connections may open more when its server has room again."""
    monkeypatch.setattr(connection_pool, "IDLE_S", 0.5)
    client = connect(server.url, timeout_s=150.0)
    with server.client() as direct, ThreadPoolExecutor(3) as threads:
        direct.config_set("maxclients", 2)
        first = threads.submit(client.blpop, [SLOW_KEY], 120)
        until(lambda: direct.info("clients")["blocked_clients"] == 1, within_s=30, what="it waits")
        second = threads.submit(client.echo, "second")
        # It was refused for want of room, and waits for the first one's connection.
        until(
            lambda: int(direct.info("stats")["rejected_connections"]) > 0,
            within_s=30,
            what="a refusal",
        )
        direct.config_set("maxclients", 100)
        assert second.result(30) == "second"
        direct.rpush(SLOW_KEY, "1")
        assert first.result(30) == (SLOW_KEY, "1")
    client.close()


def test_a_connection_that_the_server_closed_is_not_used(server: Server, mine: redis.Redis) -> None:
    """No command is sent into it, and so none has an unknown outcome."""
    first = mine.client_id()
    with server.client() as direct:
        direct.client_kill_filter(_id=first)
    until(lambda: clients_of(server) == 0, within_s=30, what="it is closed")
    assert mine.client_id() != first


def test_nor_is_one_that_a_script_used_a_moment_ago(server: Server, mine: redis.Redis) -> None:
    """It is asked again before its next use, unless that follows at once."""
    queue = CallQueue(RedisStore(mine), None)
    queue.add([new(1)])
    with server.client() as direct:
        direct.client_kill_filter(_type="normal", skipme=True)
    time.sleep(2 * connection_pool.RECENT_S)
    assert queue.add([new(2)]).job_ids == ["2"]


def test_a_server_that_is_away_was_sent_nothing() -> None:
    """So the outcome of a write is known."""
    store = RedisStore(connect(f"redis://127.0.0.1:{free_port()}/0", timeout_s=1.0))
    with pytest.raises(StoreUnavailable) as refused:
        store.write("pause", ["x"], 0, "somebody")
    assert not refused.value.outcome_unknown


def test_outages_use_up_no_connections(server: Server, mine: redis.Redis) -> None:
    """Each failure gives its place in the pool back."""
    for _ in range(3):
        mine.ping()
        server.kill()
        for _ in range(3):
            with pytest.raises(redis.ConnectionError):
                mine.ping()
        server.start()
    assert mine.echo("here") == "here"


@pytest.mark.alone
def test_a_frozen_server_is_not_waited_for(server: Server, mine: redis.Redis) -> None:
    """Not for longer than was said; a late answer is not taken for the next one."""
    mine.ping()
    server.freeze()
    began = time.monotonic()
    with pytest.raises(redis.TimeoutError):
        mine.echo("late")
    with pytest.raises(StoreUnavailable) as lost:
        RedisStore(mine).write("pause", ["x"], 0, "somebody")
    assert time.monotonic() - began < 5
    assert lost.value.outcome_unknown
    server.thaw()
    assert mine.echo("now") == "now"


@pytest.mark.alone
def test_much_is_not_sent_for_longer_than_was_said(server: Server) -> None:
    """A frozen server's buffers take some of it, and the time does not begin again with that."""
    client = connect(server.url, timeout_s=3.0)
    client.ping()
    server.freeze()
    began = time.monotonic()
    with pytest.raises(redis.TimeoutError):
        client.echo("x" * 20_000_000)
    assert time.monotonic() - began < 5.5
    server.thaw()
    assert client.echo("y" * 1_000_000) == "y" * 1_000_000
    client.close()


def test_a_full_server_refuses_and_nothing_was_done(start_server: Callable[..., Server]) -> None:
    """Its word that it has no room for another client is no lost answer."""
    server = start_server()
    with server.client() as direct:
        direct.config_set("maxclients", 3)
    holders = [redis.Redis(port=server.port, single_connection_client=True) for _ in range(3)]
    store = RedisStore(connect(server.url, timeout_s=API_TIMEOUT_S))
    with pytest.raises(StoreUnavailable, match="max number of clients") as refused:
        store.write("pause", ["x"], 0, "somebody")
    assert not refused.value.outcome_unknown
    for holder in holders:
        holder.close()
    until(lambda: store.ask("PING"), within_s=30, what="there is room again")


def test_a_process_makes_do_with_the_connections_that_it_got(server: Server) -> None:
    """Where the server has no room for more, its threads take turns."""
    client = connect(server.url, timeout_s=20.0)
    client.ping()
    with server.client() as direct:
        direct.config_set("maxclients", 4)
    with ThreadPoolExecutor(12) as threads:
        answers = list(threads.map(lambda n: client.echo(f"n{n}"), range(400)))
    assert answers == [f"n{n}" for n in range(400)]
    client.close()


def test_connections_to_a_demoted_primary_are_not_used_again(
    start_server: Callable[..., Server],
) -> None:
    """A proxy leaves them open: one refusal, and all that follows goes to the new primary."""
    old, fresh = start_server(), start_server()
    proxy = Proxy(old.port, Random(1))
    client = connect(proxy.url, timeout_s=2.0)
    queue = CallQueue(RedisStore(client), None)
    _use_at_once(client, 4)
    with old.client() as direct:
        direct.replicaof("127.0.0.1", str(fresh.port))
        until(
            lambda: direct.info("replication")["master_link_status"] == "up",
            within_s=30,
            what="the old primary follows the new one",
        )
    proxy.target = fresh.port
    with pytest.raises(StoreUnavailable) as refused:
        queue.add([new(0)])
    assert not refused.value.outcome_unknown
    for number in range(1, 9):
        queue.add([new(number)])
    _use_at_once(client, 4)
    with fresh.client() as direct:
        assert direct.get("{calls}:id") == "8"
    client.close()
    proxy.close()


def _use_at_once(client: redis.Redis, count: int) -> None:
    with ThreadPoolExecutor(count) as threads:
        for each in [threads.submit(client.blpop, [SLOW_KEY], 0.3) for _ in range(count)]:
            assert each.result() is None


def test_a_connection_in_use_during_a_failover_is_not_used_again(
    server: Server, mine: redis.Redis
) -> None:
    """It is closed when its command is answered."""
    with ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(mine.blpop, [SLOW_KEY], 0.8)
        until(lambda: clients_of(server) == 1, within_s=30, what="it waits")
        with server.client() as direct:
            [held] = [each["id"] for each in direct.client_list() if each["cmd"] == "blpop"]
        mine.connection_pool.retire()  # type: ignore[attr-defined]
        assert waiting.result() is None
    assert str(mine.client_id()) != held


def test_a_forked_process_has_connections_of_its_own(mine: redis.Redis) -> None:
    """It would take the answers of the other one."""
    own = mine.client_id()
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writer, str(mine.client_id()).encode())
        os._exit(0)
    os.waitpid(child, 0)
    assert int(os.read(reader, 20)) != own
    os.close(reader)
    os.close(writer)
    assert mine.client_id() == own


def test_a_signal_handler_may_ask(server: Server) -> None:
    """Celery's scheduler hands its lead over in one, whatever it interrupts."""
    client = connect(server.url, timeout_s=2.0)
    answers: list[Any] = []
    # Of this process's own time: the other clock is the one that limits tests.
    rest_s = 0.002

    def interrupt(*_: Any) -> None:
        answers.append(client.echo("handler"))
        signal.setitimer(signal.ITIMER_PROF, rest_s)

    previous = signal.signal(signal.SIGPROF, interrupt)
    signal.setitimer(signal.ITIMER_PROF, rest_s)
    try:
        for number in range(3_000):
            assert client.echo(str(number)) == str(number)
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, previous)
    assert len(answers) > 10
    assert set(answers) == {"handler"}
    client.close()


def test_tracing_sees_scripts_too(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """It wraps the stock way of a command before a client is made."""
    seen: list[str] = []
    stock = redis.Redis.execute_command

    def followed(self: redis.Redis, *args: Any, **options: Any) -> Any:
        seen.append(args[0])
        return stock(self, *args, **options)

    monkeypatch.setattr(redis.Redis, "execute_command", followed)
    client = connect(server.url, timeout_s=1.0)
    CallQueue(RedisStore(client), None).add([new(1)])
    client.close()
    assert "EVALSHA" in seen


def test_nothing_runs_before_it_is_used(server: Server) -> None:
    """Neither a connection nor a thread."""
    threads = threading.active_count()
    client = connect(server.url, timeout_s=1.0)
    RedisStore(client)
    assert threading.active_count() == threads
    assert clients_of(server) == 0
