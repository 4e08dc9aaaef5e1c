"""Endpoints for the lists of a campaign."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http import HTTPStatus

from flask import Blueprint, Response, request

from vomind_queue.api.blueprints.campaigns import plausible
from vomind_queue.api.body import read_bytes, read_no_fields, read_object
from vomind_queue.api.errors import Refused
from vomind_queue.api.list_judging import ListJudge
from vomind_queue.api.schemas import queue as queue_schemas
from vomind_queue.api.schemas.lists import LIST_CHANGE, LIST_FILE
from vomind_queue.api.serializers import lists as shown
from vomind_queue.api.serializers.jobs import success
from vomind_queue.container.web_services import Services
from vomind_queue.errors import ListNotFound
from vomind_queue.lists.models import TooManyRows, UnreadableList
from vomind_queue.lists.reading import MOST_BYTES
from vomind_queue.lists.work import ListState, ListWork, is_large
from vomind_queue.usecases.stage_lists import Seen

_ID = re.compile("[1-9][0-9]{0,14}")
#: A name of a file that says nothing.
_NAMELESS = "list.csv"


class ListRoutes:
    """POST …/list, GET and PATCH …/list/<listId>; GET …/preview, POST …/accept and GET …/report."""

    def __init__(self, services: Services) -> None:
        self._lists = services.lists
        self._large = services.large_lists
        self._judge = ListJudge(services)

    def blueprint(self) -> Blueprint:
        """Return the routes, relative to the API's path."""
        routes = Blueprint("lists", __name__)
        lists = "/campaigns/<campaign_id>/list"
        routes.post(lists)(self.stage)
        routes.get(f"{lists}/<list_id>")(self.show)
        routes.patch(f"{lists}/<list_id>")(self.answer)
        routes.get(f"{lists}/<list_id>/preview")(self.preview)
        routes.post(f"{lists}/<list_id>/accept")(self.accept)
        routes.get(f"{lists}/<list_id>/report")(self.report)
        return routes

    def stage(self, campaign_id: str) -> Response:
        """Take a file, and return what is in it, or that it is being read."""
        filename = LIST_FILE.load(request.args.to_dict()).get("filename", _NAMELESS)
        raw = read_bytes(MOST_BYTES)
        if is_large(raw):
            return self._stage_large(campaign_id, filename, raw)
        with _readable():
            try:
                list_id, found = self._lists.stage(
                    plausible(campaign_id), filename, raw, self._judge.hints
                )
            except TooManyRows:
                # A workbook does not tell before it is read.
                return self._stage_large(campaign_id, filename, raw)
        return success({"listId": list_id, **shown.found_data(found)})

    def _stage_large(self, campaign_id: str, filename: str, raw: bytes) -> Response:
        return shown.large(self._large.stage(plausible(campaign_id), filename, raw), asked=True)

    def show(self, campaign_id: str, list_id: str) -> Response:
        """Return what is in a list, and how far reading or accepting it is."""
        if work := self._find(campaign_id, list_id):
            return shown.large(work)
        with _readable():
            staged, found = self._lists.read(campaign_id, list_id, self._judge.hints)
        return shown.small(list_id, staged, found)

    def answer(self, campaign_id: str, list_id: str) -> Response:
        """Answer questions about a list, and change what its columns are taken for."""
        body = read_object()
        said = LIST_CHANGE.load(body)
        ignored = LIST_CHANGE.ignored(body)
        with _readable():
            if work := self._find(campaign_id, list_id):
                return shown.large(self._large.answer(work, said), ignored, asked=True)
            found = self._lists.answer(campaign_id, list_id, said, self._judge.hints)
        return success({"listId": list_id, **shown.found_data(found)}, ignored)

    def preview(self, campaign_id: str, list_id: str) -> Response:
        """Return what would become of each row."""
        start, end = queue_schemas.PAGE.load(request.args.to_dict())
        if work := self._find(campaign_id, list_id):
            if work.pages is None:
                _check_legible(work)
                return shown.large(work, asked=True)
            return shown.large_preview(work, self._large.rows(work, start, end))
        seen = self._seen(campaign_id, list_id)
        rows = [row.as_data() for row in seen.preview.rows[start : end + 1]]
        return success({"listId": list_id, **seen.preview.as_data(), "rows": rows})

    def accept(self, campaign_id: str, list_id: str) -> Response:
        """Give the campaign the calls of a list."""
        ignored = read_no_fields()
        if work := self._find(campaign_id, list_id):
            _check_answered([each["id"] for each in work.summary.get("questions", ())])
            return shown.large(self._large.accept(work), ignored, asked=True)
        seen = self._seen(campaign_id, list_id)
        _check_answered([question.id for question in seen.preview.questions])
        jobs = self._lists.accept(list_id, seen)
        return success(shown.accepted(list_id, seen, jobs), ignored)

    def report(self, campaign_id: str, list_id: str) -> Response:
        """Return the refused rows as CSV, with their own columns."""
        if work := self._find(campaign_id, list_id):
            _check_legible(work)
            headers = [each["header"] for each in work.summary.get("found", {}).get("columns", ())]
            rows = shown.refused_of(self._large.all_rows(work))
            return shown.report(work.filename, headers, rows)
        seen = self._seen(campaign_id, list_id)
        headers = [column.header for column in seen.found.columns]
        return shown.report(seen.staged.filename, headers, shown.refused_rows(seen))

    def _find(self, campaign_id: str, list_id: str) -> ListWork | None:
        return self._large.find(plausible(campaign_id), _plausible(list_id))

    def _seen(self, campaign_id: str, list_id: str) -> Seen:
        with _readable():
            return self._lists.preview(campaign_id, list_id, self._judge.judge, self._judge.hints)


@contextmanager
def _readable() -> Iterator[None]:
    """Refuse a file that cannot be read."""
    try:
        yield
    except UnreadableList as error:
        raise Refused(HTTPStatus.UNPROCESSABLE_ENTITY, str(error)) from None


def _plausible(list_id: str) -> str:
    if not _ID.fullmatch(list_id):
        raise ListNotFound(list_id[:128])
    return list_id


def _check_answered(open_ones: Sequence[str]) -> None:
    """Refuse to send a list that has questions."""
    if open_ones:
        text = f"The list has open questions: {', '.join(open_ones)}. Answer them first."
        raise Refused(HTTPStatus.CONFLICT, text, errors={"questions": list(open_ones)})


def _check_legible(work: ListWork) -> None:
    """Refuse a list that could not be read."""
    if work.state is ListState.FAILED and work.pages is None:
        raise Refused(HTTPStatus.UNPROCESSABLE_ENTITY, work.fault)
