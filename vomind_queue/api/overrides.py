"""Which API keys may have a person called against the calling rules."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from http import HTTPStatus

from vomind_queue.api.auth import caller
from vomind_queue.api.errors import Refused
from vomind_queue.calls.call import Call
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
        if caller() not in self._keys:
            what = "override" if call.override else "purpose: emergency"
            raise Refused(
                HTTPStatus.FORBIDDEN,
                f"{what}: Must be sent with an API key named in OVERRIDE_KEYS; got {caller()}.",
            )
        every = {"rules": [str(rule) for rule in LIFTABLE], "reason": EMERGENCY}
        return replace(call, override={**(call.override or every), "by": caller()})
