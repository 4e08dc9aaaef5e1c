"""Lists that are read and accepted outside of the request, by a separate process."""

from __future__ import annotations

import csv
import io
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import redis

from tests.integration.api.conftest import Api
from tests.integration.api.test_lists import Lists
from vomind_queue.api.list_judging import ListJudge
from vomind_queue.call_log.sqlite import SqliteLog
from vomind_queue.config.settings import Settings
from vomind_queue.container.list_processes import ListProcesses
from vomind_queue.container.web_services import Services, build_on
from vomind_queue.errors import StoreUnavailable
from vomind_queue.processes.application import create_app
from vomind_queue.queue import keys, list_work
from vomind_queue.queue.call_queue import CallQueue
from vomind_queue.queue.staged_lists import StagedLists
from vomind_queue.usecases.read_large_list import ReadLargeList, Superseded

#: A few more than are read while somebody waits.
MANY = 2_100


def people(count: int, *more: str) -> str:
    """A list of as many people, and further lines."""
    rows = [f"+1415{2_000_000 + number},Hello {number}" for number in range(count)]
    return "\n".join(["Phone,Message", *rows, *more, ""])


class Work:
    """Does the work in this process, when the test says so."""

    def __init__(self, services: Services) -> None:
        self.services = services
        self.wanted: list[tuple[str, str, str]] = []

    def start(self, campaign_id: str, list_id: str, token: str) -> None:
        """Note what is to be done."""
        self.wanted.append((campaign_id, list_id, token))

    def do(self) -> None:
        """Do what was asked for last."""
        campaign_id, list_id, token = self.wanted.pop()
        judge = ListJudge(self.services)
        ReadLargeList(
            self.services.list_work, self.services.lists, judge.judge, judge.hints,
            campaign_id=campaign_id, list_id=list_id, token=token,
        ).run()  # fmt: skip


