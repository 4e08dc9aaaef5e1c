"""Requests are counted over all serving processes together, whichever of them is asked."""

from __future__ import annotations

import os
import re
import signal

import requests

from tests.acceptance.web.test_web import children
from tests.stack import Stack, until

_COUNT = re.compile(
    r'^vomind_http_request_duration_seconds_count\{method="GET",'
    r'route="/api/queue/job/<job_id>",status="404"\} (\S+)$',
    re.MULTILINE,
)


def counted(stack: Stack) -> float:
    """Requests for jobs, as one of the processes tells."""
    found = _COUNT.search(requests.get(f"{stack.web_url}/metrics", timeout=30).text)
    return float(found[1]) if found else 0.0


def test_requests_to_all_processes_are_one_count(stack: Stack) -> None:
    """Also those that were answered by a process that is dead by now."""
    web = stack.start_web(WEB_PROCESSES="3")
    for number in range(60):
        # A connection each: they are spread over the processes.
        requests.get(f"{stack.queue_url}/job/{number + 1}", timeout=30)
    # Each process writes down what it has counted after a moment.
    until(lambda: counted(stack) == 60.0, within_s=30, what="all are counted")
    assert {counted(stack) for _ in range(12)} == {60.0}
    victim = children(web)[-1]
    os.kill(victim, signal.SIGKILL)
    until(lambda: victim not in children(web), within_s=30, what="a dead process is replaced")
    assert counted(stack) == 60.0
    assert web.stop() == 0
