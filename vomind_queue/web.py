"""The web process: the API behind an HTTP server.

``python -m vomind_queue.web`` serves it as the settings say.
"""

from __future__ import annotations

import gc
import logging
import os
import socket
import sys
import time
from functools import partial

from flask import Flask
from uvicorn import Config

from vomind_queue import log, prefork, tracing
from vomind_queue.api import http_meters
from vomind_queue.api.access import sign
from vomind_queue.api.app import make_app
from vomind_queue.api.door import Door
from vomind_queue.api.ports import Services
from vomind_queue.api.quick import Protocol
from vomind_queue.config.loading import load_or_exit
from vomind_queue.config.settings import Settings
from vomind_queue.config.types import is_loopback
from vomind_queue.dashboard.files import Dashboard
from vomind_queue.log_services import open_log
from vomind_queue.services import build, check_store

logger = logging.getLogger(__name__)

#: How long a request under way may take to be answered after SIGTERM, s. A stored one takes two at
#: most; what takes longer is a client that does not finish sending.
STOP_S = 10
#: Connections that may wait to be accepted; the system may allow fewer.
BACKLOG = 1024
#: How long a port may still be held by the process that was here before, s.
PORT_WAIT_S = 3.0


def create_app(services: Services) -> Flask:
    """The application; connects to nothing."""
    app = make_app(services)
    app.register_blueprint(Dashboard().blueprint())
    return app


def application() -> Flask:
    """The application for a WSGI server of the operator's choice, by the environment's settings.

    Ends the process when there are no keys: only that server knows where it listens.
    """
    settings = load_or_exit()
    if not settings.api_keys and not settings.allow_anonymous:
        sys.exit(
            "API_KEYS is unset: another server may listen anywhere; set it or ALLOW_ANONYMOUS=1."
        )
    _configure_log(settings)
    return create_app(build(settings, open_log(settings)))


def main() -> None:
    """Serves until SIGTERM or Ctrl-C; requests under way are answered first."""
    settings = load_or_exit()
    _refuse_open_door(settings)
    if fault := check_store(settings):
        sys.exit(fault)
    address = _address(settings)
    _wait_for_port(settings, address)
    _configure_log(settings)
    sockets = [_listening(address, settings.port) for _ in range(settings.web_processes)]
    logger.info("API listens", extra={"host": settings.host, "port": settings.port})
    with http_meters.share():
        # What is there by now stays, and is shared: looking through it for garbage would
        # hold requests up, and copy it.
        gc.collect()
        gc.freeze()
        prefork.run(sockets, partial(_serve, settings), stop_s=STOP_S)
    logger.info("API stopped")


def _refuse_open_door(settings: Settings) -> None:
    if settings.api_keys or settings.allow_anonymous or is_loopback(settings.host):
        return
    sys.exit(
        f"HOST: {settings.host!r} is not allowed without API_KEYS; "
        "allowed: 127.0.0.1, or API_KEYS set, or ALLOW_ANONYMOUS=1."
    )


def _address(settings: Settings) -> str:
    """The IP address of the configured host."""
    try:
        found = socket.getaddrinfo(settings.host, settings.port, type=socket.SOCK_STREAM)
    except OSError as error:
        sys.exit(f"HOST: {settings.host!r} is not allowed ({error}); allowed: an address here.")
    return str(found[0][4][0])


def _wait_for_port(settings: Settings, address: str) -> None:
    """Ends the process when something else listens there.

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


def _listening(address: str, port: int) -> socket.socket:
    """One of the sockets among which the system deals out connections."""
    sock = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    sock.bind((address, port))
    sock.setblocking(False)
    sock.listen(BACKLOG)
    return sock


def _configure_log(settings: Settings) -> None:
    log.configure(settings)
    for handler in logging.getLogger().handlers:
        handler.addFilter(sign)


def _serve(settings: Settings, sock: socket.socket) -> None:
    """What each serving process runs; made there, so that nothing is shared over the fork."""
    http_meters.begin()
    traced = tracing.begin("web", os.environ)
    app = create_app(build(settings, open_log(settings)))
    if traced:
        tracing.follow(app)
    # Whoever asks Redis waits for it in a thread.
    door = Door(app, threads=settings.web_threads, quick=False)
    config = Config(
        door,
        http=Protocol,
        ws="none",
        loop="uvloop",
        lifespan="off",
        proxy_headers=False,
        server_header=False,
        access_log=False,
        log_config=None,
        # Its other lines are of clients that send what is no HTTP.
        log_level="error",
        backlog=BACKLOG,
        timeout_graceful_shutdown=STOP_S,
    )
    # What is there now stays: looking through it for garbage held requests up for 40 ms.
    gc.collect()
    gc.freeze()
    prefork.Server(config).run([sock])


if __name__ == "__main__":
    main()
