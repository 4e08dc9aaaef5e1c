"""Lists that were uploaded: kept for a day as a whole, or not at all."""

from __future__ import annotations

from dataclasses import replace

import pytest
import redis

from vomind_queue.errors import ListNotFound, QueueError
from vomind_queue.lists.models import Answers, Sending, StagedList
from vomind_queue.lists.reading import read_list
from vomind_queue.queue import keys
from vomind_queue.queue.connection import RedisStore
from vomind_queue.queue.staged_lists import KEPT_MS, StagedLists

RAW = b"to,message\n+14155550101,x\n415-555-0102,x\n"
STAGED = StagedList(campaign_id="7", filename="people.csv", raw=RAW, answers=Answers())
FOUND = read_list(RAW, "people.csv", Answers())
#: What is left of the day of a list that is changed, ms.
LEFT = 60_000


@pytest.fixture
def lists(client: redis.Redis) -> StagedLists:
    """The lists."""
    return StagedLists(RedisStore(client))


def age(client: redis.Redis, list_id: str) -> None:
    """Leave a list a minute."""
    client.zadd(keys.STAGED_LISTS, {list_id: client.time()[0] * 1000 + LEFT})  # type: ignore[index]
    client.pexpire(keys.STAGED_LIST + list_id, LEFT)


def left_ms(client: redis.Redis, list_id: str) -> list[float]:
    """How long each part of a list is kept from now on."""
    now_ms = client.time()[0] * 1000  # type: ignore[index]
    names = [keys.STAGED_LIST + list_id, keys.LIST_JOBS + list_id]
    times = [float(client.pttl(name)) for name in names if client.exists(name)]
    return [*times, float(client.zscore(keys.STAGED_LISTS, list_id) or 0) - now_ms]


def test_each_change_keeps_all_of_a_list_for_another_day(
    lists: StagedLists, client: redis.Redis
) -> None:
    """A list that is kept is also one of those that are counted, and searched to forget."""
    list_id = lists.add(STAGED, FOUND)
    assert min(left_ms(client, list_id)) > KEPT_MS / 2
    changed = replace(STAGED.answers, country="US")
    sending = Sending(key="k", rows=["row"], again="")
    for change in (
        lambda: lists.answer(list_id, STAGED.answers, changed, FOUND),
        lambda: lists.begin("7", list_id, sending),
        lambda: lists.accepted("7", list_id, {"row": "1"}, ""),
    ):
        age(client, list_id)
        change()
        assert min(left_ms(client, list_id)) > KEPT_MS / 2
    shown = lists.show("7", list_id)
    assert (shown.answers, shown.jobs, shown.sending) == (changed, {"row": "1"}, None)
    assert client.zcard(keys.STAGED_LISTS) == 1


def test_a_list_with_rows_in_doubt_goes_before_the_key_that_tells_of_them(
    lists: StagedLists, client: redis.Redis
) -> None:
    """Otherwise they would be called again."""
    list_id = lists.add(STAGED, FOUND)
    sending = Sending(key="k", rows=["row"], again="")
    lists.begin("7", list_id, sending)
    age(client, list_id)
    lists.answer(list_id, STAGED.answers, Answers(country="US"), FOUND)
    lists.begin("7", list_id, sending)
    assert max(left_ms(client, list_id)) <= LEFT + 1_000


def test_a_list_that_has_gone_stays_gone(lists: StagedLists, client: redis.Redis) -> None:
    """Whatever is asked of it afterwards, though the campaign knows the rows that became calls."""
    list_id = lists.add(STAGED, FOUND)
    assert lists.forget("+14155550101") == 1
    for change in (
        lambda: lists.answer(list_id, STAGED.answers, STAGED.answers, FOUND),
        lambda: lists.begin("7", list_id, Sending(key="k", rows=["row"], again="")),
        lambda: lists.accepted("7", list_id, {"row": "1"}, ""),
    ):
        with pytest.raises(ListNotFound):
            change()
    kept = [name for name in client.scan_iter("{calls}:*list*") if list_id in str(name)]
    assert (kept, client.zcard(keys.STAGED_LISTS)) == ([], 0)
    assert lists.accepted_rows("7", ["row", "other"], None).keys() == {"row"}


def test_of_two_changes_at_once_the_later_is_refused(lists: StagedLists) -> None:
    """It was made without knowing of the other."""
    list_id = lists.add(STAGED, FOUND)
    lists.answer(list_id, STAGED.answers, Answers(country="US"), FOUND)
    with pytest.raises(QueueError, match="try again"):
        lists.answer(list_id, STAGED.answers, Answers(country="DE"), FOUND)
    assert lists.show("7", list_id).answers.country == "US"


def test_a_number_is_found_however_the_list_comes_to_it(lists: StagedLists) -> None:
    """From two columns of one row, as soon as somebody says that they are."""
    raw = b"code,rest,message\n49,4155,x\n"
    joined = read_list(
        raw, "people.csv", Answers(columns={"code": "to.code", "rest": "to"}, country="DE")
    )
    staged = replace(STAGED, raw=raw)
    list_id = lists.add(staged, read_list(raw, "people.csv", Answers()))
    first = joined.rows[0]
    number = first.to or "+494155"
    lists.answer(
        list_id, staged.answers, Answers(), replace(joined, rows=[replace(first, to=number)])
    )
    assert lists.forget(number) == 1
