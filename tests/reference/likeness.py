"""Whether an answer is as it is shown, times and ids aside; and as its shape says."""

from __future__ import annotations

import json
import re
from copy import deepcopy
from typing import Any

import jsonschema_rs

from vomind_queue.api.openapi.document import document

#: What differs from one time to the next, by the kind that it is.
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
_AGO = re.compile(r"\d+ days( \d+ (hours?|minutes?|seconds?))?")
_REQUEST_ID = re.compile(r"[0-9a-f]{32}")
_SECRET = re.compile(r"whsec_[A-Za-z0-9+/]{43}=")
#: A sequence number within a text.
_SEQUENCE = re.compile(r"\b\d{16}\b|(?<=evt_)\d{16}")
#: Unix ms, and what is counted from there.
_RECENT = 10**12
#: What is measured or counted since ever, by its name.
_MEASURED = frozenset({"behindMs", "durationMs", "version", "waitMs"})


def likened(value: Any, name: str = "") -> Any:
    """The same, with a word in place of what differs from one time to the next."""
    if name in _MEASURED:
        return "measured"
    if isinstance(value, dict):
        return {key: likened(inner, key) for key, inner in value.items()}
    if isinstance(value, list):
        return [likened(inner) for inner in value]
    if isinstance(value, str):
        text = _AGO.sub("long", _TIME.sub("time", _SECRET.sub("secret", value)))
        text = _SEQUENCE.sub("number", text)
        return "id" if _REQUEST_ID.fullmatch(text) else text
    if type(value) is int and value > _RECENT:
        return "number"
    return value


def _strict(shape: Any) -> Any:
    """The same, with no room for a field that it does not name."""
    if isinstance(shape, list):
        return [_strict(inner) for inner in shape]
    if not isinstance(shape, dict):
        return shape
    inside = {name: _strict(inner) for name, inner in shape.items()}
    if "properties" in inside and inside.get("type") == "object":
        inside.setdefault("additionalProperties", False)
    return inside


_COMPONENTS = {"components": _strict(deepcopy(document()["components"]))}


def faults(shape: dict[str, Any], value: Any) -> list[str]:
    """Where a value is not as a shape says."""
    whole = {**_strict(shape), **_COMPONENTS}
    checker = jsonschema_rs.Draft202012Validator(json.loads(json.dumps(whole)))
    return [
        f"{'/'.join(map(str, error.instance_path))}: {error.message}"
        for error in checker.iter_errors(value)
    ]
