"""Why a person is called, with what consent, and which rules do not hold for a call."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from marshmallow import ValidationError

from vomind_queue.api.schemas.fields import Choice, Rule, Shape, ShortText, Until, mismatch
from vomind_queue.api.wording import either, received
from vomind_queue.calls.instants import iso
from vomind_queue.rules.law import LIFTABLE, Purpose

#: Characters of a reason why a rule does not hold.
LEAST_REASON = 10
_SHORT_OR_NULL: Shape = {**ShortText.shape, "type": ["string", "null"]}


class PurposeWord(
    Choice[str],
    words={word.value: word.value for word in Purpose},
):
    """Why a person is called."""


class Consent(Rule[dict[str, str]]):
    """That a person agreed to be called, and how that is known."""

    shape: Mapping[str, Any] = {
        "type": "object",
        "properties": {
            "basis": ShortText.shape,
            "at": {"type": "string", "format": "date-time"},
            "evidence": _SHORT_OR_NULL,
        },
        "required": ["basis", "at"],
        "additionalProperties": False,
    }

    def read(self, value: Any) -> dict[str, str]:
        found = _parts(value, self.shape)
        read = {name: ShortText().read(text) for name, text in found.items() if name != "at"}
        return {**read, "at": iso(Until().read(found["at"]))}


class Override(Rule[dict[str, Any]]):
    """Which rules do not hold for a call, and why."""

    shape: Mapping[str, Any] = {
        "type": "object",
        "properties": {
            "rules": {
                "type": "array",
                "items": {"type": "string", "enum": [str(rule) for rule in LIFTABLE]},
                "minItems": 1,
                "uniqueItems": True,
            },
            "reason": {**ShortText.shape, "minLength": LEAST_REASON},
            # As answers have it; who said so is no client's to tell.
            "by": _SHORT_OR_NULL,
        },
        "required": ["rules", "reason"],
        "additionalProperties": False,
    }

    def read(self, value: Any) -> dict[str, Any]:
        found = _parts(value, self.shape)
        rules, reason = found["rules"], ShortText().read(found["reason"])
        known = [str(rule) for rule in LIFTABLE]
        if not isinstance(rules, list) or not rules or not all(rule in known for rule in rules):
            raise mismatch(f"rules out of {either(known)}", rules)
        if len(set(rules)) < len(rules):
            raise ValidationError("Must name each rule once.")
        if len(reason) < LEAST_REASON:
            raise mismatch(f"a reason of at least {LEAST_REASON} characters", reason)
        if "by" in found:
            ShortText().read(found["by"])
        return {"rules": list(rules), "reason": reason}


def _parts(value: Any, shape: Mapping[str, Any]) -> dict[str, Any]:
    """Return an object that has the properties that it must have, and no others."""
    if not isinstance(value, dict):
        raise mismatch(f"an object with {' and '.join(shape['required'])}", value)
    if missed := [name for name in shape["required"] if value.get(name) is None]:
        raise ValidationError(f"Must have {' and '.join(missed)}.")
    if unknown := [name for name in value if name not in shape["properties"]]:
        raise ValidationError(f"Must have no {received(unknown[0])}.")
    return {name: part for name, part in value.items() if part is not None}
