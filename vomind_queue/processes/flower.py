"""Starts Flower, Celery's web page, so that it fits our queues.

``python -m vomind_queue.processes.flower`` does so.

Flower asks for the length of a list; our call queues are sorted sets. It has
no place to register another broker, so the name that its pages use is replaced.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable, Iterable
from importlib import import_module
from typing import Any

import flower.views
from celery.bin.celery import celery
from flower import urls
from flower.api import BaseApiHandler
from flower.command import flower as flower_command
from flower.inspector import Inspector
from flower.utils import broker
from flower.views import BaseHandler, monitor
from tornado.web import HTTPError, RedirectHandler, authenticated, url

from vomind_queue.broker.names import CALL_QUEUES
from vomind_queue.config.address_types import is_loopback, is_own_host
from vomind_queue.config.loading import load
from vomind_queue.config.settings import Settings
from vomind_queue.container.web_services import check_store
from vomind_queue.errors import SettingsError
from vomind_queue.observability import logs
from vomind_queue.queue import keys

#: Tasks that Flower remembers; its own default of 100,000 takes hundreds of megabytes.
MAX_TASKS = 1_000


class _TrueLengths(broker.RedisBase):
    """Counts waiting calls in Redis, and leaves other queues to Flower."""

    async def queues(self, names: Iterable[str]) -> list[dict[str, Any]]:
        """``{"name": …, "messages": …}`` for each queue, as Flower's pages want it."""
        names = list(names)
        lengths: dict[str, int] = {}
        for name in names:
            if name in CALL_QUEUES:
                lengths[name] = await self.redis.zcard(keys.waiting(CALL_QUEUES[name]))
        # Last, because Flower closes the connection after it.
        others = await super().queues([name for name in names if name not in lengths])
        lengths |= {other["name"]: other["messages"] for other in others}
        return [{"name": name, "messages": lengths[name]} for name in names]


class _Redis(_TrueLengths, broker.Redis):
    """Over a plain connection."""


class _RedisSsl(_TrueLengths, broker.RedisSsl):
    """Over TLS."""


def call_broker(broker_url: str, *args: Any, **kwargs: Any) -> broker.RedisBase:
    """In place of ``flower.utils.broker.Broker``."""
    kind = _RedisSsl if kwargs.get("broker_use_ssl") else _Redis
    return kind(broker_url, *args, **kwargs)


def arguments(settings: Settings) -> list[str]:
    """Return Flower's command line; raise SettingsError if it would be open to others."""
    if not is_loopback(settings.flower_host) and not settings.flower_basic_auth:
        raise SettingsError(
            f"Invalid FLOWER_HOST ({settings.flower_host!r}): expected a loopback address while "
            "FLOWER_BASIC_AUTH is unset."
        )
    found = ["flower", f"--address={settings.flower_host}", f"--port={settings.flower_port}"]
    found += [f"--max_tasks={MAX_TASKS}", "--logging=none"]
    if settings.flower_basic_auth:
        found.append(f"--basic_auth={settings.flower_basic_auth}")
    if settings.flower_url_prefix:
        found.append(f"--url_prefix={settings.flower_url_prefix}")
    return found


def close_open_doors() -> None:
    """Put ``/metrics`` and ``/healthcheck`` behind the password, if there is one.

    Flower leaves them open: its metrics show workers and tasks to anyone.
    """
    for handler in (monitor.Metrics, monitor.Healthcheck):
        handler.get = authenticated(handler.get)


def refuse_strange_hosts(hosts: frozenset[str]) -> None:
    """Answer to known names only: a page whose own name leads here could read it all."""
    for handler in (BaseHandler, BaseApiHandler):
        handler.prepare = _checked(handler.prepare, hosts)


def _checked(prepare: Callable[[Any], Any], hosts: frozenset[str]) -> Callable[[Any], Any]:
    def check(handler: Any) -> Any:
        if not is_own_host(handler.request.host, hosts):
            raise HTTPError(403, "unknown host; name it in ALLOWED_HOSTS")
        return prepare(handler)

    return check


def lead_to_prefix(prefix: str) -> None:
    """``/flower`` leads to ``/flower/``, where Flower's first page is."""
    if prefix:
        urls.handlers.insert(0, url("", RedirectHandler, {"url": f"/{prefix}/"}))


def main() -> None:
    """Run Flower until it is asked to end."""
    try:
        settings = load()
        line = arguments(settings)
    except SettingsError as error:
        sys.exit(str(error))
    logs.configure(settings)
    if fault := check_store(settings):
        sys.exit(fault)
    flower.views.Broker = call_broker
    # A connection is closed after each question, so that none is held at rest.
    import_module("celery_app").app.conf.broker_pool_limit = 0
    # One question at a time: each that is under way keeps its own connections to Redis.
    Inspector.max_concurrency = 1
    close_open_doors()
    if not settings.flower_basic_auth:
        refuse_strange_hosts(settings.own_hosts | {settings.flower_host.lower()})
    lead_to_prefix(settings.flower_url_prefix)
    celery.add_command(flower_command)
    status: Any = 0
    try:
        # Not as an argument: the password must not appear in the process list.
        celery.main(args=["-A", "celery_app", *line], prog_name="celery")
    except SystemExit as end:
        status = end.code
    # Threads that wait for a Redis that went away would hold up an ordinary end for ever.
    logging.shutdown()
    os._exit(status if isinstance(status, int) else 1)


if __name__ == "__main__":
    main()
