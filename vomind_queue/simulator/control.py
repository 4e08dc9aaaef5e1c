"""What a test tells and asks the simulator, under ``/simulator/``.

============ ======== ========================================================
path         method   what
============ ======== ========================================================
``health``   GET      answers as soon as the simulator listens
``rings``    GET      ``{"rings": [{"sid", "to", "at", "parameters"}], "count"}``,
                      one for each accepted call, in order; ``?to=`` for one number
``rings``    DELETE   forgets them
``faults``   POST     puts a rule (``faults.Rule``) in force, or a list of rules
``faults``   GET      ``{"faults": […]}``: the rules, with how often each struck
``faults``   DELETE   takes all away; connections are no longer refused
============ ======== ========================================================
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from vomind_queue.simulator.book import Book, SimulatedCall
from vomind_queue.simulator.door import Door
from vomind_queue.simulator.faults import BadRuleError, Fault, Faults, Rule
from vomind_queue.simulator.wire import Reply, Request


class Control:
    """Answers ``/simulator/rings``, ``/simulator/faults`` and ``/simulator/health``."""

    def __init__(self, book: Book, faults: Faults) -> None:
        self._book = book
        self._faults = faults
        self._door: Door | None = None
        self._has_side_door = False

    def watch(self, door: Door, *, has_side_door: bool) -> None:
        """Names the door to shut, and whether this stays within reach when it is shut."""
        self._door = door
        self._has_side_door = has_side_door

    def answer(self, request: Request) -> Reply:
        """Carries out one request."""
        answers: Mapping[tuple[str, str], Callable[[Request], Reply]] = {
            ("GET", "/simulator/health"): lambda _: _json(200, {"status": "ok"}),
            ("GET", "/simulator/rings"): self._rings,
            ("DELETE", "/simulator/rings"): self._forget_rings,
            ("GET", "/simulator/faults"): self._rules,
            ("POST", "/simulator/faults"): self._add,
            ("DELETE", "/simulator/faults"): self._mend,
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
        if self._door:
            self._door.reopen()
        return self._rules(request)

    def _rules(self, _request: Request) -> Reply:
        return _json(200, {"faults": [rule.as_json() for rule in self._faults.all()]})

    def _add(self, request: Request) -> Reply:
        """One rule, or a list of rules: all are put in force, or none."""
        try:
            given = json.loads(request.body or b"null")
            rules = [Rule.parse(one) for one in (given if isinstance(given, list) else [given])]
            for rule in rules:
                self._check_reach(rule)
        except ValueError as error:
            return _json(400, {"error": str(error)})
        for rule in rules:
            if rule.fault is Fault.REFUSE and self._door:
                self._door.shut(rule.ms or None)
            else:
                self._faults.add(rule)
        return self._rules(request)

    def _check_reach(self, rule: Rule) -> None:
        if rule.fault is Fault.REFUSE and not rule.ms and not self._has_side_door:
            raise BadRuleError(
                "'refuse' without 'ms' wants a --control-port, or nobody could end it"
            )


def _ring(call: SimulatedCall) -> dict[str, Any]:
    return {
        "sid": call.sid,
        "to": call.to,
        "at": int(call.created_s * 1000),
        "parameters": call.parameters,
    }


def _json(status: int, body: dict[str, Any]) -> Reply:
    return Reply(status=status, body=json.dumps(body).encode())
