"""How long a phone may ring before Twilio gives the call up, and what follows from it.

An attempt keeps the time with which it was made, beside its dial marker: a setting that changes
later says nothing about it.
"""

from __future__ import annotations

#: Where neither the call nor the setting says so, ms; so did every version before this one. The
#: times of reconciliation and polling are meant for it, and named in the scripts, too.
USUAL_RING_MS = 30_000
#: The shortest and the longest that may be asked for, ms; the longest is Twilio's.
LEAST_RING_MS = 5_000
MOST_RING_MS = 600_000


def longer_ms(ring_ms: int) -> int:
    """Return by how much longer than usual an attempt may ring, ms.

    It is unknown for so much longer whether anybody answers. A shorter ring shortens nothing.
    """
    return max(ring_ms - USUAL_RING_MS, 0)
