"""Create campaigns, steer them and look at them."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Protocol

from vomind_queue.calls.campaign import Campaign, CampaignCreated, CampaignPage, CampaignView
from vomind_queue.calls.job import IdempotencyKey
from vomind_queue.usecases.deeds import Deeds

logger = logging.getLogger(__name__)


class Store(Protocol):
    """Where campaigns are kept."""

    def create(self, campaign: Campaign, key: IdempotencyKey | None) -> CampaignCreated: ...
    def show(self, campaign_id: str) -> CampaignView: ...
    def page(self, start: int, end: int) -> CampaignPage: ...
    def change(self, campaign_id: str, decide: Callable[[CampaignView], Campaign]) -> None: ...
    def remove(self, campaign_id: str) -> None: ...


class Campaigns:
    """The campaigns. Everything may raise StoreUnavailable."""

    def __init__(self, store: Store, deeds: Deeds) -> None:
        self._store = store
        self._deeds = deeds

    def create(
        self, campaign: Campaign, by: str, key: IdempotencyKey | None = None
    ) -> CampaignCreated:
        """Create a campaign as a draft. Raise KeyReused."""
        created = self._store.create(campaign, key)
        if not created.replayed:
            self._note(by, "created", created.id)
        return created

    def show(self, campaign_id: str) -> CampaignView:
        """Return a campaign. Raise CampaignNotFound."""
        return self._store.show(campaign_id)

    def page(self, start: int, end: int) -> CampaignPage:
        """Return campaigns ``start`` to ``end``, both included, newest first."""
        return self._store.page(start, end)

    def change(
        self, campaign_id: str, decide: Callable[[CampaignView], Campaign], by: str
    ) -> CampaignView:
        """Change a draft. Raise CampaignNotFound, WrongCampaignState, or as ``decide``."""
        self._store.change(campaign_id, decide)
        self._note(by, "changed", campaign_id)
        return self._store.show(campaign_id)

    def remove(self, campaign_id: str, by: str) -> None:
        """Remove a draft. Raise CampaignNotFound, WrongCampaignState."""
        self._store.remove(campaign_id)
        self._note(by, "deleted", campaign_id)

    def _note(self, by: str, act: str, campaign_id: str) -> None:
        self._deeds.note(by, f"campaign {act}", campaign=campaign_id)
        logger.info("📞 ⏰ campaign %s", act, extra={"campaign_id": campaign_id})
