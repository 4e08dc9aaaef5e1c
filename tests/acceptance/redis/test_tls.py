"""``rediss://`` with a self-signed certificate, as hosted Redis services hand it out."""

from __future__ import annotations

from collections.abc import Callable

import requests

from tests.stack import READY_S, Stack, until


def a_call_is_placed(stack: Stack) -> None:
    """Schedule the first call, and wait until it is placed."""
    answer = requests.post(
        f"{stack.queue_url}/schedule-call", json={"to": "+1234567890"}, timeout=30
    )
    assert answer.status_code == 200, answer.text
    job = f"{stack.queue_url}/job/1"
    until(
        lambda: requests.get(job, timeout=30).json()["state"] == "completed",
        within_s=30,
        what="the call is placed",
    )


def test_everything_works_over_tls(stack: Stack, tls_port: int) -> None:
    """Web, worker and Flower all reach a server that can only be reached encrypted."""
    stack.settings["REDIS_URL"] = f"rediss://:@127.0.0.1:{tls_port}"
    stack.start_all()
    stack.start("flower")
    a_call_is_placed(stack)
    broker = f"http://127.0.0.1:{stack.flower_port}/broker"
    until(_shows(broker, "calls.high"), within_s=READY_S, what="Flower counts")


def test_a_named_authority_is_trusted_and_no_other(
    stack: Stack, tls_port: int, certificate: tuple[str, str]
) -> None:
    """With ``ssl_ca_certs`` alone the server is verified, by every process, against that file."""
    stack.settings["REDIS_URL"] = f"rediss://127.0.0.1:{tls_port}?ssl_ca_certs={certificate[1]}"
    stack.start_all()
    a_call_is_placed(stack)
    address = f"rediss://localhost:{tls_port}?ssl_ca_certs={certificate[1]}"
    other = stack.start("worker", "-n", "two@%h", REDIS_URL=address)
    other.wait_for("certificate verify failed")


def test_a_certificate_is_verified_when_asked(stack: Stack, tls_port: int) -> None:
    """With ``ssl_cert_reqs=required`` neither web nor worker talks to a stranger."""
    stack.settings["REDIS_URL"] = f"rediss://127.0.0.1:{tls_port}?ssl_cert_reqs=required"
    worker = stack.start("worker")
    stack.start_web()
    answer = requests.get(f"{stack.queue_url}/stats", timeout=30)
    assert answer.status_code == 503
    worker.wait_for("certificate verify failed")
    assert " ready." not in worker.output


def _shows(url: str, text: str) -> Callable[[], bool]:
    def ask() -> bool:
        try:
            return text in requests.get(url, timeout=30).text
        except requests.RequestException:
            return False

    return ask
