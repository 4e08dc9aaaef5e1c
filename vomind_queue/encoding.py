"""Compact JSON, the same wherever it is sent, kept or measured."""

from __future__ import annotations

import json
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
