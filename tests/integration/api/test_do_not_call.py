"""The do-not-call list: what is on it never rings, whatever it waits in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import redis

from tests.integration.api.conftest import Api
from tests.integration.conftest import begin, place, placed, taken
from vomind_queue.calls.call import Call, State
from vomind_queue.calls.decisions import AttemptResult, Decision, NotStarted
from vomind_queue.errors import StoreUnavailable
from vomind_queue.queue import keys
from vomind_queue.queue.connection import RedisStore
from vomind_queue.queue.takeover import TakenOver, Takeover
from vomind_queue.queue.worker_queue import WorkerQueue

TO, OTHER = "+18125550100", "+18125550101"
WORDS = "Do-not-call: the number is on the do-not-call list."


class List:
    """The list, as an app uses it."""

    def __init__(self, api: Api) -> None:
        self._web = api.web

    def put(self, number: str = TO, **body: Any) -> dict[str, Any]:
        """Lists a number."""
        answer = self._web.put(f"/api/people/{number}/do-not-call", json=body)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.get_json()
        return found

    def shown(self, number: str = TO) -> dict[str, Any]:
        """What is known of a number."""
        found: dict[str, Any] = self._web.get(f"/api/people/{number}/do-not-call").get_json()
        return found

    def page(self, **query: Any) -> dict[str, Any]:
        """A page of the list."""
        found: dict[str, Any] = self._web.get("/api/do-not-call", query_string=query).get_json()
        return found


@pytest.fixture
def listing(api: Api) -> List:
    """The list of that service."""
    return List(api)


def scheduled(api: Api, to: str = TO, **later: Any) -> str:
    """One call."""
    path = "/schedule-delayed-call" if later else "/schedule-call"
    answer = api.post(path, {"to": to, **later})
    assert answer.status_code == 200, answer.text
    return str(answer.get_json()["jobId"])


def state(api: Api, job_id: str) -> tuple[str, str | None]:
    """A job's state, and why it failed."""
    job = api.get(f"/job/{job_id}").get_json()
    return job["state"], job["failedReason"]


def test_all_that_waits_for_a_number_ends_in_words(api: Api, listing: List) -> None:
    """At once, delayed, recurring; calls to others go on."""
    ids = [scheduled(api), scheduled(api, delayMs=3_600_000)]
    other = scheduled(api, OTHER)
    api.post("/schedule-recurring-call", {"to": TO, "cronExpression": "0 9 * * *"})
    done = listing.put(reason="She said no.", source="crm")
    assert done["added"] is True
    assert [done[name] for name in ("cancelled", "recurring", "beingPlaced", "complete")] == [
        2, 1, [], True,
    ]  # fmt: skip
    assert [state(api, job_id) for job_id in ids] == [("failed", WORDS)] * 2
    assert state(api, other)[0] == "waiting"
    assert api.get("/recurring").get_json()["total"] == 0
    reasons = api.get("/failed/reasons").get_json()["reasons"]
    assert [each["kind"] for each in reasons] == ["do-not-call"]


def inherited(valkey: redis.Redis, origin: str, state: State) -> str:
    """A call that another queue had accepted."""
    store = RedisStore(valkey)
    at = store.now_ms() + (3_600_000 if state is State.DELAYED else 0)
    call = TakenOver(origin=origin, call=Call(to=TO), state=state, place_ms=at, created_ms=at)
    (job_id,) = Takeover(store, "other").take_in([call], 0)
    return job_id


