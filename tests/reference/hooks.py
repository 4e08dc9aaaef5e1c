"""What JSON Schema has no words for, told to schemathesis: which texts are good ones.

Loaded by schemathesis, not by pytest.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any
from urllib.parse import quote, urljoin
from uuid import uuid4

import requests
import schemathesis
from hypothesis import strategies as st

from devserver.parts import FAKE_ACCOUNT
from tests.twilio import PUBLIC_URL, sign
from vomind_queue.api.openapi.document import BODIES as SCHEMAS
from vomind_queue.api.openapi.texts import operations
from vomind_queue.api.schemas.calls import BULK, TIMED_CALL, RequestSchema
from vomind_queue.api.schemas.unknown_fields import slips
from vomind_queue.calls import voices
from vomind_queue.calls.phone_number import PhoneNumber

#: The schemas by which bodies are checked, by the paths that take them; a preview reads a bulk.
BODIES = {each.path: SCHEMAS.get(each.body, BULK) for each in operations() if each.body}

#: Within the year that a call may be scheduled ahead, and this century's part of a schedule;
#: beyond the next weekend, because the document's example of a schedule runs on weekdays.
_NOW = datetime.now(UTC)
_SOON = st.datetimes(
    min_value=(_NOW + timedelta(days=4)).replace(tzinfo=None),
    max_value=(_NOW + timedelta(days=360)).replace(tzinfo=None),
    timezones=st.just(UTC),
)
_MINUTES = st.integers(0, 59).map(str) | st.sampled_from(["*", "*/5", "0,30", "10-20"])
_HOURS = st.integers(0, 23).map(str) | st.sampled_from(["*", "9-17", "*/6"])
_DAYS = st.integers(1, 28).map(str) | st.sampled_from(["*", "L", "1,15"])
_MONTHS = st.integers(1, 12).map(str) | st.sampled_from(["*", "JAN", "6-8"])
_WEEKDAYS = st.integers(0, 7).map(str) | st.sampled_from(["*", "MON-FRI", "5#1"])
_PATTERNS = st.tuples(_MINUTES, _HOURS, _DAYS, _MONTHS, _WEEKDAYS).map(" ".join)

schemathesis.openapi.format("date-time", _SOON.map(datetime.isoformat))
schemathesis.openapi.format(
    "cron", _PATTERNS | st.sampled_from(["@hourly", "@daily", "@weekly", "@monthly", "@yearly"])
)
schemathesis.openapi.format(
    "time-zone", st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu"])
)
schemathesis.openapi.format("iso-3166", st.sampled_from(["DE", "US", "US-FL", "CA-QC"]))
schemathesis.openapi.format("twilio-voice", st.sampled_from(voices.names()))


schemathesis.openapi.format(
    "application-url",
    st.sampled_from(["", "/voice/", "/voice?agent=a&x=%C3%BC", ":8443/v#rc=2"]).map(
        "https://agents.example.com{}".format
    ),
)
schemathesis.openapi.format(
    "receiver-url",
    st.sampled_from(["", "/", "/calls?x=1", ":8443/c"]).map("https://hooks.example.com{}".format),
)
schemathesis.openapi.format(
    "calling-hours",
    st.sampled_from(["mon-fri 09:00-20:00, sat-sun closed", "mon-sun 08:00-12:00 + 13:00-21:00"]),
)
schemathesis.openapi.format("list-file", st.just('{"to": "+14155550101", "message": "Hello"}'))
OWN_NUMBER = FAKE_ACCOUNT["TWILIO_PHONE_NUMBER"]
schemathesis.openapi.format("own-number", st.just(OWN_NUMBER))


@schemathesis.hook
def before_call(_: Any, case: schemathesis.Case, __: Any) -> None:
    """A key that came before with another body is refused; Twilio signs what it sends."""
    headers, form = case.headers, case.body
    if re.fullmatch(r"[ -~]{1,255}", headers.get("Idempotency-Key") or ""):
        headers["Idempotency-Key"] = uuid4().hex
    signed = "X-Twilio-Signature" in headers and isinstance(form, dict)
    if signed and all(isinstance(value, str) for value in form.values()):
        headers["X-Twilio-Signature"] = sign(PUBLIC_URL + case.formatted_path, form.items())


@schemathesis.hook
def after_call(_: Any, __: Any, response: schemathesis.Response) -> None:
    """A number that was listed is taken off the list, as later requests may call it.

    The queue stays paused: the requests name few numbers, so the worker would do little else than
    look whether one is free.
    """
    request = response.request
    path = str(request.url).partition("/api/")[2]
    if path == "queue/resume" and response.status_code == HTTPStatus.OK:
        headers = {"Authorization": request.headers["Authorization"]}
        address = urljoin(str(request.url), "/api/queue/pause")
        requests.post(address, headers=headers, timeout=30).raise_for_status()
    lists = {"PUT": path.endswith("/do-not-call"), "POST": path == "do-not-call"}
    if response.status_code != HTTPStatus.OK or not lists.get(str(request.method)):
        return
    answer = response.json()
    rows = answer.get("results") or [{"number": answer["number"], "result": "added"}]
    for number in {row["number"] for row in rows if row["result"] != "refused"}:
        requests.delete(
            urljoin(str(request.url), f"/api/people/{quote(number)}/do-not-call"),
            json={"reason": "The next request may call it."},
            headers={"Authorization": request.headers["Authorization"]},
            timeout=30,
        ).raise_for_status()


@schemathesis.hook
def filter_case(context: schemathesis.HookContext, case: schemathesis.Case) -> bool:
    """The coverage phase, which filters no bodies, sends good ones alone as good."""
    meant_badly = case.meta and case.meta.generation.mode == schemathesis.GenerationMode.NEGATIVE
    return bool(meant_badly) or filter_body(context, case.body)


@schemathesis.hook
def filter_body(context: schemathesis.HookContext, body: Any) -> bool:
    """Refused are slips in names, trunk zeros, and calls that end before they run or are due.

    So are changes that contradict the fields which the stored call keeps.
    """
    if isinstance(body, dict) and _is_unsaid(body):
        return False
    schema = BODIES.get(context.operation.path)
    if not isinstance(schema, RequestSchema) or not isinstance(body, dict):
        return True
    calls = body.get("calls") if isinstance(body.get("calls"), list) else []
    changes = context.operation.method == "patch"
    contradicts = (
        body.get("machineDetection") == "off"
        or body.get("twimlUrl")
        or body.get("notAfter")
        or body.get("sendDigits")
    )
    if changes and (contradicts or _names_a_voice(body)):
        return False
    if any(_may_expire_early(each) for each in [body, *calls] if isinstance(each, dict)):
        return False
    objects = [each for each in [body, *calls] if isinstance(each, dict)]
    if not all(_fits(each) for each in objects) or any(
        PhoneNumber(str(each.get("to"))).has_trunk_zero for each in objects
    ):
        return False
    slipped = slips(body, schema.known) or any(
        slips(call, TIMED_CALL.known) for call in calls if isinstance(call, dict)
    )
    return not slipped and not isinstance(body.get("endAt"), str)


def _is_unsaid(body: dict[str, Any]) -> bool:
    """Return whether words cannot be printed, or a time or days may end before they begin."""
    match, day, last = (body.get(name) for name in ("match", "day", "last"))
    words = [body.get(name) for name in ("reason", "source", "name", "description")]
    if any(isinstance(each, str) and not each.isprintable() for each in words):
        return True
    if isinstance(body.get("at"), str):
        # A time of the last 90 days.
        return True
    if isinstance(body.get("campaign"), str):
        # There is none of that id.
        return True
    if isinstance(day, str) and isinstance(last, str) and last < day:
        return True
    return isinstance(match, dict) and {"since", "until"} <= match.keys()


def _may_expire_early(call: dict[str, Any]) -> bool:
    has_time = call.get("scheduleAt") or call.get("delayMs")
    return bool(has_time and call.get("notAfter"))


def _names_a_voice(body: dict[str, Any]) -> bool:
    return isinstance(body.get("voice") or body.get("language"), str)


def _fits(call: dict[str, Any]) -> bool:
    """Whether a call's voice speaks its language, and the number it comes from is ours."""
    sender = call.get("from")
    if isinstance(sender, str) and re.fullmatch(r"\+[0-9]{7,15}", sender) and sender != OWN_NUMBER:
        return False
    voice, language = call.get("voice"), call.get("language")
    both = isinstance(voice, str) and isinstance(language, str)
    return not both or voices.fits(voice, language)


@schemathesis.hook
def filter_query(_: Any, query: Any) -> bool:
    """A page ends behind its start, and has 1,000 places at most."""
    try:
        start = int(query.get("start", 0))
        end = int(query.get("end", start + 10))
    except (AttributeError, TypeError, ValueError):
        return True
    return 0 <= end - start < 1_000
