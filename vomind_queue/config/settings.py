"""Define every setting once: its variable, type, default, section and meaning.

The text below a field of `Settings` is its meaning. ``make settings`` generates ``.env.example``
and the table in ``docs/settings.md`` from the fields and these texts. Only entry points load
settings; everything else receives a `Settings`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from vomind_queue.calls.call_status import Detection
from vomind_queue.calls.limits import Rate, Retention
from vomind_queue.calls.number_policy import NumberPolicy
from vomind_queue.calls.voices import Voice, first_voices, fits, resolve
from vomind_queue.config import redis_address, types
from vomind_queue.config.types import ApiKey, InvalidValue, Type
from vomind_queue.errors import SettingsError

#: Characters of an API key that cannot be guessed, at least.
LEAST_KEY = 16
_VARIABLE = "variable"
#: A login within an address: an error must not show it.
_LOGIN = re.compile(r"[^/@\s]+@")


@dataclass(frozen=True, kw_only=True, slots=True)
class Variable:
    """An environment variable, as a field of `Settings` describes it."""

    type: Type[Any]
    #: Used when the variable is unset or empty.
    default: str
    #: By default the field's own name in capital letters.
    name: str = ""
    #: Title of the section that begins with it; empty: the section goes on.
    section: str = ""
    #: Whether the value must never be shown.
    secret: bool = False
    #: Variables that must be set as well: one of these groups, names separated by spaces.
    needs: Sequence[str] = ()

    def read(self, environ: Mapping[str, str]) -> Any:
        """Return the value in ``environ``. Raise SettingsError with one line for a person."""
        text = environ.get(self.name, "").strip() or self.default
        try:
            return self.type.parse(text)
        except ValueError as error:
            hidden = self.secret or _LOGIN.search(text)
            shown = "value hidden" if hidden else repr(text)
            reason = f"{error}; " if isinstance(error, InvalidValue) else ""
            raise SettingsError(
                f"Invalid {self.name} ({shown}): {reason}expected {self.type.expected}."
            ) from None


def _set(type_: Type[Any], default: str, **more: Any) -> Any:
    """Return the field for a variable with a default; ``more``: further fields of `Variable`."""
    variable = Variable(type=type_, default=default, **more)
    return field(repr=not variable.secret, metadata={_VARIABLE: variable})


def _optional(type_: Type[Any], **more: Any) -> Any:
    """Return the field for a variable that is ``None`` when unset."""
    return _set(types.optional(type_), "", **more)


#: The account of the simulator; Twilio has none with this SID.
SIMULATED_ACCOUNT = "AC" + "0" * 32


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings:
    """Everything that can be set, checked and with its defaults filled in.

    Times whose names end in ``_ms`` are milliseconds, those in ``_s`` seconds. Secrets are left
    out of ``repr``, so that no log line and no traceback shows them.
    """

    #: Whether ``make run`` brings its own server: neither REDIS_URL nor REDIS_HOST is set.
    embedded: bool
    #: Complete, with its password, whichever way it was given.
    redis_url: str = _optional(redis_address.REDIS_URL, section="Redis", secret=True)
    """Address of the Redis server. With neither this nor `REDIS_HOST` the embedded one is used.
    `rediss://` is encrypted; it is verified when `?ssl_cert_reqs=required` or
    `?ssl_ca_certs=<file>` is added."""
    redis_host: str | None = _optional(types.HOST)
    """Host of the Redis server, in place of `REDIS_URL`."""
    redis_port: int = _set(types.PORT, "6379", needs=["REDIS_HOST"])
    """Port, with `REDIS_HOST`."""
    redis_username: str | None = _optional(types.TEXT, needs=["REDIS_HOST"])
    """User, with `REDIS_HOST`."""
    redis_password: str | None = _optional(types.TEXT, secret=True, needs=["REDIS_HOST"])
    """Password, with `REDIS_HOST`."""
    redis_db: int = _set(types.integer(0, 99_999), "0", needs=["REDIS_HOST"])
    """Database number, with `REDIS_HOST`."""
    redis_tls: bool = _set(types.FLAG, "0", needs=["REDIS_HOST"])
    """`1` encrypts the connection to `REDIS_HOST`, without verifying."""
    allow_eviction: bool = _set(types.FLAG, "0")
    """`1` accepts a Redis server whose `maxmemory-policy` may drop calls when its memory is
    full."""
    embedded_redis_port: int = _set(types.PORT, "6390")
    """Port of the embedded server, on loopback."""
    data_dir: Path = _set(Type(parse=Path, expected="a directory"), ".data")
    """Where the embedded server and the call log without Supabase keep their files."""

    host: str = _set(types.HOST, "127.0.0.1", section="API")
    """Address that the API listens on. Beyond loopback it requires `API_KEYS`."""
    port: int = _set(types.PORT, "3000")
    """Port of the API."""
    allow_anonymous: bool = _set(types.FLAG, "0")
    """`1` lets the API listen beyond loopback without keys."""
    allowed_hosts: Sequence[str] = _set(types.HOSTS, "")
    """Further names by which API and Flower may be asked while they have no keys and no password.
    Without: localhost, IP addresses, `HOST` and the host of `PUBLIC_URL`."""
    api_keys: Sequence[ApiKey] = _set(types.API_KEYS, "", secret=True)
    """Keys that clients of the API must show, each `name:secret` or a secret."""
    metrics_key: str | None = _optional(types.HEADER_SECRET, secret=True)
    """Key that opens `/metrics` and nothing else, for Prometheus. `API_KEYS` open it, too."""
    request_rate: Rate | None = _set(
        types.unless("off", types.RATE), "off", name="REQUEST_RATE_LIMIT"
    )
    """Requests that one API key may make in a window, such as `600/m`, over all web processes;
    without keys, one address. More are answered 429 with `Retry-After`."""
    web_processes: int = _set(types.integer(1, 64), "2")
    """Processes that serve the API."""
    web_threads: int = _set(types.integer(2, 64), "4")
    """Requests that each of them works on at the same time. More than 4 make it slower."""

    concurrency: int = _set(
        types.integer(1, 1_000), "5", name="CALL_WORKER_CONCURRENCY", section="Calls"
    )
    """Calls that one worker places at the same time."""
    rate: Rate | None = _set(types.unless("off", types.RATE), "10/m", name="CALL_RATE_LIMIT")
    """Starts allowed in any window of that length, over all workers; `off` lifts the limit."""
    max_attempts: int = _set(types.integer(1, 100), "3", name="CALL_MAX_ATTEMPTS")
    """Attempts to place a call, the first included."""
    retry_delay_s: int = _set(types.integer(1, 3_600), "2", name="CALL_RETRY_DELAY")
    """Seconds before the second attempt; doubled before each further one."""
    past_schedule_grace_ms: int | None = _set(
        types.unless("any", types.DURATION), "15m", name="PAST_SCHEDULE_GRACE"
    )
    """How far in the past a scheduled time may lie when it is sent; `any` accepts all."""
    default_zone: str = _set(types.ZONE, "UTC", name="DEFAULT_TIMEZONE")
    """Time zone of recurring calls that name none."""
    allowed_countries: frozenset[str] = _set(types.COUNTRIES, "")
    """Countries whose numbers are called, such as `DE,AT,CH`. Unset: all."""
    accept_impossible_numbers: bool | None = _optional(types.FLAG)
    """`1` accepts numbers that no country can have, such as those of documentation; `0` refuses
    them. Unset: refused where a real account places calls, accepted under the simulator."""
    allow_premium: bool = _set(types.FLAG, "1")
    """`0` refuses premium-rate, shared-cost, satellite and international network numbers."""
    on_unknown_outcome: Literal["reconcile", "fail"] = _set(
        types.word("reconcile", "fail"), "reconcile"
    )
    """An attempt with an unknown outcome is looked up at Twilio, or failed for a person to
    judge."""
    retry_on: Sequence[str] = _set(types.OUTCOMES, "none")
    """Outcomes on the line after which a call is made again; `machine` also detects machines."""
    retry_outcome_delay_ms: int = _set(types.DURATION, "15m", name="RETRY_OUTCOME_DELAY")
    """Wait before a call is made again for its outcome."""
    retry_outcome_max: int = _set(types.integer(0, 100), "2")
    """How often a call is made again for its outcome."""
    machine_detection: Detection = _set(
        types.choice({word.value: word for word in Detection}), "off"
    )
    """Whether Twilio tells an answering machine from a person: as soon as it can (`enable`), or
    once the greeting is over (`detect-message-end`). Twilio charges for it."""
    say_language: str | None = _optional(types.LANGUAGE)
    """Language of the messages, such as `de-DE`, where a call names none. Unset: that of
    `SAY_VOICE`, or as the Twilio account is set up."""
    say_voice: str | None = _optional(types.VOICE)
    """Voice that speaks them, such as `Polly.Vicki` or `Google.de-DE-Standard-A`. Unset: one that
    Twilio has for the language."""
    keep_completed: Retention = _set(types.RETENTION, "7d,100000")
    """How long and how many completed calls are kept."""
    keep_failed: Retention = _set(types.RETENTION, "30d,100000")
    """How long and how many failed calls are kept."""

    unknown_outcome_horizon_ms: int = _set(
        types.TIME, "5m", name="UNKNOWN_OUTCOME_HORIZON", section="Protocol times"
    )
    """How long an attempt with an unknown outcome is looked up before the next one is made."""
    reconcile_interval_ms: int = _set(types.TIME, "2s", name="RECONCILE_INTERVAL")
    """Wait before it is first looked up, and between the first lookups."""
    lease_ms: int = _set(types.WORKING_TIME, "10s", name="LEASE_TIME")
    """After how long the calls of a dead worker are taken back."""
    dial_deadline_ms: int = _set(types.WORKING_TIME, "10s", name="DIAL_DEADLINE")
    """Total time for one request to Twilio."""
    circuit_probe_ms: int = _set(types.TIME, "5s", name="CIRCUIT_PROBE_INTERVAL")
    """Wait between two probes while Twilio is away."""
    silence_ms: int = _set(types.TIME, "10m", name="CALLBACK_SILENCE")
    """How long a placed call may go without a callback, beyond the ring time-out, before Twilio is
    asked."""
    price_delay_ms: int = _set(types.TIME, "15m", name="PRICE_DELAY")
    """How long after its end Twilio is asked for a call's price."""
    drain_ms: int = _set(types.TIME, "20s", name="DRAIN_TIME")
    """How long a stopping worker waits for the calls being placed."""

    twilio_account_sid: str | None = _optional(
        types.sid("AC"),
        section="Twilio",
        needs=[
            "TWILIO_AUTH_TOKEN TWILIO_PHONE_NUMBER",
            "TWILIO_API_KEY TWILIO_API_SECRET TWILIO_PHONE_NUMBER",
        ],
    )
    """Twilio account that places the calls. Unset, `make run` starts the simulator in its place."""
    twilio_auth_token: str | None = _optional(types.TEXT, secret=True, needs=["TWILIO_ACCOUNT_SID"])
    """Its auth token."""
    twilio_api_key: str | None = _optional(
        types.sid("SK"), needs=["TWILIO_ACCOUNT_SID TWILIO_API_SECRET"]
    )
    """API key to log in with, in place of the auth token."""
    twilio_api_secret: str | None = _optional(types.TEXT, secret=True, needs=["TWILIO_API_KEY"])
    """Secret of that key."""
    twilio_phone_number: str | None = _optional(
        types.matching(r"\+[0-9]{7,15}", "+ and 7 to 15 digits")
    )
    """Number that the calls come from."""
    twilio_api_base: str | None = _optional(types.HTTP_URL, needs=["TWILIO_ACCOUNT_SID"])
    """In place of Twilio's own address: a proxy or a region."""
    twiml_url: str | None = _optional(types.PAGE_URL)
    """Asked by Twilio what to say, in place of speaking the message."""
    public_url: str | None = _optional(types.BASE_URL, needs=["TWILIO_AUTH_TOKEN"])
    """Where Twilio reaches this service, to report how calls go; requires `TWILIO_AUTH_TOKEN` to
    check what comes in."""

    supabase_url: str | None = _optional(
        types.HTTP_URL, section="The call log", needs=["SUPABASE_SERVICE_KEY"]
    )
    """Supabase project that keeps the call log. Unset, a file in `DATA_DIR` does."""
    supabase_service_key: str | None = _optional(types.TEXT, secret=True, needs=["SUPABASE_URL"])
    """Its service-role key, or a secret key."""
    outbox_max: int = _set(types.integer(100, 10_000_000), "100000")
    """Entries that wait in Redis while the call log is away. Beyond it the oldest details go first,
    final states last."""
    retention_days: int | None = _optional(types.integer(1, 36_500))
    """Days after which calls that have ended leave the call log. Unset: never."""
    retention_mode: Literal["delete", "anonymize"] = _set(
        types.word("delete", "anonymize"), "delete"
    )
    """Then they are erased, or numbers, messages and other personal fields are blanked."""

    flower_host: str = _set(types.HOST, "127.0.0.1", section="Around it")
    """Address that Flower listens on. Beyond loopback it requires `FLOWER_BASIC_AUTH`."""
    flower_port: int = _set(types.PORT, "5555")
    """Port of Flower."""
    flower_basic_auth: str | None = _optional(types.LOGINS, secret=True)
    """Who may see Flower: `user:password`. Without it its pages show, and change nothing."""
    flower_url_prefix: str = _set(types.PATH, "")
    """Path below which Flower answers, for a proxy that passes `/flower` on to it."""
    simulator_port: int = _set(types.PORT, "3001")
    """Port of the simulator, on loopback."""
    log_format: Literal["text", "json"] = _set(types.word("text", "json"), "text")
    """How log lines are written."""
    log_level: str = _set(types.word("debug", "info", "warning", "error"), "info")
    """The least level that is logged."""
    env_file: str = _set(types.TEXT, ".env", name="VOMIND_ENV_FILE")
    """File with these settings; where none is named it may be missing. Empty: none is read."""

    @property
    def voice(self) -> Voice:
        """How words are spoken where a call does not say."""
        return resolve(self.say_language, self.say_voice)

    @property
    def number_policy(self) -> NumberPolicy:
        """Which numbers may be called."""
        return NumberPolicy(
            countries=self.allowed_countries,
            premium=self.allow_premium,
            impossible=self.accepts_impossible_numbers,
        )

    @property
    def accepts_impossible_numbers(self) -> bool:
        """Whether numbers that no country can have are accepted."""
        if self.accept_impossible_numbers is None:
            return not self.rings_people
        return self.accept_impossible_numbers

    @property
    def rings_people(self) -> bool:
        """Whether there is an account, and it is not the simulator's."""
        host = urlsplit(self.twilio_api_base or "").hostname
        is_simulated = bool(host and types.is_loopback(host))
        return not is_simulated and self.twilio_account_sid not in (None, SIMULATED_ACCOUNT)

    @property
    def short_keys(self) -> Sequence[ApiKey]:
        """API keys that are short enough to guess."""
        return [key for key in self.api_keys if len(key.secret) < LEAST_KEY]

    @property
    def own_hosts(self) -> frozenset[str]:
        """The Host names that this service answers to, in lower case."""
        public = urlsplit(self.public_url or "").hostname
        names = (*self.allowed_hosts, self.host, *filter(None, [public]))
        return frozenset(name.lower() for name in names)

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> Settings:
        """Read and check ``environ``; an empty value counts as unset.

        Raise SettingsError with one line that names the variable, its value (never a secret)
        and what was expected.
        """
        _check_needs(environ)
        values = {name: variable.read(environ) for name, variable in BY_FIELD.items()}
        embedded = not (values["redis_url"] or values["redis_host"])
        values["redis_url"] = values["redis_url"] or _composed(values)
        _check_times(values)
        _check_voice(values)
        return cls(embedded=embedded, **values)


