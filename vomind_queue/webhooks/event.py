"""One event, and the body that all its deliveries have."""

from __future__ import annotations

import json
from dataclasses import dataclass

from vomind_queue.calls.instants import iso
from vomind_queue.encoding import compact


@dataclass(frozen=True, kw_only=True, slots=True)
class Event:
    """What happened, as it is kept until it is delivered."""

    #: Grows by one with each event.
    sequence: int
    #: One of `event_types.TYPES`.
    type: str
    #: When it happened, unix ms.
    at_ms: int
    #: Id of the call that it is about; empty for others.
    call: str
    #: Id of the campaign that it is about, or that its call belongs to; empty for others.
    campaign: str = ""
    #: What is told, as JSON, without the words of the call.
    data: str
    #: The words of the call by their fields, as JSON: for those who ask for them.
    words: str = "{}"

    @property
    def id(self) -> str:
        """The same for each delivery of it."""
        return f"evt_{self.sequence}"

    @property
    def lane(self) -> str:
        """Events of one lane are delivered in their order, one at a time."""
        area = self.type.partition(".")[0]
        return self.call or f"{area}:{self.campaign}"

    def body(self, *, with_words: bool) -> bytes:
        """Return what is sent: made of what is kept alone, so that it never changes."""
        data = self.data
        if with_words and self.words != "{}":
            shown = json.loads(data)
            shown["data"] |= json.loads(self.words)
            data = compact(shown).decode()
        head = compact({"type": self.type, "timestamp": iso(self.at_ms), "sequence": self.sequence})
        return head[:-1] + b',"data":' + data.encode() + b"}"
