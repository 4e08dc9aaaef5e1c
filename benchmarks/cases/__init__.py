"""What is measured, one module for each subject; `CASES` has them by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from benchmarks.bench import Bench
from benchmarks.cases import (
    api,
    campaigns,
    capacity,
    dispatch,
    footprint,
    lateness,
    operators,
    others,
    scale,
    starting,
    stored,
    uploads,
)

CASES: Mapping[str, Callable[[Bench], None]] = {
    "post": api.post,
    "post-cores": api.post_cores,
    "bulk": api.bulk,
    "get": stored.get,
    "dispatch": dispatch.dispatch,
    "lateness": lateness.lateness,
    "lateness-beside": lateness.lateness_beside,
    "large-list": uploads.large_list,
    "memory": footprint.memory,
    "idle": footprint.idle,
    "resident": footprint.resident,
    "twilio": starting.twilio,
    "start": starting.start,
    "second-worker": starting.second_worker,
    "scripts": scale.scripts,
    "idle-workers": scale.idle_workers,
    "lists": operators.lists,
    "bulk-cancel": operators.bulk_cancel,
    "campaigns": campaigns.campaigns,
    "campaign-memory": campaigns.campaign_memory,
    "campaign-cancel": campaigns.campaign_cancel,
    "open-pages": operators.open_pages,
    "paces": capacity.paces,
    "two-queues": capacity.two,
    "others-dispatch": others.dispatch,
    "others-lateness": others.lateness,
    "others-memory": others.memory,
    "others-loss": others.loss,
}

#: Those of a quick run.
QUICK = (
    "post",
    "bulk",
    "get",
    "dispatch",
    "lateness",
    "idle",
    "start",
    "second-worker",
)
