"""One run of ``bulk`` that may send."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import click

from vomind_queue.cli.bulk import showing
from vomind_queue.cli.bulk.checking import Checker
from vomind_queue.cli.bulk.journal import Journal
from vomind_queue.cli.bulk.lines import Fault, Line, Part, parts
from vomind_queue.cli.bulk.sending import Sender
from vomind_queue.cli.bulk.showing import bar, number
from vomind_queue.cli.bulk.wish import Wish
from vomind_queue.cli.client import ApiFault
from vomind_queue.cli.exit_codes import ExitCode
from vomind_queue.cli.output import Out, count
from vomind_queue.encoding import readable
from vomind_queue.errors import leaves
from vomind_queue.lists.models import ReadList
from vomind_queue.lists.preview import SENT, Judged, Preview, preview


class Run:
    """One run of the command that may send."""

    def __init__(
        self, out: Out, wish: Wish, found: ReadList, checker: Checker, journal: Journal
    ) -> None:
        self._out = out
        self._wish = wish
        self._found = found
        self._checker = checker
        self._journal = journal

    def send(self, accepted: Mapping[str, int], *, is_unfinished: bool) -> None:
        """Send what was not accepted before, once somebody says yes."""
        plain = preview(self._found, Judged(), accepted, self._wish.answers)
        unanswered = self._journal.unanswered(_lines(plain, every=True), self._wish.unknown)
        # One that is too old may just have been counted as accepted.
        accepted = {**accepted, **self._journal.accepted_at}
        pending = {line.row for part in unanswered for line in part.lines}
        passed_over = frozenset(
            index
            for index, row in enumerate(plain.rows)
            if row.digest in pending or (row.digest in accepted and not _again(self._wish))
        )
        judged = self._checker.judge(self._found.rows, passed_over)
        seen = preview(
            self._found, judged, accepted, self._wish.answers, is_unfinished=is_unfinished
        )
        lines = _lines(seen, every=False)
        new = [line for row, line in lines.items() if row not in pending]
        left = [*unanswered, *parts(new, self._checker.size, self._journal.next_index)]
        if self._may_send(seen, left):
            before = self._journal.accepted_rows
            self._send(left, len(before.keys() & _lines(plain, every=True).keys()))
            self._accepted(seen, left)

    def _may_send(self, seen: Preview, left: Sequence[Part]) -> bool:
        """Return whether somebody says yes; say what keeps it from being sent."""
        if self._wish.refused:
            showing.write_refused(self._wish.refused, self._found, seen)
        faults = showing.faults(seen)
        if seen.questions and not _is_done(seen):
            _ask(self._out, self._found, seen)
        for line in showing.left_out(seen):
            self._out.note(line)
        if faults and not self._wish.yes and not self._confirmed(seen, left, faults):
            _refuse(self._out, self._found, seen, faults)
        if faults or self._wish.yes or not left:
            return True
        return self._confirmed(seen, left, faults) or _unsent(self._out, self._found, seen)

    def _confirmed(self, seen: Preview, left: Sequence[Part], faults: Sequence[Fault]) -> bool:
        """Show what would be sent, and ask where somebody can answer."""
        if self._out.as_json or not sys.stdin.isatty() or not left:
            return False
        for line in [*showing.changed(seen), *map(str, faults)]:
            self._out.note(line)
        return click.confirm(f"Send {count(number(left), 'call')}?", err=True)

    def _send(self, left: Sequence[Part], before: int) -> None:
        total, done = before + number(left), before
        sender = Sender(
            api=self._checker.api, journal=self._journal, campaign=self._wish.campaign,
            patience_s=self._checker.patience_s, tell=self._out.waiting,
        )  # fmt: skip
        try:
            with bar(self._out, "Sending", left) as shown:
                for part in left:
                    done += sender.send(part)
                    shown.update(len(part.lines))
        except (ApiFault, KeyboardInterrupt) as error:
            self._out.note(
                f"\n{done:,} of {count(total, 'call')} were accepted. "
                "Run the same command again to continue."
            )
            if isinstance(error, ApiFault) and (faults := _by_line(left, self._journal, error)):
                _refuse(self._out, self._found, None, faults)
            raise

    def _accepted(self, seen: Preview, left: Sequence[Part]) -> None:
        """Print that all that can be sent is in the queue."""
        jobs = self._journal.accepted_rows
        pairs = [(row.row.line, jobs[row.digest]) for row in seen.rows if row.digest in jobs]
        if self._wish.report:
            showing.write_report(self._wish.report, pairs)
        faults, now = showing.faults(seen), number(left)
        again = _is_done(seen) and bool(seen.questions)
        self._out.answer(
            {
                "success": not faults and not again,
                "count": len(pairs),
                "sent": now,
                "jobs": [{"line": line, "jobId": job} for line, job in pairs],
                "counts": seen.counts,
            },
            *_words(seen, pairs, now, self._journal.path),
        )
        for fault in faults:
            self._out.note(str(fault))
        for question in seen.questions:
            self._out.note("\n".join(showing.asked(question)))
        if faults or again:
            raise SystemExit(ExitCode.LEFT)


def _words(seen: Preview, pairs: Sequence[tuple[int, str]], now: int, path: Path) -> list[str]:
    kept = f"What was sent is kept in {path}."
    if not now:
        before = len(pairs) or seen.counts["acceptedBefore"]
        calls = count(before, "call")
        if not before:
            return ["No row can be sent; nothing was sent this time."]
        return [f"All {calls} were accepted before; nothing was sent this time. {kept}"]
    calls = count(len(pairs), "call")
    ids = f"jobs {pairs[0][1]} to {pairs[-1][1]}" if len(pairs) > 1 else f"job {pairs[0][1]}"
    before_now = f", {now:,} of them now" if now < len(pairs) else ""
    return [f"{calls} accepted{before_now}: {ids}. {kept}"]


def _again(wish: Wish) -> bool:
    return wish.answers.given.get("again") == "yes"


def _lines(seen: Preview, *, every: bool) -> dict[str, Line]:
    """Return the calls by row: those that are sent, or every one."""
    return {
        row.digest: Line(number=row.row.line, call=row.row.call, row=row.digest)
        for row in seen.rows
        if row.row.call is not None and (every or row.fate in SENT)
    }


def _is_done(seen: Preview) -> bool:
    """Return whether the only question is whether to call all again."""
    return [question.id for question in seen.questions] == ["again"]


def _ask(out: Out, found: ReadList, seen: Preview) -> None:
    """Print the open questions with all that is wrong, and end the command."""
    reason = count(len(seen.questions), "open question")
    _refuse(out, found, seen, showing.faults(seen), reason)


def _unsent(out: Out, found: ReadList, seen: Preview) -> bool:
    for line in showing.changed(seen):
        out.note(line)
    _refuse(out, found, seen, [], "Nobody said yes: --yes sends the calls")
    return False


def _refuse(
    out: Out,
    found: ReadList,
    seen: Preview | None,
    faults: Sequence[Fault],
    reason: str | None = None,
) -> None:
    """Print every fault, and end the command."""
    for fault in faults:
        out.note(str(fault))
    for question in seen.questions if seen else ():
        out.note("\n".join(showing.asked(question)))
    lines = count(len({fault.line for fault in faults}), "line")
    text = f"{lines} cannot be sent" if faults else reason
    if out.as_json:
        errors = [
            {"line": each.line, "field": each.field, "message": each.message} for each in faults
        ]
        shown = showing.document(found, seen) if seen else {}
        document = {"success": False, "error": f"{text}.", "errors": errors}
        click.echo(readable({**document, **shown, "exitCode": int(ExitCode.USAGE)}))
    also = f" ({reason})" if faults and reason else ""
    out.note(f"{text}{also}; nothing was sent this time.")
    raise SystemExit(ExitCode.USAGE)


def _by_line(left: Sequence[Part], journal: Journal, fault: ApiFault) -> list[Fault]:
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
