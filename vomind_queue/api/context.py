"""Give the views their services; read the bodies of endpoints without fields."""

from __future__ import annotations

from flask import Flask, current_app

from vomind_queue.api.body import read_object
from vomind_queue.api.schemas import calls as call_schemas
from vomind_queue.container.web_services import Services

_SERVICES = "vomind-services"


def provide(app: Flask, services: Services) -> None:
    """Give the views of ``app`` their services."""
    app.extensions[_SERVICES] = services


def services() -> Services:
    """Return the services of this request's application."""
    found: Services = current_app.extensions[_SERVICES]
    return found


def read_no_fields() -> list[str]:
    """Read a body without known fields; return the names that are ignored in it."""
    body = read_object()
    call_schemas.BARE.load(body)
    return call_schemas.BARE.ignored(body)
