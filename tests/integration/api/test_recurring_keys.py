"""Recurring calls by a key of the caller's own, by number and by lead; others of a number."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import redis

from tests.integration.api.conftest import TO, Api
from tests.integration.api.test_errors import assert_problem
from tests.integration.api.test_recurring import DAILY, schedule, shown
from tests.integration.recurring_calls import beat, fire, make_due
from vomind_queue.queue import keys
from vomind_queue.queue.recurring_store import RecurringStore
from vomind_queue.usecases.fire_recurring import RecurringScheduler

OTHER = "+1234567891"


def post(api: Api, **fields: Any) -> dict[str, Any]:
    """Schedules a recurring call; the whole answer."""
    answer = api.post("/schedule-recurring-call", {**DAILY, **fields})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.get_json()
    return found


def found(api: Api, **filters: str | int) -> list[str]:
    """Ids of those that match."""
    page = api.get("/recurring", query_string=filters).get_json()
    assert page["count"] == len(page["jobs"])
    return [job["jobId"] for job in page["jobs"]]


def test_two_for_one_number_name_each_other(api: Api) -> None:
    """The same person rung twice a day is told; somebody else is nobody's other."""
    assert "others" not in post(api, cronExpression="0 3 * * *")
    assert "others" not in post(api, to=OTHER)
    second = post(api, cronExpression="0 4 * * *", timezone="Europe/Berlin", key="k")
    (other,) = second["others"]["jobs"]
    assert second["others"]["total"] == 1
    next_run = other.pop("nextRun")
    assert next_run.endswith("T03:00:00.000Z")
    assert other == {
        "jobId": "recurring:1",
        "cronExpression": "0 3 * * *",
        "timezone": "UTC",
        "key": None,
    }
    first = post(api, cronExpression="0 3 * * *")
    assert first["updated"] is True
    assert [(each["jobId"], each["key"]) for each in first["others"]["jobs"]] == [
        ("recurring:3", "k")
    ]


def test_others_are_those_that_will_ring(api: Api, valkey: redis.Redis) -> None:
    """Not paused, ended, deleted ones; the ten that come first, and how many there are."""
    for minute in range(14):
        schedule(api, cronExpression=f"{59 - minute} 9 * * *")
    api.post("/job/recurring:1/pause")
    api.delete("/job/recurring:2")
    valkey.delete(keys.schedule("3"))
    others = post(api, cronExpression="0 9 * * *")["others"]
    assert others["total"] == 11
    assert [each["jobId"] for each in others["jobs"]] == [
        f"recurring:{number}" for number in range(14, 4, -1)
    ]


def test_the_same_key_updates_in_place(
    api: Api, recurring_store: RecurringStore, valkey: redis.Redis
) -> None:
    """Number, pattern and all; a run that was made stays, and so do the counts and the pause."""
    first = post(api, key="reminder-1", lead_id="ann")
    assert (first["key"], "updated" in first) == ("reminder-1", False)
    tick = make_due(valkey, "1")
    fire(recurring_store)
    before = recurring_store.show("1").schedule.revision
    changes = {"to": OTHER, "cronExpression": "0 4 * * *", "timezone": "Europe/Berlin"}
    second = post(api, **changes, key="reminder-1", message="Edited")
    assert (second["jobId"], second["updated"]) == ("recurring:1", True)
    assert recurring_store.show("1").schedule.revision > before
    document = shown(api)
    assert (document["data"]["to"], document["data"]["message"]) == (OTHER, "Edited")
    assert (document["cronExpression"], document["timezone"]) == ("0 4 * * *", "Europe/Berlin")
    assert (document["key"], document["firedRuns"]) == ("reminder-1", {"count": 1})
    assert api.get(f"/job/recurring:1:{tick}").get_json()["data"]["to"] == TO
    assert found(api) == found(api, number=OTHER) == ["recurring:1"]
    assert found(api, number=TO) == found(api, lead_id="ann") == []
    api.post("/job/recurring:1/pause")
    assert post(api, key="reminder-1")["status"] == "paused"


