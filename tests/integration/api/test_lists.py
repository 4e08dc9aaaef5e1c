"""A file becomes the calls of a campaign: read, asked about, previewed, accepted."""

from __future__ import annotations

import io
from collections.abc import Callable, Collection
from dataclasses import replace
from typing import Any

import pytest

from tests.integration.api.conftest import Api
from tests.unit.lists.reading import workbook
from vomind_queue.api.list_judging import ListJudge
from vomind_queue.errors import QueueError, StoreUnavailable
from vomind_queue.queue.staged_lists import StagedLists
from vomind_queue.usecases.campaigns import Campaigns

PEOPLE = (
    "Telefon;Nachricht;Ort\n"
    "0171/39200133;Ihr Paket ist da;Köln\n"
    "+14155550134;Your parcel is here;Boston\n"
    "+1 (415) 555-0134;Your parcel is here;Boston\n"
    "415;Zu kurz;Ulm\n"
)


class Lists:
    """The lists of one campaign."""

    def __init__(self, api: Api, country: str | None = "DE") -> None:
        self.api = api
        made = api.post("/campaigns", {"name": "Parcels", "country": country}).get_json()
        self.path = f"/api/queue/campaigns/{made['campaignId']}/list"

    def upload(self, text: str | bytes, status: int = 200, name: str = "people.csv") -> Any:
        """The answer to a file."""
        answer = self.api.web.post(f"{self.path}?filename={name}", data=text)
        assert answer.status_code == status, answer.get_data(as_text=True)
        return answer.get_json()

    def answer(self, list_id: str, **said: Any) -> Any:
        """The answer to what is said of a list."""
        answer = self.api.web.patch(f"{self.path}/{list_id}", json=said)
        assert answer.status_code == 200, answer.get_data(as_text=True)
        return answer.get_json()

    def preview(self, list_id: str, query: str = "") -> Any:
        """What would become of it."""
        answer = self.api.web.get(f"{self.path}/{list_id}/preview{query}")
        assert answer.status_code == 200, answer.get_data(as_text=True)
        return answer.get_json()

    def accept(self, list_id: str, status: int = 200) -> Any:
        """The answer to a yes."""
        answer = self.api.web.post(f"{self.path}/{list_id}/accept")
        assert answer.status_code == status, answer.get_data(as_text=True)
        return answer.get_json()


@pytest.fixture
def lists(api: Api) -> Lists:
    """Those of a new campaign in Germany."""
    return Lists(api)


def test_a_file_is_read_previewed_and_accepted(lists: Lists) -> None:
    """Each row has one fate; the refused ones come back with their own cells."""
    staged = lists.upload(PEOPLE)
    found = staged["found"]
    assert (found["format"], found["encoding"], found["headerLine"]) == ("csv", "utf-8", 1)
    assert [column["takenAs"] for column in found["columns"]] == ["to", "message", None]
    assert staged["questions"] == []
    shown = lists.preview(staged["listId"])
    assert shown["counts"] == {
        "rows": 4, "willRing": 2, "refused": 1, "doubles": 1, "acceptedBefore": 0, "blocked": 0,
        "held": 0, "asked": 0,
    }  # fmt: skip
    first = shown["rows"][0]
    assert (first["cell"], first["to"]) == ("0171/39200133", "+4917139200133")
    assert [row["line"] for row in lists.preview(staged["listId"], "?start=1&end=2")["rows"]] == [
        3, 4,
    ]  # fmt: skip
    assert lists.api.total() == 0
    done = lists.accept(staged["listId"])
    assert done["jobs"] == [{"line": 2, "jobId": "1"}, {"line": 3, "jobId": "2"}]
    assert done["refused"][0]["cells"] == {"Telefon": "415", "Nachricht": "Zu kurz", "Ort": "Ulm"}
    assert lists.api.total() == 2


