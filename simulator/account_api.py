"""The account itself and its numbers, as far as somebody asks who wants to know whether they fit.

https://www.twilio.com/docs/iam/api/account,
https://www.twilio.com/docs/phone-numbers/api/incomingphonenumber-resource and
https://www.twilio.com/docs/voice/api/outgoing-caller-ids.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from simulator.accounts import Accounts
from simulator.http1 import Reply, Request
from simulator.listing import envelope
from simulator.mistakes import MAGIC_FROM, MistakeError

_PATH = re.compile(
    r"/2010-04-01/Accounts/([^/]+?)(?:/(IncomingPhoneNumbers|OutgoingCallerIds))?\.json"
)
_MADE = "Mon, 02 Mar 2026 09:00:00 +0000"


class AccountApi:
    """Every number belongs to every account, but for those that Twilio's test accounts lack."""

    def __init__(self, accounts: Accounts) -> None:
        self._accounts = accounts

    def knows(self, path: str) -> bool:
        """Return whether a request is for this part."""
        return bool(_PATH.fullmatch(path))

    def answer(self, request: Request) -> Reply:
        """Answer a GET; raise nothing."""
        try:
            return _json(self._found(request))
        except MistakeError as mistake:
            return mistake.reply()

    def _found(self, request: Request) -> Mapping[str, Any]:
        match = _PATH.fullmatch(request.path)
        assert match is not None  # noqa: S101 - asked only what it knows
        account, room = match.groups()
        self._accounts.admit(account, request.headers.get("authorization", ""))
        if request.method != "GET":
            raise MistakeError(20004)
        if room is None:
            return _account(account)
        if room == "OutgoingCallerIds":
            return {"outgoing_caller_ids": [], **_around(request, 0)}
        return _numbers(request, account)


def _account(sid: str) -> dict[str, Any]:
    return {
        "sid": sid,
        "friendly_name": "The simulator's",
        "status": "active",
        "type": "Full",
        "owner_account_sid": sid,
        "date_created": _MADE,
        "date_updated": _MADE,
        "uri": f"/2010-04-01/Accounts/{sid}.json",
    }


def _numbers(request: Request, account: str) -> dict[str, Any]:
    wanted = request.query.get("PhoneNumber", "")
    found = []
    if wanted and wanted not in MAGIC_FROM:
        found.append(
            {
                "sid": f"PN{'0' * 32}",
                "account_sid": account,
                "phone_number": wanted,
                "friendly_name": wanted,
                "capabilities": {"voice": True, "sms": True, "mms": False, "fax": False},
                "date_created": _MADE,
                "date_updated": _MADE,
                "uri": f"/2010-04-01/Accounts/{account}/IncomingPhoneNumbers/PN{'0' * 32}.json",
            }
        )
    return {"incoming_phone_numbers": found, **_around(request, len(found))}


def _around(request: Request, count: int) -> dict[str, Any]:
    return envelope(request.path, {"PageSize": 50, **request.query}, 0, count)


def _json(body: Mapping[str, Any]) -> Reply:
    return Reply(status=200, body=json.dumps(body).encode())
