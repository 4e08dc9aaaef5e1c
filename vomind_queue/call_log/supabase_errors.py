"""What an error from Supabase means for the lines sent, and how to report it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum, auto
from typing import Any

import httpx
from postgrest import APIError

from vomind_queue.errors import LogUnavailable


class Fault(Enum):
    """The cause of an error."""

    #: The line itself; it will never be accepted.
    LINE = auto()
    #: The line, or a proxy in between.
    UNCLEAR = auto()
    #: The connection, the key or the tables; wait.
    AWAY = auto()


#: Classes of SQLSTATE that concern the values sent: cardinality, data, integrity, WITH CHECK,
#: a trigger's RAISE, program limits, internal errors
#: (https://www.postgresql.org/docs/15/errcodes-appendix.html).
_LINE_CLASSES = ("21", "22", "23", "44", "P0", "54", "XX")
#: PostgREST's code for a body that it cannot read
#: (https://postgrest.org/en/stable/references/errors.html#group-1-api-request).
_LINE_CODES = ("PGRST102",)
#: A query that took too long; a smaller one may not.
_TOO_LONG = "57014"
#: Any other SQLSTATE or PostgREST code, and HTTP statuses of a server or proxy that is unavailable
#: or rejects our key.
_AWAY = re.compile(r"[0-9A-Z]{5}|PGRST[0-9A-Z]{3}|401|402|404|407|408|429|5[0-9]{2}")

#: Quoted text is a value unless the word before it marks it as a name.
_QUOTED = re.compile(
    r'(\b(?:relation|column|constraint|table|index|trigger|type) "[a-z0-9_]+")'
    r"|\"[^\"]*\"|'[^']*'"
)
_DIGITS = re.compile(r"\+?[0-9][0-9 ()./-]{4,}[0-9]")
#: Characters of an error that are shown.
_LONGEST = 200
#: PostgREST's and PostgreSQL's codes for a table that does not exist.
_NO_TABLE = ("PGRST205", "PGRST106", "42P01")
_TABLES = "run the migrations in vomind_queue/call_log/migrations"
#: The most frequent errors of a new installation, and their remedies.
_ADVICE = {
    "PGRST205": f"the tables are missing: {_TABLES}",
    "PGRST204": f"the tables are old: {_TABLES}",
    "PGRST202": f"a function is missing: {_TABLES}",
    "42883": f"a function is missing: {_TABLES}",
    "42P01": f"the tables are missing: {_TABLES}",
    "42703": f"the tables are old: {_TABLES}",
    "42501": "SUPABASE_SERVICE_KEY must be the service-role key or a secret key",
}


def classify(error: APIError) -> Fault:
    """Return whose fault an error is; an unknown error is unclear."""
    code = str(error.code or "")
    if code in _LINE_CODES or (len(code) == 5 and code.startswith(_LINE_CLASSES)):  # noqa: PLR2004
        return Fault.LINE
    if code != _TOO_LONG and (not code or _AWAY.fullmatch(code)):
        return Fault.AWAY
    return Fault.UNCLEAR


def describe(error: APIError) -> str:
    """Return the error without the values sent, which its details and message may contain."""
    code = str(error.code or "no code")
    if code in _ADVICE:
        return f"{code}: {_ADVICE[code]}"
    named = _QUOTED.sub(lambda found: found[1] or "…", str(error.message or ""))
    return f"{code}: {' '.join(_DIGITS.sub('…', named).split())[:_LONGEST]}"


def checked(answer: Any) -> Any:
    """Raise LogUnavailable for a 200 that is not Supabase's, such as a log-in page."""
    if not isinstance(answer.data, list):
        raise LogUnavailable("the server is not Supabase")
    return answer


@contextmanager
def translate_errors() -> Iterator[None]:
    """Turn the client's errors into LogUnavailable."""
    try:
        yield
    except APIError as error:
        raise LogUnavailable(f"Supabase: {describe(error)}") from None
    except httpx.HTTPError as error:
        raise LogUnavailable(f"Supabase cannot be reached ({type(error).__name__})") from None


def rows_of(query: Any) -> list[dict[str, Any]]:
    """Return the rows of a query; none if its table was never made, and so nothing is stored."""
    with translate_errors():
        try:
            found: list[dict[str, Any]] = checked(query.execute()).data
        except APIError as error:
            if error.code in _NO_TABLE:
                return []
            raise
    return found
