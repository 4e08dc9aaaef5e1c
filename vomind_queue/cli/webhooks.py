"""``webhooks``: where events are sent, and how that goes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

import click

from vomind_queue.cli.client import Api
from vomind_queue.cli.options import given, talks
from vomind_queue.cli.output import Out, count, moment, printable, row, table

LIST = "/api/webhooks"

_ID = click.argument("webhook_id", metavar="ID")


@click.group()
def webhooks() -> None:
    """Send events to an address: add, list, show, test, replay and remove webhooks."""


@webhooks.command()
@click.argument("receiver", metavar="RECEIVER")
@click.option(
    "--type", "types", multiple=True, metavar="TYPE", help="Only these events: call.ended, call.*."
)
@click.option(
    "--include-message", "includeMessage", is_flag=True, default=None, help="With what is said."
)
@click.option("--campaign", metavar="ID", help="Only of this campaign and its calls.")
@click.option("--description", metavar="TEXT", help="What it is for.")
@talks
def add(api: Api, out: Out, *, receiver: str, types: tuple[str, ...], **fields: Any) -> None:
    """Send events to RECEIVER, an https:// address; prints the secret, this once."""
    body = {"url": receiver, **given(fields), **({"types": list(types)} if types else {})}
    answer = api.post(LIST, body)
    made = answer["webhook"]
    out.answer(answer, f"{made['id']}: added.", *_secret(made))


@webhooks.command("list")
@talks
def list_webhooks(api: Api, out: Out) -> None:
    """List webhooks, the oldest first."""
    found = api.get(LIST)
    rows = [
        (
            each["id"],
            each["state"],
            f"{each['delivered']:,}",
            _waiting(each),
            printable(each["url"]),
        )
        for each in found["webhooks"]
    ]
    head = ("ID", "STATE", "DELIVERED", "WAITING", "ADDRESS")
    out.answer(found, *(table(head, rows) if rows else ["No webhooks."]))


@webhooks.command()
@_ID
@talks
def show(api: Api, out: Out, *, webhook_id: str) -> None:
    """Show a webhook, and how its deliveries go."""
    found = api.get(_path(webhook_id))
    out.answer(found, *_lines(found["webhook"]))


def _lines(shown: Mapping[str, Any]) -> Iterator[str]:
    yield f"{shown['id']}: {printable(shown['url'])}"
    reason = f" ({shown['disabledReason']})" if shown["disabledReason"] else ""
    yield row("state", f"{shown['state']}{reason}")
    yield row("types", ", ".join(shown["types"]) or "all")
    if shown["campaign"]:
        yield row("campaign", shown["campaign"])
    yield row("created", f"{moment(shown['createdAt'])}, by {printable(shown['createdBy'])}")
    yield row("delivered", f"{shown['delivered']:,}")
    yield row("waiting", _waiting(shown))
    if shown["missed"] or shown["abandoned"]:
        yield row("lost", f"{shown['missed']:,} missed, {shown['abandoned']:,} given up")
    if shown["failingSince"]:
        yield row("failing", f"since {moment(shown['failingSince'])}: {shown['lastError']}")


@webhooks.command()
@_ID
@talks
def deliveries(api: Api, out: Out, *, webhook_id: str) -> None:
    """Show the last attempts to deliver, newest first."""
    found = api.get(f"{_path(webhook_id)}/deliveries")
    rows = [
        (
            moment(each["at"]),
            str(each["sequence"]),
            each["type"],
            each["jobId"] or "-",
            str(each["attempt"]),
            each["error"] or "arrived",
        )
        for each in found["deliveries"]
    ]
    head = ("AT (UTC)", "SEQUENCE", "TYPE", "JOB", "ATTEMPT", "RESULT")
    out.answer(found, *(table(head, rows) if rows else ["No attempts yet."]))


@webhooks.command()
@_ID
@talks
def test(api: Api, out: Out, *, webhook_id: str) -> None:
    """Send an event of the type webhook.test; `deliveries` shows what became of it."""
    answer = api.post(f"{_path(webhook_id)}/test")
    out.answer(answer, f"{answer['message']}.")


@webhooks.command()
@_ID
@click.option("--sequence", type=click.IntRange(1), help="From this event on.")
@click.option("--since", metavar="TIME", help="From this time on, such as 2026-11-24T09:00:00Z.")
@talks
def replay(api: Api, out: Out, *, webhook_id: str, **start: Any) -> None:
    """Deliver events again, from a --sequence or a time (--since) on."""
    answer = api.post(f"{_path(webhook_id)}/replay", given(start))
    out.answer(answer, f"{answer['message']}, from {answer['sequence']} on.")


@webhooks.command()
@_ID
@talks
def enable(api: Api, out: Out, *, webhook_id: str) -> None:
    """Let a webhook go on that has ended."""
    answer = api.patch(_path(webhook_id), {"enabled": True})
    out.answer(answer, f"{webhook_id}: {answer['webhook']['state']}.")


@webhooks.command()
@_ID
@talks
def rotate(api: Api, out: Out, *, webhook_id: str) -> None:
    """Replace the secret and print it, this once; the old one is valid for 24 hours more."""
    answer = api.post(f"{_path(webhook_id)}/secret")
    out.answer(answer, f"{webhook_id}: {answer['message'].lower()}.", *_secret(answer["webhook"]))


@webhooks.command()
@_ID
@talks
def remove(api: Api, out: Out, *, webhook_id: str) -> None:
    """Remove a webhook; nothing is sent there any more."""
    answer = api.delete(_path(webhook_id))
    out.answer(answer, f"{webhook_id}: removed.")


def _path(webhook_id: str) -> str:
    return f"{LIST}/{quote(webhook_id, safe='')}"


def _secret(shown: Mapping[str, Any]) -> Iterator[str]:
    yield row("secret", shown["secret"])


def _waiting(shown: Mapping[str, Any]) -> str:
    """Return how many events have not arrived."""
    return count(shown["behind"] + shown["retrying"], "event")
