"""The settings of the product: one frozen object, made once, at the start of a process.

``vomind_queue.environment`` describes each environment variable.
Only entry points call :func:`load` or :func:`load_or_exit`; everything else is
handed a :class:`Settings`.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal
from urllib.parse import quote

from dotenv import dotenv_values

from vomind_queue import environment as env
from vomind_queue.calls import Rate, Retention
from vomind_queue.errors import SettingsError
from vomind_queue.kinds import ApiKey
from vomind_queue.progress import Detection
from vomind_queue.tolls import Tolls
from vomind_queue.variables import REDIS_URL, is_loopback

__all__ = ["ApiKey", "Settings", "is_loopback", "load", "load_or_exit"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings:
    """Everything that can be set, checked and with its defaults filled in.

    Secrets are left out of ``repr``, so that a log line or a traceback cannot show them.
    """

    #: Address of the Redis server, with its password; ``rediss`` carries ``ssl_cert_reqs``.
    redis_url: str = field(repr=False)
    #: Whether ``make run`` brings its own server: neither REDIS_URL nor REDIS_HOST is set.
    embedded: bool
    #: Whether a server that may drop calls when its memory is full is put up with.
    allow_eviction: bool
    embedded_redis_port: int

    #: Where the web process listens.
    host: str
    port: int
    #: Whether an address beyond loopback is allowed without API keys.
    allow_anonymous: bool
    web_processes: int
    #: Requests answered at the same time by one web process.
    web_threads: int
    #: Empty: every client is trusted (on loopback only).
    api_keys: Sequence[ApiKey] = field(repr=False)

    #: What one client of the API may ask; ``None``: as much as it likes.
    request_rate: Rate | None
    #: Which numbers are called at all.
    tolls: Tolls
    #: Opens /metrics and nothing else; ``None``: the API keys do.
    metrics_key: str | None = field(repr=False)

    flower_host: str
    flower_port: int
    #: ``user:password``, several separated by commas.
    flower_basic_auth: str | None = field(repr=False)
    #: Path below which it answers, without a slash at either end; empty: at the root.
    flower_url_prefix: str
    simulator_port: int
    #: Where the embedded server and the call log without Supabase keep their files.
    data_dir: Path

    #: Calls that one worker places at the same time.
    concurrency: int
    #: ``None`` lifts the limit.
    rate: Rate | None
    #: Attempts in one round, the first included.
    max_attempts: int
    #: Wait before the second attempt, seconds; doubled before each further one.
    retry_delay_s: int
    #: How late a scheduled time may lie in the past; ``None`` accepts any.
    past_schedule_grace_ms: int | None
    #: IANA name of the time zone of recurring calls that name none.
    default_zone: str

    #: How long an attempt in doubt is looked for before the next one is made.
    in_doubt_horizon_ms: int
    #: How long a worker holds a call without renewing it.
    lease_ms: int
    #: Total time for one request to Twilio.
    dial_deadline_ms: int
    #: Between two probes while the breaker is open.
    breaker_probe_ms: int
    #: Before the first look for an attempt in doubt, and between the first looks.
    settle_interval_ms: int
    #: How long a stopping worker waits for the calls being placed.
    drain_ms: int
    on_unknown_outcome: Literal["settle", "fail"]
    #: Outcomes on the line after which a call is made again, after which wait and how often.
    retry_on: Sequence[str]
    retry_outcome_delay_ms: int
    retry_outcome_max: int
    machine_detection: Detection
    #: After how long without a word Twilio is asked what became of a call.
    silence_ms: int
    #: After how long Twilio is asked for the price of a call that is over.
    price_delay_ms: int

    #: ``None``: no Twilio account is configured.
    twilio_account_sid: str | None
    twilio_auth_token: str | None = field(repr=False)
    twilio_api_key: str | None
    twilio_api_secret: str | None = field(repr=False)
    #: Number that the calls come from.
    twilio_phone_number: str | None
    #: In place of Twilio's own address.
    twilio_api_base: str | None
    #: Asked by Twilio for what to say, in place of the message.
    twiml_url: str | None
    #: Where Twilio reaches this service, without a slash at the end.
    public_url: str | None

    keep_completed: Retention
    keep_failed: Retention

    #: ``None``: the call log is a file in the data directory.
    supabase_url: str | None
    supabase_service_key: str | None = field(repr=False)
    #: Entries of the outbox at most.
    outbox_max: int
    #: ``None``: the log keeps everything.
    retention_days: int | None
    retention_mode: Literal["delete", "anonymize"]
    log_format: Literal["text", "json"]
    #: ``debug``, ``info``, ``warning`` or ``error``.
    log_level: str

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> Settings:
        """Reads and checks ``environ``; an empty value counts as unset.

        Raises SettingsError with one line that names the variable, its value
        (never a secret) and what is allowed.
        """
        _check_pairs(environ)
        return cls(
            redis_url=_redis_url(environ),
            embedded=_embedded(environ),
            allow_eviction=env.ALLOW_EVICTION.read(environ),
            embedded_redis_port=env.EMBEDDED_REDIS_PORT.read(environ),
            host=env.HOST.read(environ),
            port=env.PORT.read(environ),
            allow_anonymous=env.ALLOW_ANONYMOUS.read(environ),
            web_processes=env.WEB_PROCESSES.read(environ),
            web_threads=env.WEB_THREADS.read(environ),
            api_keys=env.API_KEYS.read(environ),
            request_rate=env.REQUEST_RATE_LIMIT.read(environ),
            tolls=Tolls(
                countries=env.ALLOWED_COUNTRIES.read(environ),
                premium=env.ALLOW_PREMIUM.read(environ),
            ),
            metrics_key=env.METRICS_KEY.read(environ),
            flower_host=env.FLOWER_HOST.read(environ),
            flower_port=env.FLOWER_PORT.read(environ),
            flower_basic_auth=env.FLOWER_BASIC_AUTH.read(environ),
            flower_url_prefix=env.FLOWER_URL_PREFIX.read(environ).strip("/"),
            simulator_port=env.SIMULATOR_PORT.read(environ),
            data_dir=env.DATA_DIR.read(environ),
            concurrency=env.CALL_WORKER_CONCURRENCY.read(environ),
            rate=env.CALL_RATE_LIMIT.read(environ),
            max_attempts=env.CALL_MAX_ATTEMPTS.read(environ),
            retry_delay_s=env.CALL_RETRY_DELAY.read(environ),
            past_schedule_grace_ms=env.PAST_SCHEDULE_GRACE.read(environ),
            default_zone=env.DEFAULT_TIMEZONE.read(environ),
            in_doubt_horizon_ms=env.IN_DOUBT_HORIZON.read(environ),
            lease_ms=env.LEASE_TIME.read(environ),
            dial_deadline_ms=env.DIAL_DEADLINE.read(environ),
            breaker_probe_ms=env.BREAKER_PROBE_INTERVAL.read(environ),
            settle_interval_ms=env.SETTLE_INTERVAL.read(environ),
            drain_ms=env.DRAIN_TIME.read(environ),
            on_unknown_outcome=env.ON_UNKNOWN_OUTCOME.read(environ),
            retry_on=env.RETRY_ON.read(environ),
            retry_outcome_delay_ms=env.RETRY_OUTCOME_DELAY.read(environ),
            retry_outcome_max=env.RETRY_OUTCOME_MAX.read(environ),
            machine_detection=env.MACHINE_DETECTION.read(environ),
            silence_ms=env.CALLBACK_SILENCE.read(environ),
            price_delay_ms=env.PRICE_DELAY.read(environ),
            twilio_account_sid=env.TWILIO_ACCOUNT_SID.read(environ),
            twilio_auth_token=env.TWILIO_AUTH_TOKEN.read(environ),
            twilio_api_key=env.TWILIO_API_KEY.read(environ),
            twilio_api_secret=env.TWILIO_API_SECRET.read(environ),
            twilio_phone_number=env.TWILIO_PHONE_NUMBER.read(environ),
            twilio_api_base=env.TWILIO_API_BASE.read(environ),
            twiml_url=env.TWIML_URL.read(environ),
            public_url=env.PUBLIC_URL.read(environ),
            keep_completed=env.KEEP_COMPLETED.read(environ),
            keep_failed=env.KEEP_FAILED.read(environ),
            supabase_url=env.SUPABASE_URL.read(environ),
            supabase_service_key=env.SUPABASE_SERVICE_KEY.read(environ),
            outbox_max=env.OUTBOX_MAX.read(environ),
            retention_days=env.RETENTION_DAYS.read(environ),
            retention_mode=env.RETENTION_MODE.read(environ),
            log_format=env.LOG_FORMAT.read(environ),
            log_level=env.LOG_LEVEL.read(environ),
        )


def load() -> Settings:
    """Settings from the ``.env`` file, where there is one, and the environment, which wins.

    ``VOMIND_ENV_FILE`` names another file; set but empty, none is read.
    Raises SettingsError.
    """
    return Settings.from_env(environment_with_file(os.environ))


def load_or_exit() -> Settings:
    """As :func:`load`; a bad value ends the process with its one line and status 1."""
    try:
        return load()
    except SettingsError as error:
        sys.exit(str(error))


def environment_with_file(environ: Mapping[str, str]) -> dict[str, str]:
    """``environ`` over what the ``.env`` file says."""
    path = environ.get(env.VOMIND_ENV_FILE.name, env.VOMIND_ENV_FILE.default)
    if not path:
        return dict(environ)
    if env.VOMIND_ENV_FILE.name in environ and not Path(path).is_file():
        raise SettingsError(
            f"{env.VOMIND_ENV_FILE.name}: {path!r} is not allowed; allowed: a file that exists."
        )
    # A password may contain a dollar sign: nothing is interpolated.
    from_file = dotenv_values(path, interpolate=False)
    return {name: text for name, text in from_file.items() if text is not None} | dict(environ)


def _embedded(environ: Mapping[str, str]) -> bool:
    return not (env.REDIS_URL.read(environ) or env.REDIS_HOST.read(environ))


def _redis_url(environ: Mapping[str, str]) -> str:
    if url := env.REDIS_URL.read(environ):
        return url
    host = env.REDIS_HOST.read(environ)
    if not host:
        return f"redis://127.0.0.1:{env.EMBEDDED_REDIS_PORT.read(environ)}/0"
    scheme = "rediss" if env.REDIS_TLS.read(environ) else "redis"
    user = quote(env.REDIS_USERNAME.read(environ) or "", safe="")
    password = quote(env.REDIS_PASSWORD.read(environ) or "", safe="")
    login = f"{user}:{password}@" if user or password else ""
    address = f"[{host}]" if ":" in host else host
    number = env.REDIS_DB.read(environ)
    return REDIS_URL.parse(f"{scheme}://{login}{address}:{env.REDIS_PORT.read(environ)}/{number}")


def _check_pairs(environ: Mapping[str, str]) -> None:
    """Refuses settings that contradict each other or lack their other half."""
    given = {name for name, text in environ.items() if text.strip()}
    if {"REDIS_URL", "REDIS_HOST"} <= given:
        raise SettingsError("REDIS_URL and REDIS_HOST are both set; allowed: one of them.")
    for name, wants in env.NEEDED_BESIDE.items():
        if name in given and not any(each <= given for each in wants):
            needed = " or ".join(" and ".join(sorted(each)) for each in wants)
            raise SettingsError(f"{name} is set without what it needs; allowed: with {needed}.")
    horizon_ms, deadline_ms = env.IN_DOUBT_HORIZON.read(environ), env.DIAL_DEADLINE.read(environ)
    if horizon_ms < 2 * deadline_ms:
        # A request may leave until its deadline: given up before, it could still ring.
        raise SettingsError(
            f"IN_DOUBT_HORIZON: {horizon_ms} ms is not allowed; "
            f"allowed: at least twice DIAL_DEADLINE ({deadline_ms} ms)."
        )
