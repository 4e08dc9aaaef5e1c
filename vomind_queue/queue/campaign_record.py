"""The record of a campaign in Redis, and the campaign that it means.

Fields of the hash:

============  ==================================================================
``data``      the campaign as the app asked for it, JSON
``state``     as in `CampaignState`
``at``        when it was created, unix ms
============  ==================================================================
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from vomind_queue.calls.campaign import Campaign, CampaignState, CampaignView
from vomind_queue.encoding import compact


def encode(campaign: Campaign) -> str:
    """Return the ``data`` field of a campaign."""
    return compact(campaign.as_data()).decode()


def view(campaign_id: str, fields: Mapping[str, str]) -> CampaignView:
    """Return the campaign that a record means."""
    return CampaignView(
        id=campaign_id,
        state=CampaignState(fields["state"]),
        campaign=Campaign.from_data(json.loads(fields["data"])),
        created_ms=int(fields["at"]),
    )