def test_a_list_is_accepted_once_however_often(lists: Lists) -> None:
    """And of a mended file only the new rows; of the same file it is asked."""
    staged = lists.upload(PEOPLE)
    once = lists.accept(staged["listId"])
    assert lists.accept(staged["listId"])["jobs"] == once["jobs"]
    assert lists.api.total() == 2
    mended = lists.upload(PEOPLE.replace("415;", "0171/39200135;"))
    counts = lists.preview(mended["listId"])["counts"]
    assert (counts["acceptedBefore"], counts["willRing"]) == (2, 1)
    assert [job["line"] for job in lists.accept(mended["listId"])["jobs"]] == [5]
    same = lists.upload(PEOPLE)
    assert lists.accept(same["listId"], 409)["errors"] == {"questions": ["again"]}
    lists.answer(same["listId"], answers={"again": "yes"})
    assert lists.accept(same["listId"])["count"] == 2
    assert lists.api.total() == 5


def test_open_questions_are_answered_first(lists: Lists) -> None:
    """Nothing is sent before."""
    text = "Mobile;Phone;Termin\n+14155550101;+14155550102;2099-01-04T09:00:00Z\n"
    staged = lists.upload(text)
    asked = [question["id"] for question in staged["questions"]]
    assert asked == ["numbers", "column-3"]
    refused = lists.accept(staged["listId"], 409)
    assert "numbers, column-3" in refused["detail"]
    answers = {"numbers": "1,2", "message": "default", "column-3": "none"}
    assert lists.answer(staged["listId"], answers=answers)["questions"] == []
    assert lists.preview(staged["listId"])["counts"]["willRing"] == 1
    other = lists.answer(staged["listId"], columns={"2": "to", "1": ""}, answers={"numbers": ""})
    assert other["questions"] == []
    assert lists.preview(staged["listId"])["rows"][0]["to"] == "+14155550102"


def test_the_service_judges_the_rows(lists: Lists) -> None:
    """Its own errors, and the do-not-call list."""
    lists.api.web.put("/api/people/+14155550101/do-not-call", json={})
    staged = lists.upload(
        "to,message,ringTimeoutMs\n+14155550101,x,\n+14155550102,x,1\n+14155550103,x,\n"
    )
    shown = lists.preview(staged["listId"])
    assert [row["fate"] for row in shown["rows"]] == ["blocked", "refused", "willRing"]
    assert shown["rows"][1]["why"].startswith("ringTimeoutMs: Must be")


def test_what_cannot_be_read_is_refused_in_a_sentence(lists: Lists) -> None:
    """And nothing is kept."""
    assert "is empty" in lists.upload("", 422)["detail"]
    assert "no calls" in lists.upload("to,message\n", 422)["detail"]
    assert lists.accept("1", 404)["detail"].startswith("No such list")
    elsewhere = lists.api.web.post("/api/queue/campaigns/99/list", data=PEOPLE)
    assert elsewhere.status_code == 404


def test_a_forgotten_person_is_in_no_file_either(lists: Lists) -> None:
    """However the number is written there."""
    staged = lists.upload(PEOPLE)
    other = lists.upload("to,message\n+14155550199,x\n")
    assert lists.api.web.delete("/api/people/+4917139200133").status_code in (200, 202)
    gone = lists.api.web.get(f"{lists.path}/{staged['listId']}/preview")
    assert gone.status_code == 404
    assert lists.preview(other["listId"])["counts"]["willRing"] == 1


def test_a_forgotten_person_is_on_no_other_sheet_either(lists: Lists) -> None:
    """Which sheet is the list was not known when it came."""
    rows = [["Phone", "Message"], ["+14155550101", "x"]]
    raw = workbook(North=rows, South=[rows[0], ["+1 415–555–0102", "x"]])
    staged = lists.upload(raw, name="people.xlsx")
    assert [question["id"] for question in staged["questions"]] == ["sheet"]
    assert lists.api.web.delete("/api/people/+14155550102").status_code in (200, 202)
    assert lists.api.web.get(f"{lists.path}/{staged['listId']}/preview").status_code == 404


def test_a_file_that_is_too_large_is_refused_before_it_is_kept(lists: Lists) -> None:
    """By its announced length, and while it arrives without one."""
    answer = lists.api.web.post(
        lists.path, data=b"to", environ_overrides={"CONTENT_LENGTH": str((25 << 20) + 1)}
    )
    assert answer.status_code == 413
    assert answer.get_json()["detail"].startswith("The body must be at most 25 MiB")
    chunks = {
        "CONTENT_LENGTH": "",
        "HTTP_TRANSFER_ENCODING": "chunked",
        "wsgi.input_terminated": "1",
    }
    answer = lists.api.web.post(
        lists.path, input_stream=io.BytesIO(b"x" * ((25 << 20) + 1)), environ_overrides=chunks
    )
    assert answer.status_code == 413


