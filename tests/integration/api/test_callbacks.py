"""What Twilio sends in: signed over the public address, by nothing else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import pytest
import redis
from werkzeug.test import TestResponse

from tests.integration.api.conftest import TO, Api
from tests.integration.conftest import begin, taken
from tests.twilio import AUTH_TOKEN, PUBLIC_URL, REACHED, a_sid, callback, sign
from vomind_queue.calls.attempts import Accepted
from vomind_queue.calls.call import Call, NewCall
from vomind_queue.calls.decisions import AttemptResult, Decision, DialStarted
from vomind_queue.queue.call_queue import CallQueue
from vomind_queue.queue.worker_queue import WorkerQueue
from vomind_queue.twilio.callbacks import status_callback

MakeApi = Callable[..., Api]
SID = a_sid(7)
TOKEN = "an-attempts_token"


def placed(api: Api, worker_queue: WorkerQueue, sid: str = SID, **fields: Any) -> DialStarted:
    """A call that Twilio took."""
    answer = api.post("/schedule-call", {"to": TO, **fields})
    assert answer.status_code == 200, answer.text
    started = begin(worker_queue, *taken(worker_queue))
    accepted = Accepted(sid=sid, status="queued")
    worker_queue.finish(started, Decision(result=AttemptResult.COMPLETED, accepted=accepted))
    return started


def path_of(started: DialStarted, room: str = "status") -> str:
    """Where Twilio sends to, below the public address."""
    return f"/api/twilio/{room}/{started.attempt.job_id}/{started.attempt.token}"


def post(
    api: Api,
    path: str,
    form: dict[str, str] | list[tuple[str, str]],
    *,
    url: str | None = None,
    **more: Any,
) -> TestResponse:
    """Posts a form as Twilio does; ``url``: what it signs, if not the public address."""
    pairs = list(form.items()) if isinstance(form, dict) else form
    signature = more.pop("signature", sign(url or PUBLIC_URL + path, pairs))
    return api.web.post(
        path,
        data=urlencode(pairs),
        content_type="application/x-www-form-urlencoded; charset=utf-8",
        headers={"X-Twilio-Signature": signature} if signature else {},
        **more,
    )


def shown(api: Api, job_id: str = "1") -> dict[str, Any]:
    """What the API says of a call on the line."""
    call: dict[str, Any] = api.get(f"/job/{job_id}").get_json()["call"]
    return call


def test_a_callback_shows_in_the_job(make_api: MakeApi, worker_queue: WorkerQueue) -> None:
    """No API key is wanted of Twilio, though one is of everybody else."""
    api = make_api(**REACHED)
    path = path_of(placed(api, worker_queue))
    guarded = make_api(**REACHED, API_KEYS="ops:secret")
    assert guarded.get("/stats").status_code == 401
    form = callback(SID, "completed", 3, CallDuration=49, Duration=1, SipResponseCode=200)
    answer = post(guarded, path, form)
    assert (answer.status_code, answer.data) == (204, b"")
    assert shown(api) == {
        "sid": SID,
        "from": None,
        "status": "completed",
        "duration": 49,
        "answeredBy": None,
        "sipResponseCode": 200,
        "price": None,
        "priceUnit": None,
    }


def test_the_result_of_a_detection_shows_in_the_job(
    make_api: MakeApi, worker_queue: WorkerQueue
) -> None:
    """It comes by a separate callback, without a status."""
    api = make_api(**REACHED)
    path = path_of(placed(api, worker_queue))
    form = {"CallSid": SID, "AnsweredBy": "machine_start", "MachineDetectionDuration": "2400"}
    assert post(api, path, form).status_code == 204
    assert (shown(api)["status"], shown(api)["answeredBy"]) == ("queued", "machine_start")


#: The public address, where the request comes in, and what Twilio signs.
ADDRESSES = [
    ("https://queue.example.com", "", "https://queue.example.com"),
    # A proxy takes TLS off; its port and host are its own business.
    ("https://queue.example.com", "", "https://queue.example.com:443"),
    ("https://queue.example.com:8443", "", "https://queue.example.com:8443"),
    ("https://queue.example.com:8443", "", "https://queue.example.com"),
    ("http://queue.example.com", "", "http://queue.example.com:80"),
    ("http://127.0.0.1:3000", "", "http://127.0.0.1:3000"),
    # A path before ours, which a proxy strips or does not.
    ("https://example.com/phone/queue", "", "https://example.com/phone/queue"),
    ("https://example.com/phone/queue", "/phone/queue", "https://example.com/phone/queue"),
]


@pytest.mark.parametrize(("public_url", "prefix", "signs"), ADDRESSES)
def test_the_public_address_counts(
    make_api: MakeApi, worker_queue: WorkerQueue, public_url: str, prefix: str, signs: str
) -> None:
    """Whatever host, port and scheme the request arrives with."""
    api = make_api(**{**REACHED, "PUBLIC_URL": public_url})
    path = path_of(placed(api, worker_queue))
    form = callback(SID, "ringing", 1)
    inside = "http://10.1.2.3:5000"
    good = post(api, prefix + path, form, url=signs + path, base_url=inside)
    assert good.status_code == 204
    evil = "https://evil.example.com"
    foreign = post(api, prefix + path, form, url=evil + path, base_url=inside)
    assert foreign.status_code == 403
    assert shown(api)["status"] == "ringing"


def test_a_run_of_a_recurring_call_is_told_of_too(
    make_api: MakeApi, worker_queue: WorkerQueue, queue: CallQueue
) -> None:
    """Its id has colons, which stay as they are."""
    api = make_api(**REACHED)
    queue.publish("recurring:1:1795525128983", NewCall(call=Call(to=TO)))
    started = begin(worker_queue, *taken(worker_queue))
    worker_queue.finish(
        started,
        Decision(result=AttemptResult.COMPLETED, accepted=Accepted(sid=SID, status="queued")),
    )
    url = status_callback(started.attempt, PUBLIC_URL)
    assert "/recurring:1:1795525128983/" in url
    path = url.removeprefix(PUBLIC_URL)
    assert post(api, path, callback(SID, "ringing", 1)).status_code == 204
    assert shown(api, started.attempt.job_id)["status"] == "ringing"


def test_a_query_string_is_signed_along(make_api: MakeApi, worker_queue: WorkerQueue) -> None:
    """As it stands in the address, escapes included; its parameters are not the form's."""
    api = make_api(**REACHED)
    path = path_of(placed(api, worker_queue)) + "?a=%C3%A4+b&CallStatus=failed&empty="
    assert post(api, path, callback(SID, "ringing", 1)).status_code == 204
    assert shown(api)["status"] == "ringing"
    bare = PUBLIC_URL + path.partition("?")[0]
    assert post(api, path, callback(SID, "in-progress", 2), url=bare).status_code == 403


