"""Lists as the API shows them."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from http import HTTPStatus
from typing import Any

from flask import Response

from vomind_queue.api.serializers.jobs import success
from vomind_queue.encoding import no_formula
from vomind_queue.lists.models import ReadList, StagedList
from vomind_queue.lists.preview import Fate
from vomind_queue.lists.refused import own_cells
from vomind_queue.lists.work import WORKED, ListState, ListWork
from vomind_queue.usecases.stage_lists import Seen

#: Columns of a report before those of the file.
_BEFORE = ("line", "why")


def found_data(found: ReadList) -> dict[str, Any]:
    """Return what a list has, and what is asked."""
    return {
        "found": found.found(),
        "questions": [question.as_data() for question in found.questions],
        "options": [question.as_data() for question in found.options],
    }


def small(list_id: str, staged: StagedList, found: ReadList) -> Response:
    """Return the state of a list that is read within the request."""
    state = ListState.ACCEPTED if staged.jobs and not staged.sending else ListState.READY
    document = {"listId": list_id, "filename": staged.filename, "state": state.value}
    made = {"count": len(staged.jobs)} if state is ListState.ACCEPTED else {}
    return success({**document, **found_data(found), **made})


def large(work: ListWork, ignored: Sequence[str] = (), *, asked: bool = False) -> Response:
    """Return the state of a large list; a 202 while what was asked for is still being done."""
    is_worked = work.state in WORKED
    document: dict[str, Any] = {
        "listId": work.list_id,
        "filename": work.filename,
        "state": work.state.value,
    }
    if is_worked:
        document["progress"] = {"done": work.done, "total": work.total or None}
    if work.fault:
        document["error"] = work.fault
    response = success({**document, **work.summary}, ignored)
    if is_worked and asked:
        response.status_code = HTTPStatus.ACCEPTED
    return response


def large_preview(work: ListWork, rows: Iterable[Mapping[str, Any]]) -> Response:
    """Return what would become of rows of a large list, or became of them."""
    shown = [{name: row[name] for name in row if name != "cells"} for row in rows]
    names = ("questions", "options", "counts", "refusals", "readAt")
    summary = {name: work.summary[name] for name in names}
    return success({"listId": work.list_id, **summary, "rows": shown})


def accepted(list_id: str, seen: Seen, jobs: Mapping[str, str]) -> dict[str, Any]:
    """Return the ids of all calls, and the refused rows as they stand in the file."""
    headers = [column.header for column in seen.found.columns]
    refused = [
        {
            "line": row.row.line,
            "why": row.why,
            "cells": dict(zip(headers, own_cells(seen.found, row), strict=False)),
        }
        for row in seen.preview.rows
        if row.fate is Fate.REFUSED
    ]
    made = [
        {"line": row.row.line, "jobId": jobs[row.digest]}
        for row in seen.preview.rows
        if row.digest in jobs
    ]
    calls = "1 call" if len(made) == 1 else f"{len(made):,} calls"
    document = {"message": f"{calls} accepted", "listId": list_id, "count": len(made)}
    return {**document, "counts": seen.preview.counts, "jobs": made, "refused": refused}


def refused_rows(seen: Seen) -> Iterator[tuple[int, str, Sequence[str]]]:
    """Yield line, reason and cells of each refused row of a small list."""
    for row in seen.preview.rows:
        if row.fate is Fate.REFUSED:
            yield row.row.line, row.why, own_cells(seen.found, row)


def refused_of(rows: Iterable[Mapping[str, Any]]) -> Iterator[tuple[int, str, Sequence[str]]]:
    """Yield the same of a large one."""
    for row in rows:
        if row["fate"] == Fate.REFUSED:
            yield row["line"], row["why"] or "", row["cells"]


def report(
    filename: str, headers: Sequence[str], rows: Iterable[tuple[int, str, Sequence[str]]]
) -> Response:
    """Return refused rows as CSV with their own columns; no cell may be a formula."""
    plain = "".join(sign if sign.isalnum() or sign in "-_" else "-" for sign in filename[:64])
    return Response(
        _lines([*_BEFORE, *headers], rows),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="refused-{_ascii(plain)}.csv"'},
    )


def _ascii(name: str) -> str:
    return name.encode("ascii", "ignore").decode()


def _lines(header: Sequence[str], rows: Iterable[tuple[int, str, Sequence[str]]]) -> Iterator[str]:
    # Spreadsheets know by the mark that it is UTF-8.
    yield "\ufeff" + _line(header)
    for line, why, cells in rows:
        yield _line([str(line), why, *cells])


def _line(cells: Sequence[str]) -> str:
    text = io.StringIO()
    csv.writer(text).writerow([no_formula(cell) for cell in cells])
    return text.getvalue()
