"""A request of granian's own protocol in WSGI's words, as granian's WSGI side puts it."""

from __future__ import annotations

import sys
from typing import Any

Environ = dict[str, Any]

#: Names of headers in WSGI's form, as far as they were met …
_NAMES = {"content-type": "CONTENT_TYPE", "content-length": "CONTENT_LENGTH"}
#: … and as many of them as are remembered.
_MOST_NAMES = 1_000


def environ_of(scope: Any) -> Environ:
    """All of it but the body."""
    server, _, port = scope.server.rpartition(":")
    environ: Environ = {
        "REQUEST_METHOD": scope.method,
        "SCRIPT_NAME": "",
        # WSGI has bytes in texts (PEP 3333). What was not UTF-8 is replaced already.
        "PATH_INFO": scope.path.encode().decode("latin-1"),
        "QUERY_STRING": scope.query_string,
        "SERVER_PROTOCOL": f"HTTP/{scope.http_version}",
        "SERVER_NAME": server,
        "SERVER_PORT": port,
        "REMOTE_ADDR": scope.client.rpartition(":")[0].strip("[]"),
        "wsgi.url_scheme": scope.scheme,
        "wsgi.version": (1, 0),
        "wsgi.errors": sys.stderr,
        "wsgi.input_terminated": True,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    headers, plain = scope.headers, len(environ)
    for name, value in headers.items():
        key = _NAMES.get(name) or _named(name)
        environ[key] = f"{environ[key]},{value}" if key in environ else value
    names = headers.keys()
    if len(environ) - plain < len(names):
        # One that is not ASCII is not among the items.
        for name in names:
            environ.setdefault(_NAMES.get(name) or _named(name), "")
    environ.setdefault("HTTP_HOST", "")
    return environ


def _named(name: str) -> str:
    key = "HTTP_" + name.upper().replace("-", "_")
    if len(_NAMES) < _MOST_NAMES:
        _NAMES[name] = key
    return key
