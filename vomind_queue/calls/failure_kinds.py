"""Kinds of failures, by the words of their reasons: calls that failed alike have one."""

from __future__ import annotations

import re

#: Kinds of calls that a rule ended; see `includes/fail_unplaced.lua`.
_RULE = re.compile(r"(Expired|Do-not-call): ")
_CODE = re.compile(r"\berror (\d+)\b|\bHTTP (\d{3})\b")
#: What a kind is made of where a reason has no code: its first words.
_HEAD = re.compile(r"[^:.(]+")


def kind_of(reason: str) -> str:
    """Return the kind that a reason is of.

    >>> kind_of("Twilio will not place this call: Invalid 'To' (error 21211, HTTP 400).")
    'twilio-21211'
    >>> kind_of("Twilio cannot be reached: refused. Given up after 3 attempts.")
    'twilio-cannot-be-reached'
    >>> kind_of("Expired: its latest start (notAfter) passed. Before that: … (error 20500).")
    'expired'
    """
    if ended := _RULE.match(reason):
        # What came of the attempts before that follows in the reason.
        return ended[1].lower()
    if found := _CODE.search(reason):
        return f"twilio-{found[1]}" if found[1] else f"http-{found[2]}"
    head = _HEAD.match(reason)
    words = re.findall(r"[a-z0-9]+", head[0].lower()) if head else []
    return "-".join(words)[:64] or "unknown"
