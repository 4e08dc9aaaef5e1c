"""What must have happened before an example is as it is shown."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import redis

from tests.integration.api.conftest import TO, Api
from tests.integration.api.test_callbacks import path_of, post
from tests.integration.conftest import begin, taken
from tests.twilio import callback
from vomind_queue.calls.attempts import Accepted
from vomind_queue.calls.decisions import AttemptResult, Decision, DialStarted
from vomind_queue.calls.senders import Senders
from vomind_queue.queue import keys
from vomind_queue.queue.closed_days import ClosedDays
from vomind_queue.queue.connection import RedisStore
from vomind_queue.queue.webhook_store import delivery_text
from vomind_queue.queue.worker_queue import WorkerQueue
from vomind_queue.rules.law import closed_day
from vomind_queue.webhooks.subscription import MOST_SUBSCRIPTIONS, Delivery

#: As the examples show them.
SENDERS = Senders(numbers=["+15005550006"])
SID = "CA5a630822d60d44009d35d29bad774749"
REASON = "Twilio will not place this call: Invalid 'To' Phone Number (error 21211, HTTP 400)."


@dataclass(frozen=True, kw_only=True)
class World:
    """A service with an empty queue, and those around it."""

    api: Api
    worker_queue: WorkerQueue
    ship: Callable[[], None]
    valkey: redis.Redis


def a_call(world: World) -> None:
    """A call waits."""
    assert world.api.post("/schedule-call", {"to": TO}).status_code == 200


def _dial_started(world: World) -> DialStarted:
    a_call(world)
    return begin(world.worker_queue, *taken(world.worker_queue))


def being_placed(world: World) -> None:
    """Twilio is being asked."""
    _dial_started(world)


def for_later(world: World) -> None:
    """A call in an hour."""
    asked = {"to": TO, "delayMs": 3_600_000}
    assert world.api.post("/schedule-delayed-call", asked).status_code == 200


def _ended(world: World, decision: Decision) -> DialStarted:
    begun = _dial_started(world)
    world.worker_queue.finish(begun, decision)
    world.worker_queue.release(begun.attempt.job_id)
    return begun


def answered(world: World) -> None:
    """A person listened to it."""
    accepted = Accepted(sid=SID, status="queued")
    begun = _ended(world, Decision(result=AttemptResult.COMPLETED, accepted=accepted))
    form = callback(SID, "completed", 3, CallDuration=4, SipResponseCode=200)
    assert post(world.api, path_of(begun), form).status_code == 204


def refused(world: World) -> None:
    """Twilio cannot call that number."""
    _ended(world, Decision(result=AttemptResult.FAILED, reason=REASON))


def both_over(world: World) -> None:
    """One was placed, one was refused."""
    answered(world)
    refused(world)
    # Redis counts milliseconds, and what finishes in this one is not over yet.
    time.sleep(0.005)


def every_workday(world: World) -> None:
    """A recurring call."""
    asked = {
        "to": TO,
        "message": "Daily reminder",
        "cronExpression": "0 9 * * 1-5",
        "timezone": "Europe/Berlin",
    }
    assert world.api.post("/schedule-recurring-call", asked).status_code == 200


def and_every_day(world: World) -> None:
    """Another one to the same number."""
    every_workday(world)
    asked = {"to": TO, "cronExpression": "@daily", "timezone": "Europe/Berlin"}
    assert world.api.post("/schedule-recurring-call", asked).status_code == 200


def of_another_version(world: World) -> None:
    """A recurring call whose record has a word that is not known here."""
    every_workday(world)
    world.valkey.hset(keys.schedule("1"), "overlap", "new")


def logged(world: World) -> None:
    """A call that waits, and the log knows."""
    a_call(world)
    world.ship()


def a_worker(world: World) -> None:
    """A worker that asks for calls."""
    assert taken(world.worker_queue) == []


def the_key_was_used(world: World) -> None:
    """With another body."""
    headers = {"Idempotency-Key": "order-4711"}
    assert world.api.post("/schedule-call", {"to": TO}, headers=headers).status_code == 200


def at_twilio(world: World) -> None:
    """An attempt whose token is the one that is shown, and whose call Twilio took."""
    a_call(world)
    begun = world.worker_queue.start_dialing(taken(world.worker_queue)[0], "bRlQ3wX5hT0k")
    assert isinstance(begun, DialStarted)
    accepted = Accepted(sid=SID, status="queued")
    world.worker_queue.finish(begun, Decision(result=AttemptResult.COMPLETED, accepted=accepted))


def nothing(_: World) -> None:
    """All is new."""


def an_act(world: World) -> None:
    """A call was cancelled by an act on many, under the id of the examples."""
    a_call(world)
    body = {"act": "cancel", "jobIds": ["1"]}
    made = world.api.web.post("/api/acts", json=body).get_json()["id"]
    shown = "0123456789abcdef0123456789abcdef"
    for ending in ("", ":results"):
        world.valkey.rename(f"{keys.ACT}{made}{ending}", f"{keys.ACT}{shown}{ending}")


def a_webhook(world: World) -> None:
    """An app has subscribed, under the id of the examples."""
    body = {"url": "https://hooks.example.com/calls", "types": ["call.ended", "call.failed"]}
    made = world.api.web.post("/api/webhooks", json=body).get_json()["webhook"]["id"]
    shown = "0123456789abcdef0123456789abcdef"
    text = world.valkey.hget(keys.WEBHOOKS, made)
    assert isinstance(text, str)
    world.valkey.hset(keys.WEBHOOKS, shown, text.replace(made, shown))
    world.valkey.hdel(keys.WEBHOOKS, made)
    world.valkey.rename(keys.WEBHOOK + made, keys.WEBHOOK + shown)


def as_many_as_may_be(world: World) -> None:
    """There are as many webhooks as there may be."""
    found = {str(number): "{}" for number in range(MOST_SUBSCRIPTIONS)}
    world.valkey.hset(keys.WEBHOOKS, mapping=found)


def a_delivery(world: World) -> None:
    """A delivery to it has failed."""
    a_webhook(world)
    failed = Delivery(
        at_ms=1_796_037_649_012, sequence=1_796_037_648_983_001, type="call.ended", job_id="1",
        attempt=1, status=500, duration_ms=12, error="HTTP 500",
    )  # fmt: skip
    name = f"{keys.WEBHOOK}0123456789abcdef0123456789abcdef:deliveries"
    world.valkey.lpush(name, delivery_text(failed))


def listed(world: World) -> None:
    """The number is on the do-not-call list."""
    assert world.api.web.put(f"/api/people/{TO}/do-not-call").status_code == 200


def a_refusal(world: World) -> None:
    """The person refused."""
    assert world.api.web.put(f"/api/people/{TO}/refusal").status_code == 200


def started(world: World) -> None:
    """A phone may ring, and the log knows."""
    being_placed(world)
    world.ship()


def a_closed_day(world: World) -> None:
    """Somebody closed a day while there were rules."""
    day = closed_day("US-LA:2027-02-09")
    assert ClosedDays(RedisStore(world.valkey)).close(day, "API")


def with_a_call(world: World) -> None:
    """A draft with one call."""
    a_campaign(world)
    body = {"calls": [{"to": TO}]}
    assert world.api.post("/campaigns/1/calls", body).status_code == 200


def _steered(*deeds: str) -> Callable[[World], None]:
    def steered(world: World) -> None:
        """A campaign that was started, paused, resumed or cancelled."""
        with_a_call(world)
        for deed in deeds:
            assert world.api.post(f"/campaigns/1/{deed}").status_code == 200

    return steered


def a_finished_campaign(world: World) -> None:
    """Its only call failed."""
    _steered("start")(world)
    begun = begin(world.worker_queue, *taken(world.worker_queue))
    world.worker_queue.finish(begun, Decision(result=AttemptResult.FAILED, reason=REASON))


#: Further settings that an example wants.
SETTINGS: Mapping[str, Mapping[str, str]] = {"closeDay/closed": {"CALLING_RULES": "law"}}


def a_campaign(world: World) -> None:
    """A draft."""
    body = {"name": "Reminders for December", "country": "DE"}
    assert world.api.post("/campaigns", body).status_code == 200


def a_list(world: World) -> None:
    """A list of two rows, one of them wrong."""
    _list_of(world, "to,message\n+14155550101,Hello\n415,Hello\n")


def a_list_being_accepted(world: World) -> None:
    """A large list whose calls are being stored."""
    a_list(world)
    now = int(world.valkey.time()[0]) * 1000  # type: ignore[index]
    work = {"state": "accepting", "token": "x", "seen": now + 60_000}
    world.valkey.hset(f"{keys.STAGED_LIST}1", mapping=work)


def a_mute_list(world: World) -> None:
    """A list without words."""
    _list_of(world, "to,name\n+14155550101,Ann\n")


def _list_of(world: World, text: str) -> None:
    a_campaign(world)
    assert world.api.web.post("/api/queue/campaigns/1/list", data=text).status_code == 200


def many_lists(world: World) -> None:
    """As many lists as are kept."""
    a_campaign(world)
    later = int(world.valkey.time()[0]) * 1000 + 60_000  # type: ignore[index]
    lists = {str(list_id): later for list_id in range(100, 150)}
    world.valkey.zadd(keys.STAGED_LISTS, lists)


#: By endpoint and example; an endpoint alone stands for all its examples that are not here.
WORLDS: Mapping[str, Callable[[World], None]] = {
    "scheduleCall/reusedKey": the_key_was_used,
    "getJob/waiting": a_call,
    "getJob/completed": answered,
    "getJob/failed": refused,
    "cancelJob/waiting": a_call,
    "cancelJob/completed": answered,
    "cancelJob/active": being_placed,
    "actOnCalls/cancel": a_call,
    "showAct/done": an_act,
    "stopAct/done": an_act,
    "changeJob/later": for_later,
    "changeJob/noTime": for_later,
    "changeJob/active": being_placed,
    "hangUpJob/ringing": at_twilio,
    "hangUpJob/waiting": a_call,
    "retryJob/failed": refused,
    "retryJob/later": refused,
    "retryJob/passed": refused,
    "retryJob/waiting": a_call,
    "getStats": a_call,
    "listWaiting": a_call,
    "listDelayed": for_later,
    "listActive": being_placed,
    "listCompleted": answered,
    "listFailed": refused,
    "cleanQueue": both_over,
    "previewClean": both_over,
    "getOverview": a_call,
    "getWhy/noWorker": a_call,
    "listFailureReasons": refused,
    "retryFailed": refused,
    "listRecurring": every_workday,
    "getRecurringCall/workdays": every_workday,
    "getRecurringCall/otherVersion": of_another_version,
    "changeRecurringCall/message": every_workday,
    "changeRecurringCall/taken": and_every_day,
    "changeRecurringCall/number": every_workday,
    "cancelRecurringCall/workdays": every_workday,
    "pauseRecurringCall/pause": every_workday,
    "pauseRecurringCall/otherVersion": of_another_version,
    "resumeRecurringCall/resume": every_workday,
    "resumeRecurringCall/otherVersion": of_another_version,
    "retryRecurringCall/refused": every_workday,
    "listCampaigns": a_campaign,
    "getCampaign/draft": a_campaign,
    "changeCampaign/priority": a_campaign,
    "addList/one": a_campaign,
    "addList/tooMany": many_lists,
    "showList/ready": a_list,
    "changeList/country": a_list,
    "changeList/accepting": a_list_being_accepted,
    "previewList/two": a_list,
    "acceptList/one": a_list,
    "acceptList/open": a_mute_list,
    "changeCampaign/wrongState": _steered("cancel"),
    "deleteCampaign/draft": a_campaign,
    "deleteCampaign/wrongState": with_a_call,
    "addCampaignCalls/two": a_campaign,
    "previewCampaign/one": with_a_call,
    "addCampaignCalls/wrongState": _steered("cancel"),
    "listCampaignCalls/failed": with_a_call,
    "startCampaign/running": with_a_call,
    "startCampaign/wrongState": _steered("cancel"),
    "pauseCampaign/paused": _steered("start"),
    "pauseCampaign/wrongState": with_a_call,
    "resumeCampaign/running": _steered("start", "pause"),
    "resumeCampaign/wrongState": with_a_call,
    "cancelCampaign/cancelled": with_a_call,
    "cancelCampaign/wrongState": a_finished_campaign,
    "findCalls/number": logged,
    "getLoggedCall/accepted": logged,
    "forgetPerson": logged,
    "showPerson": started,
    "showEvidence": started,
    "listNumber/one": a_call,
    "showListedNumber": listed,
    "unlistNumber": listed,
    "takeRefusalBack/noted": a_refusal,
    "listListedNumbers": listed,
    "reopenDay/closed": a_closed_day,
    "addWebhook/full": as_many_as_may_be,
    "listWebhooks": a_webhook,
    "showWebhook": a_webhook,
    "changeWebhook": a_webhook,
    "removeWebhook": a_webhook,
    "replaceWebhookSecret": a_webhook,
    "testWebhook": a_webhook,
    "replayWebhook": a_webhook,
    "listDeliveries": a_delivery,
    "getReadiness/ready": a_worker,
    "reportStatus/ringing": at_twilio,
    "reportStatus/noCall": at_twilio,
    "askWordsByPost/noCall": at_twilio,
}


def prepare(world: World, operation: str, example: str) -> None:
    """Makes what the example wants to be there."""
    found = WORLDS.get(f"{operation}/{example}") or WORLDS.get(operation) or nothing
    found(world)
