"""A recurring call as RedBeat stores its entries: the ``definition`` of the hash.

RedBeat's own class can read it: to that class the schedule is an interval of which no second run
ever comes. What it means to us stands beside the interval, and to tell it from a plain one is
enough. Ordinary processes write it without RedBeat; `broker.entries` reads and writes the same text
with RedBeat's encoder, which a test holds against this.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from vomind_queue.recurring.schedule import PREFIX, Recurrence

#: The task that an entry names.
TASK = "vomind_queue.place_call"
#: The interval that RedBeat's own class sees, s: a hundred years.
NEVER_S = 3_155_760_000.0


def schedule_of(recurrence: Recurrence) -> dict[str, Any]:
    """Return the schedule within a definition."""
    return encode(recurrence.cron, recurrence.zone, recurrence.start_ms, recurrence.end_ms)


def encode(cron: str, zone: str, start_ms: int | None, end_ms: int | None) -> dict[str, Any]:
    """Return the same of its parts."""
    return {
        "__type__": "interval",
        "every": NEVER_S,
        "relative": False,
        "cron": cron,
        "zone": zone,
        "start": start_ms,
        "end": end_ms,
    }


def definition(schedule_id: str, schedule: Mapping[str, Any]) -> str:
    """Return RedBeat's definition of an entry that fires, free of personal data.

    A script names one that is new, and says of one that is paused that it does not fire.
    """
    return json.dumps(
        {
            "name": PREFIX + schedule_id,
            "task": TASK,
            "args": [],
            "kwargs": {},
            "options": {},
            "schedule": schedule,
            "enabled": True,
        }
    )


def read(text: str | None) -> tuple[Mapping[str, Any] | None, bool]:
    """Return the schedule of a definition, and whether it is switched on.

    ``None`` where it is not in our words: RedBeat's own class has saved it, or nobody has.
    """
    try:
        found = json.loads(text or "")
    except ValueError:
        found = None
    if not isinstance(found, dict):
        return None, True
    schedule = found.get("schedule")
    ours = isinstance(schedule, dict) and "cron" in schedule
    return (schedule if ours else None), found.get("enabled") is not False
