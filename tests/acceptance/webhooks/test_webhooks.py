"""Webhooks from the request to the receiver: real processes, a real receiver."""

from __future__ import annotations

from typing import Any

import requests

from tests.receiver import Receiver
from tests.stack import Stack, until

#: What becomes of a call that is answered, as the simulator has it.
COURSE = [
    "call.accepted", "call.started", "call.placed", "call.ringing", "call.answered", "call.ended",
]  # fmt: skip
#: Addresses that no app may name, whatever networks are allowed beside loopback.
REFUSED = [
    "http://hooks.example.com/", "ftp://hooks.example.com/", "https://user:word@example.com/",
    "http://user@127.0.0.1/", "http://169.254.169.254/latest", "https://169.254.169.254/latest",
    "https://10.0.0.1/", "https://[fe80::1]/", "https://[::1]/", "https://[::ffff:10.0.0.1]/",
]  # fmt: skip


def api(stack: Stack, method: str, path: str, **body: Any) -> dict[str, Any]:
    """Ask the API; fail unless it agrees."""
    url = f"{stack.web_url}/api/{path}"
    answer = requests.request(
        method, url, json=body if method in ("POST", "PATCH") else None, timeout=20
    )
    assert answer.ok, answer.text
    document: dict[str, Any] = answer.json()
    return document


def test_a_call_is_told_from_its_acceptance_to_its_end(stack: Stack, receiving: Receiver) -> None:
    """In order, each with the call as the API shows it, and without its words."""
    stack.settings["PUBLIC_URL"] = stack.web_url
    stack.start_all()
    stack.start("notifier").wait_for("notifier started")
    refuse_bad_addresses(stack)
    made = api(stack, "POST", "webhooks", url=receiving.url)["webhook"]
    assert made["secret"].startswith("whsec_")
    job_id = api(stack, "POST", "queue/schedule-call", to="+15550000001", message="Hello")["jobId"]
    until(lambda: "call.ended" in receiving.types(job_id), within_s=60, what="its end is told")
    assert receiving.types(job_id) == COURSE
    sequences = [each.event["sequence"] for each in receiving.accepted]
    assert sequences == sorted(set(sequences))
    last = receiving.accepted[-1].event
    assert "message" not in last["data"]["data"]
    assert last["data"]["call"]["status"] == "completed"
    until(
        lambda: api(stack, "GET", f"webhooks/{made['id']}")["webhook"]["behind"] == 0,
        within_s=60,
        what="its progress is stored",
    )


def refuse_bad_addresses(stack: Stack) -> None:
    """See that each is refused, by its field and without what it may hold of a password."""
    for url in REFUSED:
        answer = requests.post(f"{stack.web_url}/api/webhooks", json={"url": url}, timeout=20)
        assert (answer.status_code, list(answer.json()["errors"])) == (422, ["url"]), url
        assert "word@" not in answer.text
