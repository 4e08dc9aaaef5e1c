"""Who asks, and whether that may be answered: what goes before every view."""

from __future__ import annotations

import hashlib
import hmac
import logging
import re
import threading
from collections.abc import Collection, Iterator, Mapping, Sequence
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from flask import Flask, g, has_request_context, request

from vomind_queue.api.errors import Refused
from vomind_queue.api.middleware import REQUEST_ID, ROUTE
from vomind_queue.api.refused_keys import RefusedKeys
from vomind_queue.config.types import ApiKey, is_own_host
from vomind_queue.errors import StoreUnavailable

#: Has a key of its own, which opens nothing else.
METRICS = "metrics.show"
#: Endpoints for load balancers, which have no key, and the reference, which has no secret.
OPEN = frozenset(
    {"health.alive", "health.ready", "reference.document", "reference.page", "reference.static"}
)
#: Rooms for Twilio, which has none either: its signature is checked there.
SIGNED = frozenset({"twilio", "twilio-public"})
#: The page for people: it holds nothing, and asks the API with the key that it is given.
PAGES = frozenset({"dashboard"})
#: Endpoints that are answered from the call log alone.
WITHOUT_REDIS = frozenset({"history.find", "history.show"})
#: Methods that change nothing.
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})

#: Who is said to have asked when a key has no name, or none is wanted.
NAMELESS = "API"

#: One name or address, with or without a port.
_HOST = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(:[0-9]{0,5})?")
#: What may stand around a header's value (RFC 9110, section 5.5).
_SPACE = " \t"

#: Kept with a call: short, and the same in JSON as it is.
_KEPT_ID = re.compile(r"[A-Za-z0-9._:+/=@-]{1,64}")


class Access:
    """Checks the key of each request against the configured ones, in constant time."""

    def __init__(
        self,
        keys: Sequence[ApiKey],
        metrics_key: str | None,
        *,
        hosts: Collection[str],
        wrong_keys: RefusedKeys,
        away: threading.Event,
    ) -> None:
        """``metrics_key`` opens /metrics and nothing else; ``away`` is set while Redis is.

        ``hosts``: the names by which a service without keys may be asked.
        """
        self._keys = [(key, _digest(key.secret)) for key in keys]
        self._metrics_keys = list(self._keys)
        if metrics_key is not None:
            key = ApiKey(name="metrics", secret=metrics_key)
            self._metrics_keys.append((key, _digest(metrics_key)))
        self._hosts = hosts
        self._wrong_keys = wrong_keys
        self._away = away

    def install(self, app: Flask) -> None:
        """Go before every request of ``app``, those to unknown addresses included."""
        app.before_request(self._admit)

    def _admit(self) -> None:
        environ, rule, room, endpoint = request.environ, request.url_rule, None, None
        if rule is not None:
            environ[ROUTE] = rule.rule
            endpoint = rule.endpoint
            room = endpoint.rpartition(".")[0]
        g.api_key = None
        host = _host(environ)
        if room not in SIGNED:
            self._check_host(host, endpoint)
            self._check_sender(environ, room, endpoint)
        # Behind the keys: a stranger learns nothing of an outage.
        if self._away.is_set() and not (room in PAGES or endpoint in OPEN | WITHOUT_REDIS):
            raise StoreUnavailable("Redis did not answer a moment ago.")

    def _check_host(self, host: str | None, endpoint: str | None) -> None:
        if self._keys or endpoint in OPEN or host is None or is_own_host(host, self._hosts):
            return
        # A page's own name may lead here (DNS rebinding): to its reader's browser it is one origin.
        raise Refused(
            HTTPStatus.FORBIDDEN,
            "Without API keys the service answers to known names only: localhost, an IP address, "
            "or a name in ALLOWED_HOSTS.",
        )

    def _check_sender(
        self, environ: Mapping[str, Any], room: str | None, endpoint: str | None
    ) -> None:
        if environ["REQUEST_METHOD"] not in SAFE and _foreign(environ):
            raise Refused(
                HTTPStatus.FORBIDDEN,
                "A browser may change the queue from this server's own pages only.",
            )
        keys = self._metrics_keys if endpoint == METRICS else self._keys
        if not keys or endpoint in OPEN or room in PAGES:
            return
        shown = list(_shown(environ))
        g.api_key = key = _match(shown, keys)
        if key is None:
            raise self._wrong_keys.refuse(request.remote_addr or "", next(iter(shown), ""))


def _host(environ: Mapping[str, Any]) -> str | None:
    """The one host that the request names; ``None`` for older clients, of which no browser is one.

    Raises Refused for none, two, or none that can be.
    """
    host: str = environ.get("HTTP_HOST", "")
    if not host and environ["SERVER_PROTOCOL"] != "HTTP/1.1":
        return None
    if not _HOST.fullmatch(host):
        raise Refused(HTTPStatus.BAD_REQUEST, "The Host header must name one host.")
    return host


def _match(shown: Sequence[str], keys: Sequence[tuple[ApiKey, bytes]]) -> ApiKey | None:
    found = None
    for secret in shown:
        digest = _digest(secret)
        # All of them, so that the time taken does not tell which one it was.
        for key, expected in keys:
            if hmac.compare_digest(digest, expected):
                found = key
    return found


def kept_id() -> str | None:
    """The id under which the client knows its request, if it is to be kept with a call."""
    given = request.environ.get("HTTP_X_REQUEST_ID") or ""
    return given if _KEPT_ID.fullmatch(given) else None


def is_free() -> bool:
    """Whether this request needs no key, whatever keys there are."""
    room = request.blueprint
    return request.endpoint in OPEN or room in PAGES or room in SIGNED


def caller() -> str:
    """Who asks, for "paused by"."""
    key: ApiKey | None = g.api_key
    return (key.name if key else None) or NAMELESS


def scope() -> str:
    """What keeps the idempotency keys of one API key apart from those of another."""
    key: ApiKey | None = g.api_key
    if key is None:
        return ""
    return f"name:{key.name}" if key.name else f"secret:{_digest(key.secret).hex()}"


def sign(record: logging.LogRecord) -> bool:
    """Say with which request, and whose, a line has to do; a filter for log handlers."""
    if has_request_context():
        record.request_id = request.environ.get(REQUEST_ID)
        key: ApiKey | None = g.get("api_key")
        record.client = key.name if key else None
    return True


def _foreign(environ: Mapping[str, Any]) -> bool:
    """Whether a page of another origin makes its reader's browser ask.

    Browsers say so by Sec-Fetch-Site, old ones by Origin alone
    (https://www.w3.org/TR/fetch-metadata/); programs send neither.
    """
    site = environ.get("HTTP_SEC_FETCH_SITE")
    if site is not None:
        return site not in ("same-origin", "none")
    origin = environ.get("HTTP_ORIGIN")
    return origin is not None and urlsplit(origin).netloc != environ.get("HTTP_HOST")


def _shown(environ: Mapping[str, Any]) -> Iterator[str]:
    scheme, _, credentials = environ.get("HTTP_AUTHORIZATION", "").partition(" ")
    if scheme.lower() == "bearer":
        yield credentials.strip(_SPACE)
    if header := environ.get("HTTP_X_API_KEY"):
        yield header.strip(_SPACE)


def _digest(secret: str) -> bytes:
    # Equal lengths: compare_digest tells the length of what it compares.
    return hashlib.sha256(secret.encode("utf-8", "surrogateescape")).digest()
