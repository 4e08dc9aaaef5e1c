"""What every answer says in its headers, each of them once."""

from __future__ import annotations

from collections import Counter

from flask import Response

from vomind_queue.api import headers
from vomind_queue.api.access import Access
from vomind_queue.api.shell import Answer, Api


def told(*brought: tuple[str, str]) -> dict[str, str]:
    """Headers of an answer that brings these itself, by names in small letters."""
    app = Api("tested")
    Access([]).install(app)
    headers.install(app)

    def whole() -> Response:
        made = Answer.whole(b"{}", "application/json")
        made.add_headers(brought)
        return made

    app.add_url_rule("/", view_func=whole)
    seen = app.test_client().get("/").headers.to_wsgi_list()
    assert set(Counter(name.lower() for name, _ in seen).values()) == {1}
    return {name.lower(): value for name, value in seen}


def test_an_ordinary_answer_has_them_all() -> None:
    """And the id of its request."""
    seen = told(("Location", "/here"))
    assert seen.items() >= {
        ("location", "/here"),
        ("cache-control", "no-store"),
        ("x-frame-options", "DENY"),
    }
    assert len(seen["x-request-id"]) == 32
    assert seen["x-request-id"] != told()["x-request-id"]


def test_what_an_answer_brings_stands_there_once() -> None:
    """However it writes the name."""
    seen = told(("cache-control", "no-cache"), ("X-more", "1"))
    assert (seen["cache-control"], seen["x-more"]) == ("no-cache", "1")
    assert seen["x-frame-options"] == "DENY"
    assert "x-request-id" in seen
