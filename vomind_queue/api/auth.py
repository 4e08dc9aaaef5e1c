"""Authenticate the sender of each request before its view runs."""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from flask import Flask, g, has_request_context, request

from vomind_queue.api.errors import Refused
from vomind_queue.api.middleware import REQUEST_ID, ROUTE
from vomind_queue.api.refused_keys import RefusedKeys
from vomind_queue.api.wording import received
from vomind_queue.config.address_types import is_own_host
from vomind_queue.config.api_keys import digest, match_digest, shown_keys
from vomind_queue.config.types import NAMELESS, ApiKey
from vomind_queue.errors import StoreUnavailable

#: The endpoint that METRICS_KEY opens, and the only one.
METRICS = "metrics.show"
#: Endpoints for load balancers, which have no key, and the reference, which has no secret.
OPEN = frozenset(
    {"health.alive", "health.ready", "reference.document", "reference.page", "reference.static"}
)
#: Blueprints for Twilio, which has no key either: they check its signature.
SIGNED = frozenset({"twilio", "twilio-public"})
#: The dashboard: it holds no data, and asks the API with the key that it is given.
PAGES = frozenset({"dashboard"})
#: Endpoints that are answered from the call log alone.
WITHOUT_REDIS = frozenset({"history.find", "history.show"})
#: Methods that change nothing.
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})

#: One name or address, with or without a port.
_HOST = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(:[0-9]{0,5})?")
#: Kept with a call: short, and in need of no escape in JSON.
_KEPT_ID = re.compile(r"[A-Za-z0-9._:+/=@-]{1,64}")


class Authentication:
    """Check the key of each request against the configured ones, in constant time."""

    def __init__(
        self,
        keys: Sequence[ApiKey],
        metrics_key: str | None,
        *,
        hosts: frozenset[str],
        wrong_keys: RefusedKeys,
        away: threading.Event,
    ) -> None:
        """Take the keys; ``metrics_key`` opens /metrics only, ``away`` is set during an outage.

        ``hosts`` are the Host names that a service without keys answers to.
        """
        self._keys = [(key, digest(key.secret)) for key in keys]
        self._metrics_keys = list(self._keys)
        if metrics_key is not None:
            key = ApiKey(name="metrics", secret=metrics_key)
            self._metrics_keys.append((key, digest(metrics_key)))
        self._hosts = hosts
        self._wrong_keys = wrong_keys
        self._away = away

    def install(self, app: Flask) -> None:
        """Run before every request of ``app``, those to unknown addresses included."""
        app.before_request(self._admit)

    def _admit(self) -> None:
        environ, rule, blueprint, endpoint = request.environ, request.url_rule, None, None
        if rule is not None:
            environ[ROUTE] = rule.rule
            endpoint = rule.endpoint
            blueprint = endpoint.rpartition(".")[0]
        g.api_key = None
        host = _host(environ)
        if blueprint not in SIGNED:
            self._check_host(host, endpoint)
            self._check_sender(environ, blueprint, endpoint)
        # Checked after the key, so that a stranger learns nothing of an outage.
        if self._away.is_set() and not (blueprint in PAGES or endpoint in OPEN | WITHOUT_REDIS):
            raise StoreUnavailable("Redis did not answer a moment ago.")

    def _check_host(self, host: str | None, endpoint: str | None) -> None:
        if self._keys or endpoint in OPEN or host is None or is_own_host(host, self._hosts):
            return
        # DNS rebinding: to a browser, a page whose name resolves to us has the same origin.
        raise Refused(
            HTTPStatus.FORBIDDEN,
            "While no API keys are set, Host must be localhost, an IP address or a name in "
            f"ALLOWED_HOSTS; got {received(host)}.",
        )

    def _check_sender(
        self, environ: Mapping[str, Any], blueprint: str | None, endpoint: str | None
    ) -> None:
        if environ["REQUEST_METHOD"] not in SAFE and _foreign(environ):
            raise Refused(
                HTTPStatus.FORBIDDEN,
                "A browser must send changes from this server's own pages.",
            )
        keys = self._metrics_keys if endpoint == METRICS else self._keys
        if not keys or endpoint in OPEN or blueprint in PAGES:
            return
        shown = shown_keys(
            environ.get("HTTP_AUTHORIZATION", ""), environ.get("HTTP_X_API_KEY") or ""
        )
        g.api_key = key = match_digest(shown, keys)
        if key is None:
            raise self._wrong_keys.refuse(request.remote_addr or "", next(iter(shown), ""))


def _host(environ: Mapping[str, Any]) -> str | None:
    """Return the host that the request names; ``None`` for HTTP/1.0 clients, never a browser.

    Raise Refused if it is missing, invalid or names two.
    """
    host: str = environ.get("HTTP_HOST", "")
    if not host and environ["SERVER_PROTOCOL"] != "HTTP/1.1":
        return None
    if not _HOST.fullmatch(host):
        raise Refused(HTTPStatus.BAD_REQUEST, f"Host must name one host; got {received(host)}.")
    return host


def kept_id() -> str | None:
    """Return the client's own id of this request, if it is fit to be kept with a call."""
    given = request.environ.get("HTTP_X_REQUEST_ID") or ""
    return given if _KEPT_ID.fullmatch(given) else None


def is_free() -> bool:
    """Return whether this request never needs a key."""
    blueprint = request.blueprint
    return request.endpoint in OPEN or blueprint in PAGES or blueprint in SIGNED


def caller() -> str:
    """Return the client's name, for "paused by"."""
    key: ApiKey | None = g.api_key
    return (key.name if key else None) or NAMELESS


def scope() -> str:
    """Return the scope that separates one API key's idempotency keys from another's."""
    key: ApiKey | None = g.api_key
    if key is None:
        return ""
    return f"name:{key.name}" if key.name else f"secret:{digest(key.secret).hex()}"


def sign(record: logging.LogRecord) -> bool:
    """Add the request's id and client to a log record; a filter for log handlers."""
    if has_request_context():
        record.request_id = request.environ.get(REQUEST_ID)
        key: ApiKey | None = g.get("api_key")
        record.client = key.name if key else None
    return True


def _foreign(environ: Mapping[str, Any]) -> bool:
    """Return whether a browser sends this request for a page of another origin.

    Browsers report it in Sec-Fetch-Site, old ones in Origin alone
    (https://www.w3.org/TR/fetch-metadata/); programs send neither.
    """
    site = environ.get("HTTP_SEC_FETCH_SITE")
    if site is not None:
        return site not in ("same-origin", "none")
    origin = environ.get("HTTP_ORIGIN")
    return origin is not None and urlsplit(origin).netloc != environ.get("HTTP_HOST")
