"""Requests are counted by a bounded number of names, whatever strangers send."""

from __future__ import annotations

import errno

import pytest
from flask import Flask
from prometheus_client import CollectorRegistry, Histogram

from vomind_queue.api.http_meters import BUCKETS, HttpMeters, _Sum


def test_invented_methods_are_remembered_as_one() -> None:
    """They want no key: whoever sends them must not fill the memory of the process."""
    app, meters = Flask(__name__), HttpMeters()
    meters.install(app)
    web = app.test_client()
    for number in range(50):
        web.open("/nowhere", method=f"BREW{number}")
        web.get(f"/nowhere/{number}")
    meters.registry()
    assert set(meters._children) == {("none", "other", 404), ("none", "GET", 404)}


def test_what_cannot_be_written_is_counted_later(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process may have no file left for a moment, or a disk no room."""
    app, meters = Flask(__name__), HttpMeters()
    meters.install(app)
    with monkeypatch.context() as broken:

        def fail(_key: object) -> Histogram:
            raise OSError(errno.EMFILE, "Too many open files")

        broken.setattr(meters, "_child", fail)
        app.test_client().get("/nowhere")
        with pytest.raises(OSError, match="Too many"):
            meters.registry()
    labels = {"route": "none", "method": "GET", "status": "404"}
    name = "vomind_http_request_duration_seconds_count"
    assert meters.registry().get_sample_value(name, labels) == 1


def test_many_are_counted_as_each_would_be() -> None:
    """The ends of the buckets included, and what lies beyond them."""
    times = [*BUCKETS, *(end * 1.01 for end in BUCKETS), 0.0, 0.004, 0.004, 99.0]
    registry = CollectorRegistry()
    each = Histogram("each", "One by one.", buckets=BUCKETS, registry=registry)
    many = Histogram("many", "Added up.", buckets=BUCKETS, registry=registry)
    for part in (times[:9], times[9:]):
        added = _Sum()
        for seconds in part:
            each.observe(seconds)
            added.add(seconds)
        added.put_into(many)
    for bucket in (*BUCKETS, float("inf")):
        labels = {"le": str(bucket).replace("inf", "+Inf")}
        seen = registry.get_sample_value("many_bucket", labels)
        assert seen == registry.get_sample_value("each_bucket", labels)
    total = registry.get_sample_value("each_sum")
    assert registry.get_sample_value("many_sum") == pytest.approx(total)
