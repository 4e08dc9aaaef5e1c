"""What Prometheus is told: the truth, and nothing about anybody."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.integration.api.conftest import Api
from tests.integration.conftest import begin, place, taken
from vomind_queue.calls.attempts import Kind
from vomind_queue.calls.decisions import AttemptResult, Decision
from vomind_queue.queue.worker_queue import WorkerQueue


def samples(api: Api, **options: str) -> dict[str, float]:
    """All samples by name and labels, as they are written."""
    answer = api.web.get("/metrics", headers=options)
    assert answer.status_code == 200
    text = answer.get_data(as_text=True)
    found = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            labels = ",".join(f"{key}={value}" for key, value in sorted(sample.labels.items()))
            found[f"{sample.name}{{{labels}}}"] = sample.value
    return found


def test_a_call_is_counted_at_each_step(api: Api, worker_queue: WorkerQueue) -> None:
    """In the state where it is, in what happened to it, and in how long that took."""
    job = api.post("/schedule-call", {"to": "+15550000001"}).get_json()["jobId"]
    shown = samples(api)
    assert shown["vomind_calls{state=waiting}"] == 1
    assert shown["vomind_call_events_total{event=accepted}"] == 1
    assert shown["vomind_starts_total{}"] == 0
    assert taken(worker_queue) == [job]
    place(worker_queue, job)
    shown = samples(api)
    assert shown["vomind_calls{state=completed}"] == 1
    assert shown["vomind_starts_total{}"] == 1
    assert shown["vomind_wait_seconds_count{}"] == 1
    assert shown["vomind_wait_seconds_bucket{le=+Inf}"] == 1
    # It was wanted at once: it cannot be late.
    assert shown["vomind_lateness_seconds_count{}"] == 0
    assert shown["vomind_workers{}"] == 1


def test_a_bulk_counts_as_its_calls(api: Api) -> None:
    """However few entries the log needs for them."""
    calls = [{"to": f"+1555{number:07d}"} for number in range(1_200)]
    api.post("/schedule-bulk-calls", {"calls": calls})
    assert samples(api)["vomind_call_events_total{event=accepted}"] == 1_200


def test_lateness_is_that_of_the_first_start(api: Api, worker_queue: WorkerQueue) -> None:
    """Of calls for a given time; a further attempt is not late."""
    job = api.post("/schedule-delayed-call", {"to": "+15550000001", "delayMs": 1}).get_json()
    for expected in (1, 1):
        while not taken(worker_queue):
            pass
        started = begin(worker_queue, job["jobId"])
        worker_queue.finish(
            started, Decision(result=AttemptResult.AGAIN, reason="busy", kind=Kind.REFUSED)
        )
        worker_queue.release(job["jobId"])
        assert samples(api)["vomind_lateness_seconds_count{}"] == expected
    shown = samples(api)
    assert shown["vomind_attempt_failures_total{kind=refused}"] == 2
    assert shown["vomind_attempt_failures_total{kind=unknown}"] == 0
    assert shown["vomind_starts_total{}"] == 2


def test_a_lost_lease_is_counted(api: Api, make_worker_queue: Callable[..., WorkerQueue]) -> None:
    """A worker that says nothing any more has lost its call."""
    api.post("/schedule-call", {"to": "+15550000001"})
    assert taken(make_worker_queue(lease_ms=1))
    other = make_worker_queue()
    while not taken(other):
        pass
    assert samples(api)["vomind_leases_lost_total{}"] == 1


def test_campaigns_are_counted_until_they_end(api: Api) -> None:
    """By their states."""
    for deeds in ((), ("start",), ("start", "pause"), ("cancel",)):
        campaign_id = api.post("/campaigns", {"name": "One", "open": True}).get_json()["campaignId"]
        for deed in deeds:
            assert api.post(f"/campaigns/{campaign_id}/{deed}").status_code == 200
    found = {
        name: value for name, value in samples(api).items() if name.startswith("vomind_campaigns")
    }
    assert found == {
        f"vomind_campaigns{{state={state}}}": count
        for state, count in (("draft", 1), ("scheduled", 0), ("running", 1), ("paused", 1))
    }


def test_requests_are_counted_by_route(api: Api) -> None:
    """With what they were answered; addresses that lead nowhere are one series."""
    api.get("/job/1")
    api.get("/job/2")
    api.web.get("/nowhere/1")
    api.web.open("/nowhere/2", method="BREW")
    shown = samples(api)
    name = "vomind_http_request_duration_seconds_count"
    assert shown[f"{name}{{method=GET,route=/api/queue/job/<job_id>,status=404}}"] == 2
    assert shown[f"{name}{{method=GET,route=none,status=404}}"] == 1
    assert shown[f"{name}{{method=other,route=none,status=404}}"] == 1


def test_it_tells_of_nobody(make_api: Callable[..., Api]) -> None:
    """No number, no words, no id, no key, no address."""
    api = make_api(API_KEYS="ops:hidden-secret", METRICS_KEY="hidden-metrics")
    headers = {"Authorization": "Bearer hidden-secret", "X-Request-Id": "request-4711"}
    call = {"to": "+15554443322", "message": "hidden words", "lead_id": "hidden-lead"}
    api.post("/schedule-call", call, headers=headers)
    text = api.web.get("/metrics", headers=headers).get_data(as_text=True)
    assert "vomind_calls" in text
    assert not re.search(r"hidden|4443322|4711|127\.0\.0\.1", text)


@pytest.mark.parametrize(
    ("shown", "path", "status"),
    [
        (None, "/metrics", 401),
        ("wrong", "/metrics", 401),
        ("for-metrics", "/metrics", 200),
        ("secret", "/metrics", 200),
        ("for-metrics", "/api/queue/stats", 401),
    ],
)
def test_keys(make_api: Callable[..., Api], shown: str | None, path: str, status: int) -> None:
    """Its own key opens it and nothing else."""
    api = make_api(API_KEYS="ops:secret", METRICS_KEY="for-metrics")
    headers = {"X-API-Key": shown} if shown else {}
    assert api.web.get(path, headers=headers).status_code == status


def test_its_own_key_closes_it_alone(make_api: Callable[..., Api]) -> None:
    """Without API keys the rest is as open as it was."""
    api = make_api(METRICS_KEY="for-metrics")
    assert api.web.get("/metrics").status_code == 401
    assert api.get("/stats").status_code == 200
