"""One request to Twilio: its time limits, how far it got, and its answer."""

from __future__ import annotations

from dataclasses import dataclass

from twilio.http.response import Response  # type: ignore[import-untyped]

from vomind_queue.clocks import boottime


class TooLateError(Exception):
    """The time in which the request may leave is over."""


@dataclass(kw_only=True, slots=True)
class Exchange:
    """The limits of one request, how far it got, and its answer once there is one."""

    #: Instant on ``clocks.boottime`` after which not a byte may leave, s.
    send_until_s: float
    #: Instant on ``clocks.boottime`` at which waiting ends, s.
    answer_until_s: float
    #: Whether a byte may have left: set before the first one does, and never taken back.
    sent: bool = False
    #: The whole answer.
    answer: Response | None = None

    @classmethod
    def lasting(cls, seconds: float, *, begun_s: float | None = None) -> Exchange:
        """Return one that ends after so many seconds.

        Its request must leave within them, too, counted from ``begun_s`` or from now.
        """
        now_s = boottime()
        start_s = now_s if begun_s is None else begun_s
        return cls(send_until_s=start_s + seconds, answer_until_s=now_s + seconds)

    def left_to_send_s(self) -> float:
        """Return how long bytes may still leave, s. Raise TooLateError when none may."""
        left_s = min(self.send_until_s, self.answer_until_s) - boottime()
        if left_s <= 0:
            raise TooLateError
        return left_s

    def left_to_answer_s(self) -> float:
        """Return how long the answer may still take, s. Raise TimeoutError when it may not."""
        left_s = self.answer_until_s - boottime()
        if left_s <= 0:
            raise TimeoutError
        return left_s
