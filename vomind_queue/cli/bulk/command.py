"""The ``bulk`` command and its output."""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import click

from vomind_queue.cli.bulk.columns import FIELDS
from vomind_queue.cli.bulk.lines import Fault, Part, Sheet, parts, read_csv, read_jsonl
from vomind_queue.cli.bulk.sending import Journal, Sender, check_unchanged, open_journal
from vomind_queue.cli.client import QUEUE, Api, ApiFault, Tell, patiently
from vomind_queue.cli.exit_codes import BadFile, ExitCode
from vomind_queue.cli.options import duration, talks
from vomind_queue.cli.output import Out, count
from vomind_queue.encoding import readable
from vomind_queue.errors import leaves

#: The journal's name is the file's with this suffix.
BESIDE = ".sent.jsonl"
_PREVIEW = f"{QUEUE}/schedule-bulk-calls/preview"
#: A well-formed number, used to check the other fields; nothing is stored.
_ANY = "+10000000000"


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "-f",
    "--format",
    "form",
    type=click.Choice(["csv", "jsonl"]),
    help="By default the file's extension.",
)
@click.option(
    "-c",
    "--column",
    "columns",
    multiple=True,
    metavar="FIELD=HEADER",
    help="Map a column to a field that its header does not name.",
)
@click.option("--rest-to-metadata", is_flag=True, help="Other columns become metadata.")
@click.option("--check", is_flag=True, help="Report what is wrong with the file, and send nothing.")
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

    The whole file is checked before anything is sent. It is sent in parts. After an interruption
    the same command continues where it stopped, and no call is made twice: a journal beside
    the file remembers what was sent.
    """
    sheet = _read(file, **reading)
    check_header(api, sheet.left_out)
    if sheet.left_out:
        out.note(f"Not sent: {', '.join(sheet.left_out)} (--rest-to-metadata includes them).")
    if check:
        _check(api, out, sheet, parts(sheet.lines, size), patience)
        out.answer(
            {"success": True, "count": len(sheet.lines), "sent": 0},
            f"{count(len(sheet.lines), 'call')}, no errors; nothing was sent.",
        )
        return
    with closing(open_journal(beside(file), size=size, client=api.fingerprint)) as journal:
        whole = parts(sheet.lines, journal.size)
        check_unchanged(journal, whole, unknown)
        left = [part for part in whole if journal.jobs(part) is None]
        _check(api, out, sheet, left, patience)
        sender = Sender(api=api, journal=journal, patience_s=patience / 1000, tell=out.waiting)
        _send(sender, out, whole, left)
        accepted(out, journal, whole, left, report)


def beside(file: Path) -> Path:
    """Return the path of the file's journal."""
    return file.with_name(file.name + BESIDE)


def _read(file: Path, *, form: str | None, columns: Sequence[str], rest_to_metadata: bool) -> Sheet:
    form = form or file.suffix.lstrip(".").lower()
    if form == "csv":
        sheet = read_csv(file, _chosen(columns), rest_to_metadata=rest_to_metadata)
    elif form in ("jsonl", "ndjson"):
        sheet = read_jsonl(file)
    else:
        raise click.UsageError(f"{file}: unknown format; use --format csv or --format jsonl.")
    if not sheet.lines and not sheet.faults:
        raise BadFile(f"{file} has no calls.")
    return sheet


def _chosen(columns: Iterable[str]) -> dict[str, str]:
    """Return fields by header."""
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
    """End the command if anything is wrong."""
    found = list(sheet.faults)
    with bar(out, "Checking", left) as shown:
        for part in left:
            found += check_part(api, part, away_s=patience / 1000, tell=out.waiting)
            shown.update(len(part.lines))
    if found:
        refused(out, sorted(found, key=lambda fault: fault.line))


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
            "Run the same command again to continue."
        )
        if isinstance(error, ApiFault) and (faults := by_line(left, sender.journal, error)):
            refused(out, faults)
        raise


