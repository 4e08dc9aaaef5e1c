"""Which API keys may have a person called against the calling rules."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from http import HTTPStatus

from vomind_queue.api.auth import caller
from vomind_queue.api.errors import Refused
from vomind_queue.calls.call import Call
from vomind_queue.errors import NotOverriding
from vomind_queue.rules.law import LIFTABLE, Purpose

#: The reason where the purpose is one.
EMERGENCY = "The purpose is emergency."


class Overrides:
    """Signs overrides with the name of the key that asks for them."""

    def __init__(self, keys: Collection[str]) -> None:
        """``keys``: the names of those that may."""
        self._keys = keys

    def signed(self, call: Call, old: Call | None = None) -> Call:
        """Return the call with who overrides its rules; ``old``: what it was before a change.

        Raise Refused if this key must not.
        """
        if call.override and call.override["reason"] == EMERGENCY:
            # It was made of the purpose, and goes with it.
            call = replace(call, override=None)
        is_emergency = call.purpose == Purpose.EMERGENCY
        if not (call.override or is_emergency):
            return call
        if old and (call.to, call.purpose) == (old.to, old.purpose):
            if call.override is None:
                return replace(call, override=old.override)
            if call.override == old.override:
                return call
        self.check(call, caller())
        every = {"rules": [str(rule) for rule in LIFTABLE], "reason": EMERGENCY}
        return replace(call, override={**(call.override or every), "by": caller()})

    def check(self, call: Call, by: str) -> None:
        """Raise Refused if a key must not say when a call rings that rules do not hold for."""
        if fault := self.fault(call, by):
            raise Refused(HTTPStatus.FORBIDDEN, fault)

    def fault(self, call: Call, by: str) -> str | None:
        """Return why a key must not; ``None`` if it may, or if all rules hold for the call."""
        if by in self._keys or not (call.override or call.purpose == Purpose.EMERGENCY):
            return None
        what = "purpose: emergency" if call.purpose == Purpose.EMERGENCY else "override"
        return str(NotOverriding(by, what))
