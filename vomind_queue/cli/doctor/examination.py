"""All examinations, in the order in which one thing stands on another."""

from __future__ import annotations

from collections.abc import Iterator

from vomind_queue.cli.doctor import reach
from vomind_queue.config.settings import LEAST_KEY, Settings
from vomind_queue.errors import StoreUnavailable
from vomind_queue.findings import Finding, Grade, advice, fine, wrong
from vomind_queue.log_services import examine_log
from vomind_queue.store import examination
from vomind_queue.store.connection import WORKER_TIMEOUT_S, Gate, connect
from vomind_queue.store.queue import CallQueue
from vomind_queue.work_services import build_examiner


def examine(settings: Settings) -> Iterator[tuple[str, Finding]]:
    """Each finding under the name of what it is about."""
    for finding in _redis(settings):
        yield "Redis", finding
    for finding in _keys(settings):
        yield "API", finding
    for finding in _twilio(settings):
        yield "Twilio", finding
    if settings.twilio_account_sid is not None:
        for finding in reach.examine(settings):
            yield "Callbacks", finding
    for finding in examine_log(settings):
        yield "Call log", finding


def _redis(settings: Settings) -> Iterator[Finding]:
    start = "Is it running there? REDIS_URL, or REDIS_HOST, says where."
    if settings.embedded:
        start = "The embedded one runs while `vomind-queue up` does; REDIS_URL names your own."
    client = connect(settings.redis_url, timeout_s=WORKER_TIMEOUT_S)
    with client:
        bad = False
        for finding in examination.examine(
            client, allow_eviction=settings.allow_eviction, start=start
        ):
            bad = bad or (finding.what == "Redis" and finding.grade is Grade.WRONG)
            yield finding
        if not bad:
            yield from _processes(CallQueue(Gate(client, settings.outbox_max), settings.rate))


def _processes(queue: CallQueue) -> Iterator[Finding]:
    """Who works on it, as far as it was seen there."""
    try:
        stats = queue.stats()
    except StoreUnavailable as error:
        yield wrong("queue", str(error), "Look at the log of Redis.")
        return
    if stats.pause is not None:
        yield advice("queue", f"It is paused by {stats.pause.by}.", "vomind-queue resume")
    if stats.workers:
        yield fine("workers", f"{stats.workers} seen in the last 30 s")
    else:
        yield advice("workers", "None was seen in the last 30 s.", "vomind-queue worker")
    if stats.recurring and not stats.scheduler_leads:
        yield wrong("scheduler", "None runs, and there are recurring calls.", "vomind-queue beat")
    if not stats.outbox.shipping:
        yield advice("shipper", "None runs: nothing reaches the call log.", "vomind-queue shipper")


def _keys(settings: Settings) -> Iterator[Finding]:
    """Keys that could be guessed, by their names."""
    if short := settings.short_keys:
        names = ", ".join(key.name or "one without a name" for key in short)
        yield advice(
            "API_KEYS",
            f"Shorter than {LEAST_KEY} characters: {names}.",
            "Make long ones: python3 -c 'import secrets; print(secrets.token_urlsafe(24))'",
        )


def _twilio(settings: Settings) -> Iterator[Finding]:
    if settings.twilio_account_sid is None:
        yield advice(
            "account",
            "None is set: `vomind-queue up` uses its simulator, and rings nobody.",
            "Set TWILIO_ACCOUNT_SID, TWILIO_AUTH_TOKEN and TWILIO_PHONE_NUMBER to ring people.",
        )
        return
    examiner = build_examiner(settings)
    try:
        yield from examiner.examine(by_key=settings.twilio_api_key is not None)
    finally:
        examiner.close()
