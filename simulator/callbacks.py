"""The simulator's own requests, signed as Twilio does.

They tell how a call goes and who answered, and ask what to say.
"""

from __future__ import annotations

import heapq
import http.client
import threading
import time
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import count

from simulator.book import Book, SimulatedCall
from simulator.exchange import exchange, is_asked
from simulator.letters import Letter, letter_at, overtaken, prolonged, request, secret
from simulator.mishaps import Mishap, Troubles
from simulator.twiml import Document, read

#: Requests at the same time.
SENDERS = 16
#: Deliveries that are remembered.
MEMORY = 20_000
#: Between two callbacks that were held back, s.
HELD_PACE_S = 0.1


@dataclass(frozen=True, kw_only=True, slots=True)
class Delivered:
    """A request that was sent, and what came back."""

    letter: Letter
    #: HTTP status; 0 when there was no answer.
    answer: int


class Callbacks:
    """Plans the requests that belong to a call and sends each when its time has come."""

    def __init__(self, book: Book, troubles: Troubles) -> None:
        self._book = book
        self._troubles = troubles
        self._due: list[tuple[float, int, Letter]] = []
        self._order = count()
        self._changed = threading.Condition()
        self._senders = ThreadPoolExecutor(SENDERS, thread_name_prefix="callback")
        self._delivered: deque[Delivered] = deque(maxlen=MEMORY)
        self._started = False

    def plan(self, call: SimulatedCall) -> None:
        """Take on everything that belongs to a call that was accepted just now."""
        letters = self._reports(call)
        detected_s = call.course.detected_s
        answered_s = call.course.at_s("in-progress")
        if detected_s is not None and answered_s is not None:
            if call.detection and call.parameter("AsyncAmdStatusCallback"):
                letters.append(letter_at(call, "detected", detected_s))
            if call.recorded:
                letters.append(letter_at(call, "recorded", call.course.ended_s, status="completed"))
            if call.parameter("Url"):
                asked_s = detected_s if call.detection and not call.in_background else answered_s
                asks = letter_at(call, "instructions", asked_s, status="in-progress")
                letters.append(replace(asks, documents=0))
            else:
                at_s = call.created_s + answered_s
                twiml = call.parameter("Twiml")
                call.documents.append(read(twiml, began_s=at_s, pace=call.course.pace))
        self._put_in(call, letters)

    def play(self, call: SimulatedCall, twiml: str, base: str = "") -> None:
        """Have a call carry out TwiML from now on, in place of all else."""
        document = read(twiml, began_s=time.time(), pace=call.course.pace, base=base)
        call.documents.append(document)
        letter = Letter(
            call=call,
            event="instructions" if document.asks else "hangup",
            status="in-progress",
            happens_s=document.ended_s,
            url=document.asks or "",
            documents=len(call.documents),
        )
        self._post_at(document.ended_s, letter)

    def press(self, call: SimulatedCall, digit: str) -> bool:
        """Press a key in a call; return whether it waited for one."""
        now_s = time.time()
        is_on = call.ended_s(now_s) is None and call.documents
        url = call.documents[-1].takes_key(now_s) if is_on else None
        if url is not None:
            self.ask(call, url, digit)
        return url is not None

    def ask(self, call: SimulatedCall, url: str, digit: str = "") -> None:
        """Have a call carry out what an address says, in place of all else."""
        now_s = time.time()
        letter = Letter(
            call=call,
            event="instructions",
            status="in-progress",
            happens_s=now_s,
            url=url,
            documents=len(call.documents),
            digit=digit,
        )
        self._post_at(now_s, letter)

    def end(self, call: SimulatedCall, wanted: str) -> bool:
        """End a call, ``canceled`` or ``completed``; false when that cannot be.

        Its end is sent, and nothing of the rest.
        """
        if not self._book.end(call, wanted):
            return False
        self._send_end(call)
        return True

    def _follow(self, call: SimulatedCall, url: str, twiml: str | None) -> None:
        """Do what an address said; ``None``: nothing that could be used."""
        if not is_asked(url):
            problem = f"not asked, as only loopback is: {url}"
            call.documents.append(Document(began_s=time.time(), verbs=(), problems=(problem,)))
        elif twiml is None:
            # Twilio says so on the line, and hangs up.
            self.play(call, "<Response></Response>")
        else:
            call.instructions = twiml
            self.play(call, twiml, url)

    def _send_end(self, call: SimulatedCall) -> None:
        if call.recorded and call.ended and call.ended[0] == "completed":
            at_s = call.ended[1]
            self._put_in(call, [Letter(call=call, event="recorded", happens_s=at_s)])
        if "completed" in call.wanted_events and call.ended:
            status, at_s = call.ended
            events = [
                event
                for age, event, _ in call.course.events()
                if call.created_s + age < at_s and event != "completed"
            ]
            sequence = len([event for event in events if event in call.wanted_events])
            letter = Letter(
                call=call, event="completed", status=status, happens_s=at_s, sequence=sequence
            )
            self._put_in(call, [letter])

    def delivered(self) -> list[Delivered]:
        """Return what was sent so far, in order of the answers."""
        return list(self._delivered)

    def forget(self) -> None:
        """Empty that memory."""
        self._delivered.clear()

    def _reports(self, call: SimulatedCall) -> list[Letter]:
        wanted = call.wanted_events
        events = [each for each in call.course.events() if each[1] in wanted]
        return [
            letter_at(call, event, at_s, status=status, sequence=sequence)
            for sequence, (at_s, event, status) in enumerate(events)
        ]

    def _put_in(self, call: SimulatedCall, letters: list[Letter]) -> None:
        ends_s = call.created_s + call.course.ended_s
        for place, letter in enumerate(reversed(letters)):
            struck = self._troubles.strike(call.to, letter.event)
            if Mishap.LOSE in struck:
                continue
            at_s = letter.happens_s + struck.get(Mishap.LATE, 0) / 1000
            if Mishap.SHUFFLE in struck:
                at_s = ends_s + place * HELD_PACE_S
            sent = replace(letter, forged=Mishap.FORGE in struck)
            self._post_at(at_s, sent)
            if Mishap.REPEAT in struck:
                self._post_at(at_s + struck[Mishap.REPEAT] / 1000, sent)

    def _post_at(self, at_s: float, letter: Letter) -> None:
        with self._changed:
            heapq.heappush(self._due, (at_s, next(self._order), letter))
            if not self._started:
                self._started = True
                threading.Thread(target=self._run, name="callbacks", daemon=True).start()
            self._changed.notify()

    def _run(self) -> None:
        while True:
            with self._changed:
                wait_s = self._due[0][0] - time.time() if self._due else None
                if wait_s is None or wait_s > 0:
                    self._changed.wait(wait_s)
                    continue
                letter = heapq.heappop(self._due)[2]
            if prolonged(letter):
                self._post_at(letter.call.ends_s, replace(letter, happens_s=letter.call.ends_s))
            elif not overtaken(letter):
                self._senders.submit(self._send, letter)

    def _send(self, letter: Letter) -> None:
        if letter.event == "hangup":
            self.end(letter.call, "completed")
            return
        url, method, form = request(letter)
        answer, body = exchange(url, method, form, secret(letter))
        if letter.event == "instructions" and not overtaken(letter):
            self._follow(letter.call, url, body if answer == http.client.OK else None)
        self._delivered.append(Delivered(letter=letter, answer=answer))
