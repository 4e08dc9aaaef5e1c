"""Many requests on one event loop and one connection: each gets its own answer or its own error."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

import pytest
import redis

from tests.integration.strands import Work, together
from tests.servers import Server, free_port
from vomind_queue.store.connection import connect
from vomind_queue.store.wire import Wire


def echoes(wire: Wire, texts: Sequence[str]) -> list[Work]:
    """Asks for each text twice, one after the other."""

    def ask(text: str) -> str:
        return f"{wire.ask('ECHO', text)} {wire.ask('ECHO', text)}"

    return [lambda text=text: ask(text) for text in texts]  # type: ignore[misc]


@pytest.fixture
def wire(client: redis.Redis) -> Wire:
    """A wire to the run's server."""
    return Wire(client)


def test_each_gets_its_own_answers(wire: Wire) -> None:
    """However many there are, and on one connection."""
    texts = [f"n{number}" for number in range(500)]
    assert together(wire, *echoes(wire, texts)) == [f"{text} {text}" for text in texts]
    same = together(wire, *[lambda: wire.ask("CLIENT", "ID")] * 5)
    assert len(set(same)) == 1


def test_an_error_goes_to_who_asked(wire: Wire) -> None:
    """The others have their answers."""
    first, failed, last = together(
        wire,
        lambda: wire.ask("ECHO", "a"),
        lambda: wire.ask("GET"),
        lambda: wire.ask("ECHO", "ü" * 99_999),
    )
    assert (first, last) == ("a", "ü" * 99_999)
    assert isinstance(failed, redis.ResponseError)


def test_threads_and_strands_ask_at_the_same_time(wire: Wire) -> None:
    """A thread has a connection of its own."""
    over, wrong = threading.Event(), []

    def elsewhere() -> None:
        while not over.is_set():
            if wire.ask("ECHO", "thread") != "thread":
                wrong.append(1)

    thread = threading.Thread(target=elsewhere)
    thread.start()
    texts = [f"n{number}" for number in range(500)]
    assert together(wire, *echoes(wire, texts)) == [f"{text} {text}" for text in texts]
    over.set()
    thread.join()
    assert not wrong


def test_a_lost_connection_is_told_and_made_again(start_server: Callable[..., Server]) -> None:
    """Who waits for an answer learns that there is none; who comes later gets one."""
    server = start_server(durable=True)
    wire = Wire(connect(server.url, timeout_s=5))

    killer = threading.Timer(0.3, server.kill)

    def wait() -> Any:
        killer.start()
        return wire.ask("BLPOP", "nothing", 0)

    def come_back() -> Any:
        with pytest.raises(redis.ConnectionError):
            wire.ask("BLPOP", "nothing", 0)
        killer.join()
        server.start()
        return wire.ask("ECHO", "back")

    waited, back = together(wire, wait, come_back)
    assert isinstance(waited, redis.ConnectionError)
    assert "connecting to" not in str(waited)
    assert back == "back"


def test_an_absent_server_was_sent_nothing() -> None:
    """The words by which the rest of the product tells that from a lost answer."""
    wire = Wire(connect(f"redis://127.0.0.1:{free_port()}/0", timeout_s=5))
    for error in together(wire, *[lambda: wire.ask("PING")] * 3):
        assert isinstance(error, redis.ConnectionError)
        assert "connecting to" in str(error)


def test_a_frozen_server_is_not_waited_for(start_server: Callable[..., Server]) -> None:
    """Nor are its late answers taken for those to later questions."""
    server = start_server()
    wire = Wire(connect(server.url, timeout_s=0.4))

    def ask_in_vain() -> Any:
        wire.ask("PING")
        server.freeze()
        began = time.monotonic()
        with pytest.raises(redis.TimeoutError):
            wire.ask("ECHO", "late")
        waited_s = time.monotonic() - began
        server.thaw()
        return waited_s, wire.ask("ECHO", "now")

    [(waited_s, answer)] = together(wire, ask_in_vain)
    assert 0.2 < waited_s < 10
    assert answer == "now"
