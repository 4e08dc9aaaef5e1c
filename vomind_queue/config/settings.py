"""Define every setting once: its variable, type, default, section and meaning.

The text below a field of `Settings` is its meaning. ``make settings`` generates ``.env.example``
and the table in ``docs/settings.md`` from the fields and these texts. Only entry points load
settings; everything else receives a `Settings`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from vomind_queue.calls.application import ApplicationPolicy
from vomind_queue.calls.call_status import Detection
from vomind_queue.calls.limits import Rate, Retention
from vomind_queue.calls.number_key import NumberKey
from vomind_queue.calls.opt_out import OptOut
from vomind_queue.calls.phone_number import NumberPolicy
from vomind_queue.calls.senders import Senders
from vomind_queue.calls.voices import Voice, resolve
from vomind_queue.config import address_types, call_types, consistency, redis_address, types
from vomind_queue.config.types import ApiKey, Type
from vomind_queue.config.variable import METADATA, Variable, optional_setting, setting
from vomind_queue.rules.caps import Cap
from vomind_queue.rules.hours import WeeklyHours
from vomind_queue.rules.law import ClosedDay, Mode, Purpose
from vomind_queue.rules.rulebook import HOLD, Rulebook, rulebook
from vomind_queue.webhooks.addresses import AddressPolicy, Network

#: Shortest API key that counts as hard to guess, characters.
LEAST_KEY = 16
#: The account of the simulator; Twilio has none with this SID.
SIMULATED_ACCOUNT = "AC" + "0" * 32


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings:
    """All settings, checked, with their defaults filled in.

    Times whose names end in ``_ms`` are milliseconds, those in ``_s`` seconds. Secrets are left
    out of ``repr``, so that no log line and no traceback shows them.
    """

    #: Whether ``make run`` starts its own server: neither REDIS_URL nor REDIS_HOST is set.
    embedded: bool
    #: Complete, with its password, however it was given.
    redis_url: str = optional_setting(redis_address.REDIS_URL, section="Redis", secret=True)
    """Address of the Redis server. With neither this nor `REDIS_HOST` the embedded one is used.
    `rediss://` is encrypted; it is verified when `?ssl_cert_reqs=required` or
    `?ssl_ca_certs=<file>` is added."""
    redis_host: str | None = optional_setting(address_types.HOST)
    """Host of the Redis server, in place of `REDIS_URL`."""
    redis_port: int = setting(types.PORT, "6379", needs=["REDIS_HOST"])
    """Port, with `REDIS_HOST`."""
    redis_username: str | None = optional_setting(types.TEXT, needs=["REDIS_HOST"])
    """User, with `REDIS_HOST`."""
    redis_password: str | None = optional_setting(types.TEXT, secret=True, needs=["REDIS_HOST"])
    """Password, with `REDIS_HOST`."""
    redis_db: int = setting(types.integer(0, 99_999), "0", needs=["REDIS_HOST"])
    """Database number, with `REDIS_HOST`."""
    redis_tls: bool = setting(types.FLAG, "0", needs=["REDIS_HOST"])
    """`1` encrypts the connection to `REDIS_HOST`, without verifying the certificate."""
    allow_eviction: bool = setting(types.FLAG, "0")
    """`1` accepts a Redis server whose `maxmemory-policy` may drop calls when its memory is
    full."""
    embedded_redis_port: int = setting(types.PORT, "6390")
    """Port of the embedded server, on loopback."""
    data_dir: Path = setting(Type(parse=Path, expected="a directory"), ".data")
    """Directory of the embedded server's files and, without Supabase, of the call log."""

    host: str = setting(address_types.HOST, "127.0.0.1", section="API")
    """Address that the API listens on. Beyond loopback it requires `API_KEYS`."""
    port: int = setting(types.PORT, "3000")
    """Port of the API."""
    allow_anonymous: bool = setting(types.FLAG, "0")
    """`1` lets the API listen beyond loopback without keys."""
    allowed_hosts: Sequence[str] = setting(address_types.HOSTS, "")
    """Further host names that API and Flower answer to while they have no keys and no password,
    besides localhost, IP addresses, `HOST` and the host of `PUBLIC_URL`."""
    api_keys: Sequence[ApiKey] = setting(types.API_KEYS, "", secret=True)
    """Keys of the API's clients, each `name:secret` or just a secret."""
    metrics_key: str | None = optional_setting(types.HEADER_SECRET, secret=True)
    """Key for `/metrics` only, for Prometheus. `API_KEYS` are accepted there as well."""
    request_rate: Rate | None = setting(
        types.unless("off", types.RATE), "off", name="REQUEST_RATE_LIMIT"
    )
    """Requests that each API key (without keys: each address) may make, such as `600/m`, over all
    web processes. Further requests get a 429 with `Retry-After`."""
    web_processes: int = setting(types.integer(1, 64), "2")
    """Processes that serve the API."""
    web_threads: int = setting(types.integer(2, 64), "4")
    """Requests that each of them handles at the same time. More than 4 make it slower."""

    concurrency: int = setting(
        types.integer(1, 1_000), "5", name="CALL_WORKER_CONCURRENCY", section="Calls"
    )
    """Calls that one worker places at the same time."""
    rate: Rate | None = setting(types.unless("off", types.RATE), "10/m", name="CALL_RATE_LIMIT")
    """Starts allowed in any window of that length, over all workers; `off` removes the limit."""
    max_attempts: int = setting(types.integer(1, 100), "3", name="CALL_MAX_ATTEMPTS")
    """Attempts to place a call, the first included."""
    retry_delay_s: int = setting(types.integer(1, 3_600), "2", name="CALL_RETRY_DELAY")
    """Seconds before the second attempt; doubled before each further one."""
    least_gap_per_number_ms: int = setting(types.DURATION, "0s", name="LEAST_GAP_PER_NUMBER")
    """Least time between two calls to one number, from the end of the first. With `0s` the next
    one may start at once; two are never on the line at the same time."""
    past_schedule_grace_ms: int | None = setting(
        types.unless("any", types.DURATION), "15m", name="PAST_SCHEDULE_GRACE"
    )
    """How far in the past a scheduled time may lie when it is sent; `any` accepts all."""
    call_expiry_ms: int | None = setting(types.unless("off", types.TIME), "off", name="CALL_EXPIRY")
    """How long after a call is due its attempts may start, unless it has a `notAfter`. Later it
    fails as expired. A run of a recurring call may start within its `graceMs` in any case."""
    default_zone: str = setting(call_types.ZONE, "UTC", name="DEFAULT_TIMEZONE")
    """Time zone of recurring calls that do not name one."""
    allowed_countries: frozenset[str] = setting(call_types.COUNTRIES, "")
    """Countries whose numbers are called, such as `DE,AT,CH`. Unset: all."""
    accept_impossible_numbers: bool | None = optional_setting(types.FLAG)
    """`1` accepts numbers that no country can have, such as those used in documentation; `0`
    refuses them. Unset: refused with a real account, accepted under the simulator."""
    allow_premium: bool = setting(types.FLAG, "1")
    """`0` refuses premium-rate, shared-cost, satellite and international network numbers."""
    on_unknown_outcome: Literal["reconcile", "fail"] = setting(
        types.word("reconcile", "fail"), "reconcile"
    )
    """An attempt with an unknown outcome is looked up at Twilio, or failed for a person to
    judge."""
    retry_on: Sequence[str] = setting(call_types.OUTCOMES, "none")
    """Outcomes after which a call is placed again; `machine` turns on the detection of machines."""
    retry_outcome_delay_ms: int = setting(types.DURATION, "15m", name="RETRY_OUTCOME_DELAY")
    """Wait before a call is placed again because of its outcome."""
    retry_outcome_max: int = setting(types.integer(0, 100), "2")
    """How often a call is placed again because of its outcome."""
    machine_detection: Detection = setting(
        types.choice({word.value: word for word in Detection}), "off"
    )
    """Whether Twilio detects answering machines: as soon as it can (`enable`), or once the greeting
    is over (`detect-message-end`). Twilio charges for it."""
    ring_timeout_ms: int = setting(call_types.RING_TIME, "30s", name="RING_TIMEOUT")
    """How long a phone rings before a call is given up, from 5s to 10m, for calls that do not say.
    Longer than 30s, it lengthens `UNKNOWN_OUTCOME_HORIZON` by the difference."""
    say_language: str | None = optional_setting(call_types.LANGUAGE)
    """Language of the messages, such as `de-DE`, for calls that do not name one. Unset: that
    of `SAY_VOICE`, or the one set in the Twilio account."""
    say_voice: str | None = optional_setting(call_types.VOICE)
    """Voice that speaks them, such as `Polly.Vicki` or `Google.de-DE-Standard-A`. Unset: one of
    Twilio's voices for the language."""
    keep_completed: Retention = setting(types.RETENTION, "7d,100000")
    """How long and how many completed calls are kept."""
    keep_failed: Retention = setting(types.RETENTION, "30d,100000")
    """How long and how many failed calls are kept."""

    calling_rules: Mode | None = optional_setting(
        types.choice({word.value: word for word in Mode}), section="Calling rules"
    )
    """When people may be called: by the `law` where they are, at `courtesy` hours everywhere, or at
    any hour (`off`). Unset: any hour, with a warning where a real account is set."""
    calling_hours: WeeklyHours | None = optional_setting(call_types.CALLING_HOURS)
    """Your own hours on the clock of the person called, such as
    `mon-fri 09:00-20:00, sat-sun closed`. They narrow the rules and never widen them."""
    closed_days: Sequence[ClosedDay] = setting(call_types.CLOSED_DAYS, "")
    """Days on which nobody is called, such as `2026-12-24` or `2026-12-27..2026-12-31`;
    `US-LA:2027-02-09` is closed in one state or country."""
    attempt_caps: Sequence[Cap] = setting(call_types.CAPS, "")
    """How often a phone may be rung, such as `3/24h, 4/30d`, over all calls to it, and pauses, such
    as `2d after a conversation` or `60d after a refusal`. They narrow the rules, and hold without
    `CALLING_RULES` as well."""
    unknown_zone: str = setting(call_types.UNKNOWN_ZONE, HOLD)
    """What becomes of a number that does not tell where it is, such as a toll-free one: it waits
    for a `timezone` (`hold`), rings when every zone of its country code is open (`strictest`), or
    is judged by the time zone named here."""
    default_purpose: Purpose = setting(
        types.choice({word.value: word for word in Purpose if word is not Purpose.EMERGENCY}),
        "marketing",
    )
    """Purpose of calls that do not name one."""
    override_keys: Sequence[str] = setting(types.KEY_NAMES, "")
    """Names of `API_KEYS` that may have a person called against hours, closed days and caps, each
    time with a reason. The do-not-call list has no override."""

    unknown_outcome_horizon_ms: int = setting(
        types.TIME, "5m", name="UNKNOWN_OUTCOME_HORIZON", section="Protocol times"
    )
    """How long an attempt with an unknown outcome is looked up before the next one is made."""
    reconcile_interval_ms: int = setting(types.TIME, "2s", name="RECONCILE_INTERVAL")
    """Wait before it is first looked up, and between the first lookups."""
    lease_ms: int = setting(types.WORKING_TIME, "10s", name="LEASE_TIME")
    """How long until the calls of a dead worker are rescued."""
    dial_deadline_ms: int = setting(types.WORKING_TIME, "10s", name="DIAL_DEADLINE")
    """Total time for one request to Twilio."""
    circuit_probe_ms: int = setting(types.TIME, "5s", name="CIRCUIT_PROBE_INTERVAL")
    """Wait between two probes while Twilio is unreachable."""
    silence_ms: int = setting(types.TIME, "10m", name="CALLBACK_SILENCE")
    """How long a placed call may go without a callback, beyond the ring time-out, before Twilio is
    asked."""
    price_delay_ms: int = setting(types.TIME, "15m", name="PRICE_DELAY")
    """How long after the end of a call Twilio is asked for its price."""
    drain_ms: int = setting(types.TIME, "20s", name="DRAIN_TIME")
    """How long a stopping worker waits for the calls being placed."""

    twilio_account_sid: str | None = optional_setting(
        call_types.sid("AC"),
        section="Twilio",
        needs=[
            "TWILIO_AUTH_TOKEN TWILIO_PHONE_NUMBER",
            "TWILIO_API_KEY TWILIO_API_SECRET TWILIO_PHONE_NUMBER",
        ],
    )
    """Twilio account that places the calls. Unset, `make run` starts the simulator in its place."""
    twilio_auth_token: str | None = optional_setting(
        types.TEXT, secret=True, needs=["TWILIO_ACCOUNT_SID"]
    )
    """Its auth token."""
    twilio_api_key: str | None = optional_setting(
        call_types.sid("SK"), needs=["TWILIO_ACCOUNT_SID TWILIO_API_SECRET"]
    )
    """API key to log in with, instead of the auth token."""
    twilio_api_secret: str | None = optional_setting(
        types.TEXT, secret=True, needs=["TWILIO_API_KEY"]
    )
    """Secret of that key."""
    twilio_phone_number: str | None = optional_setting(call_types.NUMBER)
    """Number that the calls come from. For several, see `TWILIO_PHONE_NUMBERS`."""
    twilio_phone_numbers: Sequence[str] = setting(call_types.NUMBERS, "")
    """Several numbers that calls may come from, in place of `TWILIO_PHONE_NUMBER`. The first is the
    default."""
    from_by_country: Mapping[str, str] = setting(
        call_types.NUMBER_BY_COUNTRY, "", needs=["TWILIO_PHONE_NUMBERS"]
    )
    """Which of them calls to a country come from, such as `DE=+4930123456,US=+15005550006`. Calls
    to other countries come from the default."""
    twilio_api_base: str | None = optional_setting(
        address_types.HTTP_URL, needs=["TWILIO_ACCOUNT_SID"]
    )
    """Address to use instead of Twilio's own: a proxy or a region."""
    twiml_url: str | None = optional_setting(address_types.PAGE_URL)
    """Address that Twilio asks for TwiML, instead of speaking the message."""
    twiml_hosts: Sequence[str] = setting(address_types.ADDRESS_HOSTS, "")
    """Hosts that a call's own `twimlUrl` may name, such as `agents.example.com`. Unset: calls with
    that field are refused."""
    caller_name: str | None = optional_setting(call_types.SPOKEN, needs=["PUBLIC_URL"])
    """Who is calling, said before the message."""
    opt_out_digit: str | None = optional_setting(
        types.matching("[0-9]", "one digit"), needs=["PUBLIC_URL"]
    )
    """Key with which the person called puts the number on the do-not-call list. Unset: no key is
    offered."""
    opt_out_offer: str = setting(call_types.SPOKEN, "Press {digit} and we never call you again.")
    """Words that offer the key; `{digit}` stands for it."""
    opt_out_confirmation: str = setting(call_types.SPOKEN, "You will not be called again. Goodbye.")
    """Words that follow once the key was pressed."""
    opt_out_number: str | None = optional_setting(
        types.matching(r"\+[0-9]{7,15}", "+ and 7 to 15 digits")
    )
    """Number that answering machines are told, for owners who do not want to be called again."""
    opt_out_voicemail: str = setting(
        call_types.SPOKEN, "If you do not want to be called again, call {number}."
    )
    """Words that name it after a `voicemailMessage`; `{number}` stands for it."""
    public_url: str | None = optional_setting(address_types.BASE_URL, needs=["TWILIO_AUTH_TOKEN"])
    """Address at which Twilio reaches this service, to report the status of calls; requires
    `TWILIO_AUTH_TOKEN` to check the signatures."""

    supabase_url: str | None = optional_setting(
        address_types.HTTP_URL, section="The call log", needs=["SUPABASE_SERVICE_KEY"]
    )
    """Supabase project that keeps the call log. Unset, a file in `DATA_DIR` does."""
    supabase_service_key: str | None = optional_setting(
        types.TEXT, secret=True, needs=["SUPABASE_URL"]
    )
    """Its service-role key, or a secret key."""
    outbox_max: int = setting(types.integer(100, 10_000_000), "100000")
    """Entries kept in Redis while the call log is unreachable. Beyond that, the oldest details are
    dropped first, final states last."""
    retention_days: int | None = optional_setting(types.integer(1, 36_500))
    """Days after which ended calls are removed from the call log. Unset: never."""
    retention_mode: Literal["delete", "anonymize"] = setting(
        types.word("delete", "anonymize"), "delete"
    )
    """Whether they are then erased, or numbers, messages and other personal fields are blanked."""

    do_not_call_key: str | None = optional_setting(
        types.checked(str, lambda text: len(text) >= LEAST_KEY, "at least 16 characters"),
        secret=True,
    )
    """Secret with which the do-not-call list keeps people who were forgotten: as keyed digests. It
    must not change. Unset: their numbers stay on the list."""

    notifier_host: str = setting(
        address_types.HOST, "127.0.0.1", section="Webhooks and the live stream"
    )
    """Address that the notifier serves `/api/events` on. Beyond loopback it requires `API_KEYS`."""
    notifier_port: int = setting(types.PORT, "3002")
    """Port of that."""
    notifier_url: str | None = optional_setting(address_types.BASE_URL)
    """Address at which browsers reach the notifier. With it the dashboard shows news at once, by
    the live stream; unset, it asks every two seconds. `make run` sets it on one's own machine."""
    webhook_allowed_networks: Sequence[Network] = setting(address_types.NETWORKS, "")
    """Networks that webhooks may be sent to besides public addresses, such as `10.0.0.0/8`. Only
    there may an address begin with `http://`. `make run` with the simulator allows loopback."""
    events_kept: int = setting(types.integer(1_000, 10_000_000), "50000")
    """Events kept in Redis for receivers that are down, and for replays; each takes about 1 KB."""

    flower_host: str = setting(address_types.HOST, "127.0.0.1", section="Around it")
    """Address that Flower listens on. Beyond loopback it requires `FLOWER_BASIC_AUTH`."""
    flower_port: int = setting(types.PORT, "5555")
    """Port of Flower."""
    flower_basic_auth: str | None = optional_setting(types.LOGINS, secret=True)
    """Login for Flower: `user:password`. Without it, Flower's pages are read-only."""
    flower_url_prefix: str = setting(types.PATH, "")
    """Path that Flower is served under, for a proxy that forwards `/flower` to it."""
    simulator_port: int = setting(types.PORT, "3001")
    """Port of the simulator, on loopback."""
    log_format: Literal["text", "json"] = setting(types.word("text", "json"), "text")
    """Format of log lines."""
    log_level: str = setting(types.word("debug", "info", "warning", "error"), "info")
    """Lowest level that is logged."""
    env_file: str = setting(types.TEXT, ".env", name="VOMIND_ENV_FILE")
    """File with these settings. The default file may be missing. Empty: no file is read."""

    @property
    def voice(self) -> Voice:
        """How words are spoken where a call does not say."""
        return resolve(self.say_language, self.say_voice)

    @property
    def senders(self) -> Senders:
        """The numbers that calls come from."""
        alone = [self.twilio_phone_number] if self.twilio_phone_number else []
        numbers = tuple(self.twilio_phone_numbers or alone)
        return Senders(numbers=numbers, by_country=self.from_by_country)

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
        is_simulated = bool(host and address_types.is_loopback(host))
        return not is_simulated and self.twilio_account_sid not in (None, SIMULATED_ACCOUNT)

    @property
    def application_policy(self) -> ApplicationPolicy:
        """Where the applications of single calls may be."""
        return ApplicationPolicy(hosts=self.twiml_hosts, simulated=not self.rings_people)

    def rulebook(self) -> Rulebook:
        """Return the rules on when people may be called."""
        return rulebook(
            self.calling_rules or Mode.OFF,
            own_hours=self.calling_hours,
            closed=tuple(self.closed_days),
            own_caps=tuple(self.attempt_caps),
            unknown_zone=self.unknown_zone,
            purpose=self.default_purpose,
        )

    @property
    def webhook_addresses(self) -> AddressPolicy:
        """Where webhooks may be sent."""
        return AddressPolicy(self.webhook_allowed_networks)

    @property
    def lacks_rules(self) -> bool:
        """Whether people are called at any hour, and nobody said so."""
        return self.rings_people and self.calling_rules is None

    @property
    def number_key(self) -> NumberKey | None:
        """With which people are kept on the do-not-call list who were forgotten."""
        return None if self.do_not_call_key is None else NumberKey(self.do_not_call_key)

    @property
    def opt_out(self) -> OptOut:
        """How people say during a call that there shall be no more calls."""
        digit = self.opt_out_digit
        return OptOut(
            caller_name=self.caller_name,
            digit=digit,
            number=self.opt_out_number,
            offer=None if digit is None else self.opt_out_offer.replace("{digit}", digit),
            confirmation=self.opt_out_confirmation,
            voicemail=self.opt_out_voicemail,
        )

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

    @property
    def page_origins(self) -> frozenset[str] | None:
        """Origins whose pages may read the live stream; ``None``: any that has an API key."""
        if self.api_keys:
            return None
        names = {"localhost", "127.0.0.1", "[::1]", *self.own_hosts}
        public = urlsplit(self.public_url or "")
        return frozenset(
            [f"http://{name}:{self.port}" for name in names]
            + [f"{public.scheme}://{public.netloc}".lower()] * bool(public.netloc)
        )

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> Settings:
        """Read and check ``environ``; an empty value counts as unset.

        Raise SettingsError with one line that names the variable, its value (never a secret)
        and what was expected.
        """
        consistency.check_given(environ, VARIABLES)
        values = {name: variable.read(environ) for name, variable in BY_FIELD.items()}
        embedded = not (values["redis_url"] or values["redis_host"])
        values["redis_url"] = values["redis_url"] or consistency.composed(values)
        consistency.check_read(values)
        return cls(embedded=embedded, **values)


#: The variable of each field that has one, in the order in which they are documented.
BY_FIELD: Mapping[str, Variable] = {
    each.name: replace(found, name=found.name or each.name.upper())
    for each in fields(Settings)
    if (found := each.metadata.get(METADATA))
}
#: All variables, in that order.
VARIABLES: Sequence[Variable] = tuple(BY_FIELD.values())
#: The variable that names the file of settings; it is read before all others.
ENV_FILE = BY_FIELD["env_file"]
#: The only variable that the simulator reads.
SIMULATOR_PORT = BY_FIELD["simulator_port"]
