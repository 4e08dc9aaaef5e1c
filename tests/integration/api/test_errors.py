"""What cannot be answered as asked: each refusal has its status and the same shape."""

from __future__ import annotations

import gzip
from collections.abc import Callable

import pytest
from werkzeug.test import TestResponse

from tests.integration.api.conftest import TO, Api
from vomind_queue.api.auth import sign
from vomind_queue.queue.call_queue import CallQueue

JSON = {"Content-Type": "application/json"}
GOOD = b'{"to":"+1234567890"}'


def assert_problem(answer: TestResponse, status: int) -> None:
    """The shape of RFC 9457, with what existing clients read."""
    problem = answer.get_json()
    assert answer.status_code == problem["status"] == status
    assert answer.content_type == "application/problem+json"
    assert problem["success"] is False
    assert problem["error"] == problem["detail"] != ""
    assert problem["type"]
    assert problem["title"]
    assert problem["requestId"] == answer.headers["X-Request-Id"]


def with_metadata(text: str | bytes) -> bytes:
    """A call that is right but for a value in its metadata."""
    raw = text.encode() if isinstance(text, str) else text
    return b'{"to":"+1234567890","metadata":{"a":' + raw + b"}}"


UNREADABLE = {
    "cut": b'{"to":"+1234567890"',
    "words": b"to=+1234567890",
    "two": GOOD + GOOD,
    "white space": b"  ",
    "comma": b'{"to":"+1234567890",}',
    "single quotes": b"{'to':'+1234567890'}",
    "NaN": with_metadata("NaN"),
    "Infinity": with_metadata("Infinity"),
    "-Infinity": with_metadata("-Infinity"),
    "1e400": with_metadata("1e400"),
    "-1e400": with_metadata("-1e400"),
    "5,000 digits": with_metadata("9" * 5000),
    "twice": b'{"to":"+1234567890","to":"+1234567891"}',
    "twice inside": with_metadata('{"b":1,"b":1}'),
    "deep lists": with_metadata("[" * 100_000 + "]" * 100_000),
    "deep objects": with_metadata('{"a":' * 100_000 + "1" + "}" * 100_000),
    "deep and open": b"[" * 1_000_000,
    "lone high surrogate": with_metadata('"\\ud83d"'),
    "lone low surrogate": with_metadata('"\\uDC4B"'),
    "lone surrogate in a name": b'{"to":"+1234567890","\\ud800":1}',
    "raw surrogate": with_metadata(b'"\xed\xa0\x80"'),
    "Latin-1": with_metadata(b'"\xe4"'),
    "UTF-16": GOOD.decode().encode("utf-16"),
    "byte order mark": b"\xef\xbb\xbf" + GOOD,
    "raw NUL": with_metadata(b'"\x00"'),
    "NUL behind": GOOD + b"\x00",
    "raw line feed": with_metadata(b'"\n"'),
}

NO_OBJECT = (b"[]", b"5", b'"text"', b"true", b"[{}]", b"1e-400")


@pytest.mark.parametrize("name", UNREADABLE)
def test_unreadable_json_is_a_400(api: Api, name: str) -> None:
    """Also what other parsers take, but read differently or cannot give back."""
    answer = api.post("/schedule-call", data=UNREADABLE[name], headers=JSON)
    assert_problem(answer, 400)
    assert len(answer.data) < 1_000
    assert api.total() == 0


@pytest.mark.parametrize("body", NO_OBJECT)
@pytest.mark.parametrize("path", ["/schedule-call", "/clean", "/pause", "/job/1/retry"])
def test_a_body_that_is_no_object_is_a_422(api: Api, body: bytes, path: str) -> None:
    """It is readable, and means nothing here."""
    assert_problem(api.post(path, data=body, headers=JSON), 422)


@pytest.mark.parametrize("path", ["/clean", "/pause", "/resume"])
@pytest.mark.parametrize("body", [b"", b"{}", b"null"])
def test_a_body_may_be_missing(api: Api, path: str, body: bytes) -> None:
    """No Content-Type is needed then."""
    headers = JSON if body else {}
    assert api.post(path, data=body, headers=headers).status_code == 200


