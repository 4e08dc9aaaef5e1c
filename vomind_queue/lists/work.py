"""Large lists: what a separate process finds in one, and how far it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from vomind_queue.lists.models import Answers

#: Rows and bytes of lists that are read while somebody waits for the answer.
AT_ONCE_ROWS = 2_000
AT_ONCE_BYTES = 1024 * 1024


class ListState(StrEnum):
    """What is being done to a list."""

    READING = "reading"
    #: It was read: there may be questions.
    READY = "ready"
    ACCEPTING = "accepting"
    ACCEPTED = "accepted"
    #: It cannot be read, or its calls were refused.
    FAILED = "failed"


#: Those in which a process works on it.
WORKED = frozenset({ListState.READING, ListState.ACCEPTING})


@dataclass(frozen=True, kw_only=True, slots=True)
class ListWork:
    """A large list, but for its rows."""

    campaign_id: str
    list_id: str
    filename: str
    answers: Answers
    state: ListState
    #: Of its rows, as far as they are known.
    done: int
    total: int
    #: Why it failed.
    fault: str
    #: Whether the process gave no sign of life for a while.
    is_broken_off: bool
    #: Names the pages of rows that are shown; ``None`` before it was read.
    pages: str | None
    #: What is known of it, as JSON has it; empty before it was read.
    summary: Mapping[str, Any]


def is_large(raw: bytes) -> bool:
    """Return whether a file is read outside of the request."""
    if len(raw) > AT_ONCE_BYTES:
        # What is empty is refused at once.
        return bool(raw.strip())
    return max(raw.count(b"\n"), raw.count(b"\r")) > AT_ONCE_ROWS
