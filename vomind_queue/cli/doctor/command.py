"""The command itself."""

from __future__ import annotations

from collections.abc import Mapping

import click

from vomind_queue.cli.doctor.examination import examine
from vomind_queue.cli.endings import Ending
from vomind_queue.config.loading import load
from vomind_queue.encoding import readable
from vomind_queue.errors import SettingsError
from vomind_queue.findings import Finding, Grade

_MARKS: Mapping[Grade, tuple[str, str]] = {
    Grade.FINE: ("✓", "green"),
    Grade.ADVICE: ("!", "yellow"),
    Grade.WRONG: ("✗", "red"),
}
_WORDS = {Grade.FINE: "fine", Grade.ADVICE: "advice", Grade.WRONG: "wrong"}
_ENDINGS = {Grade.FINE: Ending.DONE, Grade.ADVICE: Ending.ADVICE, Grade.WRONG: Ending.WRONG}


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print the findings as JSON.")
@click.pass_context
def doctor(context: click.Context, /, *, as_json: bool) -> None:
    """Look at Redis, Twilio, callbacks and the call log, and say what to do.

    With the settings of this machine. Nothing is changed, and nobody is rung. Ends with 10 when
    something should be put right, with 11 when it must be.
    """
    as_json = as_json or bool(context.find_root().params.get("as_json"))
    try:
        settings = load()
    except SettingsError as error:
        raise click.UsageError(str(error)) from None
    found: list[tuple[str, Finding]] = []
    for part, finding in examine(settings):
        if not as_json:
            _show(part if not found or found[-1][0] != part else "", finding)
        found.append((part, finding))
    worst = max(finding.grade for _, finding in found)
    if as_json:
        click.echo(readable(_document(found, worst)))
    elif worst is Grade.FINE:
        click.echo("All is well.")
    raise SystemExit(_ENDINGS[worst])


def _show(heading: str, finding: Finding) -> None:
    if heading:
        click.secho(heading, bold=True)
    mark, colour = _MARKS[finding.grade]
    click.echo(f"  {click.style(mark, fg=colour)} {finding.what:16} {finding.said}")
    if finding.remedy:
        click.echo(f"    → {finding.remedy}")


def _document(found: list[tuple[str, Finding]], worst: Grade) -> dict[str, object]:
    findings = [
        {
            "part": part,
            "what": finding.what,
            "grade": _WORDS[finding.grade],
            "said": finding.said,
            "remedy": finding.remedy,
        }
        for part, finding in found
    ]
    return {"success": worst is not Grade.WRONG, "worst": _WORDS[worst], "findings": findings}
