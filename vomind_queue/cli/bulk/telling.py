"""What the API would refuse of a file; what is told of it on its way, and of what became of it."""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import click

from vomind_queue.cli.bulk.lines import Fault, Part, Sheet
from vomind_queue.cli.bulk.sending import Journal
from vomind_queue.cli.client import QUEUE, Api, ApiFault, Tell, leaves, patiently
from vomind_queue.cli.endings import BadFile, Ending
from vomind_queue.cli.output import Out, count
from vomind_queue.encoding import readable

_PREVIEW = f"{QUEUE}/schedule-bulk-calls/preview"
#: A number that is well formed, for a question about other fields; nothing is stored.
_ANY = "+10000000000"


def check_header(api: Api, left_out: Sequence[str]) -> None:
    """Raises BadFile for a column that is not sent and was probably meant to be.

    A slip such as ``scheduelAt`` would else make an immediate call of a later one.
    """
    if not left_out:
        return
    call = {**dict.fromkeys(left_out, "x"), "to": _ANY}
    found = api.post(_PREVIEW, {"calls": [call]})["errors"].get("0", {})
    hints = [f"column {name!r}: {text}" for name, text in leaves(found)]
    if hints:
        raise BadFile("\n  ".join(hints))


def check_part(api: Api, part: Part, *, away_s: float, tell: Tell) -> Iterator[Fault]:
    """All that is wrong with its lines. Raises ApiFault."""
    ask = partial(api.post, _PREVIEW, {"calls": part.calls})
    # A service that is not there when all begins is not waited for.
    found = patiently(ask, for_s=away_s if part.index else 0, tell=tell)
    for place, errors in found["errors"].items():
        for field, message in leaves(errors):
            yield Fault(line=part.lines[int(place)].number, field=field, message=message)


def in_order(sheet: Sheet, found: Sequence[Fault]) -> list[Fault]:
    """Faults of the file's own and the API's, by line."""
    return sorted([*sheet.faults, *found], key=lambda fault: fault.line)


def number(parts: Sequence[Part]) -> int:
    """Calls in all of them."""
    return sum(len(part.lines) for part in parts)


def bar(out: Out, label: str, parts: Sequence[Part]) -> Any:
    """A progress bar on standard error, where that is a terminal."""
    hidden = out.as_json or not sys.stderr.isatty() or not parts
    return click.progressbar(
        length=number(parts), label=label, show_pos=True, hidden=hidden, file=sys.stderr
    )


def refused(out: Out, faults: Sequence[Fault]) -> None:
    """Tells all that is wrong, and ends the command."""
    for fault in faults:
        out.note(str(fault))
    lines = count(len({fault.line for fault in faults}), "line")
    if out.as_json:
        errors = [
            {"line": each.line, "field": each.field, "message": each.message} for each in faults
        ]
        document = {"success": False, "error": f"{lines} cannot be sent.", "errors": errors}
        click.echo(readable({**document, "exitCode": int(Ending.USAGE)}))
    out.note(f"{lines} cannot be sent; nothing was sent now.")
    raise SystemExit(Ending.USAGE)


def by_line(left: Sequence[Part], journal: Journal, fault: ApiFault) -> list[Fault]:
    """A refusal of the part that was just sent, line by line: time has passed since the check."""
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
    """Tells that all of it is in the queue."""
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
        lines = [f"All {calls} were accepted before; nothing was sent now. {kept}"]
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
