"""Rules on when a call may start, as `start_dialing.lua` is told them."""

from __future__ import annotations

import json
from collections.abc import Callable
from operator import itemgetter
from typing import Any

from vomind_queue.calls.call import Call
from vomind_queue.calls.decisions import Lifted, OpenHours
from vomind_queue.encoding import compact
from vomind_queue.rules.caps import NO_HISTORY, Event, History
from vomind_queue.rules.law import Why

#: When a call may start, as seen from an instant, with the closed days of a version, after what
#: happened to the person, and with the hours of its campaign.
Judge = Callable[[Call, int, str, History, str], OpenHours]

#: What the script is told of hours where there are no rules.
ANY_HOUR: tuple[Any, ...] = ("", "", 0, "", "", "", "", "", "", "", "")
#: Calls are held for this long, ms, if the rules have changed so often while they were applied.
BEHIND: tuple[Any, ...] = (Why.RULES_BEHIND.value, "", 60_000, "", "", "", "", "", "", "", "")
#: What a cap counts, as `includes/starts.lua` names it.
_KINDS: dict[str, str] = {Event.START: "", Event.CONVERSATION: "c", Event.REFUSAL: "r"}


def judged(
    judge: Judge,
    data: str,
    now_ms: int,
    days_version: str,
    past: History | None,
    campaign_hours: str,
) -> tuple[OpenHours, tuple[Any, ...]]:
    """Return the hours of a call, and what the script is told of them.

    ``past``: what happened to the person, as far as it was read.
    """
    call = Call.from_data(json.loads(data))
    hours = judge(call, now_ms, days_version, past or NO_HISTORY, campaign_hours)
    knows_past = "" if past is None else "1"
    return hours, (*_told(hours), *_lifted(hours.lifted), knows_past, campaign_hours)


def _told(hours: OpenHours) -> tuple[str, str, int, str, str, str]:
    return (
        *(hours.why, _intervals(hours), hours.recheck_ms),
        *(_caps(hours), hours.version, hours.rules),
    )


def _lifted(lifted: Lifted | None) -> tuple[str, str, str]:
    """Return what would hold, and who lifted it, which is noted where that lets a call start."""
    if lifted is None:
        return "", "", ""
    plain = lifted.plain
    signed = {"by": lifted.by, "reason": lifted.reason, "kind": plain.why}
    return compact(signed).decode(), _intervals(plain), _caps(plain)


def _intervals(hours: OpenHours) -> str:
    return " ".join(f"{start}-{end}" for start, end in hours.intervals)


def _caps(hours: OpenHours) -> str:
    longest_first = sorted(hours.caps, key=itemgetter(1), reverse=True)
    return " ".join(f"{_KINDS[event]}{most}/{window}" for most, window, event in longest_first)
