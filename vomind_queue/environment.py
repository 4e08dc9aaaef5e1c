"""The environment variables of the product: names, defaults, meanings; nothing is read here.

``.env.example`` and the table in ``README.md`` are made from this list by ``make settings``;
a test holds the three together.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from vomind_queue import kinds as k
from vomind_queue import variables as v
from vomind_queue.progress import RETRIED, Detection
from vomind_queue.variables import Kind, Variable

T = TypeVar("T")


def _is(name: str, kind: Kind[T], default: str, meaning: str) -> Variable[T]:
    return Variable(name=name, kind=kind, default=default, meaning=meaning)


def _may(name: str, kind: Kind[T], meaning: str, *, secret: bool = False) -> Variable[T | None]:
    return Variable(name=name, kind=v.optional(kind), default="", meaning=meaning, secret=secret)


REDIS_URL = _may(
    "REDIS_URL",
    v.REDIS_URL,
    "Address of the Redis server. With neither this nor `REDIS_HOST` the embedded one is used. "
    "`rediss://` is encrypted but not verified, unless `?ssl_cert_reqs=required` is added.",
    secret=True,
)
REDIS_HOST = _may("REDIS_HOST", k.HOST, "Host of the Redis server, in place of `REDIS_URL`.")
REDIS_PORT = _is("REDIS_PORT", v.PORT, "6379", "Port, with `REDIS_HOST`.")
REDIS_USERNAME = _may("REDIS_USERNAME", v.TEXT, "User, with `REDIS_HOST`.")
REDIS_PASSWORD = _may("REDIS_PASSWORD", v.TEXT, "Password, with `REDIS_HOST`.", secret=True)
REDIS_DB = _is("REDIS_DB", v.whole(0, 99_999), "0", "Database number, with `REDIS_HOST`.")
REDIS_TLS = _is(
    "REDIS_TLS", v.FLAG, "0", "`1` encrypts the connection to `REDIS_HOST`, without verifying."
)
ALLOW_EVICTION = _is(
    "ALLOW_EVICTION",
    v.FLAG,
    "0",
    "`1` accepts a Redis server whose `maxmemory-policy` may drop calls when its memory is full.",
)
EMBEDDED_REDIS_PORT = _is(
    "EMBEDDED_REDIS_PORT", v.PORT, "6390", "Port of the embedded server, on loopback."
)
DATA_DIR = _is(
    "DATA_DIR",
    Kind(parse=Path, allowed="a directory"),
    ".data",
    "Where the embedded server and the call log without Supabase keep their files.",
)

HOST = _is(
    "HOST",
    k.HOST,
    "127.0.0.1",
    "Address that the API listens on. Beyond loopback it wants `API_KEYS`.",
)
PORT = _is("PORT", v.PORT, "3000", "Port of the API.")
ALLOW_ANONYMOUS = _is(
    "ALLOW_ANONYMOUS", v.FLAG, "0", "`1` lets the API listen beyond loopback without keys."
)
API_KEYS = Variable(
    name="API_KEYS",
    kind=Kind(parse=k.api_keys, allowed="name:secret or secret, separated by commas, none twice"),
    default="",
    meaning="Keys that clients of the API must show, each `name:secret` or a secret.",
    secret=True,
)
METRICS_KEY = _may(
    "METRICS_KEY",
    k.SECRET,
    "Key that opens `/metrics` and nothing else, for Prometheus. `API_KEYS` open it, too.",
    secret=True,
)
REQUEST_RATE_LIMIT = _is(
    "REQUEST_RATE_LIMIT",
    v.unless("off", v.RATE),
    "off",
    "Requests that one API key may make in a window, such as `600/m`, over all web processes; "
    "without keys, one address. More are answered 429 with `Retry-After`.",
)
WEB_PROCESSES = _is("WEB_PROCESSES", v.whole(1, 64), "2", "Processes that serve the API.")
WEB_THREADS = _is(
    "WEB_THREADS",
    v.whole(1, 256),
    "8",
    "Bulks, lists, searches and the like that each of them works on at the same time.",
)

CALL_WORKER_CONCURRENCY = _is(
    "CALL_WORKER_CONCURRENCY",
    v.whole(1, 1_000),
    "5",
    "Calls that one worker places at the same time.",
)
CALL_RATE_LIMIT = _is(
    "CALL_RATE_LIMIT",
    v.unless("off", v.RATE),
    "10/m",
    "Starts allowed in any window of that length, over all workers; `off` lifts the limit.",
)
CALL_MAX_ATTEMPTS = _is(
    "CALL_MAX_ATTEMPTS", v.whole(1, 100), "3", "Attempts to place a call, the first included."
)
CALL_RETRY_DELAY = _is(
    "CALL_RETRY_DELAY",
    v.whole(1, 3_600),
    "2",
    "Seconds before the second attempt; doubled before each further one.",
)
PAST_SCHEDULE_GRACE = _is(
    "PAST_SCHEDULE_GRACE",
    v.unless("any", v.DURATION),
    "15m",
    "How late a scheduled time may lie in the past when it is asked for; `any` accepts all.",
)
DEFAULT_TIMEZONE = _is(
    "DEFAULT_TIMEZONE",
    Kind(parse=k.zone, allowed="an IANA time zone, such as Europe/Berlin, or UTC"),
    "UTC",
    "Time zone of recurring calls that name none.",
)
ON_UNKNOWN_OUTCOME = _is(
    "ON_UNKNOWN_OUTCOME",
    v.choice(k.UNKNOWN),
    "settle",
    "An attempt with an unknown outcome is looked for at Twilio, or failed for a person to judge.",
)
ALLOWED_COUNTRIES = _is(
    "ALLOWED_COUNTRIES",
    Kind(parse=k.countries, allowed="two-letter codes of countries, separated by commas"),
    "",
    "Countries whose numbers are called, such as `DE,AT,CH`. Unset: all.",
)
ALLOW_PREMIUM = _is(
    "ALLOW_PREMIUM",
    v.FLAG,
    "1",
    "`0` refuses premium-rate, shared-cost, satellite and international network numbers.",
)
RETRY_ON = _is(
    "RETRY_ON",
    Kind(parse=k.outcomes, allowed=f"{', '.join(RETRIED)}, separated by commas, or none"),
    "none",
    "Outcomes on the line after which a call is made again.",
)
RETRY_OUTCOME_DELAY = _is(
    "RETRY_OUTCOME_DELAY", v.DURATION, "15m", "Wait before a call is made again for its outcome."
)
RETRY_OUTCOME_MAX = _is(
    "RETRY_OUTCOME_MAX",
    v.whole(0, 100),
    "2",
    "How often a call is made again for its outcome.",
)
MACHINE_DETECTION = _is(
    "MACHINE_DETECTION",
    v.choice({word.value: word for word in Detection}),
    "off",
    "Whether Twilio tells an answering machine from a person: as soon as it can (`enable`), or "
    "once the greeting is over (`detect-message-end`). Twilio charges for it.",
)
KEEP_COMPLETED = _is(
    "KEEP_COMPLETED", v.RETENTION, "7d,100000", "How long and how many completed calls are kept."
)
KEEP_FAILED = _is(
    "KEEP_FAILED", v.RETENTION, "30d,100000", "How long and how many failed calls are kept."
)

IN_DOUBT_HORIZON = _is(
    "IN_DOUBT_HORIZON",
    v.TIME,
    "5m",
    "How long an attempt with an unknown outcome is looked for before the next one is made.",
)
SETTLE_INTERVAL = _is(
    "SETTLE_INTERVAL", v.TIME, "2s", "Wait before the first look for it and between the first ones."
)
LEASE_TIME = _is(
    "LEASE_TIME", v.WORKING_TIME, "10s", "After how long the calls of a dead worker are taken back."
)
DIAL_DEADLINE = _is("DIAL_DEADLINE", v.WORKING_TIME, "10s", "Total time for one request to Twilio.")
BREAKER_PROBE_INTERVAL = _is(
    "BREAKER_PROBE_INTERVAL", v.TIME, "5s", "Wait between two probes while Twilio is away."
)
CALLBACK_SILENCE = _is(
    "CALLBACK_SILENCE",
    v.TIME,
    "10m",
    "After how long without a word of a placed call, beyond the ring time-out, Twilio is asked.",
)
PRICE_DELAY = _is(
    "PRICE_DELAY", v.TIME, "15m", "How long after its end Twilio is asked for a call's price."
)
DRAIN_TIME = _is(
    "DRAIN_TIME", v.TIME, "20s", "How long a stopping worker waits for the calls being placed."
)

TWILIO_ACCOUNT_SID = _may(
    "TWILIO_ACCOUNT_SID",
    v.matching(r"AC[0-9a-fA-F]{32}", k.SID.format("AC")),
    "Twilio account that places the calls. Unset, `make run` starts the simulator in its place.",
)
TWILIO_AUTH_TOKEN = _may("TWILIO_AUTH_TOKEN", v.TEXT, "Its auth token.", secret=True)
TWILIO_API_KEY = _may(
    "TWILIO_API_KEY",
    v.matching(r"SK[0-9a-fA-F]{32}", k.SID.format("SK")),
    "API key to log in with, in place of the auth token.",
)
TWILIO_API_SECRET = _may("TWILIO_API_SECRET", v.TEXT, "Secret of that key.", secret=True)
TWILIO_PHONE_NUMBER = _may(
    "TWILIO_PHONE_NUMBER",
    v.matching(r"\+[0-9]{7,15}", "+ and 7 to 15 digits"),
    "Number that the calls come from.",
)
TWILIO_API_BASE = _may(
    "TWILIO_API_BASE", v.HTTP_URL, "In place of Twilio's own address: a proxy or a region."
)
TWIML_URL = _may(
    "TWIML_URL", v.HTTP_URL, "Asked by Twilio what to say, in place of speaking the message."
)
PUBLIC_URL = _may(
    "PUBLIC_URL",
    v.BASE_URL,
    "Where Twilio reaches this service, to tell how calls go; wants `TWILIO_AUTH_TOKEN` to check "
    "what comes in.",
)

SUPABASE_URL = _may(
    "SUPABASE_URL",
    v.HTTP_URL,
    "Supabase project that keeps the call log. Unset, a file in `DATA_DIR` does.",
)
SUPABASE_SERVICE_KEY = _may(
    "SUPABASE_SERVICE_KEY", v.TEXT, "Its service-role key, or a secret key.", secret=True
)
OUTBOX_MAX = _is(
    "OUTBOX_MAX",
    v.whole(100, 10_000_000),
    "100000",
    "Entries that wait in Redis while the call log is away. Beyond it the oldest details go first, "
    "final states last.",
)
RETENTION_DAYS = _may(
    "RETENTION_DAYS",
    v.whole(1, 36_500),
    "Days after which calls that have ended leave the call log. Unset: never.",
)
RETENTION_MODE = _is(
    "RETENTION_MODE",
    v.choice(k.MODES),
    "delete",
    "Then they are erased, or numbers, messages and other personal fields are blanked.",
)

FLOWER_HOST = _is(
    "FLOWER_HOST",
    k.HOST,
    "127.0.0.1",
    "Address that Flower listens on. Beyond loopback it wants `FLOWER_BASIC_AUTH`.",
)
FLOWER_PORT = _is("FLOWER_PORT", v.PORT, "5555", "Port of Flower.")
FLOWER_BASIC_AUTH = _may(
    "FLOWER_BASIC_AUTH",
    Kind(parse=k.logins, allowed="user:password, several separated by commas"),
    "Who may see Flower: `user:password`. Without it its pages show, and change nothing.",
    secret=True,
)
FLOWER_URL_PREFIX = _is(
    "FLOWER_URL_PREFIX",
    v.matching(r"(/?[A-Za-z0-9._-]+)*/?", "a path, such as /flower"),
    "",
    "Path below which Flower answers, for a proxy that passes `/flower` on to it.",
)
SIMULATOR_PORT = _is("SIMULATOR_PORT", v.PORT, "3001", "Port of the simulator, on loopback.")
LOG_FORMAT = _is("LOG_FORMAT", v.choice(k.FORMATS), "text", "How log lines are written.")
LOG_LEVEL = _is("LOG_LEVEL", v.choice(k.LEVELS), "info", "The least level that is logged.")
VOMIND_ENV_FILE = _is(
    "VOMIND_ENV_FILE",
    v.TEXT,
    ".env",
    "File with these settings, read where present. Set but empty: none is read.",
)

#: The variables by subject, in the order in which they are documented.
SECTIONS: Mapping[str, Sequence[Variable[Any]]] = {
    "Redis": (
        REDIS_URL, REDIS_HOST, REDIS_PORT, REDIS_USERNAME, REDIS_PASSWORD, REDIS_DB, REDIS_TLS,
        ALLOW_EVICTION, EMBEDDED_REDIS_PORT, DATA_DIR,
    ),
    "API": (
        HOST, PORT, ALLOW_ANONYMOUS, API_KEYS, METRICS_KEY, REQUEST_RATE_LIMIT, WEB_PROCESSES,
        WEB_THREADS,
    ),
    "Calls": (
        CALL_WORKER_CONCURRENCY, CALL_RATE_LIMIT, CALL_MAX_ATTEMPTS, CALL_RETRY_DELAY,
        PAST_SCHEDULE_GRACE, DEFAULT_TIMEZONE, ALLOWED_COUNTRIES, ALLOW_PREMIUM,
        ON_UNKNOWN_OUTCOME, RETRY_ON, RETRY_OUTCOME_DELAY,
        RETRY_OUTCOME_MAX, MACHINE_DETECTION, KEEP_COMPLETED, KEEP_FAILED,
    ),
    "Protocol times": (
        IN_DOUBT_HORIZON, SETTLE_INTERVAL, LEASE_TIME, DIAL_DEADLINE, BREAKER_PROBE_INTERVAL,
        CALLBACK_SILENCE, PRICE_DELAY, DRAIN_TIME,
    ),
    "Twilio": (
        TWILIO_ACCOUNT_SID, TWILIO_AUTH_TOKEN, TWILIO_API_KEY, TWILIO_API_SECRET,
        TWILIO_PHONE_NUMBER, TWILIO_API_BASE, TWIML_URL, PUBLIC_URL,
    ),
    "The call log": (
        SUPABASE_URL, SUPABASE_SERVICE_KEY, OUTBOX_MAX, RETENTION_DAYS, RETENTION_MODE,
    ),
    "Around it": (
        FLOWER_HOST, FLOWER_PORT, FLOWER_BASIC_AUTH, FLOWER_URL_PREFIX, SIMULATOR_PORT,
        LOG_FORMAT, LOG_LEVEL, VOMIND_ENV_FILE,
    ),
}  # fmt: skip

#: What must be set beside a variable: one of the sets.
NEEDED_BESIDE: Mapping[str, Sequence[frozenset[str]]] = {
    "TWILIO_ACCOUNT_SID": (
        frozenset({"TWILIO_PHONE_NUMBER", "TWILIO_AUTH_TOKEN"}),
        frozenset({"TWILIO_PHONE_NUMBER", "TWILIO_API_KEY", "TWILIO_API_SECRET"}),
    ),
    "TWILIO_AUTH_TOKEN": (frozenset({"TWILIO_ACCOUNT_SID"}),),
    "TWILIO_API_KEY": (frozenset({"TWILIO_API_SECRET", "TWILIO_ACCOUNT_SID"}),),
    "TWILIO_API_SECRET": (frozenset({"TWILIO_API_KEY"}),),
    "TWILIO_API_BASE": (frozenset({"TWILIO_ACCOUNT_SID"}),),
    "PUBLIC_URL": (frozenset({"TWILIO_AUTH_TOKEN"}),),
    "SUPABASE_URL": (frozenset({"SUPABASE_SERVICE_KEY"}),),
    "SUPABASE_SERVICE_KEY": (frozenset({"SUPABASE_URL"}),),
    "REDIS_PORT": (frozenset({"REDIS_HOST"}),),
    "REDIS_USERNAME": (frozenset({"REDIS_HOST"}),),
    "REDIS_PASSWORD": (frozenset({"REDIS_HOST"}),),
    "REDIS_DB": (frozenset({"REDIS_HOST"}),),
    "REDIS_TLS": (frozenset({"REDIS_HOST"}),),
}


def env_example() -> str:
    """The text of ``.env.example``: every variable with its default, commented out."""
    lines = ["# Copy to .env and change what you need. Times: 500ms, 30s, 15m, 2h, 7d."]
    for title, variables in SECTIONS.items():
        lines += ["", f"# --- {title} ---"]
        for variable in variables:
            lines += ["", f"# {variable.meaning}".replace("`", "")]
            lines += [
                f"# Allowed: {variable.kind.allowed}.",
                f"#{variable.name}={variable.default}",
            ]
    return "\n".join(lines) + "\n"


def markdown_table() -> str:
    """The variables as a table for ``README.md``."""
    lines = ["| variable | default | meaning |", "|---|---|---|"]
    for title, variables in SECTIONS.items():
        lines.append(f"| **{title}** | | |")
        for variable in variables:
            default = f"`{variable.default}`" if variable.default else ""
            lines.append(f"| `{variable.name}` | {default} | {variable.meaning} |")
    return "\n".join(lines) + "\n"
