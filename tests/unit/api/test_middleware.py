"""What every answer says in its headers, each of them once, and how requests are counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

import pytest
from prometheus_client import Histogram
from werkzeug.test import Client

from vomind_queue.api.http_metrics import HttpMetrics
from vomind_queue.api.middleware import Middleware


def answering(*brought: tuple[str, str], meters: HttpMetrics | None = None) -> Client:
    """A client of an application whose answers bring these headers themselves."""

    def app(_environ: Any, start: Callable[..., Any]) -> Iterable[bytes]:
        start("200 OK", [("Content-Type", "application/json"), *brought])
        return iter([b"{", b"", b"}"])

    return Client(Middleware(app, (meters or HttpMetrics()).seconds))


def answered(*brought: tuple[str, str]) -> dict[str, str]:
    """Headers of an answer that brings these itself, by names in small letters."""
    seen = answering(*brought).get("/").headers.to_wsgi_list()
    assert set(Counter(name.lower() for name, _ in seen).values()) == {1}
    return {name.lower(): value for name, value in seen}


def test_an_ordinary_answer_has_them_all() -> None:
    """And the id of its request."""
    seen = answered(("Location", "/here"))
    assert seen.items() >= {
        ("location", "/here"),
        ("cache-control", "no-store"),
        ("x-frame-options", "DENY"),
    }
    assert len(seen["x-request-id"]) == 32
    assert seen["x-request-id"] != answered()["x-request-id"]


def test_what_an_answer_brings_stands_there_once() -> None:
    """However it writes the name."""
    seen = answered(("cache-control", "no-cache"), ("X-more", "1"))
    assert (seen["cache-control"], seen["x-more"]) == ("no-cache", "1")
    assert seen["x-frame-options"] == "DENY"
    assert "x-request-id" in seen


def test_invented_methods_are_counted_as_one() -> None:
    """They want no key: a client that sends them must not fill the memory of the process."""
    meters = HttpMetrics()
    web = answering(meters=meters)
    for number in range(50):
        web.open("/", method=f"BREW{number}")
        web.get(f"/nowhere/{number}")
    counted = {
        (sample.labels["route"], sample.labels["method"]): sample.value
        for family in meters.registry().collect()
        for sample in family.samples
        if sample.name.endswith("_count")
    }
    assert counted == {("none", "other"): 50, ("none", "GET"): 50}


def test_an_answer_that_cannot_be_counted_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process may have no file left for a moment, or a disk no room."""

    def fail(*_: Any) -> None:
        raise OSError(24, "Too many open files")

    monkeypatch.setattr(Histogram, "observe", fail)
    assert answering().get("/").text == "{}"
