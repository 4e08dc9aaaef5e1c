"""A campaign: many calls with a name that are steered together. Plain values, no I/O."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from vomind_queue.calls.call import DEFAULT_MESSAGE, OPTIONS, Call, Priority


class CampaignState(StrEnum):
    """Where a campaign is."""

    #: Being put together; none of its calls starts.
    DRAFT = "draft"


@dataclass(frozen=True, kw_only=True, slots=True)
class Campaign:
    """A campaign as an app asked for it."""

    #: For people, 1 to 200 characters; two may have the same.
    name: str
    #: ISO 3166 code of the country in which numbers without a country code are; ``None``: such
    #: numbers cannot be read.
    country: str | None = None
    #: Priority of its calls that name none.
    priority: Priority = Priority.NORMAL
    #: What else its calls say that do not say it themselves: fields of a call, by their names in
    #: JSON.
    defaults: Mapping[str, Any] = field(default_factory=dict)

    def as_data(self) -> dict[str, Any]:
        """Return the campaign as the REST API shows it under ``data``."""
        return {
            "name": self.name,
            "country": self.country,
            "priority": str(self.priority),
            **self.defaults,
        }

    def call_to(self, number: str) -> Call:
        """Return a call that says no more than the campaign."""
        options = {
            own: self.defaults[name] for name, own in OPTIONS.items() if name in self.defaults
        }
        message = self.defaults.get("message", DEFAULT_MESSAGE)
        return Call(to=number, message=message, priority=self.priority, **options)

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> Campaign:
        """Return the inverse of :meth:`as_data`."""
        rest = dict(data)
        return cls(
            name=rest.pop("name"),
            country=rest.pop("country"),
            priority=Priority(rest.pop("priority")),
            defaults=rest,
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class CampaignView:
    """A campaign with its state."""

    #: Decimal string, never given out twice.
    id: str
    state: CampaignState
    campaign: Campaign
    #: When it was created, unix ms.
    created_ms: int


@dataclass(frozen=True, kw_only=True, slots=True)
class CampaignPage:
    """A slice of all campaigns, newest first."""

    views: Sequence[CampaignView]
    #: Number of all campaigns.
    total: int


@dataclass(frozen=True, kw_only=True, slots=True)
class CampaignCreated:
    """What is answered to the request that created a campaign, and to its repetitions."""

    id: str
    #: Whether an earlier request with the same idempotency key created it.
    replayed: bool
