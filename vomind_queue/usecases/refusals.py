"""Note that a person does not want to be called for now; rules say for how long that holds."""

from __future__ import annotations

import logging
from typing import Protocol

from vomind_queue.calls.call import mask_number
from vomind_queue.errors import NeverRefused, WrongRefusalTime
from vomind_queue.usecases.deeds import Deeds

logger = logging.getLogger(__name__)


class PersonHistory(Protocol):
    """What this needs of what is known of people."""

    def refuse(self, number: str, at_ms: int | None) -> bool: ...
    def withdraw(self, number: str) -> bool: ...


class Refusals:
    """Everything may raise StoreUnavailable."""

    def __init__(self, history: PersonHistory, deeds: Deeds) -> None:
        self._history = history
        self._deeds = deeds

    def note(self, number: str, at_ms: int | None, by: str) -> None:
        """Note a refusal, by default of now; pauses count from it. Raise WrongRefusalTime."""
        if not self._history.refuse(number, at_ms):
            raise WrongRefusalTime
        self._deeds.note(by, "refusal", to=mask_number(number))
        logger.info("refusal noted", extra={"to": mask_number(number)})

    def withdraw(self, number: str, by: str) -> None:
        """Take all refusals of a person back. Raise NeverRefused."""
        if not self._history.withdraw(number):
            raise NeverRefused
        self._deeds.note(by, "refusal taken back", to=mask_number(number))
        logger.warning("refusal taken back", extra={"to": mask_number(number)})