def test_a_due_run_of_the_same_times_is_kept(
    api: Api, recurring_store: RecurringStore, valkey: redis.Redis
) -> None:
    """One of other times does not ring, and is counted as missed."""
    post(api, key="k", cronExpression="0 9 * * 1-5")
    tick = make_due(valkey, "1")
    post(api, key="k", cronExpression="0 9 * * MON-FRI", to=OTHER)
    assert recurring_store.show("1").schedule.next_ms == tick
    post(api, key="k", cronExpression="0 10 * * 1-5")
    schedule_now = recurring_store.show("1").schedule
    assert (schedule_now.missed, schedule_now.last_run_ms) == (1, tick)
    assert (schedule_now.next_ms or 0) > tick


def test_without_a_key_nothing_is_taken_for_one(api: Api) -> None:
    """Number, pattern and zone are another one than a key; two keys are two."""
    ids = [schedule(api), schedule(api, key="a"), schedule(api, key="b"), schedule(api, key="A")]
    assert ids == [f"recurring:{number}" for number in (1, 2, 3, 4)]
    assert schedule(api) == "recurring:1"
    assert schedule(api, key=None) == "recurring:1"


def test_a_key_is_given_taken_and_changed_by_patch(api: Api) -> None:
    """As anything else of it; two never get the same one."""
    schedule(api)
    schedule(api, key="b")
    assert api.patch("/job/recurring:1", {"key": "a"}).get_json()["key"] == "a"
    assert schedule(api, key="a") == "recurring:1"
    taken = api.patch("/job/recurring:1", {"key": "b"})
    assert_problem(taken, 409)
    assert "recurring:2 has this key already" in taken.get_json()["detail"]
    assert api.patch("/job/recurring:1", {"message": "Edited"}).get_json()["key"] == "a"
    assert "key" not in api.patch("/job/recurring:1", {"key": None}).get_json()
    assert schedule(api) == "recurring:1"
    assert schedule(api, key="a") == "recurring:3"


def test_a_replay_names_the_same_others(api: Api) -> None:
    """It is answered as the first time, whatever has become of them."""
    schedule(api, cronExpression="@weekly")
    body = {**DAILY, "key": "k"}
    headers = {"Idempotency-Key": "once"}
    first = api.post("/schedule-recurring-call", body, headers=headers).get_json()
    api.delete("/job/recurring:1")
    assert api.post("/schedule-recurring-call", body, headers=headers).get_json() == first
    assert first["others"]["total"] == 1


def test_filters(api: Api) -> None:
    """By number, lead and key, alone and together; in pages, soonest first."""
    schedule(api, lead_id="ann", cronExpression="30 9 1 1 *")
    schedule(api, lead_id="ann", cronExpression="* * * * *")
    schedule(api, lead_id="ann", to=OTHER, key="k", metadata={"lead_id": "bob"})
    schedule(api, lead_id=7, to=OTHER, cronExpression="@weekly")
    schedule(api, lead_id='a"ü\n', to=OTHER, cronExpression="@monthly")
    schedule(api, to="+12345678", metadata={"lead_id": "ann"}, message=',"lead_id":"ann"')
    assert found(api, number=TO) == ["recurring:2", "recurring:1"]
    assert found(api, lead_id="ann", start=0, end=9)[0] == "recurring:2"
    assert found(api, lead_id="ann", number=OTHER) == ["recurring:3"]
    assert found(api, lead_id="7") == ["recurring:4"]
    assert found(api, lead_id='a"ü\n') == ["recurring:5"]
    assert found(api, key="k") == found(api, key="k", lead_id="ann") == ["recurring:3"]
    assert found(api, key="k", lead_id="7") == found(api, key="K") == found(api, lead_id="bob")
    page = api.get("/recurring", query_string={"lead_id": "ann", "start": 1, "end": 1}).get_json()
    assert (page["total"], page["count"]) == (3, 1)
    assert page["jobs"][0]["jobId"] == found(api, lead_id="ann", start=0, end=9)[1]
    assert api.get(f"/recurring?number={TO}").get_json()["total"] == 2, "a plus is a space there"


