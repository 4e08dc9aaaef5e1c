"""``import-bullmq``: the calls of a BullMQ queue are taken over."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import urlsplit

import click

from vomind_queue.api.schemas.placeable import PlaceableCalls
from vomind_queue.cli.admin import configured, exit_on_error
from vomind_queue.config.settings import Settings
from vomind_queue.container.web_services import check_store
from vomind_queue.container.worker_services import build_takeover
from vomind_queue.errors import SettingsError
from vomind_queue.recurring.time_zones import is_zone, near
from vomind_queue_bullmq.account import Account
from vomind_queue_bullmq.source import Source
from vomind_queue_bullmq.takeover import TakeOver, Wishes


def _zone(_ctx: click.Context, _parameter: click.Parameter, name: str | None) -> str | None:
    if name is None or is_zone(name):
        return name
    meant = ", ".join(near(name))
    raise click.BadParameter(f"{name} is not a time zone; perhaps {meant or 'Europe/Berlin'}")


@click.command("import-bullmq")
@click.option(
    "--source",
    envvar="BULLMQ_REDIS_URL",
    required=True,
    help="Address of BullMQ's Redis; better in BULLMQ_REDIS_URL, where no one sees its password.",
)
@click.option("--queue", default="outbound-calls", show_default=True, help="Name of the queue.")
@click.option("--prefix", default="bull", show_default=True, help="Prefix of BullMQ's keys.")
@click.option(
    "--timezone",
    "zone",
    callback=_zone,
    help="Clock of the old worker (its TZ), for recurring calls that name no zone.",
)
@click.option(
    "--take-over", is_flag=True, help="Carry it out. Without this option nothing is changed."
)
@click.option(
    "--wait",
    type=click.FloatRange(min=0),
    default=60,
    show_default=True,
    help="Seconds to wait for calls that the old service is placing.",
)
@click.option(
    "--abandoned",
    is_flag=True,
    help="Calls whose worker died while placing them become failed ones.",
)
@click.option(
    "--report",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the full report, with old and new ids, to this file as JSON.",
)
def import_bullmq(
    *,
    source: str,
    queue: str,
    prefix: str,
    zone: str | None,
    take_over: bool,
    wait: float,
    abandoned: bool,
    report: Path | None,
) -> None:
    """Take over the calls of a BullMQ queue; without a yes, only say what would be done.

    Waiting, delayed, failed and recurring ones. With --take-over it
    pauses the old queue, waits for the calls that are being placed, and moves the others here.
    It may be run again at any time: each call is taken over once. Ends with 1 when something is
    left behind.
    """
    with exit_on_error():
        settings = configured()
        if fault := check_store(settings):
            raise SettingsError(fault)
        old = Source(source, queue, prefix)
        account = Account(source=_described(old, source), dry=not take_over)
        wishes = Wishes(
            zone=zone,
            wait_s=wait,
            abandoned=abandoned,
            past_grace_ms=settings.past_schedule_grace_ms,
            max_attempts=settings.max_attempts,
            placeable=PlaceableCalls(settings),
        )
        _run(settings, old, wishes, account, take_over=take_over)
    if report is not None:
        report.write_text(json.dumps(account.as_json(), indent=1) + "\n", encoding="utf-8")
    for line in account.in_words():
        click.echo(line)
    if account.dry:
        click.echo("Nothing was changed. --take-over carries it out.")
    if not account.whole:
        raise SystemExit(1)


def _run(
    settings: Settings, old: Source, wishes: Wishes, account: Account, *, take_over: bool
) -> None:
    takeover_store, recurring_store = build_takeover(settings, old.name() if take_over else "")
    moving = TakeOver(old, takeover_store, recurring_store, wishes, account)
    if take_over:
        moving.run()
    else:
        moving.survey()


def _described(old: Source, url: str) -> str:
    """Version, queue and address; never a password."""
    version = old.check()
    parts = urlsplit(url)
    return f"BullMQ {version}, queue {old.queue} at {parts.hostname}:{parts.port or 6379}"
