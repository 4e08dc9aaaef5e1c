"""``doctor``: checks of everything that the service depends on, run from this machine.

Each package that talks to an outside system has its own checks (`account_checks`, `redis_checks`,
`supabase_checks`); here they run in order and are printed. Nothing is changed, nobody is called.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import asdict

import click

from vomind_queue.calls import voices
from vomind_queue.cli.address_checks import check_applications, check_callbacks
from vomind_queue.cli.exit_codes import ExitCode
from vomind_queue.config.loading import load
from vomind_queue.config.settings import LEAST_KEY, Settings
from vomind_queue.container.log_services import check_log
from vomind_queue.container.web_services import report_of
from vomind_queue.container.worker_services import build_account_checks
from vomind_queue.encoding import readable
from vomind_queue.errors import SettingsError, StoreUnavailable
from vomind_queue.observability.check_result import CheckResult, Grade, advice, fine, wrong
from vomind_queue.observability.overview import assess
from vomind_queue.observability.queue_stats import Report
from vomind_queue.queue import redis_checks
from vomind_queue.queue.call_queue import CallQueue
from vomind_queue.queue.connection import WORKER_TIMEOUT_S, RedisStore, connect
from vomind_queue.queue.inspection import Inspection

#: The sign of each grade in its colour, its name, and the exit code it leads to.
_GRADES: Mapping[Grade, tuple[str, str, ExitCode]] = {
    Grade.FINE: (click.style("✓", fg="green"), "fine", ExitCode.DONE),
    Grade.ADVICE: (click.style("!", fg="yellow"), "advice", ExitCode.ADVICE),
    Grade.WRONG: (click.style("✗", fg="red"), "wrong", ExitCode.WRONG),
}
#: What `_processes` says of the queue itself, by the kind of the reason.
_STOPPING = frozenset(
    {
        *("account", "paused", "not-answering", "rules-behind", "unknown-zone"),
        *("do-not-call-key", "do-not-call-list"),
    }
)


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print the results as JSON.")
@click.pass_context
def doctor(context: click.Context, /, *, as_json: bool) -> None:
    """Check Redis, Twilio, callbacks and the call log, and suggest remedies.

    Uses the settings of this machine. Changes nothing and calls nobody. Exits with 10 if something
    should be fixed, and with 11 if something must be.
    """
    as_json = as_json or bool(context.find_root().params.get("as_json"))
    try:
        settings = load()
    except SettingsError as error:
        raise click.UsageError(str(error)) from None
    found: list[tuple[str, CheckResult]] = []
    for part, result in run_checks(settings):
        if not as_json:
            _show(part if not found or found[-1][0] != part else "", result)
        found.append((part, result))
    worst = max(result.grade for _, result in found)
    if as_json:
        click.echo(readable(_document(found, worst)))
    elif worst is Grade.FINE:
        click.echo("All is well.")
    raise SystemExit(_GRADES[worst][2])


def _show(heading: str, result: CheckResult) -> None:
    if heading:
        click.secho(heading, bold=True)
    click.echo(f"  {_GRADES[result.grade][0]} {result.what:16} {result.said}")
    if result.remedy:
        click.echo(f"    → {result.remedy}")


def _document(found: list[tuple[str, CheckResult]], worst: Grade) -> dict[str, object]:
    checks = [
        {"part": part, **asdict(result), "grade": _GRADES[result.grade][1]}
        for part, result in found
    ]
    return {"success": worst is not Grade.WRONG, "worst": _GRADES[worst][1], "checks": checks}


def run_checks(settings: Settings) -> Iterator[tuple[str, CheckResult]]:
    """Yield each check result with the name of its part, in the order in which they are shown."""
    checks: dict[str, Callable[[Settings], Iterable[CheckResult]]] = {
        "Redis": _redis, "API": _keys, "Twilio": _twilio, "Callbacks": check_callbacks,
        "Call log": check_log,
    }  # fmt: skip
    if settings.twilio_account_sid is None:
        del checks["Callbacks"]
    return ((part, result) for part, check in checks.items() for result in check(settings))


def _redis(settings: Settings) -> Iterator[CheckResult]:
    start = "Is it running there? REDIS_URL, or REDIS_HOST, says where."
    if settings.embedded:
        start = "The embedded one runs while `vomind-queue up` does; REDIS_URL names your own."
    bad, allow = False, settings.allow_eviction
    with connect(settings.redis_url, timeout_s=WORKER_TIMEOUT_S) as client:
        for result in redis_checks.run_checks(client, allow_eviction=allow, start=start):
            bad = bad or (result.what == "Redis" and result.grade is Grade.WRONG)
            yield result
        if not bad:
            queue = CallQueue(RedisStore(client, settings.outbox_max), settings.rate)
            yield from _processes(queue, report_of(settings))
            yield from _webhooks(Inspection(RedisStore(client, settings.outbox_max)))


def _webhooks(inspection: Inspection) -> Iterator[CheckResult]:
    """Yield checks of the deliveries to webhooks, where there are any."""
    try:
        found = inspection.webhooks()
    except StoreUnavailable:
        # Said of the queue already.
        return
    if not found.webhooks:
        return
    if not found.notifiers:
        yield advice(
            "webhooks", "No notifier is running: none are delivered.", "vomind-queue notifier"
        )
    elif bad := found.ended + found.failing:
        yield advice(
            "webhooks",
            f"{bad} of {found.webhooks} get nothing.",
            "GET /api/webhooks says why, in lastError.",
        )
    else:
        yield fine("webhooks", f"{found.webhooks}, delivered by {found.notifiers} notifiers")


def _processes(queue: CallQueue, report: Report) -> Iterator[CheckResult]:
    """Yield checks of the processes that work on the queue."""
    try:
        stats = queue.stats()
    except StoreUnavailable as error:
        yield wrong("queue", str(error), "Check the log of Redis.")
        return
    if stats.listed_key not in ("", report.key):
        yield wrong(
            "DO_NOT_CALL_KEY",
            "The do-not-call list has digests that were made with another key.",
            "Set the key with which they were made: without it no call starts.",
        )
    for reason in assess(stats, int(time.time() * 1000), report=report).reasons:
        if reason.kind in _STOPPING:
            remedy = "vomind-queue resume" if reason.kind == "paused" else reason.remedy
            yield advice("queue", f"{reason.title}: {reason.detail}", remedy)
    if stats.workers:
        yield fine("workers", f"{stats.workers} seen in the last 30 s")
    else:
        yield advice("workers", "No worker was seen in the last 30 s.", "vomind-queue worker")
    if stats.recurring and not stats.scheduler_active:
        yield wrong(
            "scheduler",
            "No scheduler is running, and there are recurring calls.",
            "vomind-queue beat",
        )
    if not stats.outbox.shipper_active:
        yield advice(
            "shipper",
            "No shipper is running: nothing reaches the call log.",
            "vomind-queue shipper",
        )


def _keys(settings: Settings) -> Iterator[CheckResult]:
    """Warn about API keys that could be guessed, by their names."""
    if short := settings.short_keys:
        names = ", ".join(key.name or "an unnamed one" for key in short)
        yield advice(
            "API_KEYS",
            f"Shorter than {LEAST_KEY} characters: {names}.",
            "Make long ones: python3 -c 'import secrets; print(secrets.token_urlsafe(24))'",
        )


def _twilio(settings: Settings) -> Iterator[CheckResult]:
    if settings.twilio_account_sid is None:
        yield advice(
            "account",
            "No account is set: `vomind-queue up` uses the simulator, which calls nobody.",
            "Set TWILIO_ACCOUNT_SID, TWILIO_AUTH_TOKEN and TWILIO_PHONE_NUMBER to call people.",
        )
        return
    with closing(build_account_checks(settings)) as account_checks:
        yield from account_checks.run_checks(by_key=settings.twilio_api_key is not None)
    yield _numbers(settings)
    yield _rules(settings)
    yield from _voice(settings)
    yield from check_applications(settings)


def _voice(settings: Settings) -> Iterator[CheckResult]:
    """Yield an advice for a language or a voice that may be new, or a typing error."""
    named = {
        "SAY_LANGUAGE": (settings.say_language, voices.is_language, voices.near_language),
        "SAY_VOICE": (settings.say_voice, voices.is_voice, voices.near_voice),
    }
    for name, (value, is_listed, near) in named.items():
        if value is None or is_listed(value):
            continue
        meant = f"Did you mean {' or '.join(near(value))}? " if near(value) else ""
        yield advice(
            name,
            f"{value} is not in the list of Twilio's that this version has.",
            f"{meant}Place a call to yourself: Twilio ends calls without a word if it is wrong.",
        )


def _numbers(settings: Settings) -> CheckResult:
    if not settings.accepts_impossible_numbers:
        return fine("numbers", "Impossible numbers are refused.")
    if not settings.rings_people:
        return fine("numbers", "Impossible numbers are accepted, under the simulator.")
    return advice(
        "numbers",
        "Impossible numbers are accepted (ACCEPT_IMPOSSIBLE_NUMBERS).",
        "Set ACCEPT_IMPOSSIBLE_NUMBERS to 0, or remove it, so that a typing error is refused.",
    )


def _rules(settings: Settings) -> CheckResult:
    if settings.lacks_rules:
        return advice(
            "CALLING_RULES",
            "Not set: people may be called at any hour.",
            "Set it to law, courtesy or, if that is meant, off.",
        )
    return fine("CALLING_RULES", f"{settings.calling_rules or 'off'}")
