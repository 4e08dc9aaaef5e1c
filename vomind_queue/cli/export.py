"""``export``: the call log as a file."""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import IO, Any
from urllib.parse import parse_qs, urlsplit

import click

from vomind_queue.cli.call_fields import given
from vomind_queue.cli.client import Answer, Api
from vomind_queue.cli.listing import PAGE, STATES, filters, log_pages
from vomind_queue.cli.output import Out, count
from vomind_queue.cli.patience import patiently
from vomind_queue.cli.talking import talks
from vomind_queue.encoding import readable

_FORMS = ("csv", "jsonl")
#: How long the service may be away in the middle, s.
AWAY_S = 60.0


@click.command()
@filters
@click.option("--state", type=click.Choice([*STATES, "cancelled"]), help="Calls in this state.")
@click.option(
    "-f",
    "--format",
    "form",
    type=click.Choice(_FORMS),
    help="By default what the file's name ends with, else csv.",
)
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The file; it appears when it is whole. By default standard output.",
)
@talks
def export(api: Api, out: Out, *, form: str | None, output: Path | None, **wanted: Any) -> None:
    """Write the calls of the log, the newest first, as CSV or as JSON lines.

    In a CSV, a text that a spreadsheet would take for a formula begins with an apostrophe.
    """
    form = form or _form(output, as_json=out.as_json)
    write = _csv if form == "csv" else _jsonl
    if output is None:
        # Beside the calls there is no room for a document.
        write(api, given(wanted), sys.stdout.buffer)
        return
    with _whole(output) as file:
        calls = write(api, given(wanted), file)
    document = {"success": True, "count": calls, "format": form, "file": str(output)}
    out.answer(document, f"{count(calls, 'call')} written to {output}.")


def _form(output: Path | None, *, as_json: bool) -> str:
    ending = output.suffix.lstrip(".") if output else ""
    if ending in _FORMS:
        return ending
    return "jsonl" if as_json and output is None else "csv"


def _jsonl(api: Api, wanted: Mapping[str, Any], file: IO[bytes]) -> int:
    calls = 0
    for page in log_pages(api, wanted, away_s=AWAY_S):
        for call in page:
            file.write(readable(call).encode() + b"\n")
        calls += len(page)
    return calls


def _csv(api: Api, wanted: Mapping[str, Any], file: IO[bytes]) -> int:
    """The API's own tables, one under the other, with the names of the columns once."""
    cursor, calls = None, 0
    while True:
        ask = partial(_table, api, {**wanted, "cursor": cursor})
        page = patiently(ask, for_s=AWAY_S if cursor else 0)
        head, _, rows = page.body.partition(b"\r\n")
        file.write(rows if cursor else head + b"\r\n" + rows)
        # A message may have several lines.
        calls += sum(1 for _ in csv.reader(io.StringIO(rows.decode(), newline="")))
        cursor = _cursor(page.headers.get("Link"))
        if cursor is None:
            return calls


def _table(api: Api, wanted: Mapping[str, Any]) -> Answer:
    query = {**wanted, "limit": PAGE}
    return api.ask("GET", "/api/calls", query=query, headers={"Accept": "text/csv"})


def _cursor(link: str | None) -> str | None:
    """Where the next page begins (RFC 8288, as the API writes it)."""
    if not link:
        return None
    return parse_qs(urlsplit(link.partition(">")[0].lstrip("<")).query)["cursor"][0]


@contextmanager
def _whole(path: Path) -> Iterator[IO[bytes]]:
    """A file that takes its name only when all is in it."""
    part = path.with_name(f"{path.name}.part")
    try:
        with part.open("wb") as file:
            yield file
        part.replace(path)
    except OSError as error:
        raise click.BadParameter(
            f"{path} cannot be written: {error.strerror}.", param_hint="--output"
        ) from None
    finally:
        part.unlink(missing_ok=True)
