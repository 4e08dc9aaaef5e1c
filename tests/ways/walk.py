"""Sends calls through real processes of ours, and reads the ways that they took."""

from __future__ import annotations

import json
import queue
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tests.stack import ROOT, Stack, until
from tests.ways.tree import Seen, common

#: What only the first calls need, or a timer that happens to run, is on no way.
CALLS = 5
#: Before the first of those, so that everything is loaded and connected.
WARM = 2
TASKS, BROKER = "vomind_queue.broker.tasks", "vomind_queue.broker."


class Traced:
    """A process with the tracer in it."""

    def __init__(self, name: str, stack: Stack) -> None:
        with (stack.directory / f"traced-{name}.log").open("wb") as log:
            self._popen = subprocess.Popen(
                [sys.executable, "-m", "tests.ways.traced", name],
                env=stack.environment(),
                cwd=ROOT,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        self.log = Path(log.name)
        self.read()

    def read(self) -> Any:
        """Return the next line that it writes."""
        assert self._popen.stdout is not None
        line = self._popen.stdout.readline()
        assert line, f"the process ended:\n{self.log.read_text(errors='replace')}"
        return json.loads(line)

    def ask(self, line: str) -> Any:
        """Send a line and read one."""
        assert self._popen.stdin is not None
        self._popen.stdin.write(line + "\n")
        self._popen.stdin.flush()
        return self.read()

    def request(self, method: str, path: str, **options: Any) -> Mapping[str, Any]:
        """Let the web process answer a request."""
        answer: Mapping[str, Any] = self.ask(
            json.dumps({"method": method, "path": path, **options})
        )
        assert answer["status"] in (200, 204), answer
        return answer

    def kill(self) -> None:
        """End it."""
        self._popen.kill()
        self._popen.communicate()


class Sink(ThreadingHTTPServer):
    """Stands at PUBLIC_URL and keeps what Twilio sends."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Keeper)
        self.requests: queue.Queue[Mapping[str, Any]] = queue.Queue()
        threading.Thread(target=self.serve_forever, daemon=True).start()


class _Keeper(BaseHTTPRequestHandler):
    server: Sink

    def do_POST(self) -> None:
        data = self.rfile.read(int(self.headers["Content-Length"])).decode()
        # As they came: the signature is over them.
        headers = {name: self.headers[name] for name in ("X-Twilio-Signature", "Content-Type")}
        self.server.requests.put({"path": self.path, "data": data, "headers": headers})
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        pass


@contextmanager
def processes(directory: Path, redis_url: str) -> Iterator[tuple[Traced, Traced, Sink]]:
    """Web, worker and Twilio's counterpart."""
    with ExitStack() as ends:
        sink = Sink()
        ends.callback(sink.server_close)
        ends.callback(sink.shutdown)
        public = f"http://127.0.0.1:{sink.server_port}"
        settings = {"CALL_RATE_LIMIT": "off", "PUBLIC_URL": public, "ALLOW_ANONYMOUS": "1"}
        stack = Stack(directory=directory, redis_url=redis_url, settings=settings)
        ends.callback(stack.close)
        stack.start_simulator()
        web, worker = Traced("web", stack), Traced("worker", stack)
        ends.callback(web.kill)
        ends.callback(worker.kill)
        yield web, worker, sink


def ways(directory: Path, redis_url: str) -> Mapping[str, Sequence[Seen]]:
    """Return the three ways: what every call ran through."""
    posts, placings, callbacks = [], [], []
    with processes(directory, redis_url) as (web, worker, sink):
        for number in range(WARM + CALLS):
            worker.ask("begin")
            call = {"to": f"+1555{number:07}"}
            posted = web.request("POST", "/api/queue/schedule-call", json=call)
            job_id = json.loads(posted["text"])["jobId"]
            _until_completed(web, job_id)
            placed = worker.ask("end")["seen"]
            answered = web.request("POST", **_about(sink, job_id))
            posts.append(posted["seen"])
            placings.append(_to_the_outcome(placed))
            callbacks.append(answered["seen"])
    return {
        name: common(every[WARM:])
        for name, every in (("post", posts), ("placing", placings), ("callback", callbacks))
    }


def _until_completed(web: Traced, job_id: str) -> None:
    def completed() -> bool:
        job = json.loads(web.request("GET", f"/api/queue/job/{job_id}")["text"])
        return bool(job["state"] == "completed")

    until(completed, within_s=30, what=f"job {job_id} is completed")


def _about(sink: Sink, job_id: str) -> Mapping[str, Any]:
    """Return the first callback about this call; those about earlier ones are dropped."""
    while True:
        request = sink.requests.get(timeout=30)
        if f"/{job_id}/" in request["path"]:
            return request


def _to_the_outcome(seen: Sequence[Seen]) -> list[Seen]:
    """Return up to the end of the task, in which the outcome is written.

    Threads that look after other things all the time take no part: Celery is not in them.
    """
    part = {each[0] for each in seen if each[2] == TASKS or each[2].startswith(BROKER)}
    mine = [each for each in seen if each[0] in part]
    began = next(i for i, each in enumerate(mine) if each[2] == TASKS)
    thread, depth = mine[began][:2]
    after = range(began + 1, len(mine))
    end = next((i for i in after if mine[i][0] == thread and mine[i][1] <= depth), len(mine))
    return mine[:end]
