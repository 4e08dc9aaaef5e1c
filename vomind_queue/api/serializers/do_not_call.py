"""Build the answers about the do-not-call list."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import Response

from vomind_queue.api.serializers.call_log import table_of
from vomind_queue.calls.do_not_call import Entry, EntryPage
from vomind_queue.calls.instants import iso
from vomind_queue.encoding import no_formula
from vomind_queue.usecases.do_not_call import Listed

COLUMNS = ("number", "listedAt", "by", "source", "reason")


def entry(number: str, shown: Entry | None) -> dict[str, Any]:
    """Return whether a number is on the list, and what is known of that."""
    return {"listed": shown is not None, **(row(shown) if shown else _unlisted(number))}


def _unlisted(number: str) -> dict[str, Any]:
    return {**dict.fromkeys(COLUMNS), "number": number}


def row(shown: Entry) -> dict[str, Any]:
    """Return an entry."""
    wish = shown.wish
    return {
        "number": shown.number,
        "listedAt": iso(shown.at_ms),
        "by": wish.by,
        "source": wish.source,
        "reason": wish.reason,
    }


def listed(done: Listed) -> dict[str, Any]:
    """Return what was done when one number was listed."""
    (added,) = done.added
    message = "The number is on the do-not-call list"
    if not added.is_new:
        message = "The number was on the do-not-call list already"
    return {"message": message, "number": added.number, "added": added.is_new, **_ended(done)}


def imported(results: Sequence[dict[str, Any]], done: Listed) -> dict[str, Any]:
    """Return what became of each number of an import."""
    words = [each["result"] for each in results]
    counts = {word: words.count(word) for word in ("added", "known", "refused")}
    message = f"{counts['added']:,} of {len(results):,} numbers put on the do-not-call list"
    return {"message": message, "counts": counts, **_ended(done), "results": list(results)}


def result(number: str | None, outcome: str, detail: str | None = None) -> dict[str, Any]:
    """Return what became of one number."""
    return {"number": number, "result": outcome, "detail": detail}


def _ended(done: Listed) -> dict[str, Any]:
    return {
        "cancelled": done.cancelled,
        "recurring": done.recurring,
        "beingPlaced": list(done.being_placed),
        "complete": done.complete,
    }


def page(found: EntryPage, cursor: str | None) -> dict[str, Any]:
    """Return a page of the list and the cursor of the next one."""
    rows = [row(each) for each in found.entries]
    return {"count": len(rows), "total": found.total, "numbers": rows, "next": cursor}


def csv(entries: Sequence[Entry]) -> Response:
    """Return entries as CSV (RFC 4180), with a header."""
    return table_of(COLUMNS, [_flat(row(each)) for each in entries])


def _flat(shown: dict[str, Any]) -> dict[str, Any]:
    return shown | {name: no_formula(shown[name]) for name in ("by", "source", "reason")}
