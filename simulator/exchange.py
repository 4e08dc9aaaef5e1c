"""One signed request to an address on loopback, and its answer.

A test that names another host must not reach it.
Signature: https://www.twilio.com/docs/usage/security#validating-requests.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import http.client
from collections.abc import Mapping
from urllib.parse import urlencode, urlsplit

#: How long a callback may take, s.
TIMEOUT_S = 5.0
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


def is_asked(url: str) -> bool:
    """Return whether an address is asked at all: plain HTTP on loopback."""
    parts = urlsplit(url)
    return parts.hostname in _LOOPBACK and parts.scheme == "http"


def exchange(url: str, method: str, form: Mapping[str, str], secret: str) -> tuple[int, str]:
    """Return the answer's status (0: none) and body."""
    if not is_asked(url):
        return 0, ""
    parts = urlsplit(url)
    if method == "GET":
        url += ("&" if parts.query else "?") + urlencode(form)
        parts = urlsplit(url)
    signed = url + ("" if method == "GET" else "".join(k + form[k] for k in sorted(form)))
    digest = hmac.new(secret.encode(), signed.encode(), hashlib.sha1).digest()
    headers = {
        "X-Twilio-Signature": base64.b64encode(digest).decode(),
        "Content-Type": "application/x-www-form-urlencoded; charset=UTF-8",
        "User-Agent": "TwilioProxy/1.1",
    }
    target = f"{parts.path or '/'}{f'?{parts.query}' if parts.query else ''}"
    line = http.client.HTTPConnection(parts.hostname or "", parts.port or 80, timeout=TIMEOUT_S)
    try:
        line.request(method, target, urlencode(form) if method == "POST" else None, headers)
        answer = line.getresponse()
        return answer.status, answer.read().decode("utf-8", "replace")
    except (OSError, http.client.HTTPException):
        return 0, ""
    finally:
        line.close()