@pytest.fixture
def lists(queue: CallQueue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LargeCase:
    """The lists of a campaign, and the work on them."""
    asked: list[Work] = []
    monkeypatch.setattr(ListProcesses, "start", lambda _, *work: asked[0].start(*work))
    settings = Settings.from_env({"CALL_RATE_LIMIT": "off"})
    services = build_on(queue._store, settings, SqliteLog(tmp_path / "calls.sqlite3"))
    asked.append(Work(services))
    return LargeCase(Api(create_app(services).test_client()), asked[0])


class LargeCase(Lists):
    """A campaign with lists that are large."""

    def __init__(self, api: Api, work: Work) -> None:
        super().__init__(api)
        self.work = work

    def show(self, list_id: str) -> Any:
        """A list's state."""
        return self.api.web.get(f"{self.path}/{list_id}").get_json()

    def read(self, text: str) -> str:
        """The id of a list that was uploaded and read."""
        list_id = str(self.upload(text, 202)["listId"])
        self.work.do()
        return list_id


def test_a_large_list_is_read_previewed_and_accepted_outside_the_request(lists: LargeCase) -> None:
    """Each answer says how far it is; the pages are those of a small list."""
    staged = lists.upload(people(MANY, "415,Too short", '"=1+1",x'), 202)
    list_id = staged["listId"]
    assert (staged["state"], staged["progress"]) == ("reading", {"done": 0, "total": None})
    early = lists.api.web.get(f"{lists.path}/{list_id}/preview")
    assert (early.status_code, early.get_json()["state"]) == (202, "reading")
    assert "still being read" in lists.accept(list_id, 409)["detail"]
    lists.work.do()
    shown = lists.show(list_id)
    assert (shown["state"], shown["questions"]) == ("ready", [])
    assert [column["takenAs"] for column in shown["found"]["columns"]] == ["to", "message"]
    assert (shown["counts"]["rows"], shown["counts"]["willRing"]) == (MANY + 2, MANY)
    rows = lists.preview(list_id, f"?start=1490&end={MANY + 5}")["rows"]
    assert [row["line"] for row in rows] == list(range(1492, MANY + 4))
    assert (rows[0]["to"], rows[-2]["fate"]) == ("+14152001490", "refused")
    assert lists.api.total() == 0
    assert lists.accept(list_id, 202)["state"] == "accepting"
    lists.work.do()
    done = lists.show(list_id)
    assert (done["state"], done["count"]) == ("accepted", MANY)
    assert lists.preview(list_id, "?start=0&end=0")["rows"][0]["jobId"] == "1"
    report = lists.api.web.get(f"{lists.path}/{list_id}/report")
    found = list(csv.reader(io.StringIO(report.get_data(as_text=True).lstrip("\ufeff"))))
    assert found[0] == ["line", "why", "Phone", "Message"]
    assert found[1][2:] == ["415", "Too short"]
    assert found[2][2:] == ["'=1+1", "x"]
    assert lists.api.total() == MANY


def test_an_answer_has_it_read_again(lists: LargeCase) -> None:
    """What was being read for the answer before ends, and shows nothing."""
    text = people(MANY).replace("Phone,", "Mobile,").replace("Message", "Phone")
    list_id = lists.upload(text, 202)["listId"]
    answer = lists.api.web.patch(f"{lists.path}/{list_id}", json={"country": "US"})
    assert answer.status_code == 202
    newer = lists.work.wanted.pop()
    with pytest.raises(Superseded):
        lists.work.do()
    assert lists.show(list_id)["state"] == "reading"
    lists.work.wanted.append(newer)
    lists.work.do()
    asked = [question["id"] for question in lists.show(list_id)["questions"]]
    assert asked
    refused = lists.accept(list_id, 409)
    assert refused["errors"] == {"questions": asked}


def test_accepting_that_was_broken_off_goes_on_with_the_next_row(
    lists: LargeCase, client: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process died between storing calls and noting it: each person is called once."""
    list_id = lists.read(people(MANY))
    lists.accept(list_id, 202)

    def die(*_: object) -> None:
        raise StoreUnavailable("The connection broke.")

    with monkeypatch.context() as broken, suppress(StoreUnavailable):
        broken.setattr(StagedLists, "accepted", die)
        lists.work.do()
    assert lists.api.total() == 1_000
    assert lists.show(list_id)["state"] == "accepting"
    assert lists.work.wanted == []
    client.hset(keys.STAGED_LIST + list_id, "seen", 0)
    assert lists.show(list_id)["state"] == "accepting"
    lists.work.do()
    assert lists.show(list_id)["count"] == MANY
    assert lists.api.total() == MANY
    lists.accept(list_id, 202)
    lists.work.do()
    assert (lists.show(list_id)["count"], lists.api.total()) == (MANY, MANY)


def test_work_that_is_done_is_not_done_again(lists: LargeCase) -> None:
    """A process that is started once more finds nothing to do: an accepted list stays accepted."""
    list_id = lists.read(people(MANY))
    lists.accept(list_id, 202)
    again = lists.work.wanted[-1]
    lists.work.do()
    lists.work.wanted.append(again)
    with pytest.raises(Superseded):
        lists.work.do()
    assert (lists.show(list_id)["state"], lists.show(list_id)["count"]) == ("accepted", MANY)


def test_the_process_ends_well_while_its_parent_lives(
    lists: LargeCase, redis_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It waits for the end of its input all the while; otherwise it would be started again."""
    monkeypatch.setenv("REDIS_URL", redis_url)
    monkeypatch.setenv("DATA_DIR", str(tmp_path))
    list_id = lists.upload(people(MANY), 202)["listId"]
    assert ListProcesses(print)._run_once(lists.work.wanted.pop()) == 0
    assert lists.show(list_id)["state"] == "ready"


def test_what_breaks_off_each_time_is_given_up(lists: LargeCase, client: redis.Redis) -> None:
    """Nobody waits for it for ever."""
    list_id = lists.upload(people(MANY), 202)["listId"]
    for _ in range(list_work.MOST_TRIES + 1):
        client.hset(keys.STAGED_LIST + list_id, "seen", 0)
        shown = lists.show(list_id)
    assert (shown["state"], "split the list" in shown["error"]) == ("failed", True)
    answer = lists.api.web.get(f"{lists.path}/{list_id}/preview")
    assert answer.status_code == 422


def test_a_file_that_cannot_be_read_says_so(lists: LargeCase) -> None:
    """Once it was looked at."""
    list_id = lists.upload('{"to"\n' * MANY, 202, "people.jsonl")["listId"]
    lists.work.do()
    shown = lists.show(list_id)
    assert shown["state"] == "failed"
    assert shown["error"].startswith("No row of the file can be read: it is not valid JSON")


def test_a_forgotten_person_is_in_no_large_list_either(
    lists: LargeCase, client: redis.Redis
) -> None:
    """Neither in one that was read nor in one of which nobody knows who is in it."""
    read = lists.read(people(MANY))
    other = lists.read(people(MANY).replace("+14152", "+14153"))
    unread = lists.upload(people(MANY), 202)["listId"]
    given_up = lists.upload(people(MANY), 202)["listId"]
    client.hset(keys.STAGED_LIST + given_up, "state", "failed")
    assert lists.api.web.delete("/api/people/+14152000007").status_code in (200, 202)
    assert lists.api.web.get(f"{lists.path}/{read}").status_code == 404
    assert lists.api.web.get(f"{lists.path}/{unread}").status_code == 404
    assert lists.api.web.get(f"{lists.path}/{given_up}").status_code == 404
    assert lists.show(other)["state"] == "ready"
    left = {str(name).rsplit(":", 2)[1] for name in client.scan_iter("{calls}:list_*")}
    assert left <= {"list_file", "list_pages", other}
