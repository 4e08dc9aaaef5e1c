"""Requests are counted by a bounded number of names, whatever strangers send."""

from __future__ import annotations

from flask import Flask

from vomind_queue.api.http_meters import HttpMeters


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
