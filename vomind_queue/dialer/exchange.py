"""One request to Twilio and its answer: until when, how far it got, what came back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from vomind_queue.clocks import boottime
from vomind_queue.turns import Turns


class TooLateError(Exception):
    """The moment until which the request may leave has passed; nothing was sent."""


class UnreachableError(Exception):
    """There is no connection, so nothing was sent; the text says why, for people."""


class NoAnswerError(Exception):
    """Something was sent, and no whole answer came; the text says why, for people."""

    def __init__(self, text: str, *, timed_out: bool) -> None:
        super().__init__(text)
        self.timed_out = timed_out


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """An HTTP answer, whole."""

    status: int
    #: Names in lower case.
    headers: Mapping[str, str]
    text: str


@dataclass(kw_only=True, slots=True)
class Exchange:
    """The limits of one request, and its answer once there is one."""

    #: Instant on ``clocks.boottime`` after which not a byte may leave, s.
    send_until_s: float
    #: Instant on ``clocks.boottime`` at which waiting ends, s.
    answer_until_s: float
    #: Whether a byte may have left: set before the first one does.
    sent: bool = False
    answer: Answer | None = None
    #: Where the thread goes on in its turn once the answer is there; ``None``: at once.
    turns: Turns | None = None

    @classmethod
    def lasting(
        cls, seconds: float, *, begun_s: float | None = None, turns: Turns | None = None
    ) -> Exchange:
        """One that ends in so many seconds; ``begun_s``: from when its start counts."""
        now_s = boottime()
        start_s = now_s if begun_s is None else begun_s
        return cls(send_until_s=start_s + seconds, answer_until_s=now_s + seconds, turns=turns)

    def step_aside(self) -> None:
        """Before a wait: others may go on meanwhile."""
        if self.turns is not None:
            self.turns.leave()

    def go_on(self) -> None:
        """After the answer: not before the turn of this thread."""
        if self.turns is not None:
            self.turns.take()

    def left_to_send_s(self) -> float:
        """Time in which bytes may still leave, s. Raises TooLateError when there is none."""
        left_s = min(self.send_until_s, self.answer_until_s) - boottime()
        if left_s <= 0:
            raise TooLateError
        return left_s

    def left_to_answer_s(self) -> float:
        """Time in which the answer may still come, s. Raises TimeoutError when there is none."""
        left_s = self.answer_until_s - boottime()
        if left_s <= 0:
            raise TimeoutError
        return left_s
