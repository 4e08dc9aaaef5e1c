"""Campaigns through a real web process, worker, Valkey and simulator."""

from __future__ import annotations

from tests.acceptance.conftest import Api, calls, number
from tests.simulator import SimulatorClient
from tests.stack import Stack, until


def counts(api: Api, campaign_id: str) -> dict[str, int]:
    """Where the calls of a campaign are; the parts sum to the total."""
    found: dict[str, int] = api("GET", f"/campaigns/{campaign_id}")["counts"]
    assert found["total"] == sum(found.values()) - found["total"]
    return {part: count for part, count in found.items() if count and part != "total"}


def test_a_campaign_places_its_calls(fast: Stack, api: Api, phone: SimulatorClient) -> None:
    """Each rings once; of one that is paused none does, and a worker removes what is cancelled."""
    paused, running = (
        api("POST", "/campaigns", {"name": name})["campaignId"] for name in ("One", "Two")
    )
    for campaign_id, part in ((paused, calls(20)[:10]), (running, calls(20)[10:])):
        api("POST", f"/campaigns/{campaign_id}/calls", {"calls": part})
        api("POST", f"/campaigns/{campaign_id}/start")
    api("POST", f"/campaigns/{paused}/pause")
    fast.start_worker()
    until(
        lambda: "waiting" not in counts(api, running) and "active" not in counts(api, running),
        within_s=60,
        what="all calls of the running campaign are placed",
    )
    assert sorted(ring["to"] for ring in phone.rings()) == [number(i) for i in range(10, 20)]
    assert counts(api, paused) == {"waiting": 10}
    api("POST", f"/campaigns/{paused}/cancel")
    until(
        lambda: counts(api, paused) == {"cancelled": 10},
        within_s=60,
        what="the calls of the cancelled campaign are removed",
    )
    assert len(phone.rings()) == 10
