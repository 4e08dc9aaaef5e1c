"""How deliveries to webhooks go, all together: plain values, no I/O."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


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
    #: Age of the oldest event that a webhook has not come to, ms.
    lag_ms: int = 0
    #: What became of deliveries, ever.
    totals: Mapping[str, int] = field(default_factory=dict)

    @property
    def by_result(self) -> Mapping[str, int]:
        """Return how many deliveries arrived, and how many failed."""
        results = {"arrived": "delivered", "failed": "failed"}
        return {result: self.totals.get(name, 0) for result, name in results.items()}

    @property
    def undelivered(self) -> int:
        """Return how many events some webhook never gets: given up, or not kept for long enough."""
        return self.totals.get("missed", 0) + self.totals.get("abandoned", 0)

    @property
    def by_state(self) -> Mapping[str, int]:
        """Return how many there are in each state, those that somebody switched off as active."""
        active = self.webhooks - self.ended - self.failing
        return {"active": active, "failing": self.failing, "ended": self.ended}
