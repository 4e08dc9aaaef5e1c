"""Build the answers about one person."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask import Response

from vomind_queue.api.serializers import do_not_call, rules
from vomind_queue.api.serializers.call_log import table_of
from vomind_queue.api.serializers.times import iso_or_none
from vomind_queue.calls.do_not_call import Entry
from vomind_queue.calls.instants import iso
from vomind_queue.encoding import no_formula
from vomind_queue.usecases.person import Person, Start, Starts

COLUMNS = (
    "jobId", "attempt", "startedAt", "localTimes", "verdict", "rules", "purpose", "consentBasis",
    "consentAt", "consentEvidence", "overriddenRules", "overriddenBy", "overrideReason", "outcome",
    "sid",
)  # fmt: skip


def person(number: str, found: Person, now_ms: int) -> dict[str, Any]:
    """Return what is known of a number."""
    starts, past = found.starts, found.past
    return {
        "number": number,
        **rules.judged(found.judged, now_ms),
        "lastConversationAt": iso_or_none(max(past.conversations, default=None)),
        "refusedAt": iso_or_none(max(past.refusals, default=None)),
        "doNotCall": do_not_call.entry(number, found.entry),
        "starts": None if starts is None else [start(each) for each in starts],
    }


def evidence(number: str, found: Starts, entry: Entry | None) -> dict[str, Any]:
    """Return a page of starts and the cursor of the next one."""
    return {
        "number": number,
        "doNotCall": do_not_call.entry(number, entry),
        "count": len(found.starts),
        "starts": [start(each) for each in found.starts],
        "next": found.cursor,
    }


def start(shown: Start) -> dict[str, Any]:
    """Return one start, with what the clock showed wherever the person may have been."""
    call, event = shown.call, shown.event
    options = call.options or {}
    return {
        "jobId": call.job_id,
        "attempt": event.attempt,
        "startedAt": iso(event.time_ms),
        "places": [rules.place(each, event.time_ms) for each in shown.places],
        "verdict": "go" if shown.rules else None,
        "rules": shown.rules,
        "purpose": options.get("purpose"),
        "consent": options.get("consent"),
        "override": _override(shown.override),
        "outcome": call.outcome,
        "sid": call.call_sid,
    }


def _override(details: Mapping[str, str] | None) -> dict[str, Any] | None:
    return None if details is None else {**details, "rules": details["rules"].split(", ")}


def csv(starts: Sequence[Start]) -> Response:
    """Return starts as CSV (RFC 4180), with a header."""
    return table_of(COLUMNS, [_flat(start(each)) for each in starts])


def _flat(shown: dict[str, Any]) -> dict[str, Any]:
    times = "; ".join(f"{each['localTime']} {each['zone']}" for each in shown["places"])
    consent, override = shown["consent"] or {}, shown["override"] or {}
    return {
        **shown,
        "localTimes": times,
        "consentBasis": no_formula(consent.get("basis")),
        "consentAt": consent.get("at"),
        "consentEvidence": no_formula(consent.get("evidence")),
        "overriddenRules": ", ".join(override.get("rules", ())),
        "overriddenBy": no_formula(override.get("by")),
        "overrideReason": no_formula(override.get("reason")),
    }
