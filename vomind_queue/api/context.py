"""What the views of an application answer from, and what those do that take nothing."""

from __future__ import annotations

from flask import Flask, current_app

from vomind_queue.api.body import read_object
from vomind_queue.api.schemas import calls as call_schemas
from vomind_queue.container.web_services import Services

_SERVICES = "vomind-services"


def provide(app: Flask, services: Services) -> None:
    """Let the views of ``app`` answer from ``services``."""
    app.extensions[_SERVICES] = services


def services() -> Services:
    """Return what the application of this request was given."""
    found: Services = current_app.extensions[_SERVICES]
    return found


def take_nothing() -> list[str]:
    """Read a body that has no fields of ours; return the names that are ignored in it."""
    body = read_object()
    call_schemas.BARE.load(body)
    return call_schemas.BARE.ignored(body)
