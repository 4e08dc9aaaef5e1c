"""The API on a real store, as the tests of the API have it."""

from __future__ import annotations

from tests.integration.api.conftest import make_api
from tests.integration.conftest import client, desk, log_path, make_desk, queue, ship, timetable

__all__ = ["client", "desk", "log_path", "make_api", "make_desk", "queue", "ship", "timetable"]
