"""JSON, the same wherever it is sent, kept or measured; and JSON that people look at."""

from __future__ import annotations

import json
import re
from typing import Any

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