#: The variable of each field that has one, in the order in which they are documented.
BY_FIELD: Mapping[str, Variable] = {
    each.name: replace(found, name=found.name or each.name.upper())
    for each in fields(Settings)
    if (found := each.metadata.get(_VARIABLE))
}
#: All variables, in that order.
VARIABLES: Sequence[Variable] = tuple(BY_FIELD.values())
#: The file of settings, which is looked for before anything else is read.
ENV_FILE = BY_FIELD["env_file"]
#: Read alone by the simulator, which needs nothing else.
SIMULATOR_PORT = BY_FIELD["simulator_port"]


def _composed(values: Mapping[str, Any]) -> str:
    """Return the server's address, made of its parts or of the embedded server's port."""
    if not values["redis_host"]:
        return f"redis://127.0.0.1:{values['embedded_redis_port']}/0"
    return redis_address.compose(
        host=values["redis_host"],
        port=values["redis_port"],
        username=values["redis_username"],
        password=values["redis_password"],
        db=values["redis_db"],
        tls=values["redis_tls"],
    )


def _check_needs(environ: Mapping[str, str]) -> None:
    """Raise SettingsError where settings contradict each other or lack a counterpart."""
    given = {name for name, text in environ.items() if text.strip()}
    if {"REDIS_URL", "REDIS_HOST"} <= given:
        raise SettingsError("Invalid REDIS_URL: expected to be unset while REDIS_HOST is set.")
    for variable in VARIABLES:
        if not variable.needs or variable.name not in given:
            continue
        if not any(set(names.split()) <= given for names in variable.needs):
            needed = " or ".join(names.replace(" ", " and ") for names in variable.needs)
            raise SettingsError(f"Invalid {variable.name}: expected {needed} to be set as well.")


def _check_voice(values: Mapping[str, Any]) -> None:
    language, voice = values["say_language"], values["say_voice"]
    if language and voice and not fits(voice, language):
        some = ", ".join(first_voices(language))
        raise SettingsError(
            f"Invalid SAY_VOICE ({voice!r}): expected a voice for {language}, such as {some}."
        )


def _check_times(values: Mapping[str, Any]) -> None:
    horizon_ms, deadline_ms = values["unknown_outcome_horizon_ms"], values["dial_deadline_ms"]
    if horizon_ms < 2 * deadline_ms:
        # A request may be sent until its deadline: given up earlier, it could still ring.
        raise SettingsError(
            f"Invalid UNKNOWN_OUTCOME_HORIZON ({horizon_ms} ms): "
            f"expected at least twice DIAL_DEADLINE ({deadline_ms} ms)."
        )
