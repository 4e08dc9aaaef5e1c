"""A call that comes too late never rings: through real web, worker, Valkey and simulator."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from tests.acceptance.conftest import Api, number
from tests.simulator import SimulatorClient
from tests.stack import Stack

#: Long enough for some requests before it on a busy machine.
SOON = timedelta(seconds=6)
LATER = timedelta(hours=1)


def from_now(wait: timedelta) -> str:
    """A latest start."""
    return (datetime.now(UTC) + wait).isoformat(timespec="milliseconds")


def expired(api: Api, job_id: str) -> dict[str, Any]:
    """Wait until a call has failed because it came too late."""
    job = api.until_state(job_id, "failed")
    assert job["failedKind"] == "expired"
    assert job["finishedAt"] > job["notAfter"]
    return job


def rung(phone: SimulatorClient) -> list[str]:
    """The numbers that rang."""
    return sorted(ring["to"] for ring in phone.rings())


def test_it_expires_while_it_is_paused_delayed_or_changed(
    fast: Stack, api: Api, phone: SimulatorClient
) -> None:
    """Whatever holds it back, it ends at its time; a change that was answered holds."""
    fast.start_worker()
    api("POST", "/pause")
    paused = api.schedule(number(1), notAfter=from_now(SOON))
    moved_on = api.schedule(number(2), notAfter=from_now(SOON))
    api("PATCH", f"/job/{moved_on}", {"notAfter": from_now(LATER)})
    moved_up = api.schedule(number(3))
    api("PATCH", f"/job/{moved_up}", {"notAfter": from_now(SOON)})
    later = api(
        "POST",
        "/schedule-delayed-call",
        {"to": number(4), "delayMs": 60_000, "notAfter": from_now(LATER)},
    )["jobId"]
    too_soon = api.ask("PATCH", f"/job/{later}", {"notAfter": from_now(SOON)})
    assert too_soon.status_code == 422
    for job_id in (paused, moved_up):
        assert "The queue is paused." in expired(api, job_id)["failedReason"]
    assert expired(api, paused)["attempts"] == []
    assert (api.job(moved_on)["state"], api.job(later)["state"]) == ("waiting", "delayed")
    # Twilio takes no call now, and asks for a minute: the next attempt would be too late.
    phone.faults({"fault": "error", "status": 429, "retry_after": 60, "to": number(5)})
    refused = api.schedule(number(5), notAfter=from_now(SOON))
    api("POST", "/resume")
    assert "Before that: " in expired(api, refused)["failedReason"]
    phone.mend()
    api.until_state(moved_on, "completed")
    assert rung(phone) == [number(2)]


def test_it_expires_behind_a_full_rate_limit(fast: Stack, phone: SimulatorClient) -> None:
    """By its own time or by the setting; one that is retried with a later time rings."""
    fast.settings.update(CALL_EXPIRY="6s", CALL_RATE_LIMIT="1/h")
    fast.start_web()
    worker, api = fast.start_worker(), Api(fast.queue_url)
    api.until_state(api.schedule(number(1)), "completed")
    own = api.schedule(number(2), notAfter=from_now(SOON))
    by_setting = api.schedule(number(3))
    later = api.schedule(number(4), notAfter=from_now(LATER))
    for job_id in (own, by_setting):
        expired(api, job_id)
    assert api.job(later)["state"] == "waiting"
    assert api.ask("POST", f"/job/{own}/retry").status_code == 409
    api("POST", f"/job/{own}/retry", {"notAfter": from_now(LATER)})
    assert rung(phone) == [number(1)]
    worker.stop()
    fast.start_worker(CALL_RATE_LIMIT="off")
    for job_id in (own, later):
        api.until_state(job_id, "completed")
    assert rung(phone) == [number(1), number(2), number(4)]
