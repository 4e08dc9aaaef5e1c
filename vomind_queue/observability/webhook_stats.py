"""How deliveries to webhooks go, all together: plain values, no I/O."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class WebhookStats:
    """Numbers of webhooks at one moment."""

    webhooks: int = 0
    #: Of them, those that ended by themselves: a 410, or days of failure.
    ended: int = 0
    #: Of them, those to which nothing has arrived lately.
    failing: int = 0
    #: Notifiers at work.
    notifiers: int = 0
    #: What did not become an event, ever.
    lost: int = 0

    @property
    def by_state(self) -> Mapping[str, int]:
        """Return how many there are in each state, those that somebody switched off as active."""
        active = self.webhooks - self.ended - self.failing
        return {"active": active, "failing": self.failing, "ended": self.ended}
