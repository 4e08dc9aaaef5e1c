"""Calls as Twilio's JSON, and its lists with their filters and pages."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from simulator.book import Book, SimulatedCall, older_than, take
from simulator.http1 import http_date
from simulator.mistakes import MistakeError

#: Twilio's default and largest page.
PAGE_SIZE, MAX_PAGE_SIZE = 50, 1_000
_SUBRESOURCES = (
    "notifications",
    "recordings",
    "payments",
    "events",
    "siprec",
    "streams",
    "transcriptions",
)


def call_uri(account: str, sid: str) -> str:
    """Return where one call is."""
    return f"/2010-04-01/Accounts/{account}/Calls/{sid}.json"


def as_json(call: SimulatedCall, now_s: float) -> dict[str, Any]:
    """Return a call as Twilio shows it."""
    status = call.status(now_s)
    started_s = _started_s(call, status)
    ended_s = call.ended_s(now_s)
    price = call.price(now_s)
    stem = f"/2010-04-01/Accounts/{call.account}/Calls/{call.sid}"
    return {
        "sid": call.sid,
        "account_sid": call.account,
        "to": call.to,
        "to_formatted": call.to,
        "from": call.caller,
        "from_formatted": call.caller,
        "status": status,
        "date_created": rfc2822(call.created_s),
        "date_updated": rfc2822(now_s),
        "start_time": rfc2822(started_s),
        "end_time": rfc2822(ended_s),
        "duration": str(call.duration_s(now_s)) if ended_s else None,
        "direction": "outbound-api",
        "queue_time": "0",
        "price": price,
        "price_unit": "USD",
        "answered_by": call.answered_by(now_s),
        "caller_name": None,
        "forwarded_from": None,
        "group_sid": None,
        "parent_call_sid": None,
        "phone_number_sid": None,
        "trunk_sid": None,
        "api_version": "2010-04-01",
        "uri": f"{stem}.json",
        "subresource_uris": {name: f"{stem}/{name.capitalize()}.json" for name in _SUBRESOURCES},
    }


def _started_s(call: SimulatedCall, status: str) -> float | None:
    """Return when it was dialed, unix s; a call has no start time before."""
    if status in ("queued", "canceled"):
        return None
    return call.created_s + call.course.steps[0][0]


def rfc2822(at_s: float | None) -> str | None:
    """Return a time as Twilio writes it, to the second: ``Fri, 18 Oct 2019 17:00:00 +0000``."""
    return None if at_s is None else http_date(int(at_s)).replace("GMT", "+0000")


def list_calls(
    book: Book, account: str, query: Mapping[str, str], *, lag_s: float
) -> dict[str, Any]:
    """Return one page of an account's calls, newest first. Raise MistakeError."""
    size, page = _page(query)
    now_s = time.time()
    calls = book.newest_first(account, query.get("To") or None)
    # A token names the last call seen, so that calls made meanwhile do not shift the pages.
    if token := query.get("PageToken"):
        last_seen = book.call(account, token.removeprefix("PA"))
        if last_seen is None:
            raise MistakeError(20001, message="Invalid PageToken")
        calls = older_than(calls, last_seen.number)
    else:
        calls = _skip(_fitting(calls, query, now_s - lag_s, now_s), page * size)
    found = take(_fitting(calls, query, now_s - lag_s, now_s), size + 1)
    shown = found[:size]
    here = f"/2010-04-01/Accounts/{account}/Calls.json"
    filters = {k: v for k, v in query.items() if k not in ("Page", "PageToken", "PageSize")}
    following = {"Page": page + 1, "PageToken": f"PA{shown[-1].sid}"} if shown else {}
    return {
        "calls": [as_json(call, now_s) for call in shown],
        **envelope(here, {**filters, "PageSize": size}, page, len(shown)),
        "next_page_uri": (
            f"{here}?{urlencode({**filters, 'PageSize': size, **following})}"
            if len(found) > size
            else None
        ),
    }


def envelope(here: str, query: Mapping[str, Any], page: int, count: int) -> dict[str, Any]:
    """Return what Twilio puts around the items of a page."""
    size = int(query["PageSize"])
    return {
        "page": page,
        "page_size": size,
        "start": page * size,
        "end": page * size + max(0, count - 1),
        "uri": f"{here}?{urlencode({**query, 'Page': page})}",
        "first_page_uri": f"{here}?{urlencode({**query, 'Page': 0})}",
        "previous_page_uri": (f"{here}?{urlencode({**query, 'Page': page - 1})}" if page else None),
        "next_page_uri": None,
    }


def _page(query: Mapping[str, str]) -> tuple[int, int]:
    try:
        size, page = int(query.get("PageSize", PAGE_SIZE)), int(query.get("Page", 0))
    except ValueError:
        raise MistakeError(20001, message="Page and PageSize are whole numbers") from None
    if size < 1 or page < 0:
        raise MistakeError(20001, message="Page and PageSize are whole numbers")
    return min(size, MAX_PAGE_SIZE), page


def _skip(calls: Iterator[SimulatedCall], count: int) -> Iterator[SimulatedCall]:
    for _ in range(count):
        next(calls, None)
    return calls


def _fitting(
    calls: Iterator[SimulatedCall], query: Mapping[str, str], visible_s: float, now_s: float
) -> Iterator[SimulatedCall]:
    """Yield those that the filters let through and that are old enough to be seen."""
    after_s, before_s = _start_times(query)
    for call in calls:
        if call.created_s > visible_s:
            continue
        if query.get("From", call.caller) != call.caller:
            continue
        if query.get("Status", "") not in ("", call.status(now_s)):
            continue
        # A call has no start time, and so fits no filter on it, before it is dialed.
        started_s = _started_s(call, call.status(now_s))
        if (after_s or before_s) and started_s is None:
            continue
        started_s = started_s or 0.0
        if (after_s and started_s < after_s) or (before_s and started_s >= before_s):
            continue
        yield call


def _start_times(query: Mapping[str, str]) -> tuple[float | None, float | None]:
    """Bounds on the start time, unix seconds; the second is exclusive."""
    after_s = _instant(query.get("StartTime>"))
    before_s = _instant(query.get("StartTime<"))
    day_s = _instant(query.get("StartTime"))
    if day_s is not None:
        after_s, before_s = day_s, day_s + 86_400
    return after_s, before_s


def _instant(given: str | None) -> float | None:
    if not given:
        return None
    try:
        at = datetime.fromisoformat(given)
    except ValueError:
        raise MistakeError(20001, message=f"Not a time: {given}") from None
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()
