"""``dnc``: the do-not-call list."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import click

from vomind_queue.cli.client import Api
from vomind_queue.cli.exit_codes import ExitCode
from vomind_queue.cli.options import given, talks
from vomind_queue.cli.output import Out, count, moment, printable, table

#: Numbers in one request, and entries on one page: the most that the API takes.
MOST_SENT, MOST_ON_PAGE = 10_000, 1_000
LIST = "/api/do-not-call"

_NUMBER = click.argument("number")
_REASON = click.option("--reason", metavar="TEXT", help="Why, in your own words.")
_SOURCE = click.option("--source", metavar="TEXT", help="Where the wish came from: crm, phone.")


@click.group()
def dnc() -> None:
    """Keep the do-not-call list: numbers that never ring."""


@dnc.command()
@_NUMBER
@_REASON
@_SOURCE
@click.option("--end-call", "endCall", is_flag=True, default=None, help="Also end a call to it.")
@talks
def add(api: Api, out: Out, *, number: str, **wish: Any) -> None:
    """Put a NUMBER on the list; calls that wait for it end."""
    answer = api.put(_path(number), given(wish) or None)
    out.answer(answer, f"{answer['number']}: {answer['message']}.", *_ended(answer))


@dnc.command()
@_NUMBER
@talks
def show(api: Api, out: Out, *, number: str) -> None:
    """Show whether a NUMBER is on the list; exits with 1 if it is not."""
    answer = api.get(_path(number))
    if not answer["listed"]:
        out.answer(answer, f"{answer['number']} is not on the do-not-call list.")
        raise SystemExit(ExitCode.LEFT)
    since = f"since {moment(answer['listedAt'])} UTC, by {answer['by']} ({answer['source']})"
    reason = f": {printable(answer['reason'])}" if answer["reason"] else ""
    out.answer(answer, f"{answer['number']} is on the do-not-call list {since}{reason}")


@dnc.command()
@_NUMBER
@click.option("--reason", metavar="TEXT", required=True, help="Why it may be called again.")
@talks
def remove(api: Api, out: Out, *, number: str, reason: str) -> None:
    """Take a NUMBER off the list."""
    answer = api.delete(_path(number), {"reason": reason})
    out.answer(answer, f"{answer['number']} may be called again.")


@dnc.command("list")
@click.option("--limit", type=click.IntRange(1), default=20, show_default=True)
@click.option("--csv", "as_csv", is_flag=True, help="Print the whole list as CSV.")
@talks
def list_numbers(api: Api, out: Out, *, limit: int, as_csv: bool) -> None:
    """List the numbers, newest first."""
    if as_csv:
        _print_csv(api)
        return
    entries = list(_entries(api, limit))
    head = ("NUMBER", "LISTED (UTC)", "BY", "SOURCE", "REASON")
    lines = table(head, [_row(each) for each in entries]) if entries else ["The list is empty."]
    out.answer({"success": True, "count": len(entries), "numbers": entries}, *lines)


@dnc.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@_REASON
@_SOURCE
@talks
def import_numbers(api: Api, out: Out, *, file: Path, **wish: Any) -> None:
    """Put the numbers in a FILE on the list: one a line, or the first column of a CSV.

    Exits with 1 if a line is no phone number; the others are listed.
    """
    counts: dict[str, int] = {"added": 0, "known": 0, "refused": 0}
    refused = []
    numbers = list(_numbers(file))
    for start in range(0, len(numbers), MOST_SENT):
        part = numbers[start : start + MOST_SENT]
        answer = api.post(LIST, {"numbers": [number for _, number in part], **given(wish)})
        for (line, _), each in zip(part, answer["results"], strict=True):
            counts[each["result"]] += 1
            if each["result"] == "refused":
                refused.append({"line": line, **each})
    said = f"{count(counts['added'], 'number')} added, {counts['known']:,} known before"
    said += f", {counts['refused']:,} refused."
    document = {"success": not refused, "counts": counts, "refused": refused}
    out.answer(document, said, *(f"line {each['line']}: {each['detail']}" for each in refused))
    if refused:
        raise SystemExit(ExitCode.LEFT)


def _path(number: str) -> str:
    return f"/api/people/{quote(number, safe='+')}/do-not-call"


def _ended(answer: Mapping[str, Any]) -> Iterator[str]:
    ended, recurring = answer["cancelled"], answer["recurring"]
    yield f"{count(ended, 'call')} and {count(recurring, 'recurring call')} to it ended."
    if answer["beingPlaced"]:
        yield f"Being placed or on the line: {', '.join(answer['beingPlaced'])}."
    if not answer["complete"]:
        yield "The queue is long: further calls to it end when their turn comes."


def _entries(api: Api, left: int) -> Iterator[dict[str, Any]]:
    cursor = None
    while left > 0:
        page = api.get(LIST, limit=min(MOST_ON_PAGE, left), cursor=cursor)
        yield from page["numbers"]
        cursor, left = page["next"], left - page["count"]
        if cursor is None:
            return


def _row(entry: Mapping[str, Any]) -> Sequence[str]:
    words = (printable(entry[name] or "-") for name in ("by", "source", "reason"))
    return entry["number"] or "(forgotten)", moment(entry["listedAt"]), *words


def _numbers(file: Path) -> Iterator[tuple[int, str]]:
    """Yield the first cell of each line that is not empty; a header has no digit."""
    text = file.read_text("utf-8-sig")
    for line, cells in enumerate(csv.reader(io.StringIO(text, newline="")), start=1):
        cell = cells[0].strip() if cells else ""
        if cell and not (line == 1 and not any(sign.isdigit() for sign in cell)):
            yield line, cell


def _print_csv(api: Api) -> None:
    cursor = None
    while True:
        query = {"limit": MOST_ON_PAGE, "cursor": cursor}
        answer = api.ask("GET", LIST, query=query, headers={"Accept": "text/csv"})
        head, _, rows = answer.content.partition(b"\r\n")
        click.echo(rows if cursor else head + b"\r\n" + rows, nl=False)
        if "next" not in answer.links:
            return
        (cursor,) = parse_qs(urlsplit(answer.links["next"]["url"]).query)["cursor"]
