"""What a job of BullMQ means here: a pure translation."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from marshmallow import ValidationError

from vomind_queue.api.schemas.calls import CALL
from vomind_queue.api.schemas.placeable import PlaceableCalls
from vomind_queue.api.serializers.times import in_words
from vomind_queue.calls.call import Call, Priority, State
from vomind_queue.queue.takeover import TakenOver
from vomind_queue_bullmq.source import OldJob, Place

#: BullMQ's numbers of the old service's priorities.
_PRIORITIES = {1: "high", 2: "normal", 3: "low"}
_LOWEST = 3
#: Fields of a call that it knows; other data is dropped.
_FIELDS = ("to", "message", "lead_id", "metadata")
#: The escape of half a surrogate pair, be it followed by the other or not.
_HALF = re.compile(r"\\u[dD][89a-fA-F]")
#: The last instant that has a name in ISO 8601: the end of the year 9999, unix ms.
_LAST_MS = 253_402_300_799_999
#: The metadata field that holds a call's old queue and id.
ORIGIN = "importedFrom"

UNKNOWN_OUTCOME = (
    "The old service started to place this call and did not record its outcome: "
    "it may have rung. Retry it if it should ring again."
)


class Untranslatable(Exception):
    """Why a job cannot be taken over, in words that name no number."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Terms:
    """By which a job is taken over."""

    queue: str
    #: Unix ms on the clock of the server here.
    now_ms: int
    #: How late a delayed call may be to be placed all the same, ms; ``None``: any.
    past_grace_ms: int | None
    #: Attempts in one round.
    max_attempts: int
    #: Which calls the service would refuse from an app, too.
    placeable: PlaceableCalls


def translate(job: OldJob, terms: Terms) -> TakenOver:
    """Return the call in our own form. Raise Untranslatable."""
    if not job.fields:
        raise Untranslatable("its record is gone")
    call = read_call(job.fields, {"queue": terms.queue, "jobId": job.id}, terms.placeable)
    created = _number(job.fields, "timestamp") or terms.now_ms
    attempts = _number(job.fields, "atm") or _number(job.fields, "attemptsMade") or 0
    wanted = created + _first_delay(job.fields)
    due = job.at_ms if job.place is Place.DELAYED else wanted
    first_wanted = wanted if attempts else due
    if not all(0 <= moment <= _LAST_MS for moment in (created, due, first_wanted)):
        raise Untranslatable("its time is before 1970 or after the year 9999")
    state, place, reason = _standing(job, attempts, due, terms)
    return TakenOver(
        origin=f"job:{job.id}",
        call=call,
        state=state,
        place_ms=place,
        created_ms=created,
        due_ms=first_wanted if first_wanted > created else None,
        attempts=attempts,
        round=attempts if state is State.FAILED else min(attempts, terms.max_attempts - 1),
        started_ms=_number(job.fields, "processedOn") if attempts else None,
        reason=reason,
    )


def read_call(
    fields: Mapping[str, str], origin: Mapping[str, str], placeable: PlaceableCalls
) -> Call:
    """Return the call in a job's data. Raise Untranslatable, also if it would not be placed."""
    data = _object(_whole_letters(fields.get("data", "{}")), "data")
    metadata = data.get("metadata")
    if metadata is None:
        metadata = {}
    elif not isinstance(metadata, dict):
        metadata = {"value": metadata}
    wanted = {name: data[name] for name in _FIELDS if data.get(name) is not None}
    wanted |= {"priority": _priority(fields, data), "metadata": metadata}
    call = _load(wanted)
    if faults := placeable.faults([call]):
        raise Untranslatable(_summary(faults[0]))
    try:
        return _load({**wanted, "metadata": {**metadata, ORIGIN: dict(origin)}})
    except Untranslatable:
        # Its own metadata leave no room for that.
        return call


def _load(wanted: Mapping[str, Any]) -> Call:
    try:
        call: Call = CALL.load(dict(wanted)).call
        return call
    except ValidationError as error:
        messages: dict[str, Any] = error.normalized_messages()  # type: ignore[no-untyped-call]
        raise Untranslatable(_summary(messages)) from None


def _summary(messages: Mapping[str, Any]) -> str:
    return "; ".join(f"{name}: {_first(what)}" for name, what in messages.items())


def _first(messages: Any) -> str:
    while isinstance(messages, dict):
        messages = next(iter(messages.values()))
    return str(messages[0] if isinstance(messages, list) else messages)


def _standing(job: OldJob, attempts: int, due: int, terms: Terms) -> tuple[State, int, str]:
    """State, place in it, ms, and the last failure."""
    reason = job.fields.get("failedReason", "")
    if job.place is Place.FAILED:
        return State.FAILED, job.at_ms, reason or "It failed in the old service."
    deferred = job.fields.get("defa")
    if deferred:
        return State.FAILED, terms.now_ms, f"{UNKNOWN_OUTCOME} ({deferred})"
    if job.place is Place.ACTIVE or (_number(job.fields, "ats") or 0) > attempts:
        return State.FAILED, terms.now_ms, UNKNOWN_OUTCOME
    if attempts == 0 and _too_late(job, due, terms):
        late = in_words(terms.now_ms - due)
        reason = f"It was due {late} before it was taken over from the old service. "
        return State.FAILED, terms.now_ms, reason + "Retry it to place it now."
    if job.place is Place.DELAYED:
        return State.DELAYED, due, reason
    return State.WAITING, due, reason


def _too_late(job: OldJob, due: int, terms: Terms) -> bool:
    """Return whether a call for later was not even looked at when its time came."""
    if job.place is not Place.DELAYED or terms.past_grace_ms is None:
        return False
    return terms.now_ms - due > terms.past_grace_ms


def _priority(fields: Mapping[str, str], data: Mapping[str, Any]) -> str:
    named = data.get("priority")
    if isinstance(named, str) and named in list(Priority):
        return named
    number = _number(fields, "priority") or 0
    # BullMQ serves jobs without a priority first; the old service gives each one.
    return _PRIORITIES.get(number, "low" if number > _LOWEST else "normal")


def _first_delay(fields: Mapping[str, str]) -> int:
    """Return how much later than accepted it was first wanted, ms."""
    delay = _object(fields.get("opts", "{}"), "opts").get("delay")
    return int(delay) if isinstance(delay, int | float) and delay > 0 else 0


def _object(text: str, what: str) -> dict[str, Any]:
    try:
        value = json.loads(text, parse_float=_finite, parse_constant=_no_number)
    except RecursionError:
        raise Untranslatable(f"{what}: nested too deeply") from None
    except ValueError:
        raise Untranslatable(f"{what}: no JSON") from None
    if not isinstance(value, dict):
        raise Untranslatable(f"{what}: no JSON object")
    return value


def _whole_letters(text: str) -> str:
    r"""Return the JSON, with U+FFFD for each half of a character.

    JavaScript cuts a text in the middle of an emoji, writes the half that is left as ``\ud83d``,
    and sends it to others as U+FFFD (https://encoding.spec.whatwg.org/#utf-8-encoder).
    """
    if not _HALF.search(text):
        return text
    try:
        written = json.dumps(json.loads(text), ensure_ascii=False)
    except (ValueError, RecursionError):
        # Told by who reads it next.
        return text
    return written.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise ValueError(text)
    return number


def _no_number(name: str) -> NoReturn:
    raise ValueError(name)


def _number(fields: Mapping[str, str], name: str) -> int | None:
    try:
        return int(float(fields[name]))
    except (KeyError, ValueError, OverflowError):
        return None
