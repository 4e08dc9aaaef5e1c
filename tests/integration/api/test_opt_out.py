"""The address to which Twilio sends a key: signed, for an attempt, and safe to repeat."""

from __future__ import annotations

from collections.abc import Callable
from xml.etree import ElementTree as ET

import pytest
from werkzeug.test import TestResponse

from tests.integration.api.conftest import Api
from tests.integration.conftest import begin, place, taken
from tests.twilio import PUBLIC_URL, REACHED, a_sid, sign
from vomind_queue.calls.decisions import AttemptResult, Decision, DialStarted
from vomind_queue.queue.worker_queue import WorkerQueue
from vomind_queue.twilio.callbacks import keys_path

TO = "+18125550100"


@pytest.fixture
def api(make_api: Callable[..., Api]) -> Api:
    """A service that Twilio reaches, and that offers a key."""
    return make_api(**REACHED, OPT_OUT_DIGIT="9")


def dialed(api: Api, worker_queue: WorkerQueue) -> DialStarted:
    """A call on the line."""
    job_id = api.post("/schedule-call", {"to": TO}).get_json()["jobId"]
    assert taken(worker_queue) == [job_id]
    return begin(worker_queue, job_id)


def pressed(
    api: Api, started: DialStarted, digit: str, token: str = "", **form: str
) -> TestResponse:
    """Twilio sends a key."""
    path = keys_path(started.attempt.job_id, token or started.attempt.token)
    # The number that Twilio names is not the one that counts.
    sent = {"CallSid": a_sid(1), "Digits": digit, "From": "+18125550999", **form}
    headers = {"X-Twilio-Signature": sign(f"{PUBLIC_URL}{path}", sent.items())}
    return api.web.post(path, data=sent, headers=headers)


def listed(api: Api) -> bool:
    """Whether the number is on the list."""
    return bool(api.web.get(f"/api/people/{TO}/do-not-call").get_json()["listed"])


def test_a_key_that_is_pressed_twice_makes_one_entry(api: Api, worker_queue: WorkerQueue) -> None:
    """Twilio may repeat a request."""
    started = dialed(api, worker_queue)
    for _ in range(2):
        answer = pressed(api, started, "9")
        assert (answer.status_code, answer.mimetype) == (200, "text/xml")
        assert [each.tag for each in ET.fromstring(answer.text)] == ["Say", "Hangup"]
    assert listed(api)
    assert api.web.get("/api/do-not-call").get_json()["total"] == 1


def test_a_forged_request_lists_nobody(api: Api, worker_queue: WorkerQueue) -> None:
    """Without Twilio's signature, and with a token that no attempt has."""
    started = dialed(api, worker_queue)
    path = keys_path(started.attempt.job_id, started.attempt.token)
    unsigned = api.web.post(path, data={"CallSid": a_sid(1), "Digits": "9"})
    forged = api.web.post(
        path, data={"Digits": "9"}, headers={"X-Twilio-Signature": sign(path, [])}
    )
    assert (unsigned.status_code, forged.status_code) == (403, 403)
    stranger = pressed(api, started, "9", token="another")
    assert [each.tag for each in ET.fromstring(stranger.text)] == ["Hangup"]
    assert not listed(api)


def test_a_key_of_an_earlier_attempt_counts(api: Api, worker_queue: WorkerQueue) -> None:
    """It was pressed by the same person."""
    first = dialed(api, worker_queue)
    worker_queue.finish(first, Decision(result=AttemptResult.AGAIN, reason="Busy.", wait_ms=0))
    worker_queue.release(first.attempt.job_id)
    assert taken(worker_queue) == [first.attempt.job_id]
    place(worker_queue, first.attempt.job_id)
    pressed(api, first, "9")
    assert listed(api)


def test_the_third_other_key_is_not_asked_for_again(api: Api, worker_queue: WorkerQueue) -> None:
    """The message is spoken to its end then."""
    started = dialed(api, worker_queue)
    path = f"{keys_path(started.attempt.job_id, started.attempt.token)}?other=2"
    sent = {"CallSid": a_sid(1), "Digits": "5"}
    headers = {"X-Twilio-Signature": sign(f"{PUBLIC_URL}{path}", sent.items())}
    answer = api.web.post(path, data=sent, headers=headers)
    assert [each.tag for each in ET.fromstring(answer.text)] == ["Say"]
    assert not listed(api)
