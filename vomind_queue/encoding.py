"""JSON, the same wherever it is sent, kept or measured; texts that people look at, or have sent."""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Callable
from functools import cache
from typing import Any, NoReturn

import orjson

_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


def compact(value: Any) -> bytes:
    """JSON in UTF-8, without white space.

    Raises UnicodeEncodeError for half of a surrogate pair.
    """
    try:
        return orjson.dumps(value)
    except TypeError:
        # It takes no numbers beyond 64 bits, no keys but texts and nothing nested deeply.
        return _ENCODER.encode(value).encode()


#: What a terminal obeys or an editor hides: control characters beyond those that JSON escapes
#: itself, line and paragraph separators, marks that reverse or join what stands beside them. The
#: joiners of emoji and Persian (U+200C, U+200D) stay.
_UNSEEN = re.compile(
    r"[\x7f-\x9f\xad\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb]"
)


def readable(value: Any, *, indent: int | None = None) -> str:
    """Return JSON for a terminal or a log: what could not be seen there is escaped.

    A value that JSON has no form for stands there as its text.
    """
    text = json.dumps(value, ensure_ascii=False, default=str, indent=indent)
    return _UNSEEN.sub(lambda sign: f"\\u{ord(sign[0]):04x}", text)


#: Where a spreadsheet would read a formula, with the characters it skips first: at the start of a
#: text, and after possible separators (https://owasp.org/www-community/attacks/CSV_Injection).
#: A comma is harmless: it is this file's own separator, and always quoted. Where another one is
#: taken for that, the quotation marks of the text may begin and end a cell.
_FORMULA = re.compile(
    r"^(?=[\t\r\n])|(?P<before>^|[;|\t\r\n])"
    r"(?P<unseen>(?:[^\S\t\r\n]|[\"\u200b\u2060\ufeff])*)(?=[=+\-@＝＋－＠])"
)


def no_formula(text: str | None) -> str | None:
    """Return the text with an apostrophe before each formula, so that none is executed."""
    return _FORMULA.sub(_defused, text) if text else text


def _defused(found: re.Match[str]) -> str:
    return f"{found['before'] or ''}'{found['unseen'] or ''}"


#: The escape of half a surrogate pair, whether or not the other half follows.
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")


class Unreadable(ValueError):
    """A text that is not acceptable JSON; the message says why."""


def finite(text: str) -> float:
    """Return a number with a point or an exponent. Raise Unreadable."""
    number = float(text)
    if math.isinf(number):
        raise Unreadable("a number is too large")
    return number


def parsed(text: str, numbers: Callable[[str], float] = finite) -> Any:
    """Return the value of a JSON text. Raise Unreadable.

    Stricter than the standard library: a value that could not be returned as it was sent, or that
    two parsers would read differently, is refused. ``numbers`` makes those with a point.
    """
    try:
        value = _decoder(numbers).decode(text)
    except json.JSONDecodeError as error:
        raise Unreadable(f"{error.msg} (line {error.lineno}, column {error.colno})") from None
    except RecursionError:
        raise Unreadable("it is nested too deeply") from None
    except Unreadable:
        raise
    except ValueError:
        # The interpreter's limit on the digits of whole numbers, 4,300 by default.
        raise Unreadable("a number has too many digits") from None
    if _SURROGATE.search(text):
        _refuse_lone_surrogates(value)
    return value


def _refuse_lone_surrogates(value: Any) -> None:
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise Unreadable("it contains half of a surrogate pair") from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        name, _ = Counter(name for name, _ in pairs).most_common(1)[0]
        raise Unreadable(f"{json.dumps(name[:64])} appears twice in one object")
    return members


def _constant(name: str) -> NoReturn:
    raise Unreadable(f"{name} is not a JSON value")


@cache
def _decoder(numbers: Callable[[str], float]) -> json.JSONDecoder:
    return json.JSONDecoder(
        object_pairs_hook=_object, parse_float=numbers, parse_constant=_constant
    )
