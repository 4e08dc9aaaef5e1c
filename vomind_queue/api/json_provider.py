"""Read and write JSON strictly, behind Flask's interface for it.

Stricter than the standard library: a value that could not be returned as it was sent, or that
two parsers would read differently, is refused.
"""

from __future__ import annotations

import json
from typing import Any

from flask.json.provider import JSONProvider

from vomind_queue.api.middleware import Answer
from vomind_queue.encoding import Unreadable, compact, parsed


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
        text = raw.decode()
    except UnicodeDecodeError as error:
        raise Unreadable(f"byte {error.start} is not UTF-8") from None
    return parsed(text)