def test_form_order_repetition_and_foreign_letters_do_not_matter(
    make_api: MakeApi, worker_queue: WorkerQueue
) -> None:
    """Signed in the order of names, each value once, as UTF-8."""
    api = make_api(**REACHED)
    path = path_of(placed(api, worker_queue))
    pairs = [*callback(SID, "ringing", 1, ToCity="Łódź 東京 🎉", FromCity="").items()]
    assert post(api, path, [*reversed(pairs), pairs[0], pairs[0]]).status_code == 204
    assert shown(api)["status"] == "ringing"


FORGED = [
    "",
    "x",
    "ä",
    sign(PUBLIC_URL + "/api/twilio/status/1/other", ()),
    sign(PUBLIC_URL, callback(SID, "ringing", 1).items(), "another-secret"),
]


@pytest.mark.parametrize("signature", FORGED)
def test_what_twilio_did_not_sign_is_refused(
    make_api: MakeApi, worker_queue: WorkerQueue, signature: str
) -> None:
    """403, and nothing has changed."""
    api = make_api(**REACHED)
    path = path_of(placed(api, worker_queue))
    form = callback(SID, "ringing", 1)
    answer = post(api, path, form, signature=signature.encode().decode("latin-1"))
    assert (answer.status_code, answer.content_type) == (403, "application/problem+json")
    assert shown(api)["status"] == "queued"


