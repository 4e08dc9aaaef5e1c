"""A server of one interface of granian's, whose application answers with what it was handed.

python -m tests.integration.echo_server PORT wsgi|rsgi
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from granian.constants import HTTPModes, Interfaces
from granian.server import Server
from vomind_queue.api.rsgi import Door


def echo(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
    """What ``environ`` holds, and the body; in pieces where ``?pieces`` asks for it."""
    body = environ["wsgi.input"].read()
    told = {name: value for name, value in environ.items() if isinstance(value, str | int)}
    answer = json.dumps({**told, "body": body.decode("latin-1")}).encode()
    if environ["QUERY_STRING"] == "pieces":
        start("200 OK", [("Content-Type", "application/json")])
        return pieces(answer)
    start("200 OK", [("Content-Length", str(len(answer)))])
    return [b"" if environ["REQUEST_METHOD"] == "HEAD" else answer]


def pieces(answer: bytes) -> Iterator[bytes]:
    """An empty one among them."""
    yield answer[:10]
    yield b""
    yield answer[10:]


def main() -> None:
    """Serves until it is told to stop."""
    port, name = sys.argv[1:]
    server = Server(
        "tests.integration.echo_server",
        address="127.0.0.1",
        port=int(port),
        interface=Interfaces(name),
        http=HTTPModes.http1,
        websockets=False,
        log_level="error",
    )

    def load(*_: Any, **__: Any) -> Any:
        return Door(echo, threads=2, quick=True) if name == "rsgi" else echo

    server.serve(target_loader=load, wrap_loader=False)


if __name__ == "__main__":
    main()
