"""Campaigns are filled, paused, resumed and cancelled while processes die and uploads break off."""

from __future__ import annotations

import json
import random
import socket
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from tests.chaos.arena import Arena, arena
from tests.chaos.client import Client, Told
from tests.chaos.harm import deeds, havoc, of_process, of_server
from tests.chaos.journal import now_ms
from tests.chaos.scale import Scale
from tests.chaos.verify import Broken, Evidence, fail_on

#: Of how many campaigns one is cancelled.
_CANCELLED = 3
#: How long nothing of a campaign may be answered or ended, s.
_PATIENCE_S = 120


@dataclass(kw_only=True, slots=True)
class Made:
    """A campaign, and what it was answered."""

    id: str
    #: Numbers of its calls, by job id.
    calls: dict[str, str] = field(default_factory=dict)
    #: From the answer to a pause until the resume, unix ms.
    pauses: list[tuple[float, float]] = field(default_factory=list)
    #: When the answer to its cancellation was here, unix ms.
    cancelled_ms: float | None = None
    broken_off: int = 0


def campaigns(scale: Scale, seed: int) -> tuple[str, str]:
    """Ten campaigns at once, some with a pace, others with a priority or weight."""
    many, calls = scale.pick(3, 10, 10), scale.pick(12, 200, 2_000)
    with arena(scale, seed) as made:
        made.start(workers=3)
        made.phone.faults({"fault": "slow", "ms": 20, "when": "after"})
        targets = [of_server(made.server), *map(of_process, made.workers[:2])]
        every_s = scale.pick((1.0, 4.0), (0.5, 4.0), (0.5, 6.0))
        with havoc(made, targets, every_s=every_s, stop_s=(0.1, 1.0)), _crew(many) as crew:
            rngs = [random.Random(f"{seed} {number}") for number in range(many)]
            lives = [
                crew.submit(_live, made, rng, number, calls) for number, rng in enumerate(rngs)
            ]
            ended = [life.result() for life in lives]
        faults = [fault for each in ended for fault in _uneven(made, each)]
        evidence = made.judge(within_s=_PATIENCE_S + calls)
        faults += [fault for each in ended for fault in _faults(each, evidence)]
        pauses = sum(len(each.pauses) for each in ended)
        broken = sum(each.broken_off for each in ended)
        harm = f"{pauses} pauses, {broken} uploads broken off, {deeds(targets)}"
    fail_on(faults)
    rang = sum(map(len, evidence.rings.values()))
    gone = sum(len(each.calls) for each in ended) - rang
    return f"{many} campaigns, {many * calls} calls, {harm}", (
        f"{rang} rang once, {gone} were cancelled with their campaign, none started while its "
        "campaign was paused or cancelled; all numbers add up"
    )