@pytest.mark.parametrize(
    ("text", "name", "status"),
    [
        ("a," * 100_000 + "\n+14155550101,x\n", "people.csv", 422),
        ("to,message\n+14155550101,a\0b\n", "people.csv", 200),
        ('{"to": ' + "[" * 90_000 + "\n", "people.jsonl", 422),
        ('{"to": "+14155550101", "metadata": ' + "[" * 500 + "]" * 500 + "}\n", "a.jsonl", 200),
        ("PK\x03\x04" + "\0" * 500, "people.xlsx", 422),
    ],
)
def test_a_hostile_file_is_refused_in_words(
    lists: Lists, text: str, name: str, status: int
) -> None:
    """Or its rows are, one by one; a list that was taken can also be looked at."""
    found = lists.upload(text, status, name)
    if status == 200:
        counts = lists.preview(found["listId"])["counts"]
        assert sum(counts.values()) == 2 * counts["rows"]
    else:
        assert found["detail"].endswith(".")


def test_accepting_that_was_broken_off_goes_on(
    lists: Lists, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows whose calls were stored are not sent twice, though the list changed meanwhile."""
    staged = lists.upload("to,message\n+14155550101,x\n+14155550102,x\n+14155550103,x\n")

    def die(*_: object) -> None:
        raise StoreUnavailable("The connection broke.")

    with monkeypatch.context() as broken:
        broken.setattr(StagedLists, "accepted", die)
        lists.accept(staged["listId"], 503)
    assert lists.api.total() == 3
    lists.api.web.put("/api/people/+14155550102/do-not-call", json={})
    done = lists.accept(staged["listId"])
    assert [job["jobId"] for job in done["jobs"]] == ["1", "2", "3"]
    assert lists.api.total() == 3


def die(*_: object) -> None:
    """Nobody knows whether it was done."""
    raise StoreUnavailable("The connection broke.")


def refuse(monkeypatch: pytest.MonkeyPatch, wrong: Collection[int]) -> None:
    """Have the calls of these rows refused."""
    judge = ListJudge.judge

    def strict(self: ListJudge, *given: Any) -> Any:
        judged, right = judge(self, *given)
        errors = {index: [("to", "Must be another number.")] for index in wrong}
        kept = {index: call for index, call in right.items() if index not in wrong}
        return replace(judged, errors=errors), kept

    monkeypatch.setattr(ListJudge, "judge", strict)


def test_accepting_goes_on_with_rows_that_are_still_right(
    lists: Lists, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Broken off twice, before and after its calls were stored, with fewer rows each time."""
    staged = lists.upload("to,message\n+14155550101,x\n+14155550102,x\n+14155550103,x\n")
    wrong = {2}
    for place, name in ((Campaigns, "add_calls"), (StagedLists, "accepted")):
        with monkeypatch.context() as broken:
            broken.setattr(place, name, die)
            lists.accept(staged["listId"], 503)
        refuse(monkeypatch, wrong)
    assert lists.api.total() == 2
    wrong.add(1)
    done = lists.accept(staged["listId"])
    assert [(job["line"], job["jobId"]) for job in done["jobs"]] == [(2, "1"), (3, "2")]
    assert lists.api.total() == 2
    wrong.clear()
    assert lists.accept(staged["listId"])["count"] == 3
    assert lists.api.total() == 3


def test_accepting_goes_on_though_no_row_was_right_meanwhile(
    lists: Lists, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Broken off before its calls were stored, then all are refused, then one of them."""
    staged = lists.upload("to,message\n+14155550101,x\n+14155550102,x\n")
    wrong = {0, 1}
    with monkeypatch.context() as broken:
        broken.setattr(Campaigns, "add_calls", die)
        lists.accept(staged["listId"], 503)
    refuse(monkeypatch, wrong)
    answer = lists.api.web.post(f"{lists.path}/{staged['listId']}/accept")
    assert (answer.status_code, lists.api.total()) == (200, 0)
    wrong.remove(0)
    assert lists.accept(staged["listId"])["count"] == 1
    wrong.clear()
    assert lists.accept(staged["listId"])["count"] == 2
    assert lists.api.total() == 2


def test_the_same_file_again_calls_nobody_twice(
    lists: Lists, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Though accepting the first one broke off, and nobody knows whether its calls were stored."""
    text = "to,message\n+14155550101,x\n+14155550102,x\n"
    first, second = (lists.upload(text)["listId"] for _ in range(2))

    def die(*_: object) -> None:
        raise StoreUnavailable("The connection broke.")

    with monkeypatch.context() as broken:
        broken.setattr(StagedLists, "accepted", die)
        lists.accept(first, 503)
    assert lists.preview(second)["counts"]["acceptedBefore"] == 2
    lists.accept(second, 409)
    lists.accept(first)
    assert lists.api.total() == 2


def test_of_two_lists_with_the_same_rows_one_is_accepted(
    lists: Lists, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where both were judged before either was accepted."""
    text = "to,message\n+14155550101,x\n"
    first, second = (lists.upload(text)["listId"] for _ in range(2))
    with monkeypatch.context() as early:
        early.setattr(StagedLists, "accepted_rows", lambda *_: {})
        lists.accept(first)
        assert "accepted meanwhile" in lists.accept(second, 409)["detail"]
    assert lists.api.total() == 1


def test_rows_whose_calls_were_refused_are_free_for_another_list(
    lists: Lists, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They were not accepted."""
    text = "to,message\n+14155550101,x\n"
    first, second = (lists.upload(text)["listId"] for _ in range(2))

    def refuse(*_: object) -> None:
        raise QueueError("It takes no calls now.")

    with monkeypatch.context() as full:
        full.setattr(Campaigns, "add_calls", refuse)
        lists.accept(first, 409)
    lists.accept(second)
    lists.answer(first, answers={"again": "no"})
    lists.accept(first)
    assert lists.api.total() == 1


def test_calling_again_is_once_too(lists: Lists) -> None:
    """However often the list is accepted with that answer."""
    staged = lists.upload(PEOPLE)
    first = lists.accept(staged["listId"])["jobs"]
    lists.answer(staged["listId"], answers={"again": "yes"})
    again = [lists.accept(staged["listId"])["jobs"] for _ in range(2)]
    assert again[0] == again[1] != first
    assert lists.api.total() == 4


def test_the_campaign_lends_its_words(lists: Lists) -> None:
    """Rows without a message say them, filled in; a gap in them is the row's fault."""
    made = lists.api.post(
        "/campaigns", {"name": "Words", "message": "Hello {{name|there}} of {{city}}"}
    )
    lists.path = f"/api/queue/campaigns/{made.get_json()['campaignId']}/list"
    staged = lists.upload(
        "to,name,city\n+14155550101,Ann,Ulm\n+14155550102,,Ulm\n+14155550103,Ben,\n"
    )
    assert staged["questions"] == []
    rows = lists.preview(staged["listId"])["rows"]
    assert [row["message"] for row in rows[:2]] == ["Hello Ann of Ulm", "Hello there of Ulm"]
    assert (rows[2]["fate"], "`city` is empty" in rows[2]["why"]) == ("refused", True)
    other = lists.upload("to,name\n+14155550101,Ann\n")
    assert "{{city}} names no column" in lists.preview(other["listId"])["rows"][0]["why"]


def test_a_campaign_that_plays_twiml_needs_no_words(make_api: Callable[..., Api]) -> None:
    """Nobody is asked for them."""
    lists = Lists(make_api(TWIML_HOSTS="example.com"))
    made = lists.api.post("/campaigns", {"name": "T", "twimlUrl": "https://example.com/a.xml"})
    lists.path = f"/api/queue/campaigns/{made.get_json()['campaignId']}/list"
    staged = lists.upload("to,name\n+14155550101,Ann\n")
    assert staged["questions"] == []
    job_id = lists.accept(staged["listId"])["jobs"][0]["jobId"]
    shown = lists.api.get(f"/job/{job_id}")
    assert "https://example.com/a.xml" in shown.get_data(as_text=True)