@pytest.mark.parametrize(
    "content_type",
    [None, "", "text/plain", "application/x-www-form-urlencoded", "application/xml", "json",
     "application/jsonp", "application/json; charset=iso-8859-1", "application/json;charset=utf-16",
     "multipart/form-data; boundary=x", "application/json, text/plain", ";;;", "\x7f"],
)  # fmt: skip
def test_what_is_not_json_is_a_415(api: Api, content_type: str | None) -> None:
    """Another type, another charset, or none."""
    headers = {} if content_type is None else {"Content-Type": content_type}
    assert_problem(api.post("/schedule-call", data=GOOD, headers=headers), 415)
    assert api.total() == 0


@pytest.mark.parametrize("body", [GOOD, gzip.compress(GOOD)], ids=["plain", "compressed"])
def test_a_compressed_body_is_a_415(api: Api, body: bytes) -> None:
    """What its header says is not what is read, whatever the bytes are."""
    answer = api.post("/schedule-call", data=body, headers={**JSON, "Content-Encoding": "gzip"})
    assert_problem(answer, 415)
    assert "Content-Encoding" in answer.get_json()["error"]
    assert api.total() == 0


@pytest.mark.parametrize(
    "content_type",
    ["application/json", "APPLICATION/JSON", "application/json; charset=utf-8",
     'application/json;charset="UTF-8"', "application/json ;", "application/vnd.api+json",
     "application/json; version=1"],
)  # fmt: skip
def test_json_has_several_names(api: Api, content_type: str) -> None:
    """Upper and lower case, parameters, and JSON under a vendor's name."""
    headers = {"Content-Type": content_type}
    assert api.post("/schedule-call", data=GOOD, headers=headers).status_code == 200


@pytest.mark.parametrize(
    "text",
    ['"\\ud83d\\udc4b"', '"👋"', "1e-400", "1" * 4000, "-0.0", '"\\u0000"', "[[[[[]]]]]", "1E5"],
)
def test_odd_but_good_json_is_taken(api: Api, text: str) -> None:
    """Whole surrogate pairs, tiny and long numbers: they come back as they are read."""
    answer = api.post("/schedule-call", data=with_metadata(text), headers=JSON)
    assert answer.status_code == 200
    job = api.get("/job/1")
    assert job.get_json()["data"] == answer.get_json()["data"]


@pytest.mark.parametrize(
    "path",
    [
        "/%00",
        "/api/queue/nothing",
        "/api/queue//stats",
        "/api/queue/stats/",
        "/api/queue/job/",
        "/api/queue/job/1/2",
    ],
)
def test_an_unknown_address_is_a_404(api: Api, path: str) -> None:
    """In JSON as everything else, never a redirect."""
    assert_problem(api.web.get(path), 404)


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", "/api/queue/schedule-call", {"POST", "OPTIONS"}),
        ("POST", "/api/queue/stats", {"GET", "HEAD", "OPTIONS"}),
        ("PUT", "/api/queue/job/1", {"GET", "HEAD", "PATCH", "DELETE", "OPTIONS"}),
        ("PATCH", "/healthz", {"GET", "HEAD", "OPTIONS"}),
        ("WEIRD", "/api/queue/pause", {"POST", "OPTIONS"}),
    ],
)
def test_a_wrong_method_is_a_405(api: Api, method: str, path: str, allowed: set[str]) -> None:
    """It says which ones there are."""
    answer = api.web.open(path, method=method)
    assert_problem(answer, 405)
    assert set(answer.headers["Allow"].split(", ")) == allowed


def test_too_long_a_body_is_a_413(api: Api) -> None:
    """Ten MiB are read, a byte more is not."""
    longest = b'{"to":"+1234567890","x":"' + b"x" * (10 * 1024 * 1024)
    longest = longest[: 10 * 1024 * 1024 - 2] + b'"}'
    assert len(longest) == 10 * 1024 * 1024
    assert_problem(api.post("/schedule-call", data=longest + b" ", headers=JSON), 413)
    assert api.total() == 0
    assert api.post("/schedule-call", data=longest, headers=JSON).status_code == 200


