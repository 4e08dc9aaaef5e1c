"""Twilio's Calls API: create, fetch, update, list and events."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from simulator.accounts import Accounts
from simulator.book import Book, SimulatedCall
from simulator.callbacks import Callbacks
from simulator.courses import Courses
from simulator.faults import Fault, Faults, Operation, Rule
from simulator.http1 import Delivery, Reply, Request
from simulator.listing import as_json, call_uri, envelope, list_calls, rfc2822
from simulator.mistakes import MistakeError, check_create, check_instructions

_CALLS = re.compile(r"/2010-04-01/Accounts/([^/]+)/Calls\.json")
_CALL = re.compile(r"/2010-04-01/Accounts/([^/]+)/Calls/([^/]+)\.json")
_EVENTS = re.compile(r"/2010-04-01/Accounts/([^/]+)/Calls/([^/]+)/Events\.json")
_ROUTES: Sequence[tuple[str, re.Pattern[str], Operation]] = (
    ("POST", _CALLS, Operation.CREATE),
    ("GET", _CALLS, Operation.LIST),
    ("GET", _CALL, Operation.FETCH),
    ("POST", _CALL, Operation.UPDATE),
    ("GET", _EVENTS, Operation.EVENTS),
)
#: How each fault that spoils an answer delivers it.
_DELIVERIES: Mapping[Fault, Delivery] = {
    Fault.DRIP: Delivery.DRIP,
    Fault.CUT: Delivery.CUT,
    Fault.DROP: Delivery.DROP,
    Fault.RESET: Delivery.RESET,
    Fault.SILENT: Delivery.NEVER,
    Fault.HALF_CLOSE: Delivery.HALF_CLOSE,
    Fault.THEN_CLOSE: Delivery.THEN_CLOSE,
}
_PAGE = b"<html><head><title>502 Bad Gateway</title></head><body>Bad Gateway</body></html>"


class CallsApi:
    """Answers as Twilio does, unless a rule says otherwise."""

    def __init__(
        self,
        book: Book,
        faults: Faults,
        accounts: Accounts,
        courses: Courses,
        callbacks: Callbacks,
    ) -> None:
        self._courses = courses
        self._callbacks = callbacks
        self._book = book
        self._faults = faults
        self._accounts = accounts
        #: Nobody else gets a line between the count of calls and the next one.
        self._accepting = threading.Lock()
        self._doers: Mapping[Operation, Callable[[Request, str, str], Reply]] = {
            Operation.CREATE: self._create,
            Operation.LIST: self._list,
            Operation.FETCH: self._fetch,
            Operation.UPDATE: self._update,
            Operation.EVENTS: self._events,
        }

    def answer(self, request: Request) -> Reply:
        """Carry a request out, with what befalls it on the way."""
        try:
            operation, account, sid = _route(request)
            self._accounts.admit(account, request.headers.get("authorization", ""))
        except MistakeError as mistake:
            return mistake.reply()
        rules = self._faults.strike(operation, self._number(request, operation, account, sid))
        if early := _befall([rule for rule in rules if rule.when == "before"], None):
            return early
        reply = self._carry_out(operation, request, account, sid)
        return _befall([rule for rule in rules if rule.when == "after"], reply) or reply

    def _carry_out(self, operation: Operation, request: Request, account: str, sid: str) -> Reply:
        try:
            return self._doers[operation](request, account, sid)
        except MistakeError as mistake:
            return mistake.reply()

    def _number(self, request: Request, operation: Operation, account: str, sid: str) -> str | None:
        """Return the number that a request is about, for rules that name one."""
        if operation is Operation.CREATE:
            return dict(request.form).get("To")
        if operation is Operation.LIST:
            return request.query.get("To")
        call = self._book.call(account, sid)
        return call.to if call else None

    def _create(self, request: Request, account: str, _sid: str) -> Reply:
        parameters = _collected(request.form)
        check_create({name: str(value) for name, value in parameters.items()})
        authorization = request.headers.get("authorization", "")
        to = str(parameters["To"])
        with self._accepting:
            if rule := self._faults.crowded(to, lambda: self._book.under_way(account)):
                raise MistakeError(
                    rule.code or 10004, status=rule.status, retry_after_s=rule.retry_after
                )
            call = self._book.accept(
                account,
                {**parameters, "To": self._faults.spelling(to)},
                course=self._courses.of(to),
                auth_token=self._accounts.auth_token(account, authorization),
            )
        self._callbacks.plan(call)
        return _json(201, as_json(call, call.created_s))

    def _list(self, request: Request, account: str, _sid: str) -> Reply:
        lag_s = self._faults.list_lag_s(request.query.get("To"))
        return _json(200, list_calls(self._book, account, request.query, lag_s=lag_s))

    def _fetch(self, _request: Request, account: str, sid: str) -> Reply:
        return _json(200, as_json(self._existing(account, sid), time.time()))

    def _update(self, request: Request, account: str, sid: str) -> Reply:
        call = self._existing(account, sid)
        form = dict(request.form)
        wanted = form.get("Status", "")
        if not wanted and (form.get("Twiml") or form.get("Url")):
            self._redirect(call, form)
        elif wanted not in ("canceled", "completed"):
            raise MistakeError(20001, message="Status is canceled or completed")
        elif not self._callbacks.end(call, wanted):
            raise MistakeError(21220)
        return _json(200, as_json(call, time.time()))

    def _redirect(self, call: SimulatedCall, form: Mapping[str, str]) -> None:
        """Replace what a call does: only one that was answered does anything."""
        check_instructions(form)
        if call.status(time.time()) != "in-progress":
            raise MistakeError(21220, message="Call is not in-progress. Cannot redirect.")
        if form.get("Twiml"):
            self._callbacks.play(call, form["Twiml"])
        else:
            self._callbacks.ask(call, form["Url"])

    def _events(self, _request: Request, account: str, sid: str) -> Reply:
        call = self._existing(account, sid)
        here = f"/2010-04-01/Accounts/{account}/Calls/{sid}/Events.json"
        events = [_creation(call)]
        return _json(200, {"events": events, **envelope(here, {"PageSize": 50}, 0, len(events))})

    def _existing(self, account: str, sid: str) -> SimulatedCall:
        call = self._book.call(account, sid)
        if call is None:
            uri = call_uri(account, sid)
            raise MistakeError(20404, message=f"The requested resource {uri} was not found")
        return call


def _route(request: Request) -> tuple[Operation, str, str]:
    """Return the operation, the account SID and the call SID (empty for all calls)."""
    is_known_path = False
    for method, pattern, operation in _ROUTES:
        if match := pattern.fullmatch(request.path):
            is_known_path = True
            if method == request.method:
                return operation, match[1], (*match.groups(), "")[1]
    if is_known_path:
        raise MistakeError(20004)
    raise MistakeError(20404, message=f"The requested resource {request.path} was not found")


def _befall(rules: Sequence[Rule], reply: Reply | None) -> Reply | None:
    """Delays, then the one fault that changes the answer; ``None``: the answer stands."""
    spoiled = None
    for rule in rules:
        if rule.fault is Fault.SLOW:
            time.sleep(rule.delay_s())
        else:
            spoiled = _spoil(rule, reply)
    return spoiled


def _spoil(rule: Rule, reply: Reply | None) -> Reply | None:
    if rule.fault is Fault.ERROR:
        code = rule.code or {429: 20429, 401: 20003, 500: 20500, 503: 20503}.get(rule.status or 0)
        return MistakeError(
            code=code or 20500,
            message=rule.message,
            status=rule.status,
            retry_after_s=rule.retry_after,
        ).reply()
    if rule.fault is Fault.HTML:
        return Reply(status=rule.status or 502, body=_PAGE, headers={"Content-Type": "text/html"})
    if rule.fault is Fault.EMPTY:
        return Reply(status=rule.status or 200, body=b"{}")
    whole = reply or MistakeError(20500).reply()
    return Reply(
        status=whole.status,
        body=whole.body,
        headers=whole.headers,
        delivery=_DELIVERIES[rule.fault],
        pace_ms=rule.ms,
    )


def _collected(form: Sequence[tuple[str, str]]) -> dict[str, str | Sequence[str]]:
    """Return parameters by name, those that were sent more than once as a list."""
    collected: dict[str, str | Sequence[str]] = {}
    for name, value in form:
        before = collected.get(name)
        if before is None:
            collected[name] = value
        else:
            collected[name] = [*([before] if isinstance(before, str) else before), value]
    return collected


def _creation(call: SimulatedCall) -> dict[str, Any]:
    """Return the event with which every call's list of events begins: the request that made it."""
    snake = {re.sub(r"(?<!^)(?=[A-Z])", "_", k).lower(): v for k, v in call.parameters.items()}
    return {
        "request": {
            "method": "POST",
            "url": f"https://api.twilio.com{call_uri(call.account, call.sid)}",
            "parameters": {**snake, "account_sid": call.account},
        },
        "response": {
            "response_code": 201,
            "request_duration": 1,
            "content_type": "application/json",
            "response_body": json.dumps({"sid": call.sid}),
            "date_created": rfc2822(call.created_s),
        },
    }


def _json(status: int, body: Mapping[str, Any]) -> Reply:
    return Reply(status=status, body=json.dumps(body).encode())
