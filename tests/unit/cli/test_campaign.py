"""The report of a campaign, with calls that the queue does not have any more."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from typing import Any

import pytest
from click.testing import CliRunner

from vomind_queue.cli.campaign import campaign
from vomind_queue.cli.client import Api, ApiFault
from vomind_queue.cli.exit_codes import ExitCode

_CALL = {
    "call": None, "attemptsMade": 1, "failedReason": None, "priority": "normal",
    "message": "Hi.", "metadata": None, "lead_id": None,
}  # fmt: skip


def call(job_id: str, second: int, state: str) -> dict[str, Any]:
    """A call as the call log shows it."""
    at = f"2026-11-30T10:00:{second:02}.000Z"
    return {
        **_CALL,
        "jobId": job_id,
        "state": state,
        "to": f"+155500000{job_id:0>2}",
        "createdAt": at,
    }


class Answers:
    """An API with a campaign of three calls, one of which the queue has."""

    def __init__(self, source: str = "log") -> None:
        self.source = source
        self.asked: list[Mapping[str, Any]] = []

    def get(self, path: str, **query: Any) -> dict[str, Any]:
        """Return what the API answers."""
        waiting = call("9", 2, "waiting")
        if path == "/api/queue/campaigns/7/calls":
            return {"jobs": [{**waiting, "data": waiting}], "next": None}
        if path == "/api/queue/campaigns/7":
            counts = {"total": 3}
            return {"campaignId": "7", "counts": counts, "createdAt": "2026-11-30T10:00:00.000Z"}
        if self.source == "away":
            raise ApiFault("It is away.", ExitCode.UNREACHABLE)
        self.asked.append(query)
        calls = [waiting, call("10", 1, "cancelled"), call("8", 1, "completed")]
        return {"calls": calls, "next": None, "source": self.source}


def reported(answers: Answers, monkeypatch: pytest.MonkeyPatch) -> tuple[list[str], str]:
    """The ids that are printed, and what is said beside them."""
    monkeypatch.setattr(Api, "get", lambda _self, path, **query: answers.get(path, **query))
    done = CliRunner().invoke(campaign, ["report", "7"])
    assert done.exit_code == 0
    return [each["jobId"] for each in csv.DictReader(done.stdout.splitlines())], done.stderr


def test_calls_that_left_the_queue_come_from_the_log(monkeypatch: pytest.MonkeyPatch) -> None:
    """In the order in which they were added; none of an older campaign with the same id."""
    answers = Answers()
    assert reported(answers, monkeypatch) == (["8", "10", "9"], "")
    since = "2026-11-30T10:00:00.000Z"
    assert all((each["campaignId"], each["since"]) == ("7", since) for each in answers.asked)


@pytest.mark.parametrize(("source", "said"), [("queue", ""), ("away", "It is away.")])
def test_without_the_log_there_are_those_of_the_queue(
    monkeypatch: pytest.MonkeyPatch, source: str, said: str
) -> None:
    """With a word on it where the log is away."""
    ids, error = reported(Answers(source), monkeypatch)
    assert (ids, said in error, bool(error)) == (["9"], True, bool(said))
