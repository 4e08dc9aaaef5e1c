"""What apps are told of campaigns, recurring calls and people."""

from __future__ import annotations

import redis

from tests.integration.conftest import KEEP, new, place, taken
from tests.integration.notifier.conftest import WITHIN_S, notifier
from tests.integration.recurring_calls import fire, make_due, put, wanted
from tests.receiver import Receiver, receiver
from tests.stack import until
from vomind_queue.calls.campaign import Campaign
from vomind_queue.calls.do_not_call import Wish
from vomind_queue.config.settings import Settings
from vomind_queue.queue.call_queue import CallQueue
from vomind_queue.queue.campaign_store import CampaignStore
from vomind_queue.queue.connection import RedisStore
from vomind_queue.queue.do_not_call_list import DoNotCallList
from vomind_queue.queue.recurring_store import RecurringStore
from vomind_queue.queue.worker_queue import WorkerQueue
from vomind_queue.usecases.webhooks import Webhooks


def test_a_campaign_is_told_to_those_who_follow_it(
    queue: CallQueue,
    store: RedisStore,
    worker_queue: WorkerQueue,
    webhooks: Webhooks,
    settings: Settings,
    receiving: Receiver,
) -> None:
    """From its start to its end, with its calls; nothing of another one, nor of other calls."""
    campaigns = CampaignStore(store)
    one, two = (campaigns.create(Campaign(name=name), None).id for name in ("One", "Two"))
    queue.add([new(1)])
    queue.add([new(2)], campaign=two)
    queue.add([new(3)], campaign=one)
    with receiver() as follower:
        webhooks.add({"url": follower.url, "campaign": one}, "app")
        webhooks.add({"url": receiving.url, "types": ("campaign.*",)}, "app")
        for deed in ("start", "pause", "resume"):
            campaigns.steer(one, deed, "ann")
        campaigns.steer(two, "start", "ann")
        campaigns.steer(two, "cancel", "ann")
        for job_id in taken(worker_queue, 3):
            place(worker_queue, job_id)
        with notifier(settings):
            until(lambda: len(receiving.types()) == 5, within_s=WITHIN_S, what="of both")
            until(lambda: len(follower.types()) == 5, within_s=WITHIN_S, what="of one")
    of_one = [each.event for each in receiving.accepted if each.event["data"]["campaignId"] == one]
    assert [each["type"] for each in of_one] == [
        "campaign.started", "campaign.paused", "campaign.resumed",
    ]  # fmt: skip
    assert of_one[0]["data"]["data"]["name"] == "One"
    assert of_one[0]["data"]["steeredBy"] == "ann"
    assert sorted(follower.types()) == sorted(
        [*(each["type"] for each in of_one), "call.started", "call.placed"]
    )


def test_a_campaign_that_is_over_is_told(
    queue: CallQueue, store: RedisStore, webhooks: Webhooks, settings: Settings, receiving: Receiver
) -> None:
    """With the state that it has."""
    campaigns = CampaignStore(store)
    made = campaigns.create(Campaign(name="One"), None).id
    (job_id,) = queue.add([new(1)], campaign=made).job_ids
    campaigns.steer(made, "start", "ann")
    webhooks.add({"url": receiving.url}, "app")
    queue.cancel(job_id)
    with notifier(settings):
        until(lambda: len(receiving.accepted) == 2, within_s=WITHIN_S, what="both arrive")
    found = {each.event["type"]: each.event["data"] for each in receiving.accepted}
    assert found["call.cancelled"]["campaignId"] == made
    assert found["campaign.finished"]["state"] == "finished"


def test_a_recurring_call_is_told(
    client: redis.Redis,
    recurring_store: RecurringStore,
    webhooks: Webhooks,
    settings: Settings,
    receiving: Receiver,
) -> None:
    """From its creation to its removal, without what it says; a run that is left out, too."""
    webhooks.add({"url": receiving.url, "types": ("recurring.*",)}, "app")
    put(recurring_store, wanted(overlap="skip"))
    with notifier(settings):
        until(lambda: len(receiving.types()) == 1, within_s=WITHIN_S, what="it is created")
        for _ in range(2):
            make_due(client, "1")
            fire(recurring_store)
        recurring_store.pause(recurring_store.show("1").schedule, "ann")
        recurring_store.resume(recurring_store.show("1").schedule, None)
        recurring_store.remove("1")
        until(lambda: len(receiving.types()) == 5, within_s=WITHIN_S, what="all arrive")
    assert receiving.types() == [
        f"recurring.{each}" for each in ("created", "skipped", "paused", "resumed", "removed")
    ]
    created = receiving.accepted[0].event["data"]
    assert (created["jobId"], "message" in created["data"]) == ("recurring:1", False)


def test_who_pressed_the_key_or_was_listed_is_told(
    store: RedisStore, webhooks: Webhooks, settings: Settings, receiving: Receiver
) -> None:
    """With the number, by whom and why; a person who was listed already, not again."""
    webhooks.add({"url": receiving.url, "types": ("person.*",)}, "app")
    numbers, (ada, bob) = DoNotCallList(store, KEEP), (new(number).call.to for number in (1, 2))
    pressed = Wish(by="the person called", source="key-press", reason="Pressed 9 in call 1.")
    asked = Wish(by="ops", source="crm", reason="She said no.")
    for number, wish in ((ada, pressed), (ada, pressed), (bob, asked)):
        list(numbers.add([number], wish))
    assert numbers.remove(bob, Wish(by="ops", source="api", reason="By mistake."))
    with notifier(settings):
        until(lambda: len(receiving.types()) == 3, within_s=WITHIN_S, what="all arrive")
    assert receiving.types() == ["person.opted_out", "person.listed", "person.unlisted"]
    told = receiving.accepted[0].event["data"]
    assert (told["number"], told["source"], told["reason"]) == (
        ada, "key-press", "Pressed 9 in call 1.",
    )  # fmt: skip
