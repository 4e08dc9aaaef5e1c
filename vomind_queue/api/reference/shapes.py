"""Shapes of answers, in the words of JSON Schema (the dialect of OpenAPI 3.1)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from vomind_queue.api.reference.wording import FIELDS

#: A JSON Schema.
Shape = dict[str, Any]

TEXT: Shape = {"type": "string"}
WHOLE: Shape = {"type": "integer"}
COUNT: Shape = {"type": "integer", "minimum": 0}
FLAG: Shape = {"type": "boolean"}
#: UTC, as in ``2030-11-20T10:00:00.000Z``.
TIME: Shape = {"type": "string", "format": "date-time"}
#: Anything an app sent as its own.
OBJECT: Shape = {"type": "object", "additionalProperties": True}


def words(known: Iterable[str]) -> Shape:
    """One of a few words."""
    return {"type": "string", "enum": [str(word) for word in known]}


def maybe(shape: Shape) -> Shape:
    """The same, or null."""
    if "type" not in shape:
        return {"anyOf": [shape, {"type": "null"}]}
    nullable = {**shape, "type": [shape["type"], "null"]}
    if "enum" in shape:
        nullable["enum"] = [*shape["enum"], None]
    return nullable


def many(shape: Shape, **bounds: int) -> Shape:
    """A list of such values."""
    return {"type": "array", "items": shape, **bounds}


def ref(name: str) -> Shape:
    """A shape that stands among the components."""
    return {"$ref": f"#/components/schemas/{name}"}


def told(shape: Shape, description: str) -> Shape:
    """The same, with words of its own."""
    return {**shape, "description": description}


def record(
    text: str, required: Mapping[str, Shape], optional: Mapping[str, Shape] | None = None
) -> Shape:
    """An object, its fields described by ``wording.FIELDS`` where they are not already."""
    fields = {**required, **(optional or {})}
    return {
        "type": "object",
        "description": text,
        "properties": {name: _described(name, shape) for name, shape in fields.items()},
        "required": list(required),
    }


def answer(
    text: str, required: Mapping[str, Shape], optional: Mapping[str, Shape] | None = None
) -> Shape:
    """A success: ``success`` first, then the rest."""
    return record(text, {"success": {"type": "boolean", "const": True}, **required}, optional)


def _described(name: str, shape: Shape) -> Shape:
    if "description" in shape:
        return shape
    return told(shape, FIELDS[name])
