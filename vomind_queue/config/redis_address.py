"""Normalize the address of a Redis server so that redis-py and kombu agree on it. No I/O."""

from __future__ import annotations

import re
import ssl
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from vomind_queue.config.types import InvalidValue, Type

#: What each spelling of ``ssl_cert_reqs`` means: redis-py and kombu each know some of them.
_CERT_REQS: Mapping[str, str] = {
    name: value for value in ("none", "optional", "required") for name in (value, f"cert_{value}")
}
#: Options that the query may carry.
_OPTIONS = ("db", "ssl_cert_reqs", "ssl_ca_certs", "ssl_certfile", "ssl_keyfile")


def compose(
    *, host: str, port: int, username: str | None, password: str | None, db: int, tls: bool
) -> str:
    """Return the address made of its parts, with what they contain quoted."""
    user, secret = quote(username or "", safe=""), quote(password or "", safe="")
    login = f"{user}:{secret}@" if user or secret else ""
    address = f"[{host}]" if ":" in host else host
    return parse(f"{'rediss' if tls else 'redis'}://{login}{address}:{port}/{db}")


def parse(text: str) -> str:
    """Return the normalized address. Raise ValueError for an invalid one.

    A ``rediss`` address gets ``ssl_cert_reqs=none`` unless it names a certificate authority or
    sets that option: hosted services provide such addresses with a self-signed certificate.
    """
    _check_text(text)
    parts = urlsplit(text)
    scheme = parts.scheme.lower()
    _check_parts(scheme, text)
    if not parts.hostname:
        raise ValueError
    _ = parts.port  # raises ValueError if it is not a port
    options = _options(parts.query, scheme)
    path = _database(parts.path, options.pop("db", None))
    if scheme == "rediss":
        options.setdefault("ssl_cert_reqs", "required" if "ssl_ca_certs" in options else "none")
    query = urlencode(options, safe="/")
    # kombu splits an address at a semicolon, and would name half of a password in its errors.
    netloc = parts.netloc.replace(";", "%3B")
    return parts._replace(scheme=scheme, netloc=netloc, path=path, query=query).geturl()


def tls_options(address: str) -> dict[str, Any] | None:
    """Return what Celery calls ``broker_use_ssl`` for an address; ``None`` without TLS."""
    parts = urlsplit(address)
    if parts.scheme != "rediss":
        return None
    options: dict[str, Any] = dict(parse_qsl(parts.query))
    reqs = ssl.VerifyMode[f"CERT_{options['ssl_cert_reqs'].upper()}"]
    options |= {"ssl_cert_reqs": reqs, "ssl_check_hostname": reqs is not ssl.CERT_NONE}
    return options


def _check_text(text: str) -> None:
    if text[:1] in {'"', "'"}:
        raise InvalidValue("leave the quotation marks out")
    if "#" in text:
        raise InvalidValue("write # as %23")
    if re.search(r"\s", text):
        raise InvalidValue("it contains white space")


def _check_parts(scheme: str, text: str) -> None:
    if "sentinel" in scheme:
        raise InvalidValue("Sentinel is not supported; name the primary, or a proxy in front of it")
    if scheme in {"unix", "redis+socket"}:
        raise InvalidValue("a Unix socket is not supported; name a host and a port")
    if scheme not in {"redis", "rediss"}:
        raise ValueError
    if "," in urlsplit(text).netloc.rpartition("@")[2]:
        raise InvalidValue("several hosts are not supported; name one server")


def _options(query: str, scheme: str) -> dict[str, str]:
    options = dict(parse_qsl(query, keep_blank_values=True))
    for name in options:
        if name in {"ssl", "tls"}:
            raise InvalidValue("write rediss:// for TLS")
        if name not in _OPTIONS:
            raise InvalidValue(f"{name} is not supported; the query may have {', '.join(_OPTIONS)}")
        if name.startswith("ssl_") and scheme != "rediss":
            raise InvalidValue(f"{name} needs rediss://")
    if "ssl_cert_reqs" in options:
        given = options["ssl_cert_reqs"].lower()
        if given not in _CERT_REQS:
            raise InvalidValue("ssl_cert_reqs must be none, optional or required")
        options["ssl_cert_reqs"] = _CERT_REQS[given]
    return options


def _database(path: str, option: str | None) -> str:
    """Return the path for the database, which either the path or the query may name."""
    in_path = path.strip("/")
    if not re.fullmatch(r"/?|/[0-9]{1,5}", path):
        raise ValueError
    if option is None:
        return path
    if not re.fullmatch(r"[0-9]{1,5}", option) or in_path not in {"", option}:
        raise InvalidValue("its database must be a single integer")
    return f"/{option}"


#: A Redis address.
REDIS_URL = Type(
    parse=parse, expected="redis://[user:password@]host[:port][/db], or rediss:// for TLS"
)
