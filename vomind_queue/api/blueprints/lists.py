"""Endpoints for the lists of a campaign."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any

from flask import Blueprint, Response, request

from vomind_queue.api.blueprints.campaigns import plausible
from vomind_queue.api.body import read_bytes, read_no_fields, read_object
from vomind_queue.api.errors import Refused
from vomind_queue.api.list_judging import ListJudge
from vomind_queue.api.schemas import calls as call_schemas
from vomind_queue.api.schemas.lists import LIST_CHANGE, LIST_FILE
from vomind_queue.api.serializers.jobs import success
from vomind_queue.container.web_services import Services
from vomind_queue.errors import ListNotFound
from vomind_queue.lists.cells import readable
from vomind_queue.lists.models import ReadList, UnreadableList
from vomind_queue.lists.preview import Fate
from vomind_queue.lists.reading import MOST_BYTES
from vomind_queue.usecases.stage_lists import Seen

_ID = re.compile("[1-9][0-9]{0,14}")
#: A name of a file that says nothing.
_NAMELESS = "list.csv"


class ListRoutes:
    """POST …/list, PATCH …/list/<listId>, GET …/preview and POST …/accept below it."""

    def __init__(self, services: Services) -> None:
        self._lists = services.lists
        self._judge = ListJudge(services)

    def blueprint(self) -> Blueprint:
        """Return the routes, relative to the API's path."""
        routes = Blueprint("lists", __name__)
        lists = "/campaigns/<campaign_id>/list"
        routes.post(lists)(self.stage)
        routes.patch(f"{lists}/<list_id>")(self.answer)
        routes.get(f"{lists}/<list_id>/preview")(self.preview)
        routes.post(f"{lists}/<list_id>/accept")(self.accept)
        return routes

    def stage(self, campaign_id: str) -> Response:
        """Take a file, and return what is in it."""
        filename = LIST_FILE.load(request.args.to_dict()).get("filename", _NAMELESS)
        raw = read_bytes(MOST_BYTES)
        with _readable():
            list_id, found = self._lists.stage(
                plausible(campaign_id), filename, raw, self._judge.hints
            )
        return success({"listId": list_id, **_found(found)})

    def answer(self, campaign_id: str, list_id: str) -> Response:
        """Answer questions about a list, and change what its columns are taken for."""
        body = read_object()
        said = LIST_CHANGE.load(body)
        with _readable():
            found = self._lists.answer(
                plausible(campaign_id), _plausible(list_id), said, self._judge.hints
            )
        return success({"listId": list_id, **_found(found)}, LIST_CHANGE.ignored(body))

    def preview(self, campaign_id: str, list_id: str) -> Response:
        """Return what would become of each row."""
        start, end = call_schemas.PAGE.load(request.args.to_dict())
        seen = self._seen(campaign_id, list_id)
        rows = [row.as_data() for row in seen.preview.rows[start : end + 1]]
        return success({"listId": list_id, **seen.preview.as_data(), "rows": rows})

    def accept(self, campaign_id: str, list_id: str) -> Response:
        """Give the campaign the calls of a list."""
        ignored = read_no_fields()
        seen = self._seen(campaign_id, list_id)
        if open_ones := [question.id for question in seen.preview.questions]:
            text = f"The list has open questions: {', '.join(open_ones)}. Answer them first."
            raise Refused(HTTPStatus.CONFLICT, text, errors={"questions": open_ones})
        jobs = self._lists.accept(list_id, seen)
        return success(_accepted(list_id, seen, jobs), ignored)

    def _seen(self, campaign_id: str, list_id: str) -> Seen:
        with _readable():
            return self._lists.preview(
                plausible(campaign_id), _plausible(list_id), self._judge.judge, self._judge.hints
            )


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


def _found(found: ReadList) -> dict[str, Any]:
    return {
        "found": found.found(),
        "questions": [question.as_data() for question in found.questions],
        "options": [question.as_data() for question in found.options],
    }


def _accepted(list_id: str, seen: Seen, jobs: Mapping[str, str]) -> dict[str, Any]:
    """Return the ids of all calls, and the refused rows as they stand in the file."""
    headers = [column.header for column in seen.found.columns]
    refused = []
    for row in seen.preview.rows:
        if row.fate is Fate.REFUSED:
            cells = seen.found.records[row.row.line].cells
            own = {name: readable(str("" if cell is None else cell))
                   for name, cell in zip(headers, cells, strict=False)}  # fmt: skip
            refused.append({"line": row.row.line, "why": row.why, "cells": own})
    made = [
        {"line": row.row.line, "jobId": jobs[row.digest]}
        for row in seen.preview.rows
        if row.digest in jobs
    ]
    calls = "1 call" if len(made) == 1 else f"{len(made):,} calls"
    document = {"message": f"{calls} accepted", "listId": list_id, "count": len(made)}
    return {**document, "counts": seen.preview.counts, "jobs": made, "refused": refused}
