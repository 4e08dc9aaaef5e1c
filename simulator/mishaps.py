"""What can happen to callbacks on their way, set by a test over HTTP."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from simulator.faults import BadRuleError


class Mishap(StrEnum):
    """What goes wrong with a callback."""

    #: It is never sent.
    LOSE = "lose"
    #: It is sent ``ms`` late.
    LATE = "late"
    #: It is sent again ``ms`` later.
    REPEAT = "repeat"
    #: All of a call's are held back until it is over, and sent in the opposite order.
    SHUFFLE = "shuffle"
    #: It is signed with another secret.
    FORGE = "forge"


@dataclass(kw_only=True, slots=True)
class Trouble:
    """One mishap, and which callbacks it strikes."""

    mishap: Mishap
    #: Only of calls to that number; all when ``None``.
    to: str | None = None
    #: Only of that event: initiated, ringing, answered, completed, detected; all when ``None``.
    event: str | None = None
    #: How many callbacks it strikes; all, until it is removed, when ``None``.
    times: int | None = None
    ms: int = 0
    #: How many it has struck.
    struck: int = 0

    @classmethod
    def parse(cls, given: object) -> Trouble:
        """From its JSON. Raise BadRuleError."""
        if not isinstance(given, Mapping):
            raise BadRuleError("a mishap is a JSON object")
        allowed = {name for name in cls.__dataclass_fields__ if name != "struck"}
        if unknown := set(given) - allowed:
            raise BadRuleError(f"unknown: {', '.join(sorted(unknown))}; known: {sorted(allowed)}")
        made: dict[str, Any] = dict(given)
        try:
            made["mishap"] = Mishap(made.get("mishap", ""))
        except ValueError as error:
            raise BadRuleError(str(error)) from error
        for name in ("times", "ms"):
            value = made.get(name)
            if value is not None and (not isinstance(value, int) or value < 0):
                raise BadRuleError(f"'{name}' is a whole number, 0 or more")
        return cls(**made)


class Troubles:
    """The mishaps in force."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._troubles: list[Trouble] = []

    def add(self, trouble: Trouble) -> None:
        """Put one in force, beside those that are."""
        with self._lock:
            self._troubles.append(trouble)

    def clear(self) -> None:
        """Remove all."""
        with self._lock:
            self._troubles.clear()

    def all(self) -> list[Trouble]:
        """Used up or not."""
        with self._lock:
            return list(self._troubles)

    def strike(self, to: str, event: str) -> dict[Mishap, int]:
        """Return what befalls one callback: each mishap that fits, with its time, ms."""
        struck: dict[Mishap, int] = {}
        with self._lock:
            for trouble in self._troubles:
                fits = trouble.to in (None, to) and trouble.event in (None, event)
                if fits and (trouble.times is None or trouble.struck < trouble.times):
                    trouble.struck += 1
                    struck.setdefault(trouble.mishap, trouble.ms)
        return struck
