"""The web process: the API behind an HTTP server.

``python -m vomind_queue.processes.web`` serves it as the settings say.
"""

from __future__ import annotations

import ctypes
import logging
import multiprocessing
import os
import signal
import socket
import sys
import tempfile
import time
from functools import partial
from importlib import import_module
from typing import Any

from granian import Granian
from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.log import LogLevels

from vomind_queue.config.address_types import is_loopback
from vomind_queue.config.loading import load_or_exit
from vomind_queue.config.settings import Settings
from vomind_queue.container.web_services import check_store
from vomind_queue.observability import logs

logger = logging.getLogger(__name__)

#: Has what each serving process makes and serves. It is imported there and not here: the counts of
#: requests are shared only where a variable is set before their library is imported.
TARGET = "vomind_queue.processes.application"
#: How often in a row serving processes may fail at their start, for each of them, and the wait
#: before the next one, s: the server itself would try for ever, or end for two of many.
MOST_FAILURES = 3
RETRY_S = 1.0
#: How long a request under way may take to be answered after SIGTERM, s. A stored one takes two at
#: most; what takes longer is a client that does not finish sending.
STOP_S = 8
#: What is kept of a request that is not its body, bytes; the server takes half as much again or so.
HEAD_MAX = 64 * 1024
#: How long a client may be silent before a request or within its head, s: longer than the 60 s
#: after which most proxies close a kept connection.
IDLE_S = 75
#: Connections that each process holds at one time; as many wait to be accepted.
CONNECTIONS = 1024
#: How long a port may still be held by the process that was here before, s.
PORT_WAIT_S = 3.0
#: The library's own name for the directory of the counts.
_COUNTS = "PROMETHEUS_MULTIPROC_DIR"


def main() -> None:
    """Serve until SIGTERM or Ctrl-C; requests under way are answered first."""
    settings = load_or_exit()
    _refuse_open_door(settings)
    if fault := check_store(settings):
        sys.exit(fault)
    address = _address(settings)
    _wait_for_port(settings, address)
    logs.configure(settings)
    with tempfile.TemporaryDirectory(prefix="vomind-http-", ignore_cleanup_errors=True) as counts:
        # Or where the operator wants them.
        os.environ.setdefault(_COUNTS, counts)
        _serve(settings, address)
    logger.info("API stopped")


def _serve(settings: Settings, address: str) -> None:
    """Return once a signal asks it to stop. End the process if the serving ones keep failing."""
    most = MOST_FAILURES * settings.web_processes
    failures = multiprocessing.RawValue("i", 0)
    server = Granian(
        TARGET,
        interface=Interfaces.WSGI,
        address=address,
        port=settings.port,
        workers=settings.web_processes,
        blocking_threads=settings.web_threads,
        backlog=CONNECTIONS,
        backpressure=CONNECTIONS,
        http=HTTPModes.http1,
        http1_settings=HTTP1Settings(header_read_timeout=IDLE_S * 1000, max_buffer_size=HEAD_MAX),
        websockets=False,
        respawn_failed_workers=True,
        workers_kill_timeout=STOP_S,
        log_level=LogLevels.error,
        # Its lines go where ours go; only what is named here is changed.
        log_dictconfig={
            "incremental": True,
            "formatters": {},
            "handlers": {},
            "loggers": {"_granian": {"propagate": True}},
        },
    )
    place = {"host": settings.host, "port": settings.port}
    server.on_startup(lambda: logger.info("API listens", extra=place))
    try:
        server.serve(target_loader=partial(_load, TARGET, failures, most), wrap_loader=False)
    except SystemExit:
        # A signal to the whole group may end a serving process before its parent tells it to.
        if not server.interrupt_signal:
            raise
    if failures.value >= most:
        logger.error("serving processes fail at their start: giving up")
        sys.exit(1)


def _load(target: str, failures: ctypes.c_int, most: int) -> Any:
    """Return what a serving process serves; tell the parent to end after too many failures."""
    try:
        made = import_module(target).for_our_server()
    except BaseException:
        failures.value += 1
        if failures.value >= most:
            os.kill(os.getppid(), signal.SIGTERM)
        time.sleep(RETRY_S)
        raise
    failures.value = 0
    return made


def _refuse_open_door(settings: Settings) -> None:
    if settings.api_keys or settings.allow_anonymous or is_loopback(settings.host):
        return
    sys.exit(
        f"Invalid HOST ({settings.host!r}): expected a loopback address while API_KEYS is unset; "
        "set API_KEYS, or ALLOW_ANONYMOUS=1."
    )


def _address(settings: Settings) -> str:
    """Return the IP address of the configured host."""
    try:
        found = socket.getaddrinfo(settings.host, settings.port, type=socket.SOCK_STREAM)
    except OSError as error:
        sys.exit(f"Invalid HOST ({settings.host!r}): {error}; expected an address of this machine.")
    return str(found[0][4][0])


def _wait_for_port(settings: Settings, address: str) -> None:
    """End the process when something else listens there.

    The server shares its port among its processes, and would share it with another one's.
    """
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    until = time.monotonic() + PORT_WAIT_S
    while True:
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((address, settings.port))
                return
            except OSError as error:
                reason = error.strerror
        if time.monotonic() > until:
            sys.exit(f"PORT: {settings.port} on {settings.host} cannot be used: {reason}.")
        time.sleep(0.1)


if __name__ == "__main__":
    main()
