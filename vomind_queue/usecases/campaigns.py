"""Create campaigns, steer them and look at them."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Protocol

from vomind_queue.calls.call import NewCall, State
from vomind_queue.calls.campaign import (
    Campaign,
    CampaignCalls,
    CampaignCreated,
    CampaignPage,
    CampaignView,
)
from vomind_queue.calls.job import IdempotencyKey, Receipt
from vomind_queue.usecases.deeds import Deeds

logger = logging.getLogger(__name__)


class Store(Protocol):
    """Where campaigns are kept."""

    def create(self, campaign: Campaign, key: IdempotencyKey | None) -> CampaignCreated: ...
    def show(self, campaign_id: str) -> CampaignView: ...
    def page(self, start: int, end: int) -> CampaignPage: ...
    def change(self, campaign_id: str, decide: Callable[[CampaignView], Campaign]) -> None: ...
    def remove(self, campaign_id: str) -> None: ...
    def steer(self, campaign_id: str, deed: str, by: str) -> bool: ...
    def calls(
        self, campaign_id: str, states: Sequence[State], after: str | None, limit: int
    ) -> CampaignCalls: ...


class Inbox(Protocol):
    """Where calls are stored."""

    def add(
        self, news: Sequence[NewCall], key: IdempotencyKey | None = None, *, campaign: str = ""
    ) -> Receipt: ...


class Campaigns:
    """The campaigns. Everything may raise StoreUnavailable."""

    def __init__(self, store: Store, inbox: Inbox, deeds: Deeds) -> None:
        self._store = store
        self._inbox = inbox
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
        """Change one that has not ended.

        Raise CampaignNotFound, WrongCampaignState, or as ``decide``.
        """
        self._store.change(campaign_id, decide)
        self._note(by, "changed", campaign_id)
        return self._store.show(campaign_id)

    def remove(self, campaign_id: str, by: str) -> None:
        """Remove a draft without calls, or one that has ended.

        Raise CampaignNotFound, WrongCampaignState.
        """
        self._store.remove(campaign_id)
        self._note(by, "deleted", campaign_id)

    def add_calls(
        self, campaign_id: str, news: Sequence[NewCall], key: IdempotencyKey | None = None
    ) -> Receipt:
        """Give a campaign calls, all or none.

        Raise KeyReused, CampaignNotFound, WrongCampaignState.
        """
        receipt = self._inbox.add(news, key, campaign=campaign_id)
        if not receipt.replayed:
            logger.info(
                "📞 ⏰ %d calls added to a campaign", len(news), extra={"campaign_id": campaign_id}
            )
        return receipt

    def calls(
        self, campaign_id: str, states: Sequence[State], after: str | None, limit: int
    ) -> CampaignCalls:
        """Return a page of a campaign's calls. Raise CampaignNotFound."""
        return self._store.calls(campaign_id, states, after, limit)

    def start(self, campaign_id: str, by: str) -> CampaignView:
        """Let the calls of a draft start. Raise CampaignNotFound, WrongCampaignState."""
        return self._steer(campaign_id, "start", "started", by)

    def pause(self, campaign_id: str, by: str) -> CampaignView:
        """Let no call of it start until `resume`. Raise CampaignNotFound, WrongCampaignState."""
        return self._steer(campaign_id, "pause", "paused", by)

    def resume(self, campaign_id: str, by: str) -> CampaignView:
        """Let its calls start again. Raise CampaignNotFound, WrongCampaignState."""
        return self._steer(campaign_id, "resume", "resumed", by)

    def cancel(self, campaign_id: str, by: str) -> CampaignView:
        """Cancel its calls that have not started. Raise CampaignNotFound, WrongCampaignState."""
        return self._steer(campaign_id, "cancel", "cancelled", by)

    def _steer(self, campaign_id: str, deed: str, done: str, by: str) -> CampaignView:
        if self._store.steer(campaign_id, deed, by):
            self._note(by, done, campaign_id)
        return self._store.show(campaign_id)

    def _note(self, by: str, act: str, campaign_id: str) -> None:
        self._deeds.note(by, f"campaign {act}", campaign=campaign_id)
        logger.info("📞 ⏰ campaign %s", act, extra={"campaign_id": campaign_id})
