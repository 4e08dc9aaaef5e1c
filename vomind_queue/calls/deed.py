"""What a person did to the queue."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True, slots=True)
class Deed:
    """One act of one person, or of an app with a key of that name."""

    #: Grows by one with each deed.
    number: int
    #: Unix ms on Redis's clock.
    at_ms: int
    #: Name of the API key.
    by: str
    #: ``cancelled``, ``retried``, ``paused`` …
    act: str
    #: Id of the job or recurring call; ``None`` where it was the queue, or many calls.
    subject: str | None
    #: Such as a reason, or how many calls; no personal data.
    details: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class DeedSearch:
    """Which deeds to show, newest first; ``None`` means any."""

    by: str | None = None
    since_ms: int | None = None
    #: Before this time.
    until_ms: int | None = None
    #: Number of the last deed on the page before.
    after: int | None = None
    limit: int = 50

    def wants(self, deed: Deed) -> bool:
        """Return whether a deed matches, apart from ``since_ms``."""
        return (
            (self.by is None or deed.by == self.by)
            and (self.until_ms is None or deed.at_ms < self.until_ms)
            and (self.after is None or deed.number < self.after)
        )
