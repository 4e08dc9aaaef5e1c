"""The WSGI application, for our own web process and for any other server."""

from __future__ import annotations

import gc
import logging
import multiprocessing
import os
import signal
import sys
import threading
import time

from flask import Flask

from vomind_queue.api.app import make_app
from vomind_queue.api.auth import sign
from vomind_queue.config.loading import load_or_exit
from vomind_queue.config.settings import Settings
from vomind_queue.container.log_services import open_log
from vomind_queue.container.web_services import Services, build, check_store
from vomind_queue.dashboard import files as dashboard
from vomind_queue.observability import logs, tracing

logger = logging.getLogger(__name__)

#: How often a serving process looks whether its parent is there, s.
CHECK_S = 1.0
#: How long it may take to end without its parent, s: a request takes two at most. One that has
#: only just started may miss the signal, and nobody else would end it.
END_S = 3.0
#: By this status gunicorn knows a failed start; after any other it would try for ever.
_GUNICORN_BOOT_ERROR = 3


def create_app(services: Services) -> Flask:
    """Return the application; connect to nothing."""
    app = make_app(services)
    dashboard.install(app, services.settings.notifier_url)
    return app


def for_any_server() -> Flask:
    """Return the application for a server of the operator's choice, as the environment has it.

    End the process where it must not run: without keys, since only that server knows where it
    listens, and on a Redis that would lose calls.
    """
    settings = load_or_exit()
    if not settings.api_keys and not settings.allow_anonymous:
        _refuse(
            "API_KEYS is unset: another server may listen anywhere; set it or ALLOW_ANONYMOUS=1."
        )
    if fault := check_store(settings):
        _refuse(fault)
    return _made(settings)


def for_our_server() -> Flask:
    """Return the application for a process of ours that serves it, and ends with its parent.

    The parent has checked what `for_any_server` checks.
    """
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_end_with, args=(parent.pid,), daemon=True).start()
    return _made(load_or_exit())


def _refuse(fault: str) -> None:
    sys.stderr.write(f"{fault}\n")
    sys.exit(_GUNICORN_BOOT_ERROR if "gunicorn" in sys.modules else 1)


def _made(settings: Settings) -> Flask:
    logs.configure(settings)
    for handler in logging.getLogger().handlers:
        handler.addFilter(sign)
    for key in settings.short_keys:
        logger.warning("API key is short and may be guessed", extra={"client": key.name})
    traced = tracing.begin("web", os.environ)
    app = create_app(build(settings, open_log(settings)))
    if traced:
        tracing.follow(app)
    # What is there now stays: looking through it for garbage would hold requests up.
    gc.collect()
    gc.freeze()
    return app


def _end_with(parent: int | None) -> None:
    """End this process once its parent is gone: it would keep the port.

    A pipe would stay open as long as a sibling that was forked later has its other end.
    """
    while os.getppid() == parent:
        time.sleep(CHECK_S)
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(END_S)
    os._exit(1)