def test_each_part_is_signed(make_api: MakeApi, worker_queue: WorkerQueue) -> None:
    """A value, a name, a parameter more or less, another job or token: 403."""
    api = make_api(**REACHED)
    started = placed(api, worker_queue)
    path, form = path_of(started), callback(SID, "ringing", 1)
    good = sign(PUBLIC_URL + path, form.items())
    changed = [
        (path, {**form, "CallStatus": "completed"}),
        (path, {**form, "Extra": "1"}),
        (path, {name: value for name, value in form.items() if name != "To"}),
        (path, {}),
        (path + "x", form),
        (path.replace("/1/", "/2/"), form),
        (path_of(started, "twiml"), form),
        (path + "?a=1", form),
    ]
    for where, what in changed:
        assert post(api, where, what, signature=good).status_code == 403
    assert shown(api)["status"] == "queued"
    assert post(api, path, form, signature=good).status_code == 204


def test_without_a_public_address_nothing_comes_in(
    make_api: MakeApi, worker_queue: WorkerQueue
) -> None:
    """There is nothing to check a signature against."""
    api = make_api()
    path = path_of(placed(api, worker_queue))
    for url in (PUBLIC_URL + path, "http://localhost" + path, path, "None" + path):
        assert post(api, path, callback(SID, "ringing", 1), url=url).status_code == 403


def test_a_call_that_no_attempt_accounts_for_is_refused(
    make_api: MakeApi, worker_queue: WorkerQueue
) -> None:
    """Signed by Twilio, with the token of an attempt that was given up: counted, to be ended."""
    api = make_api(**REACHED)
    api.post("/schedule-call", {"to": TO})
    old = begin(worker_queue, *taken(worker_queue))
    worker_queue.finish(old, Decision(result=AttemptResult.AGAIN, reason="Absent.", wait_ms=0))
    worker_queue.release("1")
    begin(worker_queue, *taken(worker_queue))
    assert post(api, path_of(old), callback(a_sid(9), "ringing", 1)).status_code == 403
    assert api.get("/stats").get_json()["orphanedCalls"] == 1


