"""The API's own server, whose application answers with what it was handed.

python -m tests.integration.echo_server PORT [PROCESSES]
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from uvicorn import Config

from tests.servers import free_port
from vomind_queue import prefork
from vomind_queue.api import quick
from vomind_queue.api.door import Door
from vomind_queue.web import _listening

#: How long the address of that name takes, s.
SLOW_S = 0.5
#: Answers without end that are being made.
ENDLESS: list[None] = []


def echo(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
    """What ``environ`` holds, and the body; in pieces where ``?pieces`` asks for it."""
    if environ["QUERY_STRING"] == "unread":
        start("200 OK", [("Content-Length", "6")])
        return [b"unread"]
    body = environ["wsgi.input"].read()
    told = {name: value for name, value in environ.items() if isinstance(value, str | int)}
    answer = json.dumps({**told, "body": body.decode("latin-1")}).encode()
    if environ["QUERY_STRING"] == "slow":
        time.sleep(SLOW_S)
    if environ["QUERY_STRING"] == "pieces":
        start("200 OK", [("Content-Type", "application/json")])
        return pieces(answer)
    if environ["QUERY_STRING"] == "endless":
        start("200 OK", [])
        return endless()
    if environ["QUERY_STRING"] == "broken":
        raise RuntimeError
    if environ["QUERY_STRING"] == "count":
        answer = json.dumps(len(ENDLESS)).encode()
    start("200 OK", [("Content-Length", str(len(answer)))])
    return [b"" if environ["REQUEST_METHOD"] == "HEAD" else answer]


def pieces(answer: bytes) -> Iterator[bytes]:
    """An empty one among them."""
    yield answer[:10]
    yield b""
    yield answer[10:]


def endless() -> Iterator[bytes]:
    """As long as somebody wants it."""
    ENDLESS.append(None)
    try:
        while True:
            yield b"x" * 65536
    finally:
        ENDLESS.pop()


def main() -> None:
    """Serves until it is told to stop; a client is waited for as long as a test may."""
    quick.HEAD_S = quick.BODY_S = quick.IDLE_S = quick.LOOK_S = quick.READ_S = 1.0
    quick.END_S = 1.0
    quick.LINGER_S = 0.2
    port = int(sys.argv[1]) or free_port()
    processes = int(sys.argv[2]) if len(sys.argv) > 2 else 2

    def serve(sock: Any) -> None:
        door = Door(echo, threads=2, quick=True)
        config = Config(
            door, http=quick.Protocol, ws="none", lifespan="off", log_level="error",
            proxy_headers=False, server_header=False, access_log=False,
        )  # fmt: skip
        prefork.Server(config).run([sock])
        sys.stderr.write("ended\n")

    prefork.run([_listening("127.0.0.1", port) for _ in range(processes)], serve, stop_s=4)


if __name__ == "__main__":
    main()
