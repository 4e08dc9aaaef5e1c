"""Campaigns with weights share the limit, and one that had nothing to do catches nothing up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from tests.chaos.arena import Arena, arena
from tests.chaos.scale import Scale
from tests.chaos.verify import fail_on, listed
from tests.stack import until

#: Starts of one window, and windows; half of them before the idle campaign has calls.
_STARTS, _WINDOWS = 60, 10
#: Weights of the campaigns; the last one has nothing to place at first.
_WEIGHTS = (1, 2, 1, 4)
#: How far a share may be from its weight's.
_CLOSE = 0.02
#: Urgent calls in the middle of the second half.
_URGENT = 10


def shares(scale: Scale, seed: int) -> tuple[str, str]:
    """Weights 1:2:1, then a fourth of 4 that was idle; urgent calls come first."""
    window_ms, slots = scale.pick(1_000, 6_000, 60_000), 10
    rate, half = f"{_STARTS}/{window_ms}ms", _STARTS * _WINDOWS // 2
    with arena(scale, seed) as made:
        made.start(workers=2, CALL_RATE_LIMIT=rate, CALL_WORKER_CONCURRENCY=str(slots))
        made.phone.outcomes({"outcome": "human", "pace": 0.1})
        made.api("POST", "/pause")
        campaigns = [_campaign(made, weight) for weight in _WEIGHTS]
        for each in campaigns[:-1]:
            _add(made, each, half * 2)
        made.api("POST", "/resume")
        patience_s = 60 + _WINDOWS * window_ms / 1000
        _until_started(made, half, patience_s)
        _add(made, campaigns[-1], half * 2)
        _until_started(made, half + half // 2, patience_s)
        made.client().add(made.numbers(_URGENT), priority="high")
        _until_started(made, 2 * half + _URGENT, patience_s)
        made.api("POST", "/pause")
        jobs = _started(made)
    order = [str(job["campaignId"]) for job in jobs if "campaignId" in job]
    since = order.index(campaigns[-1])
    parts = [order[:since], order[since : since + half - slots]]
    weights = dict(zip(campaigns, _WEIGHTS, strict=True))
    fail_on(
        [
            *_uneven(parts[0], {each: weights[each] for each in campaigns[:-1]}),
            *_uneven(parts[1], weights),
            *_overtaken(jobs, 2 * slots),
        ]
    )
    said = " and ".join(_shares(part, campaigns) for part in parts)
    return f"{rate}, {len(jobs)} starts", f"shares {said}; {_URGENT} urgent calls came first"


def _campaign(made: Arena, weight: int) -> str:
    body = {"name": f"Weight {weight}", "weight": weight, "open": True, "message": "Hello."}
    campaign_id = str(made.api("POST", "/campaigns", body)["campaignId"])
    made.api("POST", f"/campaigns/{campaign_id}/start")
    return campaign_id


def _add(made: Arena, campaign_id: str, count: int) -> None:
    calls = [{"to": number} for number in made.numbers(count)]
    made.api("POST", f"/campaigns/{campaign_id}/calls", {"calls": calls})


def _until_started(made: Arena, count: int, within_s: float) -> None:
    def have() -> bool:
        stats = made.api.stats()
        return bool(stats["completed"] + stats["active"] >= count)

    until(have, within_s=within_s, what=f"{count} calls have started")


def _started(made: Arena) -> Sequence[Mapping[str, Any]]:
    """Return the calls that started, in that order."""
    jobs = listed(made.api)[0].values()
    return sorted((job for job in jobs if job["processedOn"]), key=lambda job: job["processedOn"])


def _uneven(order: Sequence[str], weights: Mapping[str, int]) -> list[str]:
    """What is wrong with the shares, in all and at the beginning: nobody has saved anything up."""
    faults, heavy = [], sum(weights.values())
    for part, close in ((order, _CLOSE), (order[:_STARTS], 3 * _CLOSE)):
        found = Counter(part)
        faults += [
            f"campaign {each} of weight {weight}: {found[each]} of {len(part)} starts"
            for each, weight in weights.items()
            if abs(found[each] / len(part) - weight / heavy) > close
        ]
    return faults


def _overtaken(jobs: Sequence[Mapping[str, Any]], slots: int) -> list[str]:
    """Urgent calls that had to wait for more than what workers held already."""
    urgent = [job for job in jobs if job["priority"] == "high"]
    since = min(job["timestamp"] for job in urgent)
    last = max(job["processedOn"] for job in urgent)
    between = [job for job in jobs if since < job["processedOn"] < last]
    others = len(between) - len(urgent)
    return [f"{others} calls started before urgent ones"] if others > slots else []


def _shares(order: Sequence[str], campaigns: Sequence[str]) -> str:
    found = Counter(order)
    return ":".join(f"{found[each] / len(order):.1%}" for each in campaigns if found[each])
