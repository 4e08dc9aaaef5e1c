"""Campaigns in Redis, behind one script a request."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from vomind_queue.calls.campaign import Campaign, CampaignCreated, CampaignPage, CampaignView
from vomind_queue.calls.job import IdempotencyKey
from vomind_queue.errors import CampaignNotFound, WrongCampaignState
from vomind_queue.queue import campaign_record, keys
from vomind_queue.queue.call_record import pairs
from vomind_queue.queue.codes import Code
from vomind_queue.queue.connection import RedisStore
from vomind_queue.queue.idempotency_keys import asked, refuse_misuse

#: How often a change is tried again when the campaign was changed meanwhile.
CHANGE_TRIES = 5


class CampaignStore:
    """The campaigns. Everything may raise StoreUnavailable."""

    def __init__(self, store: RedisStore) -> None:
        self._store = store

    def create(self, campaign: Campaign, key: IdempotencyKey | None) -> CampaignCreated:
        """Store a new campaign as a draft. Raise KeyReused."""
        answer = self._store.run_with_deadline(
            "create_campaign", keys.LAST_CAMPAIGN, *asked(key), campaign_record.encode(campaign)
        )
        refuse_misuse(answer)
        return CampaignCreated(id=answer[2], replayed=answer[0] == Code.REPLAY)

    def show(self, campaign_id: str) -> CampaignView:
        """Return a campaign. Raise CampaignNotFound."""
        fields = self._store.ask("HGETALL", keys.campaign(campaign_id))
        if not fields:
            raise CampaignNotFound(campaign_id)
        return campaign_record.view(campaign_id, fields)

    def page(self, start: int, end: int) -> CampaignPage:
        """Return campaigns ``start`` to ``end``, both included, newest first."""
        total, *flat = self._store.read("campaigns_page", [keys.CAMPAIGNS], start, end)
        views = [
            campaign_record.view(campaign_id, pairs(fields))
            for campaign_id, fields in zip(flat[::2], flat[1::2], strict=True)
        ]
        return CampaignPage(views=views, total=total)

    def change(self, campaign_id: str, decide: Callable[[CampaignView], Campaign]) -> None:
        """Make a draft what ``decide`` makes of it. Raise also CampaignNotFound."""
        for _ in range(CHANGE_TRIES):
            old = self.show(campaign_id)
            given = campaign_record.encode(old.campaign), campaign_record.encode(decide(old))
            answer = self._store.run_with_deadline(
                "change_campaign", keys.CAMPAIGNS, campaign_id, *given
            )
            if answer[0] != Code.MISMATCH:
                _refuse(answer, campaign_id, "changed")
                return
        text = f"Campaign {campaign_id} is being changed by others: try again."
        raise WrongCampaignState(text)

    def remove(self, campaign_id: str) -> None:
        """Remove a draft. Raise CampaignNotFound, WrongCampaignState."""
        answer = self._store.run_with_deadline("remove_campaign", keys.CAMPAIGNS, campaign_id)
        _refuse(answer, campaign_id, "deleted")


def _refuse(answer: list[Any], campaign_id: str, deed: str) -> None:
    if answer[0] == Code.MISSING:
        raise CampaignNotFound(campaign_id)
    if answer[0] == Code.WRONG_STATE:
        text = f"Campaign {campaign_id} is {answer[2]}; only a draft can be {deed}."
        raise WrongCampaignState(text)
