"""Campaigns: given calls, started, paused, resumed and cancelled."""

from __future__ import annotations

import hypothesis.strategies as st
import pytest
from hypothesis.stateful import precondition, rule

from tests.integration.conftest import new
from tests.integration.queue.model.bench import (
    HOUR_MS,
    MOST_JOBS,
    PICKS,
    Bench,
    CampaignModel,
    Model,
)
from vomind_queue.calls.call import Priority, State
from vomind_queue.calls.campaign import Campaign, CampaignState
from vomind_queue.errors import WrongCampaignState

#: From which states each may be done, and to which state it leads.
DEEDS = {
    "start": ({CampaignState.DRAFT}, CampaignState.RUNNING),
    "pause": ({CampaignState.RUNNING}, CampaignState.PAUSED),
    "resume": ({CampaignState.PAUSED}, CampaignState.RUNNING),
    "cancel": (
        {CampaignState.DRAFT, CampaignState.RUNNING, CampaignState.PAUSED},
        CampaignState.CANCELLED,
    ),
}
ENDED = {CampaignState.FINISHED, CampaignState.CANCELLED}


class Campaigns(Bench):
    """A few campaigns beside calls of none."""

    @rule(weight=st.integers(1, 3))
    def create(self, weight: int) -> None:
        """A draft, unless there are enough that have not ended."""
        if sum(each.state not in ENDED for each in self.campaigns.values()) < 2:
            made = self.campaign_store.create(Campaign(name="One", weight=weight), None)
            self.campaigns[made.id] = CampaignModel()

    @precondition(lambda self: self.campaigns)
    @rule(
        pick=PICKS,
        priorities=st.lists(st.sampled_from(Priority), min_size=1, max_size=2),
        later=st.sampled_from([False, False, True]),
    )
    def give_calls(self, pick: int, priorities: list[Priority], later: bool) -> None:
        """Calls come in for one that has not ended."""
        campaign_id = sorted(self.campaigns)[-1 - pick % min(len(self.campaigns), 3)]
        campaign = self.campaigns[campaign_id]
        times = {"delay_ms": HOUR_MS} if later else {}
        news = [new(self.number(), priority, **times) for priority in priorities]
        if campaign.state in ENDED:
            with pytest.raises(WrongCampaignState):
                self.queue.add(news, campaign=campaign_id)
            return
        if len(self.model) > MOST_JOBS:
            return
        state = State.DELAYED if later else State.WAITING
        ids = self.queue.add(news, campaign=campaign_id).job_ids
        campaign.total += len(ids)
        for job_id, priority in zip(ids, priorities, strict=True):
            self.model[job_id] = Model(priority=priority, state=state, campaign=campaign_id)

    @precondition(lambda self: self.campaigns)
    @rule(
        pick=PICKS, deed=st.sampled_from(["start", "start", "pause", "resume", "resume", "cancel"])
    )
    def steer(self, pick: int, deed: str) -> None:
        """Each leads to its state, or is refused; done again, it changes nothing."""
        campaign_id = sorted(self.campaigns)[-1 - pick % min(len(self.campaigns), 3)]
        campaign = self.campaigns[campaign_id]
        allowed, to = DEEDS[deed]
        if campaign.state in allowed:
            assert self.campaign_store.steer(campaign_id, deed, "ann")
            campaign.state = to
        elif campaign.state is to:
            assert not self.campaign_store.steer(campaign_id, deed, "ann")
        else:
            with pytest.raises(WrongCampaignState):
                self.campaign_store.steer(campaign_id, deed, "ann")
