"""A process of ours with the tracer in it: ``python -m tests.ways.traced web`` or ``worker``.

``web`` reads a request a line from its standard input and answers it in this process, through the
WSGI application and without a server; ``worker`` is a Celery worker that reads ``begin`` and
``end``. Both write what they saw as a line of JSON.
"""

from __future__ import annotations

import json
import os
import sys
import threading
from typing import Any

from tests.ways.tracer import Tracer

tracer = Tracer()
#: Celery redirects the standard output.
out = os.fdopen(os.dup(1), "w", buffering=1)


def answer(what: Any) -> None:
    """A line to the process that started this one."""
    out.write(json.dumps(what) + "\n")


def web() -> None:
    """Answer the requests of the standard input."""
    from werkzeug.test import Client

    import wsgi

    client = Client(wsgi.app)
    answer("ready")
    for line in sys.stdin:
        tracer.begin()
        reply = client.open(**json.loads(line))
        text = reply.get_data(as_text=True)
        answer({"status": reply.status_code, "text": text, "seen": tracer.end()})


def worker() -> None:
    """Works, and obeys the standard input."""
    from celery.__main__ import main
    from celery.signals import worker_ready

    from devserver.parts import COMMANDS

    threading.Thread(target=_obey, daemon=True).start()
    worker_ready.connect(lambda **_: answer("ready"), weak=False)
    # As deployed: `-m celery …`.
    sys.argv = list(COMMANDS["worker"][1:])
    main()


def _obey() -> None:
    for line in sys.stdin:
        if line.strip() == "begin":
            tracer.begin()
            answer("begun")
        else:
            answer({"seen": tracer.end()})


if __name__ == "__main__":
    tracer.install()
    {"web": web, "worker": worker}[sys.argv[1]]()
