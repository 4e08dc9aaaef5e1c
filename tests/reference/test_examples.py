"""Each example is sent to a real service, and its answer is the one that is shown."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, urlencode

import pytest
import redis
from werkzeug.test import TestResponse

from tests.integration.api.conftest import Api
from tests.reference.likeness import faults, likened
from tests.reference.worlds import SENDERS, SETTINGS, WORLDS, World, prepare
from tests.twilio import PUBLIC_URL, REACHED, sign
from vomind_queue.api.openapi.document import document
from vomind_queue.api.openapi.operation import Example, Operation
from vomind_queue.api.openapi.paths import FORM
from vomind_queue.api.openapi.texts import data, operations
from vomind_queue.queue.worker_queue import WorkerQueue

Made = tuple[Operation, Example]
EXAMPLES: list[Made] = [(each, example) for each in operations() for example in each.examples]
KEYS = "ops:secret"
KEY = {"Authorization": "Bearer secret"}
#: Which refusal a request of each kind meets, whatever it asks for.
WRONG_BODIES: dict[int, dict[str, Any]] = {
    400: {"data": "{", "content_type": "application/json"},
    413: {"data": b" " * (10 * 1024 * 1024 + 1), "content_type": "application/json"},
    415: {"data": "to=%2B1234567890", "content_type": FORM},
}


@pytest.fixture
def world(
    make_api: Callable[..., Api],
    make_worker_queue: Callable[..., WorkerQueue],
    ship: Callable[[], None],
    valkey: redis.Redis,
    request: pytest.FixtureRequest,
) -> World:
    """A service that Twilio can reach, with nothing in it."""
    api = make_api(**REACHED, CALL_RATE_LIMIT="10/m", **SETTINGS.get(request.node.callspec.id, {}))
    return World(api=api, worker_queue=make_worker_queue(SENDERS), ship=ship, valkey=valkey)


def send(api: Api, operation: Operation, example: Example, **other: Any) -> TestResponse:
    """Sends the request of an example, or ``other`` than its body."""
    values = {name: quote(value, safe="") for name, value in example.path.items()}
    path = operation.path.format(**values)
    query = urlencode(example.query)
    headers = {**example.headers, **other.pop("headers", {})}
    if operation.signed_by and example.name != "unsigned":
        signed = f"{PUBLIC_URL}{path}{'?' * bool(query)}{query}"
        headers["X-Twilio-Signature"] = sign(signed, (example.form or {}).items())
    sent: dict[str, Any] = {"headers": headers, **other}
    if example.form is not None:
        sent.setdefault("data", urlencode(example.form))
        sent.setdefault("content_type", FORM)
    elif example.body is not None and not other:
        sent["json"] = example.body
    return api.web.open(path, method=operation.method, query_string=query, **sent)


def content(operation: Operation, answer: TestResponse) -> dict[str, Any] | None:
    """What the document says of an answer's body; checks its status, type and headers."""
    entry = document()["paths"][operation.path][operation.method.lower()]
    response = entry["responses"][str(answer.status_code)]
    if "$ref" in response:
        response = document()["components"]["responses"][response["$ref"].rpartition("/")[2]]
    for name in response["headers"]:
        header = document()["components"]["headers"][name]
        assert name in answer.headers or not header.get("required"), name
    if "content" not in response:
        assert answer.data == b""
        return None
    found: dict[str, Any] = response["content"][answer.mimetype]
    return found


def assert_fits(operation: Operation, answer: TestResponse) -> None:
    """The answer is one that the document has."""
    described = content(operation, answer)
    if described and answer.is_json:
        assert faults(described["schema"], answer.get_json()) == []


