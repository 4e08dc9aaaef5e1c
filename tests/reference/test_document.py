"""The document has all that there is, and says what each part means."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator
from importlib.resources import files
from typing import Any
from urllib.parse import urljoin
from wsgiref.types import StartResponse, WSGIEnvironment

import pytest
from flask.testing import FlaskClient
from werkzeug.test import Client

from tests.integration.api.conftest import Api
from vomind_queue.api.openapi.document import document
from vomind_queue.api.openapi.operation import Operation
from vomind_queue.api.openapi.texts import ReferenceFault, data, meaning, operations, read_operation
from vomind_queue.api.serializers import call_log as log_serializer

#: Pages and their files are for people: no program asks them.
PAGES = re.compile(r"reference\.(page|static)|dashboard\..*")
METHODS = {"GET", "POST", "PATCH", "PUT", "DELETE"}


@pytest.fixture
def web(make_api: Any) -> FlaskClient:
    """A client of the service, without a key."""
    api: Api = make_api(API_KEYS="ops:secret")
    return api.web


def plain(path: str) -> str:
    """A path whose parameters have no names."""
    return re.sub(r"<[^>]*>|\{[^}]*\}", "{}", path)


def test_each_route_is_described(web: FlaskClient) -> None:
    """A route that is missing from the document fails here, and one that is not there any more."""
    routes = {
        (method, plain(str(rule)))
        for rule in web.application.url_map.iter_rules()
        if not PAGES.fullmatch(rule.endpoint)
        for method in (rule.methods or set()) & METHODS
    }
    assert {(each.method, plain(each.path)) for each in operations()} == routes


def described(shape: Any, path: str) -> Iterator[tuple[str, bool]]:
    """Each property below, and whether something is said of it."""
    if not isinstance(shape, dict):
        return
    for name, inner in shape.get("properties", {}).items():
        yield f"{path}.{name}", bool(inner.get("description"))
        yield from described(inner, f"{path}.{name}")
    yield from described(shape.get("items"), f"{path}[]")


def test_each_field_is_described() -> None:
    """No field is left to be guessed."""
    shapes = document()["components"]["schemas"]
    found = [pair for name, shape in shapes.items() for pair in described(shape, name)]
    assert len(found) > 150
    assert [path for path, said in found if not said] == []


def test_no_wording_is_left_over() -> None:
    """What is said of a field that there is not any more goes, too."""
    text = str(document())
    names = {name: name.rpartition(".")[2] for name in data("fields")}
    assert [name for name, plain in names.items() if f"'{plain}'" not in text] == []
    said = set(descriptions(document()))
    assert [name for name, meant in data("fields").items() if meant not in said] == []


def descriptions(part: Any) -> Iterator[str]:
    """All descriptions below."""
    if isinstance(part, dict):
        yield from (text for text in [part.get("description")] if isinstance(text, str))
        part = list(part.values())
    if isinstance(part, list):
        for inner in part:
            yield from descriptions(inner)


def test_a_field_without_a_text_is_named() -> None:
    """A developer who adds a field learns at once what is missing, and where it goes."""
    with pytest.raises(ReferenceFault, match=r"fields\.yaml .* rain of Weather"):
        meaning(["Weather", "Answer"], "rain")


@pytest.mark.parametrize(
    "entry", [{"methd": "GET"}, {"examples": {"one": {"colour": "blue"}}}], ids=str
)
def test_a_slip_in_a_file_is_named(entry: dict[str, Any]) -> None:
    """A key that nothing reads, or one that is missing, is a fault of that file."""
    with pytest.raises(ReferenceFault, match=r"calls\.yaml: scheduleCall: .*(methd|colour)"):
        read_operation("calls.yaml", "scheduleCall", entry)


def test_the_shown_table_has_the_columns_of_the_log() -> None:
    """Its first line is what the service writes."""
    (shown,) = [each.other for each in operations() if each.id == "findCalls"]
    assert shown
    assert shown["text/csv"].splitlines()[0] == ",".join(log_serializer.COLUMNS)


@pytest.mark.parametrize("operation", operations(), ids=lambda each: each.id)
def test_each_answer_has_an_example(operation: Operation) -> None:
    """A reader sees an example of each answer."""
    entry = document()["paths"][operation.path][operation.method.lower()]
    refusals = document()["components"]["responses"]
    for status, response in entry["responses"].items():
        shown = refusals[response["$ref"].rpartition("/")[2]] if "$ref" in response else response
        for content in shown.get("content", {}).values():
            whole = content["schema"].get("description") == "An OpenAPI document."
            assert "example" in content or content.get("examples") or whole, status


@pytest.mark.parametrize(
    "operation",
    [each for each in operations() if each.method == "POST" and each.keyed and each.success],
    ids=lambda each: each.id,
)
@pytest.mark.parametrize(
    ("sent", "kind"),
    [
        (b"{", "application/json"),
        (b"x", "text/plain"),
        (b"[]", "application/json"),
        (b" " * (10 * 2**20 + 1), "application/json"),
    ],
    ids=["no JSON", "no JSON type", "no object", "too long"],
)
def test_a_bad_body_is_refused_as_the_document_says(
    web: FlaskClient, operation: Operation, sent: bytes, kind: str
) -> None:
    """Where none is wanted, too: it is read all the same."""
    path = re.sub(r"\{[^}]+\}", "1", operation.path)
    key = {"X-API-Key": "secret"}
    answer = web.post(path, data=sent, content_type=kind, headers=key)
    assert answer.status_code in {400, 413, 415, 422}
    entry = document()["paths"][operation.path]["post"]
    assert str(answer.status_code) in entry["responses"]


def test_the_document_is_served_to_everybody(web: FlaskClient) -> None:
    """It has no secret, and a page in a browser shows no key; a second look costs nothing."""
    answer = web.get("/openapi.json")
    assert answer.status_code == 200
    assert answer.get_json() == document()
    again = web.get("/openapi.json", headers={"If-None-Match": answer.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")


def test_below_a_prefix_the_document_leads_to_the_service(web: FlaskClient) -> None:
    """A proxy may strip a prefix and say nothing of it: addresses count from the document's own."""

    def proxy(environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        assert environ["PATH_INFO"].startswith("/phone/")
        inner = {**environ, "PATH_INFO": environ["PATH_INFO"].removeprefix("/phone")}
        return web.application(inner, start)

    address = "https://host.example/phone/openapi.json"
    outside = Client(proxy)
    found = outside.get(address).get_json()
    server = urljoin(address, found["servers"][0]["url"])
    assert server == "https://host.example/phone/"
    assert "/healthz" in found["paths"]
    assert outside.get(f"{server.rstrip('/')}/healthz").status_code == 200
    page = outside.get("https://host.example/phone/docs").text
    asked = re.findall(r'(?:src|href)="([^"]+)"', page)
    for asset in [each for each in asked if not each.startswith("data:")]:
        assert outside.get(urljoin("https://host.example/phone/docs", asset)).status_code == 200


def test_the_page_names_no_other_host(web: FlaskClient) -> None:
    """What the page loads comes from this server; what it may load says its policy."""
    answer = web.get("/docs")
    assert answer.status_code == 200
    assets = re.findall(r'(?:src|href)="([^"]+)"', answer.text)
    assert assets
    for asset in assets:
        if not asset.startswith("data:"):
            assert web.get(f"/{asset}").status_code == 200, asset
    policy = answer.headers["Content-Security-Policy"]
    assert "script-src 'self';" in policy
    assert "http" not in policy
    assert web.get("/docs/other.js").status_code == 404


def test_the_viewer_is_as_its_makers_published_it() -> None:
    """The note beside it says of which package it is a file, and which one."""
    page = files("vomind_queue.api.openapi") / "page"
    note = (page / "scalar-1.72.1.LICENSE.txt").read_text()
    stated = re.search(r"SHA-256: ([0-9a-f]{64})", note)
    assert stated
    assert hashlib.sha256((page / "scalar-1.72.1.js").read_bytes()).hexdigest() == stated[1]
