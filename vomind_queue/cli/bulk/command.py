"""The ``bulk`` command."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import quote

import click

from vomind_queue.cli.bulk import showing
from vomind_queue.cli.bulk.checking import Checker
from vomind_queue.cli.bulk.journal import accepted_before, beside, open_journal
from vomind_queue.cli.bulk.run import Run
from vomind_queue.cli.bulk.wish import Wish
from vomind_queue.cli.client import CAMPAIGNS, Api
from vomind_queue.cli.exit_codes import BadFile, ExitCode
from vomind_queue.cli.options import duration, talks
from vomind_queue.cli.output import Out, count
from vomind_queue.encoding import readable
from vomind_queue.lists.models import ReadList, UnreadableList
from vomind_queue.lists.preview import SENT, Preview, preview
from vomind_queue.lists.reading import MOST_BYTES, read_list


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "-f",
    "--format",
    "form",
    type=click.Choice(["csv", "jsonl"]),
    help="Of a text whose name does not tell; workbooks are recognized.",
)
@click.option("--campaign", metavar="ID", help="Give the calls to this campaign.")
@click.option("--country", metavar="CODE", help="Country of numbers written without one: DE, US.")
@click.option(
    "-c",
    "--column",
    "columns",
    multiple=True,
    metavar="FIELD=HEADER",
    help="Map a column to a field that its header does not name.",
)
@click.option("--rest-to-metadata", is_flag=True, help="Other columns become metadata.")
@click.option(
    "-m", "--message", help="Words for rows that have none; {{column}} stands for a cell."
)
@click.option(
    "-a",
    "--answer",
    "given",
    multiple=True,
    metavar="QUESTION=CHOICE",
    help="Answer a question about the file.",
)
@click.option("--check", is_flag=True, help="Show what would be sent, and send nothing.")
@click.option("-y", "--yes", is_flag=True, help="Send without asking; leave out refused rows.")
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
    help="How long to wait for an unreachable service.",
)
@click.option(
    "--unknown",
    type=click.Choice(["send", "skip"]),
    help="What to do with calls that were never answered, after a day.",
)
@click.option(
    "--report",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write each call's line number and job id to this CSV file.",
)
@click.option(
    "--refused",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the rows that cannot be sent to this CSV file, with all of their columns.",
)
@talks
def bulk(api: Api, out: Out, *, size: int, patience: int, **options: Any) -> None:
    """Schedule the calls in a FILE: CSV, a workbook, or JSON lines.

    The whole file is checked before anything is sent, and nothing is sent before a yes. It is sent
    in parts. After an interruption the same command continues where it stopped, and no call is
    made twice: a journal beside the file remembers which rows were accepted. With --campaign they
    ring as that campaign does, and its country and words hold where none are given.
    """
    checker = Checker(api=api, out=out, size=size, patience_s=patience / 1000)
    wish = Wish(**_of_campaign(api, options))
    client = api.fingerprint if wish.campaign is None else f"{api.fingerprint}/{wish.campaign}"
    found = _read(wish, checker)
    unused = [
        column.header for column in found.columns if column.taken_as is None and column.sample
    ]
    if unused:
        out.note(f"Not sent: {', '.join(unused)} (--rest-to-metadata includes them).")
    accepted, is_unfinished = accepted_before(wish.file, client=client)
    if wish.check:
        judged = checker.judge(found.rows, frozenset())
        seen = preview(found, judged, accepted, wish.answers, is_unfinished=is_unfinished)
        _checked(out, wish, found, seen)
        return
    with closing(open_journal(beside(wish.file), client=client)) as journal:
        Run(out, wish, found, checker, journal).send(accepted, is_unfinished=is_unfinished)


def _of_campaign(api: Api, options: dict[str, Any]) -> dict[str, Any]:
    """Return the options with what the campaign says where they say nothing. Raise ApiFault."""
    if options["campaign"] is None:
        return options
    shown = api.get(f"{CAMPAIGNS}/{quote(options['campaign'], safe='')}")
    own = {name: shown["data"].get(name) for name in ("country", "message")}
    given = {name: value for name, value in options.items() if value is not None}
    return {**options, **own, **given, "campaign": shown["campaignId"]}


def _read(wish: Wish, checker: Checker) -> ReadList:
    """Return what the file has. Raise BadFile."""
    try:
        with wish.file.open("rb") as file:
            # One byte more tells that it is too large.
            raw = file.read(MOST_BYTES + 1)
        found = read_list(raw, wish.file.name, wish.answers, form=wish.form, hints=checker.hints)
    except OSError as error:
        raise BadFile(f"{wish.file} cannot be read: {error.strerror}.") from None
    except UnreadableList as error:
        raise BadFile(f"{wish.file}: {error}") from None
    headers = [column.header for column in found.columns]
    for header in wish.answers.columns:
        if header not in headers and not header.isdigit():
            raise BadFile(f"No such column: {header!r}; the file has: {', '.join(headers)}.")
    return found


def _checked(out: Out, wish: Wish, found: ReadList, seen: Preview) -> None:
    """Print what would become of the file, and end the command if that is not clear."""
    if wish.refused:
        showing.write_refused(wish.refused, found, seen)
    faults, sent = showing.faults(seen), sum(row.fate in SENT for row in seen.rows)
    is_clear = not faults and not seen.questions
    if out.as_json:
        document = {"success": is_clear, "count": sent, "sent": 0}
        click.echo(readable({**document, **showing.document(found, seen)}))
    else:
        for line in [*showing.changed(seen), *map(str, faults), *showing.left_out(seen)]:
            out.note(line)
        for question in (*seen.questions, *seen.options):
            out.note("\n".join(showing.asked(question)))
        errors = (
            "no errors"
            if is_clear
            else f"{count(len(faults), 'error')}, {count(len(seen.questions), 'open question')}"
        )
        click.echo(f"{count(sent, 'call')}, {errors}; nothing was sent.")
    if not is_clear:
        raise SystemExit(ExitCode.USAGE)