@pytest.mark.parametrize(
    ("operation", "example"), EXAMPLES, ids=[f"{each.id}/{one.name}" for each, one in EXAMPLES]
)
def test_an_example_is_answered_as_shown(
    world: World, operation: Operation, example: Example
) -> None:
    """Word for word, times and ids aside."""
    prepare(world, operation.id, example.name)
    answer = send(world.api, operation, example)
    assert answer.status_code == example.status, answer.text
    assert_fits(operation, answer)
    shown = json.loads(json.dumps(example.answer))
    if operation.id == "previewRecurringCall" and example.status == 200:
        assert answer.get_json() == shown
    elif answer.is_json:
        assert likened(answer.get_json()) == likened(shown)
    else:
        assert answer.text == (shown or "")


def test_each_world_is_that_of_an_example() -> None:
    """What nothing is sent to is not made ready."""
    names = {f"{each.id}/{one.name}" for each, one in EXAMPLES} | {each.id for each in operations()}
    assert set(WORLDS) <= names


def first(operation: Operation) -> Example:
    """A request that would be carried out."""
    return operation.examples[0] if operation.examples else Example(name="", summary="", answer="")


@pytest.mark.parametrize("status", WRONG_BODIES)
@pytest.mark.parametrize(
    "operation", [each for each in operations() if each.body], ids=lambda each: each.id
)
def test_a_wrong_body_is_answered_as_shown(world: World, operation: Operation, status: int) -> None:
    """Whatever takes a body refuses what is none."""
    answer = send(world.api, operation, first(operation), **WRONG_BODIES[status])
    assert_refused(operation, answer, status)


@pytest.mark.parametrize(
    "operation", [each for each in operations() if each.keyed], ids=lambda each: each.id
)
def test_a_missing_key_is_answered_as_shown(
    make_api: Callable[..., Api], operation: Operation
) -> None:
    """Whatever wants a key says so, and takes one."""
    api = make_api(**REACHED, API_KEYS=KEYS)
    assert_refused(operation, send(api, operation, first(operation)), 401)
    assert send(api, operation, first(operation), headers=KEY).status_code != 401


@pytest.mark.parametrize(
    "operation", [each for each in operations() if each.keyed], ids=lambda each: each.id
)
def test_too_many_requests_are_answered_as_shown(
    make_api: Callable[..., Api], operation: Operation
) -> None:
    """The second request of a key that may send one a minute; shown is one of 600 a minute."""
    api = make_api(**REACHED, API_KEYS=KEYS, REQUEST_RATE_LIMIT="1/m")
    assert send(api, operation, first(operation), headers=KEY).status_code != 429
    answer = send(api, operation, first(operation), headers=KEY)
    answer.set_data(answer.get_data().replace(b"at most 1 requests", b"at most 600 requests"))
    assert_refused(operation, answer, 429)


@pytest.mark.parametrize(
    "operation", [each for each in operations() if not each.keyed], ids=lambda each: each.id
)
def test_what_wants_no_key_is_open(make_api: Callable[..., Api], operation: Operation) -> None:
    """Load balancers, Twilio and readers of the reference have none."""
    api = make_api(**REACHED, API_KEYS=KEYS)
    example = (
        operation.examples[0] if operation.examples else Example(name="", summary="", answer=0)
    )
    assert send(api, operation, example).status_code != 401


@pytest.mark.parametrize(
    "operation",
    [each for each in operations() if each.keyed and each.method != "GET"],
    ids=lambda each: each.id,
)
def test_a_strangers_page_is_answered_as_shown(world: World, operation: Operation) -> None:
    """Whatever changes something refuses a browser that is sent by another site."""
    answer = send(world.api, operation, first(operation), headers={"Origin": "http://evil.example"})
    assert_refused(operation, answer, 403)


def assert_refused(operation: Operation, answer: TestResponse, status: int) -> None:
    """The answer is the refusal that the document has for all endpoints."""
    assert answer.status_code == status, answer.text
    assert_fits(operation, answer)
    (name,) = [
        name for name, each in data("document")["refusals"].items() if each["status"] == status
    ]
    shared = document()["components"]["responses"]
    refusal = shared[name]["content"]["application/problem+json"]
    assert likened(answer.get_json()) == likened(refusal["examples"]["common"]["value"])