def _crew(many: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(many)


def _live(made: Arena, rng: random.Random, number: int, calls: int) -> Made:
    """One campaign from its creation until its end."""
    client = made.client()
    limits: dict[str, Any] = ({"pace": "40/s"}, {"priority": "high"}, {"weight": 5})[number % 3]
    body = {"name": f"Campaign {number}", "open": True, **limits}
    key = f"campaign {made.seed} {number}"
    answer = _until_done(client, "POST", "/campaigns", body, **{"Idempotency-Key": key})
    campaign = Made(id=answer["campaignId"])
    _steer(client, campaign, "start")
    for part in _parts(calls, rng):
        _break_off(made, campaign, rng)
        # Some before the pause, so that they race it, and some while it lasts.
        _add(made, client, campaign, part - part // 2)
        time.sleep(rng.uniform(0, 0.05))
        _steer(client, campaign, "pause")
        since_ms = now_ms()
        if part > 1:
            _add(made, client, campaign, part // 2)
        time.sleep(rng.uniform(0, 0.2))
        campaign.pauses.append((since_ms, now_ms()))
        _steer(client, campaign, "resume")
    if number % _CANCELLED == 0:
        for job_id in campaign.calls:
            made.journal.maybe_cancel(job_id)
        _steer(client, campaign, "cancel")
        campaign.cancelled_ms = now_ms()
    _until_done(client, "PATCH", f"/campaigns/{campaign.id}", {"open": False}, ended=True)
    return campaign


def _parts(calls: int, rng: random.Random) -> Iterator[int]:
    while calls:
        part = min(calls, rng.randint(1, max(1, calls // 3)))
        yield part
        calls -= part


def _add(made: Arena, client: Client, campaign: Made, count: int) -> None:
    numbers = made.numbers(count)
    key = f"calls {made.seed} {numbers[0]}"
    body = {"calls": [{"to": number} for number in numbers]}
    path = f"/campaigns/{campaign.id}/calls"
    answer = _until_done(client, "POST", path, body, **{"Idempotency-Key": key})
    job_ids = [job["jobId"] for job in answer["jobs"]]
    made.journal.accept(job_ids, numbers)
    campaign.calls |= dict(zip(job_ids, numbers, strict=True))


def _break_off(made: Arena, campaign: Made, rng: random.Random) -> None:
    """Send calls and hang up before the last byte: none of them may ever ring."""
    numbers = made.numbers(rng.randint(1, 20))
    made.journal.refuse(numbers)
    raw = json.dumps({"calls": [{"to": number} for number in numbers]}).encode()
    web = urlsplit(made.stack.web_url)
    head = (
        f"POST /api/queue/campaigns/{campaign.id}/calls HTTP/1.1\r\nHost: {web.netloc}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(raw)}\r\n\r\n"
    )
    with socket.create_connection((web.hostname or "", web.port or 80), timeout=5) as sent:
        sent.sendall(head.encode() + raw[: rng.randrange(len(raw))])
    campaign.broken_off += 1


def _steer(client: Client, campaign: Made, deed: str) -> None:
    _until_done(client, "POST", f"/campaigns/{campaign.id}/{deed}")


def _until_done(
    client: Client,
    method: str,
    path: str,
    body: Any = None,
    *,
    ended: bool = False,
    **headers: str,
) -> dict[str, Any]:
    """Send a request until it is answered: all of these are safe to repeat.

    ``ended``: one that is refused for its campaign's state is done as well.
    """
    deadline = time.monotonic() + _PATIENCE_S
    while time.monotonic() < deadline:
        told, answer = client.ask(method, path, body, **headers)
        is_over = ended and answer is not None and answer.status_code == 409
        if answer is not None and (told is Told.DONE or is_over):
            found: dict[str, Any] = answer.json()
            return found
        time.sleep(0.05)
    raise Broken(f"{method} {path} is not done after {_PATIENCE_S} s")


def _uneven(made: Arena, campaign: Made) -> Sequence[str]:
    """Wait until nothing more is to come of a campaign; what does not add up in its numbers."""
    wanted = "finished" if campaign.cancelled_ms is None else "cancelled"
    deadline = time.monotonic() + _PATIENCE_S + len(campaign.calls)
    shown: dict[str, Any] = {}
    while time.monotonic() < deadline:
        shown = made.api("GET", f"/campaigns/{campaign.id}")
        counts = shown["counts"]
        total = counts.pop("total")
        if total != sum(counts.values()) or total != len(campaign.calls):
            return [f"the numbers of {shown} do not add up to {len(campaign.calls)}"]
        left = sum(counts[part] for part in ("waiting", "delayed", "active"))
        if shown["state"] == wanted and not left:
            return []
        time.sleep(0.1)
    return [f"not {wanted}: {shown}"]


def _faults(campaign: Made, evidence: Evidence) -> list[str]:
    """Starts outside of the campaign's state, and calls that are lost."""
    found = []
    for job_id, number in campaign.calls.items():
        job, rings = evidence.jobs.get(job_id), evidence.rings.get(number, [])
        started = (job or {}).get("processedOn")
        if campaign.cancelled_ms is None and not rings:
            found.append(f"job {job_id} of campaign {campaign.id} never rang: {job}")
        if rings and job is None:
            found.append(f"job {job_id} of campaign {campaign.id} rang and is gone")
        if started is not None and _is_outside(campaign, started):
            found.append(f"job {job_id} started while campaign {campaign.id} stood still: {job}")
    return found


def _is_outside(campaign: Made, started: float) -> bool:
    if campaign.cancelled_ms is not None and started > campaign.cancelled_ms + 1:
        return True
    # The server's clock is read in whole ms.
    return any(since + 1 < started < until - 1 for since, until in campaign.pauses)
