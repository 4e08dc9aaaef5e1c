"""When people may be called: ``rules``, ``check``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from vomind_queue.cli.client import Api
from vomind_queue.cli.exit_codes import ExitCode
from vomind_queue.cli.options import given, rule_options, talks, zone_option
from vomind_queue.cli.output import Out, row, table

_RULES = "/api/rules"


@click.command()
@talks
def rules(api: Api, out: Out) -> None:
    """Show the calling rules that hold, with their sources."""
    found = api.get(_RULES)
    rows = [
        (each["id"], each["name"], _hours(each["hours"]), each["asOf"], each["source"])
        for each in found["rules"]
    ]
    lines = table(("RULE", "NAME", "HOURS", "AS OF", "SOURCE"), rows) if rows else []
    out.answer(found, f"Calling rules: {found['mode']}", *lines, *_own(found))


def _own(found: Mapping[str, Any]) -> list[str]:
    closed = [f"{each['day']} ({each['region'] or 'everywhere'})" for each in found["closedDays"]]
    return [
        *([row("own hours", _hours(found["callingHours"]))] if found["callingHours"] else []),
        *([row("closed", ", ".join(closed))] if closed else []),
        row("unknown zone", found["unknownZone"]),
        row("purpose", found["defaultPurpose"]),
    ]


def _hours(days: Mapping[str, list[str]] | None) -> str:
    """Return the hours of a week, days that are alike in one group."""
    if days is None:
        return "as the country's"
    groups: list[tuple[list[str], list[str]]] = []
    for name, ranges in days.items():
        if groups and groups[-1][1] == ranges:
            groups[-1][0].append(name)
        else:
            groups.append(([name], ranges))
    return ", ".join(
        f"{names[0]}{f'-{names[-1]}' if len(names) > 1 else ''} {' + '.join(ranges) or 'closed'}"
        for names, ranges in groups
    )


@click.command()
@click.argument("number", metavar="NUMBER")
@click.option("--at", metavar="TIME", help="Judge it as of then: 2026-12-01T09:00:00Z.")
@zone_option
@rule_options
@talks
def check(api: Api, out: Out, *, number: str, **fields: str | None) -> None:
    """Tell whether a NUMBER may be called now, or why not and until when. Calls nobody.

    Exits with 1 if it may not.
    """
    found = api.post(f"{_RULES}/check", given({"to": number, **fields}))
    places = (
        row(place["zone"], f"{place['localTime'][:16].replace('T', ' ')}  {place['region'] or ''}")
        for place in found["places"]
    )
    out.answer(found, f"{found['verdict']}: {found['why']}", *places)
    if found["verdict"] != "go":
        raise SystemExit(ExitCode.LEFT)
