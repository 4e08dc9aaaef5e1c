"""The API on a real store, as the tests of the API have it."""

from __future__ import annotations

from tests.integration.api.conftest import _routes_are_compiled_once, make_api
from tests.integration.conftest import (
    _patient_api,
    client,
    log_path,
    make_worker_queue,
    queue,
    recurring_store,
    ship,
    worker_queue,
)

__all__ = [
    "_patient_api",
    "_routes_are_compiled_once",
    "client",
    "log_path",
    "make_api",
    "make_worker_queue",
    "queue",
    "recurring_store",
    "ship",
    "worker_queue",
]
