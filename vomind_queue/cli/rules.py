"""When people may be called: ``rules``, ``check``, ``refusal``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import click

from vomind_queue.cli.client import Api
from vomind_queue.cli.exit_codes import ExitCode
from vomind_queue.cli.options import given, rule_options, talks, zone_option
from vomind_queue.cli.output import Out, row, table

_RULES = "/api/rules"
_CLOSED = f"{_RULES}/closed-days"


@click.group(invoke_without_command=True)
@talks
@click.pass_context
def rules(context: click.Context, api: Api, out: Out) -> None:
    """Show the calling rules that hold, with their sources."""
    if context.invoked_subcommand:
        return
    found = api.get(_RULES)
    rows = [
        (each["id"], each["name"], _limits(each), each["asOf"], each["source"])
        for each in found["rules"]
    ]
    lines = table(("RULE", "NAME", "HOURS", "AS OF", "SOURCE"), rows) if rows else []
    out.answer(found, f"Calling rules: {found['mode']}", *lines, *_own(found))


@rules.command()
@click.argument("day", metavar="DATE")
@click.option("--last", metavar="DATE", help="The last of several days.")
@click.option("--region", metavar="CODE", help="Where: DE, US-LA. Without it, everywhere.")
@click.option("--reason", metavar="TEXT", help="Why, in your own words.")
@talks
def close(api: Api, out: Out, *, day: str, **fields: str | None) -> None:
    """Close a day: nobody is called on it. DATE is as in 2027-02-09."""
    answer = api.post(_CLOSED, given({"day": day, **fields}))
    out.answer(answer, f"Nobody is called on {answer['id']}.")


@rules.command()
@click.argument("day", metavar="DAY")
@talks
def reopen(api: Api, out: Out, *, day: str) -> None:
    """Open a closed DAY again, as `rules` shows it: 2027-02-09, US-LA:2027-02-09."""
    answer = api.delete(f"{_CLOSED}/{quote(day, safe='')}")
    out.answer(answer, f"Open again: {answer['id']}.")


def _own(found: Mapping[str, Any]) -> list[str]:
    closed = [each["id"] for each in found["closedDays"]]
    return [
        *([row("own hours", _hours(found["callingHours"]))] if found["callingHours"] else []),
        *([row("own caps", ", ".join(found["attemptCaps"]))] if found["attemptCaps"] else []),
        *([row("closed", ", ".join(closed))] if closed else []),
        row("unknown zone", found["unknownZone"]),
        row("purpose", found["defaultPurpose"]),
    ]


def _limits(rule: Mapping[str, Any]) -> str:
    """Return the hours of a rule and how often it lets a person be called."""
    return ", ".join([_hours(rule["hours"]), *map(_cap, rule["caps"])])


def _cap(text: str) -> str:
    """Return a cap in words; a pause is written in words already."""
    return text if " " in text else f"{text} a person"


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


@click.group()
def refusal() -> None:
    """Note that a person does not want to be called for now, or take that back."""


@refusal.command()
@click.argument("number", metavar="NUMBER")
@click.option("--at", metavar="TIME", help="When it was, if not now: 2026-12-01T09:00:00Z.")
@talks
def add(api: Api, out: Out, *, number: str, **fields: str | None) -> None:
    """Note a refusal; calls to the NUMBER wait for as long as a rule asks for."""
    answer = api.put(_refusal(number), given(fields) or None)
    out.answer(answer, f"{answer['number']}: {answer['message']}.")


@refusal.command()
@click.argument("number", metavar="NUMBER")
@talks
def remove(api: Api, out: Out, *, number: str) -> None:
    """Take all refusals of a NUMBER back."""
    answer = api.delete(_refusal(number))
    out.answer(answer, f"{answer['number']}: {answer['message']}.")


def _refusal(number: str) -> str:
    return f"/api/people/{quote(number, safe='+')}/refusal"
