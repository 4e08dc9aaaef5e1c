"""What is measured, one module for each subject; `CASES` has them by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from benchmarks.bench import Bench
from benchmarks.cases import api, dispatch, stored

CASES: Mapping[str, Callable[[Bench], None]] = {
    "post": api.post,
    "post-cores": api.post_cores,
    "bulk": api.bulk,
    "get": stored.get,
    "dispatch": dispatch.dispatch,
}
