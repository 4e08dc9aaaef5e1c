"""Find the calls in Twilio's list that may belong to an attempt whose outcome is unknown."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol, TypeVar

from twilio.http.response import Response  # type: ignore[import-untyped]
from twilio.rest import Client  # type: ignore[import-untyped]
from twilio.rest.api.v2010.account.call import CallInstance  # type: ignore[import-untyped]

from vomind_queue.calls.attempts import Attempt, Ring, Search
from vomind_queue.calls.call import Call
from vomind_queue.calls.phone_number import canonical
from vomind_queue.twilio.call_list import clock_ahead_ms, created_ms, senders_of
from vomind_queue.twilio.callbacks import shows_creation, tokens_in

T = TypeVar("T")

#: Calls on one page of Twilio's list.
PAGE_SIZE = 50
#: Pages read at most; only a number that is called very often has more.
MAX_PAGES = 20
#: How much older than the dial marker a ring may look and still be returned, ms. Reconciliation is
#: stricter.
SLACK_MS = 600_000


class Ask(Protocol):
    """A way to ask Twilio."""

    def __call__(self, question: Callable[[], T]) -> tuple[T, Response]:
        """Ask something that may be asked again. Raise DialerUnavailable."""


class CallSearch:
    """Searches the calls of one account. Safe to use from many threads."""

    def __init__(self, client: Client, ask: Ask, *, callbacks: bool) -> None:
        """``callbacks``: whether calls name their attempt by our callback now."""
        self._client = client
        self._ask = ask
        self._callbacks = callbacks

    def find(self, attempt: Attempt, age_ms: int) -> Search:
        """Return the calls to the attempt's number since shortly before its marker, ``age_ms`` ago.

        Raise DialerUnavailable when Twilio's list cannot be read.
        """
        rings: dict[str, Ring] = {}
        ahead_ms = 0
        for number in _spellings(attempt.call):
            search = self._find(attempt, number, age_ms)
            rings |= {ring.sid: ring for ring in search.rings}
            ahead_ms = search.clock_ahead_ms
        return Search(rings=list(rings.values()), clock_ahead_ms=ahead_ms)

    def _find(self, attempt: Attempt, number: str, age_ms: int) -> Search:
        # No filter on the start time: it is empty until a call is dialed.
        page, answer = self._ask(lambda: self._client.calls.page(to=number, page_size=PAGE_SIZE))
        ahead_ms = clock_ahead_ms(answer, time.time() * 1000)
        now_ms = time.time() * 1000 + ahead_ms
        since_ms = now_ms - age_ms - SLACK_MS
        rings: list[Ring] = []
        for _ in range(MAX_PAGES):
            recent = [call for call in page if created_ms(call, now_ms) >= since_ms]
            senders = senders_of(answer)
            rings += [
                self._ring(call, created_ms(call, now_ms), attempt, senders.get(str(call.sid)))
                for call in recent
                if call.sid
            ]
            if not recent or page.next_page_url is None:
                break
            page, answer = self._ask(page.next_page)
        return Search(rings=rings, clock_ahead_ms=ahead_ms)

    def _ring(
        self, call: CallInstance, created_ms: int, attempt: Attempt, sender: str | None
    ) -> Ring:
        # Without callbacks no call of ours has a token, whether the settings changed or not.
        has_tokens = attempt.callbacks or self._callbacks
        token = self._token(str(call.sid), attempt.token) if has_tokens else None
        return Ring(
            sid=str(call.sid),
            status=str(call.status),
            created_ms=created_ms,
            token=token,
            sender=sender,
        )

    def _token(self, sid: str, sought: str) -> str | None:
        """Return the token of the attempt that made a call, if the call's events name our callback.

        It is empty when they show how the call was made, without our callback.
        """
        events, _ = self._ask(lambda: self._client.calls(sid).events.list(limit=PAGE_SIZE))
        tokens = [token for event in events for token in tokens_in([event.request])]
        if tokens:
            return sought if sought in tokens else tokens[0]
        return "" if any(shows_creation(event.request) for event in events) else None


def _spellings(call: Call) -> list[str]:
    """Return a call's number in every spelling that Twilio may list it under."""
    return list(dict.fromkeys([call.to, canonical(call.to), call.to_given or call.to]))
