"""Rules that a test sets over HTTP: how they are read from JSON, and the list of those in force."""

from __future__ import annotations

import threading
from collections.abc import Collection, Mapping
from dataclasses import fields
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class BadRuleError(ValueError):
    """A rule that makes no sense; the text says why."""


class RuleList(Generic[T]):
    """The rules of one kind in force; safe to use from many threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._rules: list[T] = []

    def add(self, rule: T) -> None:
        """Put a rule in force, after those that are."""
        with self._lock:
            self._rules.append(rule)

    def clear(self) -> None:
        """Remove all rules."""
        with self._lock:
            self._rules.clear()

    def all(self) -> list[T]:
        """Return the rules, used up or not."""
        with self._lock:
            return list(self._rules)


def read_rule(
    given: object, kind: type[Any], *, counter: str, whole: Collection[str]
) -> dict[str, Any]:
    """Return the fields of a rule from its JSON. Raise BadRuleError.

    ``kind`` is its dataclass, whose ``counter`` nobody may set; ``whole`` are fields that hold
    whole numbers.
    """
    if not isinstance(given, Mapping):
        raise BadRuleError("a rule is a JSON object")
    allowed = {each.name for each in fields(kind) if each.name != counter}
    if unknown := set(given) - allowed:
        raise BadRuleError(f"unknown: {', '.join(sorted(unknown))}; known: {sorted(allowed)}")
    for name in whole:
        value = given.get(name)
        if value is not None and (not isinstance(value, int) or value < 0):
            raise BadRuleError(f"'{name}' is a whole number, 0 or more")
    return dict(given)