@pytest.mark.parametrize("announced", ["x", "-1", "1.5", "9" * 5000, "٣"])
def test_a_content_length_that_is_no_number_is_a_400(api: Api, announced: str) -> None:
    """However a server in front lets it through."""
    environ = {"CONTENT_LENGTH": announced}
    answer = api.post("/schedule-call", headers=JSON, environ_overrides=environ)
    assert answer.status_code in {400, 413}
    assert answer.content_type == "application/problem+json"


def test_keys_are_wanted_where_there_are_some(make_api: Callable[..., Api]) -> None:
    """At known and unknown addresses alike, but not by a load balancer's questions."""
    api = make_api(API_KEYS="ops:secret,other")
    for path in ("/stats", "/nothing", "/job/1"):
        answer = api.get(path)
        assert_problem(answer, 401)
        assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert api.web.get("/healthz").status_code == 200
    assert api.web.get("/readyz").status_code == 503


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Authorization": "Bearer secret"}, 200),
        ({"Authorization": "bearer  secret "}, 200),
        ({"X-API-Key": "secret"}, 200),
        ({"X-API-Key": "other"}, 200),
        ({"Authorization": "Basic b3BzOg==", "X-API-Key": "secret"}, 200),
        ({"Authorization": "Bearer wrong", "X-API-Key": "secret"}, 200),
        ({"Authorization": "Bearer ops:secret"}, 401),
        ({"Authorization": "Bearer"}, 401),
        ({"Authorization": "Bearer secre"}, 401),
        ({"Authorization": "Bearer secretx"}, 401),
        ({"Authorization": "Basic secret"}, 401),
        ({"Authorization": "secret"}, 401),
        ({"X-API-Key": ""}, 401),
        ({"X-API-Key": "schlüssel"}, 401),
    ],
)
def test_a_key_is_the_secret_alone(
    make_api: Callable[..., Api], headers: dict[str, str], status: int
) -> None:
    """In either header; a name in front, a part or another scheme does not do."""
    api = make_api(API_KEYS="ops:secret,other")
    assert api.get("/stats", headers=headers).status_code == status


@pytest.mark.parametrize("sent", ["abc-123", "x" * 128])
def test_a_request_id_comes_back(api: Api, sent: str) -> None:
    """In the header and in problems."""
    answer = api.get("/nothing", headers={"X-Request-Id": sent})
    assert answer.headers["X-Request-Id"] == answer.get_json()["requestId"] == sent


@pytest.mark.parametrize("sent", [None, "", "x" * 129, "a b", "ü"])
def test_a_request_id_is_made_where_none_can_be_used(api: Api, sent: str | None) -> None:
    """A new one each time."""
    headers = {} if sent is None else {"X-Request-Id": sent}
    ids = {api.get("/stats", headers=headers).headers["X-Request-Id"] for _ in range(2)}
    assert len(ids) == 2
    assert sent not in ids


def test_our_own_mistakes_are_not_told(
    api: Api, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A 500 has the shape of all problems and an id by which the log line is found."""

    def broken(_: CallQueue) -> None:
        raise LookupError("secret of the house")

    monkeypatch.setattr(CallQueue, "stats", broken)
    with caplog.filtering(sign):
        answer = api.get("/stats")
    assert_problem(answer, 500)
    assert "secret of the house" not in answer.text
    assert caplog.records[-1].__dict__["request_id"] == answer.get_json()["requestId"]


def test_a_client_without_a_number_is_told_so(api: Api) -> None:
    """The detail is a sentence that a person can act on."""
    answer = api.post("/schedule-call", {"message": "Hello"})
    assert_problem(answer, 422)
    assert answer.get_json()["detail"] == "to: Must be set."
    assert answer.get_json()["errors"] == {"to": ["Must be set."]}
    assert api.post("/schedule-call", {"to": TO}).status_code == 200
