"""A client that writes down what it was answered, and what it was not."""

from __future__ import annotations

import enum
import threading
import time
from collections.abc import Sequence
from typing import Any

import requests
from urllib3.exceptions import NewConnectionError

from tests.chaos.journal import Journal

#: How long a client waits for an answer, s; the API promises a 503 within 2 s.
PATIENCE_S = 8.0


class Told(enum.Enum):
    """What an answer says of its request."""

    #: 200.
    DONE = "done"
    #: It was not carried out, and will not be.
    REFUSED = "refused"
    #: Nobody knows.
    UNKNOWN = "unknown"


class Client:
    """Safe to share between threads: each has its own connection."""

    def __init__(self, base: str, journal: Journal) -> None:
        self._base = base
        self._journal = journal
        self._local = threading.local()

    def ask(
        self, method: str, path: str, body: Any = None, **headers: str
    ) -> tuple[Told, requests.Response | None]:
        """Send one request, never repeated; no answer at all is ``UNKNOWN``."""
        if not hasattr(self._local, "session"):
            self._local.session = requests.Session()
        began = time.monotonic()
        try:
            answer = self._local.session.request(
                method, self._base + path, json=body, headers=headers, timeout=PATIENCE_S
            )
        except requests.RequestException as error:
            return (Told.REFUSED if _never_sent(error) else Told.UNKNOWN), None
        return self._judge(method, path, answer, time.monotonic() - began), answer

    def _judge(self, method: str, path: str, answer: requests.Response, took_s: float) -> Told:
        if answer.status_code == 200:
            return Told.DONE
        if answer.status_code != 503:
            if answer.status_code not in (404, 409):
                self._journal.outrage(f"{method} {path}: {answer.status_code} {answer.text[:300]}")
            return Told.REFUSED
        self._journal.took(self._journal.refusals_s, took_s)
        if "Retry-After" not in answer.headers:
            self._journal.outrage(f"{method} {path}: a 503 without Retry-After")
        return Told.UNKNOWN if "unknown" in answer.json()["detail"] else Told.REFUSED

    def add(self, numbers: Sequence[str], key: str = "", **fields: Any) -> list[str]:
        """Schedule one call or a bulk. With a key it is sent again until the outcome is known."""
        headers = {"Idempotency-Key": key} if key else {}
        calls = [{"to": number, **fields} for number in numbers]
        path = "/schedule-bulk-calls" if len(calls) > 1 else "/schedule-call"
        if "delayMs" in fields and len(calls) == 1:
            path = "/schedule-delayed-call"
        body = {"calls": calls} if len(calls) > 1 else calls[0]
        outcome, answer = self.ask("POST", path, body, **headers)
        tries = 100 if key else 0
        ever_unknown = outcome is Told.UNKNOWN
        while tries and (outcome is Told.UNKNOWN or (ever_unknown and outcome is not Told.DONE)):
            time.sleep(0.1)
            tries -= 1
            outcome, answer = self.ask("POST", path, body, **headers)
        return self._note(numbers, outcome, answer, unsure=ever_unknown)

    def _note(
        self,
        numbers: Sequence[str],
        outcome: Told,
        answer: requests.Response | None,
        *,
        unsure: bool,
    ) -> list[str]:
        if outcome is Told.DONE and answer is not None:
            document = answer.json()
            jobs = document.get("jobs", [document])
            job_ids = [job["jobId"] for job in jobs]
            self._journal.accept(job_ids, numbers)
            return job_ids
        if unsure:
            self._journal.wonder(numbers)
        else:
            self._journal.refuse(numbers)
        return []

    def cancel(self, job_id: str) -> bool:
        """DELETE; whether it was answered with 200."""
        outcome, answer = self.ask("DELETE", f"/job/{job_id}")
        if outcome is Told.UNKNOWN:
            self._journal.maybe_cancel(job_id)
        elif outcome is Told.DONE and answer is not None:
            self._journal.cancel(job_id, answer.json()["was"])
        return outcome is Told.DONE

    def retry(self, job_id: str) -> None:
        """A manual retry."""
        outcome, _ = self.ask("POST", f"/job/{job_id}/retry")
        if outcome is not Told.REFUSED:
            self._journal.retry(job_id)

    def pause(self) -> bool:
        """Return whether it was answered with 200."""
        outcome, _ = self.ask("POST", "/pause")
        if outcome is Told.DONE:
            self._journal.paused()
        return outcome is Told.DONE

    def resume(self) -> None:
        """Ask until it is answered."""
        self._journal.resuming()
        while self.ask("POST", "/resume")[0] is not Told.DONE:
            time.sleep(0.1)

    def look(self) -> None:
        """GET /stats."""
        self.ask("GET", "/stats")


def _never_sent(error: requests.RequestException) -> bool:
    if isinstance(error, requests.ConnectTimeout):
        return True
    reason = getattr(error.args[0] if error.args else None, "reason", None)
    return isinstance(reason, NewConnectionError)