def test_it_ends_whatever_it_waits_in(
    api: Api,
    listing: List,
    worker_queue: WorkerQueue,
    valkey: redis.Redis,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Between two attempts, in campaigns that run or do not, taken over from another queue."""
    # However busy the machine is.
    monkeypatch.setattr("vomind_queue.usecases.do_not_call.ENDING_S", 30.0)
    retried = scheduled(api)
    assert taken(worker_queue) == [retried]
    again = Decision(result=AttemptResult.AGAIN, reason="Busy.", wait_ms=3_600_000)
    worker_queue.finish(begin(worker_queue, retried), again)
    worker_queue.release(retried)
    ids = [retried]
    for number, deeds in enumerate(((), ("start",), ("start", "pause")), start=1):
        api.post("/campaigns", {"name": f"Campaign {number}"})
        jobs = api.post(f"/campaigns/{number}/calls", {"calls": [{"to": TO}]}).get_json()["jobs"]
        ids.append(jobs[0]["jobId"])
        for deed in deeds:
            api.post(f"/campaigns/{number}/{deed}")
    ids += [inherited(valkey, str(state), state) for state in (State.WAITING, State.DELAYED)]
    assert listing.put()["cancelled"] == len(ids)
    before = {retried: " Before that: Busy."}
    for job_id in ids:
        assert state(api, job_id) == ("failed", WORDS + before.get(job_id, ""))


def test_no_door_brings_it_back(
    api: Api, listing: List, worker_queue: WorkerQueue, valkey: redis.Redis
) -> None:
    """Retried with all that failed for its reason, or taken over later: the marker ends it."""
    failed = scheduled(api)
    listing.put()
    assert api.post("/retry-failed", {"reason": "do-not-call"}).get_json()["jobIds"] == [failed]
    late = inherited(valkey, "late", State.WAITING)
    for job_id in (failed, late):
        assert taken(worker_queue) == [job_id]
        assert worker_queue.start_dialing(job_id, "token") is NotStarted.DO_NOT_CALL
        assert state(api, job_id) == ("failed", WORDS)


def test_a_check_says_never(api: Api, listing: List) -> None:
    """With since when; so does what is known of the person. Off the list, it may ring again."""
    listing.put()
    checked = api.web.post("/api/rules/check", json={"to": TO})
    for answer in (checked, api.web.get(f"/api/people/{TO}")):
        found = answer.get_json()
        assert (found["verdict"], found["until"]) == ("never", None)
        assert found["why"].startswith("The number is on the do-not-call list since ")
    api.web.delete(f"/api/people/{TO}/do-not-call", json={"reason": "By mistake."})
    assert api.web.post("/api/rules/check", json={"to": TO}).get_json()["verdict"] == "go"


def test_the_marker_asks_the_list(api: Api, listing: List, worker_queue: WorkerQueue) -> None:
    """A call that was claimed before ends there, and its place in the window is free again."""
    job_id = scheduled(api)
    assert taken(worker_queue) == [job_id]
    listing.put()
    assert worker_queue.start_dialing(job_id, "token") is NotStarted.DO_NOT_CALL
    assert state(api, job_id) == ("failed", WORDS)
    assert api.get("/stats").get_json()["stats"]["active"] == 0


def test_new_calls_are_refused_one_by_one_and_end_in_a_bulk(
    api: Api, listing: List, worker_queue: WorkerQueue
) -> None:
    """One number in 10,000 must not refuse all."""
    replayed = {"headers": {"Idempotency-Key": "one"}}
    assert api.post("/schedule-call", {"to": TO}, **replayed).status_code == 200
    listing.put()
    for path, more in (
        ("/schedule-call", {}),
        ("/schedule-delayed-call", {"delayMs": 1}),
        ("/schedule-recurring-call", {"cronExpression": "0 9 * * *"}),
    ):
        answer = api.post(path, {"to": TO, **more})
        assert (answer.status_code, list(answer.get_json()["errors"])) == (422, ["to"])
    assert api.post("/schedule-call", {"to": TO}, **replayed).status_code == 200
    bulk = api.post("/schedule-bulk-calls", {"calls": [{"to": TO}, {"to": OTHER}]})
    first, second = (job["jobId"] for job in bulk.get_json()["jobs"])
    assert sorted(taken(worker_queue, 2)) == sorted([first, second])
    assert worker_queue.start_dialing(first, "token") is NotStarted.DO_NOT_CALL
    place(worker_queue, second)
    assert [state(api, job_id)[0] for job_id in (first, second)] == ["failed", "completed"]
    alone = api.post("/schedule-bulk-calls", {"calls": [{"to": TO}]})
    assert alone.status_code == 200


def test_a_retry_and_a_change_do_not_bring_it_back(
    api: Api, listing: List, worker_queue: WorkerQueue
) -> None:
    """A retry meets the marker again; a change to the number is refused."""
    job_id, other = scheduled(api), scheduled(api, OTHER, delayMs=3_600_000)
    listing.put()
    assert api.post(f"/job/{job_id}/retry").status_code == 200
    assert taken(worker_queue) == [job_id]
    assert worker_queue.start_dialing(job_id, "token") is NotStarted.DO_NOT_CALL
    answer = api.patch(f"/job/{other}", {"to": TO})
    assert (answer.status_code, list(answer.get_json()["errors"])) == (422, ["to"])
    again = api.web.post("/api/acts", json={"act": "again", "jobIds": [job_id]}).get_json()["id"]
    for _ in range(100):
        act = api.web.get(f"/api/acts/{again}").get_json()
        if act["status"] == "done":
            break
    assert act["counts"]["refused"] == 1


def test_a_call_that_is_being_placed_is_named_and_ended_if_wanted(
    api: Api, listing: List, worker_queue: WorkerQueue, valkey: redis.Redis
) -> None:
    """Its marker was first. With endCall it is ended as soon as Twilio has taken it."""
    job_id = scheduled(api)
    assert taken(worker_queue) == [job_id]
    started = begin(worker_queue, job_id)
    assert listing.put()["beingPlaced"] == [job_id]
    assert listing.put(endCall=True)["beingPlaced"] == [job_id]
    worker_queue.finish(started, placed("CA1"))
    assert valkey.zrange(keys.ORPHANS, 0, -1) == ["CA1"]


def test_a_call_on_the_line_is_named_and_ended_if_wanted(
    api: Api, listing: List, worker_queue: WorkerQueue, valkey: redis.Redis
) -> None:
    """It may be that very call in which the person says it."""
    job_id = scheduled(api)
    taken(worker_queue)
    place(worker_queue, job_id)
    assert listing.put()["beingPlaced"] == [job_id]
    assert valkey.zcard(keys.ORPHANS) == 0
    listing.put(endCall=True)
    assert valkey.zrange(keys.ORPHANS, 0, -1) == [f"CA{job_id}"]


def test_the_first_entry_of_a_number_stays(listing: List) -> None:
    """When and why somebody was listed is evidence."""
    first = listing.put(source="crm", reason="First.")
    again = listing.put(source="phone", reason="Second.")
    assert (first["added"], again["added"]) == (True, False)
    shown = listing.shown()
    assert (shown["listed"], shown["by"], shown["source"], shown["reason"]) == (
        True, "API", "crm", "First.",
    )  # fmt: skip
    assert listing.shown(OTHER)["listed"] is False


@pytest.mark.parametrize(
    ("written", "number"),
    [
        ("+1 (812) 555-0100", TO),
        ("+44 (0)20 7946 0000", "+442079460000"),
    ],
)
def test_a_number_is_listed_however_it_is_written(listing: List, written: str, number: str) -> None:
    """Otherwise another spelling of it would ring."""
    assert listing.put(written)["number"] == number
    assert listing.shown(number)["listed"] is True


@pytest.mark.parametrize(
    ("one", "other"),
    [("+525512345678", "+5215512345678"), ("+5491123456789", "+541123456789")],
)
def test_both_ways_to_dial_a_mobile_phone_are_listed(
    api: Api, listing: List, one: str, other: str
) -> None:
    """In Mexico and Argentina, where a digit tells that it is one: the same phone rings."""
    listing.put(one)
    assert api.post("/schedule-call", {"to": other}).status_code == 422
    api.web.delete(f"/api/people/{other}/do-not-call", json={"reason": "By mistake."})
    assert listing.shown(one)["listed"] is False


def test_an_import_says_what_became_of_each_number(api: Api, listing: List) -> None:
    """10,000 of them, and a call to one ends."""
    job_id = scheduled(api, "+15550000007")
    listing.put(TO)
    numbers = [TO, "no number", None, *(f"+1555{index:07d}" for index in range(9_996)), OTHER]
    answer = api.web.post("/api/do-not-call", json={"numbers": numbers, "source": "registry"})
    assert answer.status_code == 200, answer.text
    found = answer.get_json()
    assert found["counts"] == {"added": 9_997, "known": 1, "refused": 2}
    assert [each["result"] for each in found["results"][:4]] == [
        "known", "refused", "refused", "added",
    ]  # fmt: skip
    assert found["results"][1]["detail"].startswith("Must be a phone number")
    assert (found["cancelled"], state(api, job_id)) == (1, ("failed", WORDS))
    again = api.web.post("/api/do-not-call", json={"numbers": numbers[-3:]}).get_json()
    assert again["counts"] == {"added": 0, "known": 3, "refused": 0}
    assert listing.page(limit=1)["total"] == 9_998
    too_many = api.web.post("/api/do-not-call", json={"numbers": [TO] * 10_001})
    assert too_many.status_code == 422


def test_an_import_that_is_cut_does_not_claim_that_nothing_was_changed(
    api: Api, listing: List, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A part of the numbers is listed by then; the same request may be sent again."""
    run, parts = RedisStore.run_with_deadline, []

    def cut(store: RedisStore, name: str, *args: Any) -> list[Any]:
        parts.append(name)
        if parts.count("list_numbers") == 2:
            raise StoreUnavailable("Redis cannot be reached.")
        return run(store, name, *args)

    body = {"numbers": [f"+1555{index:07d}" for index in range(300)]}
    with monkeypatch.context() as patched:
        patched.setattr(RedisStore, "run_with_deadline", cut)
        answer = api.web.post("/api/do-not-call", json=body)
    assert answer.status_code == 503
    assert answer.get_json()["detail"].endswith(
        "the outcome of this request is unknown. It is safe to send the same request again."
    )
    assert listing.page(limit=1)["total"] == 200
    counts = api.web.post("/api/do-not-call", json=body).get_json()["counts"]
    assert counts == {"added": 100, "known": 200, "refused": 0}


def test_the_list_comes_in_pages_and_as_csv(api: Api, listing: List) -> None:
    """The newest first; none is left out or comes twice while others are added."""
    for index in range(5):
        listing.put(f"+1555000000{index}", reason="=1+1")
    first = listing.page(limit=2)
    listing.put("+15550000009")
    second = listing.page(limit=2, cursor=first["next"])
    third = listing.page(limit=2, cursor=second["next"])
    rows = [row["number"][-1] for page in (first, second, third) for row in page["numbers"]]
    assert (rows, third["next"]) == (["4", "3", "2", "1", "0"], None)
    answer = api.web.get("/api/do-not-call", headers={"Accept": "text/csv"})
    lines = answer.text.splitlines()
    assert (lines[0], len(lines)) == ("number,listedAt,by,source,reason", 7)
    assert lines[2].startswith("+15550000004,")
    assert lines[2].endswith(",API,api,'=1+1")


def test_a_number_leaves_the_list_with_a_reason_alone(
    api: Api, listing: List, worker_queue: WorkerQueue
) -> None:
    """It is noted who did it; then the number is called again."""
    listing.put()
    path = f"/api/people/{TO}/do-not-call"
    assert api.web.delete(path, json={}).status_code == 422
    assert api.web.delete(path, json={"reason": "Listed by mistake."}).status_code == 200
    assert api.web.delete(path, json={"reason": "Again."}).status_code == 404
    deed = api.web.get("/api/activity").get_json()["activity"][0]
    assert (deed["act"], deed["details"]) == (
        "do-not-call removed",
        {"to": "+1******0100", "reason": "Listed by mistake."},
    )
    job_id = scheduled(api)
    assert taken(worker_queue) == [job_id]
    begin(worker_queue, job_id)


def test_a_person_who_is_forgotten_stays_on_the_list(api: Api, listing: List) -> None:
    """Else erasure would lift what the person wished."""
    listing.put()
    assert api.web.delete(f"/api/people/{TO}").status_code == 200
    assert listing.shown()["listed"] is True


def test_a_long_queue_is_left_to_the_marker(
    api: Api, listing: List, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The answer comes in time and says that not all was looked at."""
    ids = api.post("/schedule-bulk-calls", {"calls": [{"to": TO}] * 500}).get_json()["jobs"]
    monkeypatch.setattr("vomind_queue.usecases.do_not_call.ENDING_S", 0.0)
    done = listing.put()
    assert (done["complete"], done["cancelled"] < len(ids)) == (False, True)


def test_what_is_on_the_list_is_kept_when_memory_is_full(
    make_api: Callable[..., Api], valkey: redis.Redis
) -> None:
    """An opt-out must not be refused for lack of room."""
    listing = List(make_api())
    try:
        valkey.config_set("maxmemory", 1)
        assert listing.put()["added"] is True
    finally:
        valkey.config_set("maxmemory", 0)
