"""What a test tells and asks the simulator, under ``/simulator/``.

============= ======== =======================================================
path          method   what
============= ======== =======================================================
``health``    GET      answers as soon as the simulator listens
``rings``     GET      ``{"rings": [{"sid", "to", "at", "parameters", "status",
                       "instructions", "heard", "problems", "endedBy"}],
                       "count"}``, one for each accepted call, in order;
                       ``?to=`` for one number
``rings``     DELETE   forgets them
``faults``    POST     puts a rule (``faults.Rule``) in force, or a list of rules
``faults``    GET      ``{"faults": […]}``: the rules, with how often each struck
``faults``    DELETE   takes all away; connections are no longer refused
``outcomes``  POST     says how the next calls go (``courses.Wish``)
``outcomes``  GET      ``{"outcomes": […]}``
``outcomes``  DELETE   takes all away
``mishaps``   POST     says what happens to callbacks (``mishaps.Trouble``)
``mishaps``   GET      ``{"mishaps": […]}``
``mishaps``   DELETE   takes all away
``callbacks`` GET      ``{"callbacks": [{"sid", "to", "event", "status",
                       "sequence", "answer"}], "count"}``: those that were sent
``callbacks`` DELETE   forgets them
``keys``      POST     ``{"to", "digit"}``: the person called presses a key; 409
                       where no call to that number waits for one
============= ======== =======================================================
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any, TypeVar

from simulator.book import Book, SimulatedCall
from simulator.callbacks import Callbacks, Delivered
from simulator.courses import Courses, Wish
from simulator.faults import Fault, Faults, Rule
from simulator.http1 import Reply, Request
from simulator.listener import Listener
from simulator.mishaps import Trouble, Troubles
from simulator.rules import BadRuleError

T = TypeVar("T")


class Control:
    """Answers everything under ``/simulator/``."""

    def __init__(
        self,
        book: Book,
        faults: Faults,
        courses: Courses,
        troubles: Troubles,
        callbacks: Callbacks,
    ) -> None:
        self._book = book
        self._faults = faults
        self._courses = courses
        self._troubles = troubles
        self._callbacks = callbacks
        self._listener: Listener | None = None
        self._has_control_listener = False

    def watch(self, listener: Listener, *, has_control_listener: bool) -> None:
        """Set the listener to shut, and whether the control API stays reachable meanwhile."""
        self._listener = listener
        self._has_control_listener = has_control_listener

    def answer(self, request: Request) -> Reply:
        """Carry out one request."""
        answers: Mapping[tuple[str, str], Callable[[Request], Reply]] = {
            ("GET", "/simulator/health"): lambda _: _json(200, {"status": "ok"}),
            ("GET", "/simulator/rings"): self._rings,
            ("DELETE", "/simulator/rings"): self._forget_rings,
            ("GET", "/simulator/faults"): self._rules,
            ("POST", "/simulator/faults"): self._add,
            ("DELETE", "/simulator/faults"): self._mend,
            ("GET", "/simulator/outcomes"): self._outcomes,
            ("POST", "/simulator/outcomes"): self._wish,
            ("DELETE", "/simulator/outcomes"): self._as_usual,
            ("GET", "/simulator/mishaps"): self._mishaps,
            ("POST", "/simulator/mishaps"): self._trouble,
            ("DELETE", "/simulator/mishaps"): self._calm,
            ("GET", "/simulator/callbacks"): self._delivered,
            ("DELETE", "/simulator/callbacks"): self._forget_delivered,
            ("POST", "/simulator/keys"): self._press,
        }
        found = answers.get((request.method, request.path))
        if found is None:
            return _json(404, {"error": f"no {request.method} {request.path} here"})
        return found(request)

    def _rings(self, request: Request) -> Reply:
        rings = [_ring(ring) for ring in self._book.rings(request.query.get("to"))]
        return _json(200, {"rings": rings, "count": len(rings)})

    def _forget_rings(self, request: Request) -> Reply:
        self._book.forget_rings()
        return self._rings(request)

    def _mend(self, request: Request) -> Reply:
        self._faults.clear()
        if self._listener:
            self._listener.reopen()
        return self._rules(request)

    def _rules(self, _request: Request) -> Reply:
        return _json(200, {"faults": [rule.as_json() for rule in self._faults.all()]})

    def _add(self, request: Request) -> Reply:
        return self._posted(request, self._parse_rule, self._put_in_force) or self._rules(request)

    def _put_in_force(self, rule: Rule) -> None:
        if rule.fault is Fault.REFUSE and self._listener:
            self._listener.shut(rule.ms or None)
        else:
            self._faults.add(rule)

    @staticmethod
    def _posted(
        request: Request, parse: Callable[[object], T], add: Callable[[T], None]
    ) -> Reply | None:
        """Put one rule or a list of them in force, all or none; return a refusal, if any."""
        try:
            rules = [parse(one) for one in _listed(request)]
        except ValueError as error:
            return _json(400, {"error": str(error)})
        for rule in rules:
            add(rule)
        return None

    def _outcomes(self, _request: Request) -> Reply:
        return _json(200, {"outcomes": [asdict(wish) for wish in self._courses.all()]})

    def _wish(self, request: Request) -> Reply:
        return self._posted(request, Wish.parse, self._courses.add) or self._outcomes(request)

    def _as_usual(self, request: Request) -> Reply:
        self._courses.clear()
        return self._outcomes(request)

    def _mishaps(self, _request: Request) -> Reply:
        return _json(200, {"mishaps": [asdict(trouble) for trouble in self._troubles.all()]})

    def _trouble(self, request: Request) -> Reply:
        return self._posted(request, Trouble.parse, self._troubles.add) or self._mishaps(request)

    def _calm(self, request: Request) -> Reply:
        self._troubles.clear()
        return self._mishaps(request)

    def _delivered(self, _request: Request) -> Reply:
        sent = [_sent(delivered) for delivered in self._callbacks.delivered()]
        return _json(200, {"callbacks": sent, "count": len(sent)})

    def _forget_delivered(self, request: Request) -> Reply:
        self._callbacks.forget()
        return self._delivered(request)

    def _press(self, request: Request) -> Reply:
        given = json.loads(request.body or b"{}")
        to, digit = str(given.get("to", "")), str(given.get("digit", ""))
        if len(digit) != 1 or digit not in "0123456789*#":
            return _json(400, {"error": "'digit' is one key"})
        for call in reversed(self._book.rings(to)):
            if self._callbacks.press(call, digit):
                return _json(200, {"sid": call.sid})
        return _json(409, {"error": f"no call to {to} waits for a key"})

    def _parse_rule(self, given: object) -> Rule:
        rule = Rule.parse(given)
        if rule.fault is Fault.REFUSE and not rule.ms and not self._has_control_listener:
            raise BadRuleError(
                "'refuse' without 'ms' wants a --control-port, or nobody could end it"
            )
        return rule


def _ring(call: SimulatedCall) -> dict[str, Any]:
    now_s = time.time()
    return {
        "sid": call.sid,
        "to": call.to,
        "at": int(call.created_s * 1000),
        "parameters": call.parameters,
        "status": call.status(now_s),
        "instructions": call.instructions,
        "digits": call.keyed(now_s),
        "heard": call.heard(now_s),
        "problems": [each for document in call.documents for each in document.problems],
        "endedBy": call.ended_by(now_s),
    }


def _sent(delivered: Delivered) -> dict[str, Any]:
    letter = delivered.letter
    return {
        "sid": letter.call.sid,
        "to": letter.call.to,
        "event": letter.event,
        "status": letter.status,
        "sequence": letter.sequence,
        "answer": delivered.answer,
    }


def _listed(request: Request) -> list[Any]:
    """Return what was posted, one or a list. Raise ValueError."""
    given = json.loads(request.body or b"null")
    return given if isinstance(given, list) else [given]


def _json(status: int, body: dict[str, Any]) -> Reply:
    return Reply(status=status, body=json.dumps(body).encode())
