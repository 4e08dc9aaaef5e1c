"""A dry run says when each call will ring; then they ring."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from tests.chaos.arena import Arena, arena
from tests.chaos.journal import now_ms
from tests.chaos.scale import Scale
from tests.chaos.verify import fail_on

#: How long a call lasts at the simulator, ms.
_LASTS_MS = 6_000
#: How long after the beginning some are due, ms.
_LATER_MS = 30_000
#: Calls of none that wait when the campaigns begin.
_BESIDE = 60
#: How far a ring may be from what was said, as a share of the time that all take.
_CLOSE = 0.01


def dry_run(scale: Scale, seed: int) -> tuple[str, str]:
    """Two campaigns with weight, pace and a most at a time, beside calls of none."""
    calls = scale.pick(20, 150, 450)
    with arena(scale, seed) as made:
        made.start(
            workers=2,
            CALL_RATE_LIMIT="20/10s",
            CALL_WORKER_CONCURRENCY="20",
            PUBLIC_URL=made.stack.web_url,
        )
        begins_ms = now_ms() + scale.pick(10_000, 20_000, 20_000)
        campaigns = [
            _campaign(made, begins_ms, pace="100/m"),
            _campaign(made, begins_ms, weight=2, maxConcurrent=6),
        ]
        for each in campaigns:
            _fill(made, each, begins_ms, calls)
        made.client().add(made.numbers(_BESIDE))
        said = {to: at for each in campaigns for to, at in _said(made, each).items()}
        fail_on(["the dry runs took too long to be of use"] if now_ms() > begins_ms else [])
        made.until_quiet(within_s=120 + 2 * calls)
        rings = {ring["to"]: ring["at"] for ring in made.phone.rings()}
    lasted_ms = max(rings.values()) - begins_ms
    apart = sorted(abs(rings[to] - at) for to, at in said.items())
    far = [to for to, at in said.items() if abs(rings[to] - at) > _CLOSE * lasted_ms]
    fail_on([f"{to} rang {rings[to] - said[to]:+.0f} ms from what was said" for to in far])
    half, worst = (
        f"{ms:.0f} ms ({ms / lasted_ms:.2%})" for ms in (apart[len(apart) // 2], apart[-1])
    )
    return f"{2 * calls + _BESIDE} calls in {lasted_ms / 1000:.0f} s", (
        f"half of the rings within {half} of what was said, all within {worst}"
    )


def _campaign(made: Arena, begins_ms: float, **limits: Any) -> str:
    body = {"name": "Said before", "startAt": _iso(begins_ms), "message": "Hello.", **limits}
    return str(made.api("POST", "/campaigns", body)["campaignId"])


def _fill(made: Arena, campaign_id: str, begins_ms: float, calls: int) -> None:
    """Some are urgent, some due later."""
    body: list[dict[str, Any]] = [{"to": number} for number in made.numbers(calls)]
    for each in body[::10]:
        each["priority"] = "high"
    for each in body[5::10]:
        each["scheduleAt"] = _iso(begins_ms + _LATER_MS)
    made.api("POST", f"/campaigns/{campaign_id}/calls", {"calls": body})
    made.api("POST", f"/campaigns/{campaign_id}/start")


def _said(made: Arena, campaign_id: str) -> Mapping[str, float]:
    path = f"/campaigns/{campaign_id}/preview?limit=1000"
    found = made.api("POST", path, {"durationMs": _LASTS_MS})
    return {each["to"]: _unix_ms(each["at"]) for each in found["calls"]}


def _iso(unix_ms: float) -> str:
    return datetime.fromtimestamp(unix_ms / 1000, UTC).isoformat()


def _unix_ms(text: str) -> float:
    return datetime.fromisoformat(text).timestamp() * 1000
