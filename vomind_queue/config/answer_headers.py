"""Headers of every answer that is no page, whichever process gives it."""

from __future__ import annotations

from collections.abc import Mapping

#: Its content must not be run, framed, sniffed or stored.
ANSWER_HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    # Personal data must not stay in a proxy or on a disk.
    "Cache-Control": "no-store",
}
