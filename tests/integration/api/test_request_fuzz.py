"""Whatever is sent to whichever endpoint: never a 500, and nothing stored by what is refused.

600 requests at random: 150 of any JSON, 50 of any bytes, 400 to any address. --full: 2,100.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
import redis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.integration.api.conftest import Api


def repeated(times: int) -> settings:
    """That many examples."""
    return settings(max_examples=times, deadline=None, suppress_health_check=[HealthCheck.too_slow])


NAMES = (
    "to", "message", "lead_id", "priority", "metadata", "scheduleAt", "delayMs", "calls",
    "grace", "limit", "cronExpression", "scheduleAT", "name",
)  # fmt: skip
PATHS = (
    "/schedule-call", "/schedule-delayed-call", "/schedule-bulk-calls", "/clean", "/pause",
    "/resume", "/job/1/retry",
)  # fmt: skip
GOOD = {
    "to": st.just("+1234567890"),
    "message": st.text(min_size=1, max_size=20),
    "lead_id": st.text(max_size=20) | st.integers(),
    "priority": st.sampled_from(["high", "normal", "low"]),
    "scheduleAt": st.datetimes().map(lambda moment: f"{moment.isoformat()}Z"),
    "delayMs": st.integers(min_value=-5),
}
#: Surrogates included, which Hypothesis leaves out by default.
TEXTS = st.text(st.characters(), max_size=20) | st.sampled_from(
    ["+1234567890", "\ud800", "\x00", "NaN", "5", "high", "2030-11-20T10:00:00Z"]
)
SCALARS = (
    st.none() | st.booleans() | st.integers() | st.floats() | TEXTS
    | st.sampled_from([10**400, -(10**400), 1e308, 5e-324, 2**53, 2**63, 2**64])
)  # fmt: skip
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)
CALLS = st.fixed_dictionaries({}, optional={n: GOOD.get(n, VALUES) | VALUES for n in NAMES})
BODIES = CALLS | st.fixed_dictionaries({"calls": st.lists(CALLS, max_size=4)}) | VALUES
HEADERS = st.fixed_dictionaries(
    {"Content-Type": st.sampled_from(["application/json"] * 8 + ["text/plain", "", ";"])},
    optional={
        "Idempotency-Key": st.text(st.characters(max_codepoint=255), max_size=20),
        "X-Request-Id": st.text(st.characters(max_codepoint=255), max_size=20),
    },
).filter(lambda headers: not any({"\r", "\n"} & set(value) for value in headers.values()))


def stored(answer: Any) -> int:
    """How many calls an answer says were accepted."""
    body = answer.get_json()
    if not body["success"] or body.get("status") == "retrying":
        return 0
    return int(body.get("count", 1 if "jobId" in body else 0))


@pytest.mark.randomised
def test_any_json(api: Api, valkey: redis.Redis, full: bool) -> None:
    """As many jobs as the answer says are there, and all of them can be looked at."""

    @repeated(500 if full else 150)
    @given(path=st.sampled_from(PATHS), body=BODIES, headers=HEADERS)
    def holds(path: str, body: Any, headers: dict[str, str]) -> None:
        valkey.flushall()
        answer = api.post(path, data=json.dumps(body), headers=headers)
        assert answer.status_code in {200, 400, 404, 415, 422}
        if answer.status_code != 200:
            assert valkey.keys() == []
        assert api.total() == stored(answer)
        for name in ("waiting", "delayed"):
            assert api.get(f"/{name}").status_code == 200
        if answer.status_code == 200 and "jobId" in answer.get_json():
            job = api.get(f"/job/{answer.get_json()['jobId']}").get_json()
            assert job["data"] == answer.get_json()["data"]

    holds()


@pytest.mark.randomised
def test_any_bytes(api: Api, valkey: redis.Redis, full: bool) -> None:
    """Bytes that mean nothing are told so."""

    @repeated(200 if full else 50)
    @given(path=st.sampled_from(PATHS), raw=st.binary(max_size=60), headers=HEADERS)
    def holds(path: str, raw: bytes, headers: dict[str, str]) -> None:
        valkey.flushall()
        answer = api.post(path, data=raw, headers=headers)
        assert answer.status_code in {200, 400, 404, 415, 422}
        if answer.status_code != 200:
            assert valkey.keys() == []
        assert api.total() == stored(answer) == 0

    holds()


@pytest.mark.randomised
def test_any_address(api: Api, full: bool) -> None:
    """Ids and places in lists that nobody ever had."""

    @repeated(350 if full else 100)
    @given(
        job_id=st.text(max_size=20),
        start=st.text(max_size=20) | st.integers().map(str),
        end=st.text(max_size=20) | st.integers().map(str),
        state=st.sampled_from(["waiting", "active", "completed", "failed", "delayed"]),
    )
    def holds(job_id: str, start: str, end: str, state: str) -> None:
        path = f"/job/{job_id}" if job_id.strip("/.?#") else "/job/x"
        for answer in (api.get(path), api.delete(path), api.post(f"{path}/retry")):
            assert answer.status_code in {400, 404, 405}
        page = api.get(f"/{state}", query_string={"start": start, "end": end})
        assert page.status_code in {200, 422}

    holds()


@pytest.mark.parametrize("depth", [90, 99, 100, 300, 900, 990, 1_500])
def test_any_depth(api: Api, depth: int) -> None:
    """What one request stores, the next one can read, near the interpreter's limit as well."""
    deep = '{"a":' * depth + "1" + "}" * depth
    for field in ("metadata", "unknown"):
        raw = f'{{"to":"+1234567890","{field}":{deep}}}'
        headers = {"Content-Type": "application/json", "Idempotency-Key": field}
        answer = api.post("/schedule-call", data=raw, headers=headers)
        assert answer.status_code in {200, 400, 422}
        if answer.status_code == 200:
            assert api.get(f"/job/{answer.get_json()['jobId']}").status_code == 200
            assert api.get("/waiting").status_code == 200
