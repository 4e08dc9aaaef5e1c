"""The schemas of answers as `data/answers.yaml` has them, with the words that the code knows.

They describe answers and check none; the tests hold each example against them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import cache
from typing import Any

from vomind_queue.api.openapi.texts import data, meaning
from vomind_queue.api.schemas.call_fields import DetectionWord, LeadId, Outcomes
from vomind_queue.api.schemas.fields import PhoneNumber, Shape
from vomind_queue.api.schemas.recurring import Key
from vomind_queue.call_log.models import OUTCOMES, STATES
from vomind_queue.calls.call import Priority, State
from vomind_queue.calls.call_status import LineStatus
from vomind_queue.calls.campaign import CampaignState
from vomind_queue.observability.overview import Condition
from vomind_queue.observability.overview_reasons import Level
from vomind_queue.recurring.schedule import Overlap, ScheduleStatus
from vomind_queue.rules.judge import Kind
from vomind_queue.rules.law import HOLDING, Mode, Purpose

_COUNT: Shape = {"type": "integer", "minimum": 0}


def _words(known: Iterable[str]) -> Shape:
    return {"type": "string", "enum": [str(word) for word in known]}


#: Shapes by the names that `data/answers.yaml` gives them.
_SHAPES: Mapping[str, Shape] = {
    "text": {"type": "string"},
    "count": _COUNT,
    "integer": {"type": "integer"},
    "boolean": {"type": "boolean"},
    "instant": {"type": "string", "format": "date-time"},
    "object": {"type": "object", "additionalProperties": True},
    "counts": {"type": "object", "additionalProperties": _COUNT},
    "LoggedState": _words(STATES),
    "WeeklyHours": {
        "type": "object",
        "additionalProperties": {"type": "array", "items": {"type": "string"}},
    },
    "Why": _words(HOLDING),
    "LoggedOutcome": _words(OUTCOMES),
    **{
        kind.__name__: _words(kind)
        for kind in (
            *(
                CampaignState,
                Condition,
                Kind,
                Level,
                LineStatus,
                Mode,
                Overlap,
                Priority,
                Purpose,
                ScheduleStatus,
            ),
            State,
        )
    },
    **{
        kind.__name__: dict(kind.shape)
        for kind in (DetectionWord, Key, LeadId, Outcomes, PhoneNumber)
    },
}


@cache
def answer_schemas() -> Mapping[str, Shape]:
    """Return all of them by their names among the components."""
    entries = data("answers")
    return {name: _whole(name) for name, entry in entries.items() if "text" in entry}


def nullable(shape: Shape) -> Shape:
    """Return the same, or null."""
    if "type" not in shape:
        return {"anyOf": [shape, {"type": "null"}]}
    found = {**shape, "type": [shape["type"], "null"]}
    if "enum" in shape:
        found["enum"] = [*shape["enum"], None]
    return found


def _whole(name: str) -> Shape:
    """Return a schema with the fields of those that it extends."""
    names = list(_bases(name))
    fields: dict[str, Any] = {}
    needed: set[str] = set()
    for each in reversed(names):
        entry = data("answers")[each]
        own = entry.get("fields", {})
        fields |= own
        needed = (needed | own.keys()) - set(entry.get("optional", ()))
    return {"description": data("answers")[name]["text"], **_object(names, fields, needed)}


def _bases(name: str) -> Iterator[str]:
    yield name
    for base in data("answers")[name].get("extends", ()):
        yield from _bases(base)


def _object(names: list[str], fields: Mapping[str, Any], needed: Collection[str]) -> Shape:
    shapes = {
        name: {**_shape(given), "description": meaning(names, name)}
        for name, given in fields.items()
    }
    required = {"required": sorted(needed)} if needed else {}
    return {"type": "object", "properties": shapes, **required}


def _shape(given: Any) -> Shape:
    match given:
        case [inner, *limits]:
            return {"type": "array", "items": _shape(inner), **dict(*limits)}
        case {"name": name, "fields": fields}:
            return _object([name], fields, fields)
        case str():
            name = given.removesuffix("?")
            found = _SHAPES.get(name) or {"$ref": f"#/components/schemas/{name}"}
            return nullable(found) if given != name else found
        case _:
            return dict(given)
