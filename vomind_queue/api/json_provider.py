"""Read and write JSON strictly, behind Flask's interface for it.

Stricter than the standard library: a value that could not be returned as it was sent, or that
two parsers would read differently, is refused.
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from typing import Any, NoReturn

from flask.json.provider import JSONProvider

from vomind_queue.api.middleware import Answer
from vomind_queue.encoding import compact

#: In the raw text: the escape of half a surrogate pair, whether or not the other half follows.
_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")


class Unreadable(ValueError):
    """A text that is not acceptable JSON; the message says why."""


class StrictJson(JSONProvider):
    """Reads with `read`, writes with `encode`."""

    def dumps(self, obj: Any, **_: Any) -> str:
        """Return compact JSON."""
        return encode(obj).decode()

    def loads(self, s: str | bytes, **_: Any) -> Any:
        """Return the value. Raise Unreadable."""
        return read(s.encode() if isinstance(s, str) else s)

    def response(self, *args: Any, **kwargs: Any) -> Answer:
        """Return a 200 with the one value, or with an object of the keywords."""
        return Answer(encode(args[0] if args else kwargs), content_type="application/json")


def encode(document: Any) -> bytes:
    """Return compact JSON in UTF-8; half of a surrogate pair becomes ``?``."""
    try:
        return compact(document)
    except UnicodeEncodeError:
        text = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
        return text.encode("utf-8", "replace")


def read(raw: bytes) -> Any:
    """Return the value of a JSON text in UTF-8. Raise Unreadable."""
    try:
        value = _DECODER.decode(raw.decode())
    except UnicodeDecodeError as error:
        raise Unreadable(f"byte {error.start} is not UTF-8") from None
    except json.JSONDecodeError as error:
        raise Unreadable(f"{error.msg} (line {error.lineno}, column {error.colno})") from None
    except RecursionError:
        raise Unreadable("it is nested too deeply") from None
    except Unreadable:
        raise
    except ValueError:
        # The interpreter's limit on the digits of whole numbers, 4,300 by default.
        raise Unreadable("a number has too many digits") from None
    if _SURROGATE.search(raw):
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


def _number(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise Unreadable("a number is too large")
    return number


def _constant(name: str) -> NoReturn:
    raise Unreadable(f"{name} is not a JSON value")


_DECODER = json.JSONDecoder(
    object_pairs_hook=_object, parse_float=_number, parse_constant=_constant
)