@pytest.mark.parametrize(
    "query",
    ["number=123", "number=", "lead_id=", "key=", "key=a%20b", "lead=ann", "to=%2B123456789"],
)
def test_a_filter_that_is_none_is_refused(api: Api, query: str) -> None:
    """It would show other calls, which somebody may then delete."""
    assert_problem(api.get(f"/recurring?{query}"), 422)


@pytest.mark.parametrize("key", ["", "a b", "a" * 129, "ü", 7, "a\n"])
def test_a_key_that_is_none_is_refused(api: Api, key: Any) -> None:
    """Nothing is stored."""
    answer = api.post("/schedule-recurring-call", {**DAILY, "key": key})
    assert_problem(answer, 422)
    assert "key" in answer.get_json()["errors"]
    assert found(api) == []


def test_at_the_same_time_one_key_makes_one(make_api: Callable[..., Api]) -> None:
    """However many ask for it at once; exactly one has created it."""
    apis = [make_api() for _ in range(8)]

    def ask(number: int) -> dict[str, Any]:
        return post(apis[number % 8], key="k", to=f"+155500000{number:02}")

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(ask, range(40)))
    assert {answer["jobId"] for answer in answers} == {"recurring:1"}
    assert sum("updated" not in answer for answer in answers) == 1
    assert found(apis[0]) == ["recurring:1"]
    assert found(apis[0], number=shown(apis[0])["data"]["to"]) == ["recurring:1"]


def test_deleted_at_the_same_time_it_leaves_nothing(
    make_api: Callable[..., Api], valkey: redis.Redis
) -> None:
    """Whichever comes first, the index says what is there."""
    apis = [make_api() for _ in range(4)]

    def turn(number: int) -> None:
        made = post(apis[number % 4], key=f"k{number % 3}", to=f"+1555000000{number % 2}")
        apis[number % 4].delete(f"/job/{made['jobId']}")

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(turn, range(60)))
    assert found(apis[0]) == []
    assert valkey.zcard(keys.RECURRING_INDEX) == 0
    assert valkey.hlen(keys.DEDUP_KEYS) == 0


def test_what_an_older_version_stored_comes_into_the_index(
    api: Api, recurring_store: RecurringStore, valkey: redis.Redis
) -> None:
    """When a scheduler starts, in parts of 250; what belongs to nobody leaves it."""
    for number in range(600):
        schedule(api, to=f"+15550{number:05}", lead_id="ann" if number < 3 else number)
    valkey.delete(keys.RECURRING_INDEX)
    valkey.zadd(keys.RECURRING_INDEX, {"n+15550000009 c999": 0, "n+15550000001 a1": 0})
    assert found(api, number="+1555000001") == []
    keeper = RecurringScheduler(recurring_store)
    looks = 0
    while keeper.fire() == 0:
        keeper.due_entries()
        looks += 1
    assert looks > 2
    assert found(api, number="+1555000001") == ["recurring:2"]
    assert len(found(api, lead_id="ann")) == 3
    assert valkey.zcard(keys.RECURRING_INDEX) == 2 * 600


def test_nothing_of_a_forgotten_number_stays(
    api: Api, recurring_store: RecurringStore, valkey: redis.Redis
) -> None:
    """In the index neither, of one that was deleted by RedBeat's means, too."""
    schedule(api, lead_id="ann")
    schedule(api, cronExpression="@weekly", key="k")
    valkey.delete(keys.schedule("2"))
    answer = api.web.delete(f"/api/people/{TO}")
    assert answer.status_code == 200, answer.text
    beat(RecurringScheduler(recurring_store))
    assert valkey.zrange(keys.RECURRING_INDEX, 0, -1) == []
