"""How full Redis is: plain values, no I/O."""

from __future__ import annotations

import logging
from dataclasses import dataclass

logger = logging.getLogger(__name__)

#: Share of maxmemory above which a warning is due.
TIGHT = 0.8
#: The warning is withdrawn below this share.
EASED = 0.75
#: With less free memory than this, a server refuses larger requests, bytes.
LEAST_ROOM = 128 * 1024
#: What to do about it.
REMEDY = (
    "Raise its maxmemory (redis-cli config set maxmemory 4gb), or free some: vomind-queue clean "
    "removes finished calls; lower KEEP_COMPLETED and KEEP_FAILED to keep fewer."
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Memory:
    """Memory that a server uses, and its maxmemory (0 if it has none), bytes."""

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
    """Log once when memory is nearly full, and once when it has room again."""

    def __init__(self) -> None:
        self._checks = 0

    def note(self, memory: Memory) -> None:
        """Take a measurement."""
        if memory.share >= (EASED if self._checks else TIGHT):
            if not self._checks:
                logger.warning("Redis memory is nearly full: %s. %s", memory, REMEDY)
            self._checks += 1
        elif self._checks:
            logger.warning("Redis memory has room again, after %d checks", self._checks)
            self._checks = 0
