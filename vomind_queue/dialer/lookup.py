"""Host names, resolved within a time limit."""

from __future__ import annotations

import socket
import threading
from collections.abc import Sequence
from contextlib import suppress
from ipaddress import ip_address
from queue import Empty, SimpleQueue
from typing import Any

from vomind_queue.clocks import boottime

#: Most look-ups under way at once in this process. A hanging resolver must not cost another
#: thread with every attempt.
MAX_LOOK_UPS = 16

_free = threading.BoundedSemaphore(MAX_LOOK_UPS)


def look_up(address: tuple[str, int], within_s: float) -> Sequence[tuple[str, int]]:
    """Return each IP address of a host, with the port.

    Raise OSError when it cannot be looked up, or not in time.
    """
    host, _ = address
    with suppress(ValueError):
        ip_address(host)
        return [address]
    # getaddrinfo has no time-out, so another thread waits for it.
    give_up_s = boottime() + within_s
    found: SimpleQueue[Sequence[Any] | Exception] = SimpleQueue()
    try:
        _start(address, found, within_s)
        answer = found.get(timeout=max(0.0, give_up_s - boottime()))
    except Empty:
        raise OSError(f"the name {host} could not be looked up in time") from None
    if isinstance(answer, Exception):
        raise answer
    return [target[:2] for *_, target in answer]


def _start(
    address: tuple[str, int], found: SimpleQueue[Sequence[Any] | Exception], within_s: float
) -> None:
    if not _free.acquire(timeout=within_s):
        raise Empty
    try:
        threading.Thread(target=_find, args=(address, found), daemon=True).start()
    except BaseException:
        _free.release()
        raise


def _find(address: tuple[str, int], found: SimpleQueue[Sequence[Any] | Exception]) -> None:
    try:
        found.put(socket.getaddrinfo(*address, type=socket.SOCK_STREAM))
    except Exception as error:  # noqa: BLE001 - raised where it is waited for
        found.put(error)
    finally:
        _free.release()