def test_a_token_that_was_never_given_is_refused_unread(
    make_api: MakeApi, worker_queue: WorkerQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody but a stranger has it: the body is not waited for, and proves nothing."""
    api = make_api(**REACHED)
    path = path_of(placed(api, worker_queue))
    wrong = path[:-1] + ("a" if path[-1] != "a" else "b")
    monkeypatch.setattr(
        "vomind_queue.api.blueprints.twilio.read_bytes", lambda _most: pytest.fail("read")
    )
    for where in (wrong, path.replace("/1/", "/2/"), f"/api/twilio/status/1/{TOKEN}"):
        assert post(api, where, callback(a_sid(9), "ringing", 1)).status_code == 403
    asked = post(api, wrong.replace("/status/", "/twiml/"), callback(a_sid(9), "ringing", 1))
    assert asked.text == "<Response><Hangup/></Response>"
    assert api.get("/stats").get_json()["orphanedCalls"] == 0
    assert shown(api)["status"] == "queued"


def test_a_callback_without_a_call_is_a_422(make_api: MakeApi, worker_queue: WorkerQueue) -> None:
    """Signed, but about nothing."""
    api = make_api(**REACHED)
    path = path_of(placed(api, worker_queue))
    for form in ({}, {"CallSid": "CA1"}, {"CallStatus": "ringing"}):
        assert post(api, path, form).status_code == 422


def test_oversized_and_overfull_forms_are_refused(
    make_api: MakeApi, worker_queue: WorkerQueue
) -> None:
    """Before anything is made of them."""
    api = make_api(**REACHED)
    path = path_of(placed(api, worker_queue))
    assert post(api, path, {"CallSid": "C" * 70_000}).status_code == 413
    assert post(api, path, {str(i): "" for i in range(500)}).status_code == 403


def test_values_that_are_not_twilios_count_as_not_said(
    make_api: MakeApi, worker_queue: WorkerQueue
) -> None:
    """Twilio adds to its words; a new one must not spoil the rest."""
    api = make_api(**REACHED)
    path = path_of(placed(api, worker_queue))
    odd = callback(SID, "dancing", 1, CallDuration="long", SipResponseCode="", AnsweredBy="A B")
    assert post(api, path, odd).status_code == 204
    unknown = callback(SID, "unknown", 2)
    assert post(api, path, unknown).status_code == 204
    call = shown(api)
    assert (call["status"], call["duration"], call["answeredBy"]) == ("queued", None, None)


WORDS = [
    (None, "Hello you"),
    ("human", "Hello you"),
    ("unknown", "Hello you"),
    ("fax", "Hello you"),
    ("machine_start", "Call &amp; us"),
    ("machine_end_beep", "Call &amp; us"),
    ("machine_end_silence", "Call &amp; us"),
]


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize(("answered_by", "words"), WORDS)
def test_a_machine_hears_other_words(
    make_api: MakeApi, worker_queue: WorkerQueue, method: str, answered_by: str | None, words: str
) -> None:
    """Twilio asks, by either method, once it knows who answered."""
    api = make_api(**REACHED)
    started = placed(api, worker_queue, message="Hello you", voicemailMessage="Call & us")
    path = path_of(started, "twiml")
    form = callback(SID, "in-progress", 0)
    del form["SequenceNumber"], form["CallbackSource"], form["Timestamp"]
    if answered_by:
        form |= {"AnsweredBy": answered_by}
    if method == "POST":
        answer = post(api, path, form)
    else:
        path += "?" + urlencode(form)
        headers = {"X-Twilio-Signature": sign(PUBLIC_URL + path)}
        answer = api.web.get(path, headers=headers)
    assert answer.status_code == 200
    assert answer.content_type == "text/xml; charset=utf-8"
    said = f"<Response><Say>{words}</Say>"
    if answered_by is None:
        # Who answered is not known yet: the line is held.
        again = f"{PUBLIC_URL}{path_of(started, 'twiml')}?asked=1"
        said += f'<Redirect method="POST">{again}</Redirect>'
    assert answer.text == f"{said}</Response>"
    assert (shown(api)["status"], shown(api)["answeredBy"]) == ("in-progress", answered_by)
    assert api.web.get(path, headers={"X-Twilio-Signature": "x"}).status_code == 403


def test_a_machine_hears_them_in_the_calls_language(
    make_api: MakeApi, worker_queue: WorkerQueue
) -> None:
    """By the voice that the settings or the call name."""
    api = make_api(**REACHED, SAY_VOICE="Polly.Hans")
    words = {"message": "Guten Tag", "voicemailMessage": "Rufen Sie uns an"}
    started = placed(api, worker_queue, **words, language="de-DE")
    form = callback(SID, "in-progress", 0) | {"AnsweredBy": "machine_end_beep"}
    answer = post(api, path_of(started, "twiml"), form)
    said = '<Say language="de-DE" voice="Polly.Hans">Rufen Sie uns an</Say>'
    assert answer.text == f"<Response>{said}</Response>"


def test_a_call_that_should_not_be_is_hung_up(make_api: MakeApi, worker_queue: WorkerQueue) -> None:
    """Somebody answered an orphaned call."""
    api = make_api(**REACHED)
    started = placed(api, worker_queue, voicemailMessage="Hi")
    answer = post(api, path_of(started, "twiml"), callback(a_sid(9), "in-progress", 0))
    assert answer.text == "<Response><Hangup/></Response>"
    api.delete("/job/1")
    gone = post(api, path_of(started, "twiml"), callback(SID, "in-progress", 0))
    assert gone.text == "<Response><Hangup/></Response>"


RECORDING = {"sid": f"RE{'0' * 32}", "url": "https://api.twilio.com/Recordings/RE0"}


def recorded(status: str = "completed", **changed: str) -> dict[str, str]:
    """What Twilio sends of a recording."""
    sid, url = RECORDING["sid"], RECORDING["url"]
    about = {"RecordingSid": sid, "RecordingUrl": url, "RecordingStatus": status}
    return {"CallSid": SID, "AccountSid": "AC1", **about, **changed}


def test_a_recording_shows_in_the_job(make_api: MakeApi, worker_queue: WorkerQueue) -> None:
    """Once it is ready, by a callback that Twilio signed; the first one stays."""
    api = make_api(**REACHED)
    path = path_of(placed(api, worker_queue, record=True))
    assert post(api, path, recorded(), signature="A" * 27 + "=").status_code == 403
    assert post(api, f"{path}x", recorded()).status_code == 403
    for form in (
        recorded("in-progress"),
        recorded("absent"),
        recorded(RecordingSid="RE1"),
        recorded(RecordingUrl="javascript:alert(1)"),
        callback(SID, "completed", 3),
    ):
        assert post(api, path, form).status_code == 204
    assert "recording" not in shown(api)
    assert post(api, path, recorded()).status_code == 204
    other = recorded(RecordingSid=f"RE{'1' * 32}")
    assert post(api, path, other).status_code == 204
    assert shown(api)["recording"] == RECORDING
    job = api.get("/job/1").get_json()
    assert (job["attempts"][0]["recording"], job["data"]["record"]) == (RECORDING, True)


def test_a_forgotten_persons_recording_is_forgotten(
    make_api: MakeApi, worker_queue: WorkerQueue, client: redis.Redis
) -> None:
    """Known before or reported after: nothing is kept of it."""
    api = make_api(**REACHED)
    path = path_of(placed(api, worker_queue, record=True))
    post(api, path, callback(SID, "completed", 3))
    post(api, path, recorded())
    assert api.web.delete(f"/api/people/{TO}").status_code == 200
    assert post(api, path, recorded()).status_code == 403
    kept = [client.hgetall(key) for key in client.scan_iter("*job:*")]
    assert not any("recording" in record for record in kept), kept


def test_a_recording_wants_a_public_address(make_api: MakeApi) -> None:
    """Twilio could not tell of it."""
    api, bulk = make_api(), {"calls": [{"to": TO}, {"to": TO, "record": True}]}
    refused = api.post("/schedule-call", {"to": TO, "record": True})
    assert "PUBLIC_URL" in refused.get_json()["errors"]["record"][0]
    assert list(api.post("/schedule-bulk-calls", bulk).get_json()["errors"]["calls"]) == ["1"]
    recurring = {"to": TO, "record": True, "cronExpression": "0 9 * * *"}
    assert api.post("/schedule-recurring-call", recurring).status_code == 422
    assert api.post("/schedule-call", {"to": TO, "record": False}).status_code == 200


def test_words_for_a_machine_want_a_public_address(make_api: MakeApi) -> None:
    """Twilio could not ask for them: refused, not forgotten."""
    body = {"to": TO, "voicemailMessage": "Hi"}
    api = make_api()
    answers = [
        api.post("/schedule-call", body),
        api.post("/schedule-delayed-call", {**body, "delayMs": 5}),
        api.post("/schedule-bulk-calls", {"calls": [{"to": TO}, body]}),
    ]
    assert [answer.status_code for answer in answers] == [422] * 3
    assert "PUBLIC_URL" in answers[0].get_json()["errors"]["voicemailMessage"][0]
    assert list(answers[2].get_json()["errors"]["calls"]) == ["1"]
    assert api.total() == 0
    again = {"to": TO, "cronExpression": "0 9 * * *"}
    assert api.post("/schedule-recurring-call", {**again, **body}).status_code == 422
    job_id = api.post("/schedule-recurring-call", again).get_json()["jobId"]
    assert api.patch(f"/job/{job_id}", {"voicemailMessage": "Hi"}).status_code == 422
    assert api.patch(f"/job/{job_id}", {"retryOn": ["busy"]}).status_code == 200
    app = make_api(TWIML_URL="https://app.example.com")
    assert app.post("/schedule-call", body).status_code == 200


def test_the_signing_secret_is_twilios(make_api: MakeApi, worker_queue: WorkerQueue) -> None:
    """The auth token of the settings, not that of the simulator."""
    secret = "b" * 32
    api = make_api(**{**REACHED, "TWILIO_AUTH_TOKEN": secret})
    path, form = path_of(placed(api, worker_queue)), callback(SID, "ringing", 1)
    url = PUBLIC_URL + path
    assert post(api, path, form, signature=sign(url, form.items(), AUTH_TOKEN)).status_code == 403
    assert post(api, path, form, signature=sign(url, form.items(), secret)).status_code == 204


def test_a_calls_own_application_is_on_a_listed_host(make_api: MakeApi) -> None:
    """In every way to ask for a call; the words say what to set, and which fields exclude it."""
    url = "https://agents.example.com/voice/?x=%20"
    body = {"to": TO, "twimlUrl": url}
    none, listed = make_api(), make_api(TWIML_HOSTS="agents.example.com")
    again = {"cronExpression": "0 9 * * *"}

    def refused(api: Api, path: str, asked: dict[str, Any]) -> dict[str, Any]:
        answer = api.post(path, asked)
        assert answer.status_code == 422, answer.text
        found: dict[str, Any] = answer.get_json()["errors"]
        return found

    for path, more in (
        ("/schedule-call", {}),
        ("/schedule-delayed-call", {"delayMs": 60_000}),
        ("/schedule-recurring-call", again),
    ):
        assert "TWIML_HOSTS" in refused(none, path, {**body, **more})["twimlUrl"][0]
        other = {**body, **more, "twimlUrl": "https://other.example.com/"}
        assert "other.example.com" in refused(listed, path, other)["twimlUrl"][0]
        assert list(refused(listed, path, {**body, **more, "message": "Hi"})) == ["message"]
        assert listed.post(path, {**body, **more}).get_json()["data"]["twimlUrl"] == url
    bulk = {"calls": [{"to": TO}, {**body, "twimlUrl": "https://other.example.com/"}]}
    assert list(refused(listed, "/schedule-bulk-calls", bulk)["calls"]) == ["1"]
    spoken = {**body, "language": "de-DE", "voice": "Polly.Vicki"}
    assert sorted(refused(listed, "/schedule-call", spoken)) == ["language", "voice"]
    # Nothing would put the words in.
    assert (
        "PUBLIC_URL"
        in refused(listed, "/schedule-call", {**body, "voicemailMessage": "Hi"})[
            "voicemailMessage"
        ][0]
    )
    app = make_api(TWIML_HOSTS="agents.example.com", TWIML_URL="https://app.example.com")
    assert app.post("/schedule-call", {**body, "voicemailMessage": "Hi"}).status_code == 422


def test_a_calls_own_application_is_kept_and_exchanged(make_api: MakeApi) -> None:
    """A change of something else keeps it; a message takes its place, and the other way round."""
    api = make_api(TWIML_HOSTS="agents.example.com")
    body = {"to": TO, "twimlUrl": "https://agents.example.com/a", "delayMs": 600_000}
    path = f"/job/{api.post('/schedule-delayed-call', body).get_json()['jobId']}"
    assert api.patch(path, {"priority": "high"}).get_json()["data"]["twimlUrl"] == body["twimlUrl"]
    assert api.patch(path, {"message": "Hi"}).status_code == 422
    spoken = api.patch(path, {"message": "Hi", "twimlUrl": None}).get_json()["data"]
    assert (spoken["message"], "twimlUrl" in spoken) == ("Hi", False)
    assert api.patch(path, {"twimlUrl": body["twimlUrl"]}).status_code == 422
    asked = api.patch(path, {"twimlUrl": body["twimlUrl"], "message": None})
    assert asked.get_json()["data"]["twimlUrl"] == body["twimlUrl"]
