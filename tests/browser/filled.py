"""A queue as on a working day: for the pictures, and for looking at the page by hand."""

from __future__ import annotations

import random
import time
from typing import Any

import redis
import requests

from vomind_queue.queue import keys

MESSAGES = (
    "Good morning, this is Northside Dental. You have an appointment tomorrow at nine.",
    "Hello from Harbor Clinic: your prescription is ready to be picked up.",
    "This is Maple Street Garage. Your car is ready; we are open until six.",
    "A reminder from Brightwater Utilities: your meter is read on Thursday.",
)
CAMPAIGNS = ("reminders", "pickups", "surveys")
#: The numbers at which the simulator is busy, does not answer, is a machine, refuses.
SPECIAL = ("+15005550011", "+15005550012", "+15005550014", "+15005550001", "+15005550002")


def number(rng: random.Random) -> str:
    """Return one of the numbers that are kept for stories."""
    return f"+1{rng.choice((202, 312, 415, 617, 718))}55501{rng.randrange(100):02d}"


def calls(rng: random.Random, count: int, **fields: Any) -> list[dict[str, Any]]:
    """Calls to such numbers."""
    return [
        {
            "to": number(rng),
            "message": rng.choice(MESSAGES),
            "lead_id": f"L-{rng.randrange(20_000, 30_000)}",
            "priority": rng.choices(("high", "normal", "low"), (1, 5, 2))[0],
            "metadata": {"campaign": rng.choice(CAMPAIGNS)},
            **fields,
        }
        for _ in range(count)
    ]


def special(rng: random.Random, count: int) -> list[dict[str, Any]]:
    """Calls that do not go well."""
    made = calls(rng, count)
    for at, call in enumerate(made):
        call["to"] = SPECIAL[at % len(SPECIAL)]
    return made


def recurring(queue: str, rng: random.Random) -> None:
    """A few recurring calls, one of them paused."""
    patterns = (
        ("0 9 * * 1-5", "Europe/Berlin"),
        ("30 7 * * *", "America/New_York"),
        ("0 18 1 * *", "UTC"),
        ("*/20 8-17 * * 1-5", "America/Chicago"),
    )
    for pattern, zone in patterns:
        (call,) = calls(rng, 1)
        body = {**call, "cronExpression": pattern, "timezone": zone}
        job = requests.post(f"{queue}/schedule-recurring-call", json=body, timeout=30).json()
    requests.post(f"{queue}/job/{job['jobId']}/pause", timeout=30)


def the_hour_before(client: redis.Redis, rng: random.Random, most: int) -> None:
    """What was counted in the minutes before now: an hour cannot be waited for."""
    this = int(time.time() // 60)
    for minute in range(this - 59, this):
        wave = 0.62 + 0.3 * ((minute * 7) % 23) / 23
        starts = min(most, max(0, round(most * wave + rng.gauss(0, most / 12))))
        name = f"{keys.MINUTE}{minute}"
        for _ in range(starts):
            client.hincrby(name, f"w{rng.choices((16, 18, 21, 25, 29), (4, 6, 5, 3, 1))[0]}", 1)
            words = ("completed", "machine", "no-answer", "busy", "failed", "not-placed")
            client.hincrby(name, rng.choices(words, (62, 14, 12, 7, 2, 2))[0], 1)
        client.pexpire(name, 3_900_000)
