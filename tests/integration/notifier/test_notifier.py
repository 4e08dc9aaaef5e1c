"""A notifier in this process, on a real Redis, with a real receiver."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
import redis
import requests

from tests.integration.conftest import new, place, taken
from tests.integration.notifier.conftest import WITHIN_S, notifier
from tests.receiver import Receiver, receiver
from tests.stack import until
from vomind_queue.config.settings import Settings
from vomind_queue.queue import keys
from vomind_queue.queue.call_queue import CallQueue
from vomind_queue.queue.connection import RedisStore
from vomind_queue.queue.erasure import Erasure
from vomind_queue.queue.inspection import Inspection
from vomind_queue.queue.kept_events import KeptEvents
from vomind_queue.queue.worker_queue import WorkerQueue
from vomind_queue.usecases.webhooks import Webhooks
from vomind_queue.webhooks import backoff
from vomind_queue.webhooks.subscription import Ended


def heard(receiving: Receiver, *wanted: str) -> Callable[[], bool]:
    """Return whether it has accepted these types, in this order."""
    return lambda: receiving.types() == list(wanted)


def test_nothing_is_noted_while_nobody_listens(
    queue: CallQueue, webhooks: Webhooks, client: redis.Redis, receiving: Receiver
) -> None:
    """No more than without webhooks; and the last one that leaves, leaves nothing going on."""
    queue.add([new(1)])
    assert client.exists(keys.EVENTS_OUTBOX) == 0
    made = webhooks.add({"url": receiving.url}, "app").subscription
    queue.add([new(2)])
    assert client.xlen(keys.EVENTS_OUTBOX) == 1
    webhooks.remove(made.id, "app")
    assert client.pttl(keys.EVENTS_WANTED) > 0


def test_a_bulk_a_pause_and_a_cancelled_call_are_told(
    queue: CallQueue, store: RedisStore, webhooks: Webhooks, settings: Settings, receiving: Receiver
) -> None:
    """Each call of a bulk by itself, a call whose record is gone, and what is no call."""
    made = webhooks.add({"url": receiving.url}, "app").subscription
    ids = queue.add([new(number) for number in range(120)]).job_ids
    queue.cancel(ids[0])
    queue.pause("ops", "lunch")
    queue.resume()
    with notifier(settings):
        until(lambda: len(receiving.accepted) == 123, within_s=WITHIN_S, what="all arrive")
    sequences = sorted(each.event["sequence"] for each in receiving.accepted)
    assert sequences == list(range(sequences[0], sequences[0] + 123))
    assert receiving.types(ids[0]) == ["call.accepted", "call.cancelled"]
    others = [each for each in receiving.types() if not each.startswith("call.")]
    assert others == ["queue.paused", "queue.resumed"]
    found = Inspection(store).webhooks()
    assert (found.by_result, found.lag_ms) == ({"arrived": 123, "failed": 0}, 0)
    webhooks.replay(made.id, "app", sequence=sequences[0])
    assert Inspection(store).webhooks().lag_ms > 0


def test_what_cannot_be_made_an_event_holds_back_nothing(
    queue: CallQueue,
    store: RedisStore,
    webhooks: Webhooks,
    client: redis.Redis,
    settings: Settings,
    receiving: Receiver,
) -> None:
    """A broken entry, a broken call, and one that cannot be shown: each is counted."""
    webhooks.add({"url": receiving.url}, "app")
    broken, unshown, good = queue.add([new(1), new(2), new(3)]).job_ids
    client.hset(f"{keys.JOB}{broken}", "at", "yesterday")
    client.hset(f"{keys.JOB}{unshown}", "at", str(10**18))
    last = client.xinfo_stream(keys.EVENTS_OUTBOX)["last-generated-id"]
    client.xadd(keys.EVENTS_OUTBOX, {"e": "[]"}, id=f"{int(last.partition('-')[0]) + 1}-0")
    with notifier(settings):
        until(heard(receiving, "call.accepted"), within_s=WITHIN_S, what="the good one arrives")
        until(lambda: Inspection(store).webhooks().lost == 3, within_s=WITHIN_S, what="counted")
    assert receiving.types(good) == ["call.accepted"]


def test_a_receiver_that_was_down_gets_all_in_order(
    queue: CallQueue,
    make_worker_queue: Callable[..., WorkerQueue],
    webhooks: Webhooks,
    settings: Settings,
    receiving: Receiver,
) -> None:
    """With the same ids and bodies on every retry; another receiver is not held back."""
    receiving.status = 503
    worker_queue = make_worker_queue(lease_ms=WITHIN_S * 1_000)
    with receiver() as other:
        down = webhooks.add({"url": receiving.url, "types": ("call.*",)}, "app").subscription
        webhooks.add({"url": other.url}, "app")
        ids = queue.add([new(number) for number in range(20)]).job_ids
        with notifier(settings):
            for job_id in taken(worker_queue, 20):
                place(worker_queue, job_id)
            until(lambda: len(other.accepted) == 60, within_s=WITHIN_S, what="the other has all")
            until(lambda: len(receiving.received) > 8, within_s=WITHIN_S, what="it is tried")
            assert receiving.accepted == []
            receiving.status = 200
            until(lambda: len(receiving.accepted) == 60, within_s=WITHIN_S, what="all arrive")
            shown = lambda: webhooks.show(down.id).progress  # noqa: E731
            until(lambda: shown().delivered == 60, within_s=WITHIN_S, what="it is written down")
            assert shown().failing_since_ms is None
    for job_id in ids:
        assert receiving.types(job_id) == ["call.accepted", "call.started", "call.placed"]
    bodies: dict[str, set[bytes]] = {}
    for each in receiving.received:
        bodies.setdefault(each.id, set()).add(each.body)
    assert {len(each) for each in bodies.values()} == {1}
    assert len(receiving.received) > len(bodies)


def test_one_call_that_fails_holds_back_no_other(
    queue: CallQueue, webhooks: Webhooks, settings: Settings, receiving: Receiver
) -> None:
    """Its later events wait for it; those of other calls do not."""
    made = webhooks.add({"url": receiving.url}, "app").subscription
    bad, good = queue.add([new(1), new(2)]).job_ids
    receiving.by_job[bad] = 500
    queue.cancel(bad)
    queue.cancel(good)
    with notifier(settings):
        until(lambda: len(receiving.types(good)) == 2, within_s=WITHIN_S, what="the other arrives")
        until(lambda: webhooks.show(made.id).retrying == 2, within_s=WITHIN_S, what="two wait")
        assert receiving.types(bad) == []
    # A notifier that ended has left them to the next one.
    receiving.by_job.clear()
    with notifier(settings):
        until(lambda: len(receiving.types(bad)) == 2, within_s=WITHIN_S, what="they arrive")
    assert receiving.types(bad) == ["call.accepted", "call.cancelled"]


def test_a_410_ends_it_and_a_replay_heals_it(
    queue: CallQueue, store: RedisStore, webhooks: Webhooks, settings: Settings, receiving: Receiver
) -> None:
    """Nothing is sent meanwhile."""
    receiving.status = 410
    made = webhooks.add({"url": receiving.url}, "app").subscription
    queue.add([new(1)])
    with notifier(settings):
        until(
            lambda: webhooks.show(made.id).progress.ended is Ended.GONE,
            within_s=WITHIN_S,
            what="it ends",
        )
        found = Inspection(store).webhooks()
        assert (found.webhooks, found.ended, found.notifiers) == (1, 1, 1)
        assert found.by_state == {"active": 0, "failing": 0, "ended": 1}
        assert found.by_result == {"arrived": 0, "failed": 1}
        tries = len(receiving.received)
        queue.add([new(2)])
        receiving.status = 200
        first = KeptEvents(store).first()
        assert len(receiving.received) == tries
        webhooks.replay(made.id, "app", sequence=first)
        until(heard(receiving, "call.accepted", "call.accepted"), within_s=WITHIN_S, what="both")
        assert webhooks.show(made.id).progress.ended is None


def test_days_of_failure_end_it(
    queue: CallQueue,
    webhooks: Webhooks,
    settings: Settings,
    receiving: Receiver,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """And the next success would have begun the count again."""
    monkeypatch.setattr("vomind_queue.notifier.deliverer.GIVE_UP_MS", 1_500)
    monkeypatch.setattr(backoff, "LONGEST_MS", 1_000)
    receiving.status = 500
    made = webhooks.add({"url": receiving.url}, "app").subscription
    queue.add([new(1)])
    with notifier(settings):
        until(
            lambda: webhooks.show(made.id).progress.ended is Ended.FAILING,
            within_s=WITHIN_S,
            what="it ends",
        )
    assert webhooks.show(made.id).progress.last_error == "HTTP 500"


def test_events_of_a_forgotten_person_are_removed(
    queue: CallQueue, store: RedisStore, webhooks: Webhooks, settings: Settings, receiving: Receiver
) -> None:
    """Those of others stay."""
    webhooks.add({"url": receiving.url}, "app")
    queue.add([new(1), new(2)])
    kept = KeptEvents(store)
    with notifier(settings):
        until(lambda: len(receiving.accepted) == 2, within_s=WITHIN_S, what="both arrive")
        Erasure(store).forget("+15550000001")
        until(lambda: len(kept.after(0, 9)) == 1, within_s=WITHIN_S, what="one is removed")
    assert "+15550000002" in kept.after(0, 9)[0].data


def test_a_stream_resumes_where_it_ended(
    queue: CallQueue, store: RedisStore, settings: Settings
) -> None:
    """Without a gap and without a repetition, over a restart of the notifier; filtered if asked."""
    url = f"http://127.0.0.1:{settings.notifier_port}/api/events"
    first = replace(settings)
    KeptEvents(store).want()
    with notifier(first):
        begin = KeptEvents(store).last()
        queue.add([new(1), new(2)])
        assert _read(url, begin, 2) == [begin + 1, begin + 2]
    queue.add([new(3)])
    with notifier(settings):
        assert _read(url, begin + 2, 1) == [begin + 3]
        assert _read(f"{url}?types=queue.*&lastEventId={begin}", None, 0) == []
        assert requests.get(f"{url}?types=nothing", timeout=20).status_code == 422


def _read(url: str, last: int | None, count: int) -> list[int]:
    headers = {} if last is None else {"Last-Event-ID": str(last)}

    def opened() -> requests.Response | None:
        try:
            return requests.get(url, headers=headers, stream=True, timeout=20)
        except requests.ConnectionError:
            return None

    with until(opened, within_s=WITHIN_S, what="it listens") as answer:
        assert answer.headers["Content-Type"] == "text/event-stream"
        found: list[int] = []
        for line in answer.iter_lines() if count else ():
            if line.startswith(b"id: "):
                found.append(int(line[4:]))
            if len(found) == count:
                break
        return found
