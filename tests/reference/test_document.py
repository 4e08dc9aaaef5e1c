"""The document has all that there is, and says what each part means."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from importlib.resources import files
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.integration.api.conftest import Api
from vomind_queue.api.reference.document import OPERATIONS, document
from vomind_queue.api.reference.operation import Operation
from vomind_queue.api.reference.wording import FIELDS

#: Pages and their files are for people: no program asks them.
PAGES = re.compile(r"reference\.(page|asset)|dashboard\..*")
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
    assert {(each.method, plain(each.path)) for each in OPERATIONS} == routes


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
    assert [name for name in FIELDS if f"'{name}'" not in text] == []


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda each: each.id)
def test_each_answer_has_an_example(operation: Operation) -> None:
    """Whoever reads of an answer sees one."""
    entry = document()["paths"][operation.path][operation.method.lower()]
    refusals = document()["components"]["responses"]
    for status, response in entry["responses"].items():
        shown = refusals[response["$ref"].rpartition("/")[2]] if "$ref" in response else response
        for content in shown.get("content", {}).values():
            whole = content["schema"].get("description") == "An OpenAPI document."
            assert "example" in content or content.get("examples") or whole, status


@pytest.mark.parametrize(
    "operation",
    [each for each in OPERATIONS if each.method == "POST" and each.keyed and each.success],
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
    page = files("vomind_queue.api.reference") / "page"
    note = (page / "scalar-1.72.1.LICENSE.txt").read_text()
    stated = re.search(r"SHA-256: ([0-9a-f]{64})", note)
    assert stated
    assert hashlib.sha256((page / "scalar-1.72.1.js").read_bytes()).hexdigest() == stated[1]
