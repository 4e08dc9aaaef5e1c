"""How full Redis is: plain values, no I/O."""

from __future__ import annotations

import logging
from dataclasses import dataclass

logger = logging.getLogger(__name__)

#: Share of maxmemory from which on people should know.
TIGHT = 0.8
#: Once told, it is over below this share.
EASED = 0.75
#: With less room than that a server refuses a request that is larger than most, bytes.
LEAST_ROOM = 128 * 1024
#: What to do about it.
REMEDY = (
    "Raise its maxmemory (redis-cli config set maxmemory 4gb), or free some: vomind-queue clean "
    "removes calls that have ended, KEEP_COMPLETED and KEEP_FAILED keep fewer."
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Memory:
    """What a server uses, bytes, and its maxmemory; 0 where it has none."""

    used: int = 0
    limit: int = 0

    @property
    def share(self) -> float:
        """Part of the limit that is used; 0 without one."""
        return self.used / self.limit if self.limit else 0.0

    @property
    def full(self) -> bool:
        """Whether new calls are refused, or will be in a moment."""
        return bool(self.limit) and self.limit - self.used < LEAST_ROOM

    def __str__(self) -> str:
        return f"{self.used / 2**20:,.1f} of {self.limit / 2**20:,.1f} MiB"


class MemoryWatch:
    """Says once that memory is nearly full, and once that it is not any more."""

    def __init__(self) -> None:
        self._looks = 0

    def note(self, memory: Memory) -> None:
        """Take what a look has found."""
        if memory.share >= (EASED if self._looks else TIGHT):
            if not self._looks:
                logger.warning("Redis memory is nearly full: %s. %s", memory, REMEDY)
            self._looks += 1
        elif self._looks:
            logger.warning("Redis memory has room again, after %d looks", self._looks)
            self._looks = 0
