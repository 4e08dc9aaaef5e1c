"""What the views of an application answer from."""

from __future__ import annotations

from flask import Flask, current_app

from vomind_queue.services import Services

_SERVICES = "vomind-services"


def provide(app: Flask, services: Services) -> None:
    """Let the views of ``app`` answer from ``services``."""
    app.extensions[_SERVICES] = services


def services() -> Services:
    """Return what the application of this request was given."""
    found: Services = current_app.extensions[_SERVICES]
    return found
