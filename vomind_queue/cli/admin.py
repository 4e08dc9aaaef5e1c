"""Commands that work on this machine and on the stores themselves, without the API."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from vomind_queue.calls.phone_number import canonical
from vomind_queue.cli.output import safe
from vomind_queue.config.documents import env_example, markdown_table
from vomind_queue.config.loading import load
from vomind_queue.config.settings import Settings
from vomind_queue.container.log_services import build_history, build_relay
from vomind_queue.errors import VomindError
from vomind_queue.observability import logs


def configured() -> Settings:
    """Return the settings; configure logging by them. Raise SettingsError."""
    settings = load()
    logs.configure(settings)
    return settings


@contextmanager
def exit_on_error() -> Iterator[None]:
    """End the command with one line and status 1 on a known error."""
    try:
        yield
    except VomindError as error:
        raise SystemExit(str(error)) from None


@click.command()
@click.argument("number")
def forget(number: str) -> None:
    """Remove a phone NUMBER from the queue, the history and the call log.

    Exits with 1 if something is left to do.
    """
    if not re.fullmatch(r"\+[0-9]{7,15}", number):
        raise click.BadParameter("must be + and 7 to 15 digits", param_hint="NUMBER")
    with exit_on_error():
        done = build_history(configured()).forget(canonical(number))
    click.echo(f"queue: {done.cancelled} calls and {done.recurring} recurring calls cancelled")
    click.echo(f"history: {done.history} calls removed")
    if done.log is None:
        click.echo("call log: unreachable; run this again later")
    else:
        click.echo(f"call log: {done.log.calls} calls and {done.log.events} events erased")
    if done.hashed is not None:
        kept = "a digest of the number" if done.hashed else "the number; see DO_NOT_CALL_KEY"
        click.echo(f"do-not-call list: keeps {kept}")
    if done.being_placed:
        ids = ", ".join(done.being_placed)
        click.echo(f"being placed: {ids}; hung up and forgotten once Twilio has answered")
    if not done.complete:
        raise SystemExit(1)


@click.command("dead-letters")
@click.option("--send", is_flag=True, help="Send them to the call log again.")
def dead_letters(*, send: bool) -> None:
    """Show the rows that the call log refused, and why; never a phone number.

    Exits with 1 if any are left.
    """
    with exit_on_error():
        relay = build_relay(configured())
        if send:
            went, refused = relay.send_again()
            click.echo(f"sent: {went}, refused again: {refused}")
        letters = sorted(relay.dead(), key=lambda letter: letter.name)
    for letter in letters:
        click.echo(f"job {letter.line.job_id}\t{letter.table}\t{safe(letter.reason)}")
    if letters:
        raise SystemExit(1)
    click.echo("There are no dead letters.")


@click.command()
def settings() -> None:
    """Update .env.example and the table in docs/settings.md in the working directory."""
    Path(".env.example").write_text(env_example(), encoding="utf-8")
    page = Path("docs/settings.md")
    text = re.sub(
        r"(<!-- settings: begin.*?-->\n).*?(<!-- settings: end -->)",
        lambda found: found[1] + markdown_table() + found[2],
        page.read_text(encoding="utf-8"),
        flags=re.DOTALL,
    )
    page.write_text(text, encoding="utf-8")
