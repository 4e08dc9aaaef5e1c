"""``trends``: calls over time, from the call log."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import click

from vomind_queue.cli.client import Api
from vomind_queue.cli.options import given, talks
from vomind_queue.cli.output import Out, duration, moment, table
from vomind_queue.cli.status_board import OUTCOMES


@click.command()
@click.argument("span", required=False, type=click.Choice(["hour", "day", "week"]), default="day")
@click.option("--timezone", metavar="ZONE", help="Zone of the hours of the day. UTC by default.")
@talks
def trends(api: Api, out: Out, *, span: str, timezone: str | None) -> None:
    """Show how calls ended over an hour, a day or a week, and when they are answered.

    The last table has the share that a person answered, by the hour of the day.
    """
    shown = api.get("/api/trends", **given({"span": span, "timezone": timezone}))
    out.answer(shown, *_lines(shown))


def _lines(shown: Mapping[str, Any]) -> list[str]:
    if not shown["steps"]:
        return [f"No call started in the last {shown['span']}."]
    kinds = [
        name for name in (*OUTCOMES, "none") if any(name in _of(each) for each in shown["steps"])
    ]
    head = ("TIME (UTC)", *(OUTCOMES.get(name, "not known").upper() for name in kinds))
    rows = [_step(each, kinds) for each in shown["steps"]]
    hours = [_hour(each) for each in shown["hours"] if each["calls"]]
    return [
        *table((*head, "WAITED: MEDIAN", "90%"), rows),
        "",
        *table((f"HOUR IN {shown['timezone']}", "CALLS", "ANSWERED", ""), hours),
    ]


def _of(step: Mapping[str, Any]) -> Mapping[str, int]:
    found: Mapping[str, int] = step["outcomes"]
    return found


def _step(step: Mapping[str, Any], kinds: Sequence[str]) -> Sequence[str]:
    counts = (f"{_of(step).get(name, 0):,}" for name in kinds)
    return (
        moment(step["at"])[:-3],
        *counts,
        *(_wait(step["waitMs"][name]) for name in ("p50", "p90")),
    )


def _wait(ms: int | None) -> str:
    return "-" if ms is None else duration(ms / 1000)


def _hour(hour: Mapping[str, Any]) -> Sequence[str]:
    share = round(100 * hour["answered"] / hour["calls"])
    return (f"{hour['hour']:02}:00", f"{hour['calls']:,}", f"{share}%", "█" * round(share / 5))
