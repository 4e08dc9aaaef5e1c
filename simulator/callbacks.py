"""The simulator's own requests: how a call goes, who answered, what to say. Signed, as Twilio does.

Only addresses on loopback are asked: a test that names another host must not reach it.
Signature: https://www.twilio.com/docs/usage/security#validating-requests.
"""

from __future__ import annotations

import base64
import hashlib
import heapq
import hmac
import http.client
import threading
import time
from collections import deque
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import count
from urllib.parse import urlencode, urlsplit

from simulator.book import Book, SimulatedCall
from simulator.courses import ENDED
from simulator.listing import rfc2822
from simulator.mishaps import Mishap, Troubles
from simulator.twiml import Document, read

#: How long a callback may take, s.
TIMEOUT_S = 5.0
#: Requests at the same time.
SENDERS = 16
#: Deliveries that are remembered.
MEMORY = 20_000
#: Between two callbacks that were held back, s.
HELD_PACE_S = 0.1
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True, kw_only=True, slots=True)
class Letter:
    """One request to be sent."""

    call: SimulatedCall
    #: initiated, ringing, answered, completed; detected: who answered; instructions: what to say;
    #: hangup, which is not a request: the instructions have ended.
    event: str
    #: Twilio's status then.
    status: str = ""
    #: When it happens in the call's life, unix s.
    happens_s: float
    sequence: int = 0
    #: Where instructions come from, where that is not the call's own ``Url``.
    url: str = ""
    #: The number of documents that the call had begun when this was planned; one more, and it
    #: will not happen.
    documents: int | None = None
    forged: bool = False


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
                letters.append(_letter(call, "detected", detected_s))
            if call.parameter("Url"):
                asked_s = detected_s if call.detection and not call.in_background else answered_s
                asks = _letter(call, "instructions", asked_s, status="in-progress")
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

    def ask(self, call: SimulatedCall, url: str) -> None:
        """Have a call carry out what an address says, in place of all else."""
        now_s = time.time()
        letter = Letter(
            call=call,
            event="instructions",
            status="in-progress",
            happens_s=now_s,
            url=url,
            documents=len(call.documents),
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
        if not _is_asked(url):
            problem = f"not asked, as only loopback is: {url}"
            call.documents.append(Document(began_s=time.time(), verbs=(), problems=(problem,)))
        elif twiml is None:
            # Twilio says so on the line, and hangs up.
            self.play(call, "<Response></Response>")
        else:
            call.instructions = twiml
            self.play(call, twiml, url)

    def _send_end(self, call: SimulatedCall) -> None:
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
            _letter(call, event, at_s, status=status, sequence=sequence)
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
            if _prolonged(letter):
                self._post_at(letter.call.ends_s, replace(letter, happens_s=letter.call.ends_s))
            elif not _overtaken(letter):
                self._senders.submit(self._send, letter)

    def _send(self, letter: Letter) -> None:
        if letter.event == "hangup":
            self.end(letter.call, "completed")
            return
        url, method, form = _request(letter)
        answer, body = _exchange(url, method, form, _secret(letter))
        if letter.event == "instructions" and not _overtaken(letter):
            self._follow(letter.call, url, body if answer == http.client.OK else None)
        self._delivered.append(Delivered(letter=letter, answer=answer))


def _letter(
    call: SimulatedCall, event: str, age_s: float, *, status: str = "", sequence: int = 0
) -> Letter:
    happens_s = call.created_s + age_s
    return Letter(call=call, event=event, status=status, happens_s=happens_s, sequence=sequence)


def _overtaken(letter: Letter) -> bool:
    """Return whether the call was ended, or did something else, before that happened."""
    ended = letter.call.ended
    if ended is not None and letter.happens_s > ended[1]:
        return True
    if letter.documents is None:
        return False
    is_over = letter.call.status(time.time()) in ENDED
    return is_over or letter.documents != len(letter.call.documents)


def _prolonged(letter: Letter) -> bool:
    """Return whether a call ends later than was planned."""
    is_end = letter.event == "completed" and not letter.call.ended
    return is_end and letter.call.ends_s > time.time()


def _secret(letter: Letter) -> str:
    return "somebody else's" if letter.forged else letter.call.auth_token


def _request(letter: Letter) -> tuple[str, str, dict[str, str]]:
    """Return address, method and form of a request."""
    call = letter.call
    form = {"CallSid": call.sid, "AccountSid": call.account}
    if letter.event == "detected":
        found = call.course.answered_by(call.detection) or "unknown"
        form |= {"AnsweredBy": found, "MachineDetectionDuration": "1000"}
        method = call.parameter("AsyncAmdStatusCallbackMethod") or "POST"
        return call.parameter("AsyncAmdStatusCallback"), method, form
    form |= _about(call, letter.status)
    if letter.event == "instructions":
        if letter.url:
            return letter.url, "POST", form
        return call.parameter("Url"), call.parameter("Method") or "POST", form
    form |= {
        "Timestamp": rfc2822(letter.happens_s) or "",
        "CallbackSource": "call-progress-events",
        "SequenceNumber": str(letter.sequence),
    }
    if letter.status in ENDED:
        seconds = call.duration_s(letter.happens_s)
        form["CallDuration"] = str(seconds)
        # Billed in whole minutes.
        form["Duration"] = str(-(-seconds // 60))
        form["SipResponseCode"] = "487" if call.ended else str(call.course.sip_code)
    method = call.parameter("StatusCallbackMethod") or "POST"
    return call.parameter("StatusCallback"), method, form


def _about(call: SimulatedCall, status: str) -> dict[str, str]:
    about = {
        "ApiVersion": "2010-04-01",
        "CallStatus": status,
        "Direction": "outbound-api",
        "From": call.caller,
        "Caller": call.caller,
        "To": call.to,
        "Called": call.to,
        # Twilio knows where some numbers are, letters of other languages included.
        "ToCity": "São Paulo",
        "ToZip": "",
    }
    answered = status in ("in-progress", "completed") and call.detection
    if answered and (found := call.answered_by(time.time())):
        about["AnsweredBy"] = found
    return about


def _is_asked(url: str) -> bool:
    parts = urlsplit(url)
    return parts.hostname in _LOOPBACK and parts.scheme == "http"


def _exchange(url: str, method: str, form: Mapping[str, str], secret: str) -> tuple[int, str]:
    """Return the answer's status (0: none) and body."""
    if not _is_asked(url):
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
