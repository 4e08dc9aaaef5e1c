"""The command itself."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import click

from vomind_queue.cli.bulk.columns import FIELDS
from vomind_queue.cli.bulk.lines import Fault, Part, Sheet, parts, read_csv, read_jsonl
from vomind_queue.cli.bulk.sending import Sender, agree, open_journal
from vomind_queue.cli.bulk.telling import (
    accepted,
    bar,
    by_line,
    check_header,
    check_part,
    in_order,
    number,
    refused,
)
from vomind_queue.cli.client import Api, ApiFault
from vomind_queue.cli.endings import BadFile
from vomind_queue.cli.output import Out, count
from vomind_queue.cli.talking import duration, talks

#: What the journal's name ends with, behind the file's.
BESIDE = ".sent.jsonl"


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "-f",
    "--format",
    "form",
    type=click.Choice(["csv", "jsonl"]),
    help="By default what the file's name ends with.",
)
@click.option(
    "-c",
    "--column",
    "columns",
    multiple=True,
    metavar="FIELD=HEADER",
    help="Which column is which field, where its header does not say so.",
)
@click.option("--rest-to-metadata", is_flag=True, help="Other columns become metadata.")
@click.option("--check", is_flag=True, help="Say what is wrong with it, and send nothing.")
@click.option(
    "--part",
    "size",
    type=click.IntRange(1, 10_000),
    default=1_000,
    show_default=True,
    help="Calls in one request.",
)
@click.option(
    "--patience",
    type=duration,
    default="2m",
    show_default=True,
    help="How long the service may be away in the middle.",
)
@click.option(
    "--unknown",
    type=click.Choice(["send", "skip"]),
    help="What to do with calls whose answer never came, more than a day ago.",
)
@click.option(
    "--report",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write line and job id of each call to this CSV file.",
)
@talks
def bulk(
    api: Api,
    out: Out,
    *,
    file: Path,
    check: bool,
    size: int,
    patience: int,
    unknown: str | None,
    report: Path | None,
    **reading: Any,
) -> None:
    """Schedule the calls in a FILE: CSV with a header, or JSON lines.

    All of it is checked before anything is sent. It is sent in parts; when that is broken off,
    the same command goes on where it stopped, and no call is made twice: what was sent is
    remembered beside the file.
    """
    sheet = _read(file, **reading)
    check_header(api, sheet.left_out)
    if sheet.left_out:
        out.note(f"Not sent: {', '.join(sheet.left_out)} (--rest-to-metadata takes them along).")
    if check:
        _check(api, out, sheet, parts(sheet.lines, size), patience)
        out.answer(
            {"success": True, "count": len(sheet.lines), "sent": 0},
            f"{count(len(sheet.lines), 'call')}, nothing wrong; nothing sent.",
        )
        return
    with closing(open_journal(beside(file), size=size, client=api.identity)) as journal:
        whole = parts(sheet.lines, journal.size)
        agree(journal, whole, unknown)
        left = [part for part in whole if journal.jobs(part) is None]
        _check(api, out, sheet, left, patience)
        sender = Sender(api=api, journal=journal, patience_s=patience / 1000, tell=out.waiting)
        _send(sender, out, whole, left)
        accepted(out, journal, whole, left, report)


def beside(file: Path) -> Path:
    """Where its journal is."""
    return file.with_name(file.name + BESIDE)


def _read(file: Path, *, form: str | None, columns: Sequence[str], rest_to_metadata: bool) -> Sheet:
    form = form or file.suffix.lstrip(".").lower()
    if form == "csv":
        sheet = read_csv(file, _chosen(columns), rest_to_metadata=rest_to_metadata)
    elif form in ("jsonl", "ndjson"):
        sheet = read_jsonl(file)
    else:
        raise click.UsageError(f"{file}: say --format csv or --format jsonl.")
    if not sheet.lines and not sheet.faults:
        raise BadFile(f"{file} has no calls.")
    return sheet


def _chosen(columns: Iterable[str]) -> dict[str, str]:
    """Fields by header."""
    found = {}
    for text in columns:
        field, equals, header = text.partition("=")
        if not equals or not (field in FIELDS or field.startswith("metadata.")):
            raise click.UsageError(
                f"--column {text}: write FIELD=HEADER, the field one of {', '.join(FIELDS)}."
            )
        found[header] = field
    return found


def _check(api: Api, out: Out, sheet: Sheet, left: Sequence[Part], patience: int) -> None:
    """Ends the command when anything is wrong."""
    found: list[Fault] = []
    with bar(out, "Checking", left) as shown:
        for part in left:
            found += check_part(api, part, away_s=patience / 1000, tell=out.waiting)
            shown.update(len(part.lines))
    if faults := in_order(sheet, found):
        refused(out, faults)


def _send(sender: Sender, out: Out, whole: Sequence[Part], left: Sequence[Part]) -> None:
    done = number(whole) - number(left)
    try:
        with bar(out, "Sending", left) as shown:
            for part in left:
                done += sender.send(part)
                shown.update(len(part.lines))
    except (ApiFault, KeyboardInterrupt) as error:
        out.note(
            f"\n{done:,} of {count(number(whole), 'call')} were accepted. "
            "The same command goes on where it stopped."
        )
        if isinstance(error, ApiFault) and (faults := by_line(left, sender.journal, error)):
            refused(out, faults)
        raise
