"""Record who did what, after it is done, and find it again."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from vomind_queue.calls.deed import Deed, DeedSearch
from vomind_queue.errors import StoreUnavailable

logger = logging.getLogger(__name__)


class Activity(Protocol):
    """Where deeds are kept."""

    def note(
        self, by: str, act: str, *, subject: str | None = None, details: Mapping[str, Any]
    ) -> None: ...
    def find(self, search: DeedSearch) -> Sequence[Deed]: ...


class Deeds:
    """Notes deeds and finds them."""

    def __init__(self, activity: Activity) -> None:
        self._activity = activity

    def note(self, by: str, act: str, subject: str | None = None, **details: Any) -> None:
        """Record a deed. Never raise: it is done, and a lost note must not look like a failure."""
        try:
            self._activity.note(by, act, subject=subject, details=details)
        except StoreUnavailable as error:
            logger.warning("activity not noted: %s", error)

    def find(self, search: DeedSearch) -> Sequence[Deed]:
        """Return a page of deeds, newest first. Raise StoreUnavailable."""
        return self._activity.find(search)
