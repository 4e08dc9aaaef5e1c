"""The record of a campaign in Redis, and the campaign that it means.

Fields of the hash:

============  ==================================================================
``data``      the campaign as the app asked for it, JSON
``weight``    the weight in it, for the scripts
``open``      1 where it stays running when it has no calls left
``pace``      how many of its calls may start, a colon, and in which time, ms
``most``      how many of its calls may be placed or on the line at a time
``startat``   when its calls may start, unix ms
``endat``     when it ends, unix ms
``hours``     when its calls may start, on the clocks of the people called
``timeup``    1 once it has ended for that; ``log`` where it finished after this server's data were
              written, as the call log says
``state``     as in `CampaignState`
``at``        when it was created, unix ms
``started``   when it was started, unix ms
``ended``     when it finished or was cancelled, unix ms
``by``        who started, paused, resumed or cancelled it last
``n:total``   all calls that it was given
``n:<part>``  how many of them are where, as in `Part`
``turn:<r>``  its virtual time in the priority of that rank, while it has no turn there
``swept``     how far the removal of its calls is, once it was cancelled: index of a range, and
              of a call in that; ``once``: all were looked at, and workers hold some
============  ==================================================================
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from vomind_queue.calls.campaign import Campaign, CampaignState, CampaignView, Part
from vomind_queue.encoding import compact
from vomind_queue.queue.call_record import number


def encode(campaign: Campaign) -> str:
    """Return the ``data`` field of a campaign."""
    return compact(campaign.as_data()).decode()


def settings(campaign: Campaign) -> tuple[Any, ...]:
    """Return what the scripts store: the data, then fields and values; empty for absent."""
    pace = campaign.pace
    fields: dict[str, Any] = {
        "weight": campaign.weight,
        "open": int(campaign.open),
        "pace": f"{pace.max_starts}:{pace.window_ms}" if pace else "",
        "most": _or_empty(campaign.max_concurrent),
        "startat": _or_empty(campaign.start_ms),
        "endat": _or_empty(campaign.end_ms),
        "hours": campaign.hours or "",
    }
    return encode(campaign), *(value for pair in fields.items() for value in pair)


def _or_empty(number: int | None) -> int | str:
    return "" if number is None else number


def view(campaign_id: str, fields: Mapping[str, str]) -> CampaignView:
    """Return the campaign that a record means."""
    return CampaignView(
        id=campaign_id,
        state=CampaignState(fields["state"]),
        campaign=Campaign.from_data(json.loads(fields["data"])),
        created_ms=int(fields["at"]),
        started_ms=number(fields, "started"),
        ended_ms=number(fields, "ended"),
        steered_by=fields.get("by"),
        total=int(fields.get("n:total", 0)),
        parts={part: int(fields.get(f"n:{part}", 0)) for part in Part},
    )