def check_header(api: Api, left_out: Sequence[str]) -> None:
    """Raise BadFile for a column that is not sent and was probably meant to be.

    Otherwise a slip such as ``scheduelAt`` would turn a later call into an immediate one.
    """
    if not left_out:
        return
    call = {**dict.fromkeys(left_out, "x"), "to": _ANY}
    found = api.post(_PREVIEW, {"calls": [call]})["errors"].get("0", {})
    hints = [f"column {name!r}: {text}" for name, text in leaves(found)]
    if hints:
        raise BadFile("\n  ".join(hints))


def check_part(api: Api, part: Part, *, away_s: float, tell: Tell) -> Iterator[Fault]:
    """Yield all that is wrong with its lines. Raise ApiFault."""
    ask = partial(api.post, _PREVIEW, {"calls": part.calls})
    # A service that is unreachable at the start is not waited for.
    found = patiently(ask, for_s=away_s if part.index else 0, tell=tell)
    for place, errors in found["errors"].items():
        for field, message in leaves(errors):
            yield Fault(line=part.lines[int(place)].number, field=field, message=message)


def number(parts: Sequence[Part]) -> int:
    """Calls in all of them."""
    return sum(len(part.lines) for part in parts)


def bar(out: Out, label: str, parts: Sequence[Part]) -> Any:
    """Return a progress bar on standard error, where that is a terminal."""
    hidden = out.as_json or not sys.stderr.isatty() or not parts
    return click.progressbar(
        length=number(parts), label=label, show_pos=True, hidden=hidden, file=sys.stderr
    )


def refused(out: Out, faults: Sequence[Fault]) -> None:
    """Print every fault, and end the command."""
    for fault in faults:
        out.note(str(fault))
    lines = count(len({fault.line for fault in faults}), "line")
    if out.as_json:
        errors = [
            {"line": each.line, "field": each.field, "message": each.message} for each in faults
        ]
        document = {"success": False, "error": f"{lines} cannot be sent.", "errors": errors}
        click.echo(readable({**document, "exitCode": int(ExitCode.USAGE)}))
    out.note(f"{lines} cannot be sent; nothing was sent this time.")
    raise SystemExit(ExitCode.USAGE)


def by_line(left: Sequence[Part], journal: Journal, fault: ApiFault) -> list[Fault]:
    """Return the faults of a part that was refused as it was sent, line by line."""
    calls = (fault.problem.get("errors") or {}).get("calls")
    part = next((each for each in left if journal.jobs(each) is None), None)
    if part is None or not isinstance(calls, dict):
        return []
    return [
        Fault(line=part.lines[int(place)].number, field=field, message=message)
        for place, errors in calls.items()
        for field, message in leaves(errors)
    ]


def accepted(
    out: Out, journal: Journal, whole: Sequence[Part], left: Sequence[Part], report: Path | None
) -> None:
    """Print that the whole file is in the queue."""
    pairs = [
        (line.number, job)
        for part in whole
        for line, job in zip(part.lines, journal.jobs(part) or (), strict=True)
    ]
    if report:
        _write(report, pairs)
    calls, now = count(len(pairs), "call"), number(left)
    kept = f"What was sent is kept in {journal.path}."
    if not left:
        lines = [f"All {calls} were accepted before; nothing was sent this time. {kept}"]
    else:
        ids = f"jobs {pairs[0][1]} to {pairs[-1][1]}" if len(pairs) > 1 else f"job {pairs[0][1]}"
        before = f", {now:,} of them now" if now < len(pairs) else ""
        lines = [f"{calls} accepted{before}: {ids}. {kept}"]
    jobs = [{"line": number, "jobId": job} for number, job in pairs]
    out.answer({"success": True, "count": len(pairs), "sent": now, "jobs": jobs}, *lines)


def _write(path: Path, pairs: Sequence[tuple[int, str]]) -> None:
    try:
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(("line", "jobId"))
            writer.writerows(pairs)
    except OSError as error:
        raise click.BadParameter(
            f"{path} cannot be written: {error.strerror}.", param_hint="--report"
        ) from None
