"""Whatever is asked of recurring calls: never a 500, and nothing stored by what is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest
import redis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.integration.api.conftest import TO, Api
from tests.integration.api.test_recurring import shown

FIELDS = {
    "to": st.just(TO),
    "cronExpression": st.text(st.sampled_from("0123456789*/,-#LW @ADEFMNORSTUW"), max_size=16)
    | st.tuples(
        *[st.sampled_from(["*", "0", "*/5", "1-3", "L", "5L", "MON#2", "1,2", "31"])] * 5
    ).map(" ".join),
    "timezone": st.sampled_from(["UTC", "Europe/Berlin", "EST", "../etc", ""])
    | st.text(max_size=9),
    "startAt": st.datetimes().map(lambda moment: f"{moment.isoformat()}Z"),
    "endAt": st.datetimes().map(lambda moment: f"{moment.isoformat()}+14:00"),
    "from": st.datetimes().map(lambda moment: f"{moment.isoformat()}Z"),
    "maxRuns": st.integers(),
    "graceMs": st.integers(),
    "count": st.integers(-1, 60),
    "overlap": st.sampled_from(["skip", "queue", "drop"]),
    "message": st.text(st.characters(), max_size=5),
}
ANYTHING = st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.lists(st.none())
OPTIONAL = {name: field | ANYTHING for name, field in FIELDS.items()}
REQUIRED = {name: FIELDS[name] for name in ("to", "cronExpression")}
#: Half of them have what is required.
BODIES = st.fixed_dictionaries({}, optional=OPTIONAL) | st.fixed_dictionaries(
    REQUIRED, optional={name: OPTIONAL[name] for name in OPTIONAL.keys() - REQUIRED}
)


@pytest.mark.randomised
def test_any_body(api: Api, valkey: redis.Redis, full: bool) -> None:
    """No 500; what is refused stores nothing, and what is stored can be read and changed."""

    @settings(
        max_examples=300 if full else 100,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow],
    )
    @given(
        path=st.sampled_from(["/schedule-recurring-call", "/schedule-recurring-call/preview"]),
        body=BODIES,
        change=BODIES,
    )
    def holds(path: str, body: dict[str, Any], change: dict[str, Any]) -> None:
        valkey.flushall()
        answer = api.post(path, data=json.dumps(body), headers={"Content-Type": "application/json"})
        assert answer.status_code in {200, 400, 422}
        stored = answer.status_code == 200 and "preview" not in path
        page = api.get("/recurring").get_json()
        assert page["total"] == stored
        if stored:
            before = shown(api)
            changed = api.patch("/job/recurring:1", change)
            assert changed.status_code in {200, 400, 422}
            if changed.status_code != 200:
                assert shown(api) == before

    holds()
