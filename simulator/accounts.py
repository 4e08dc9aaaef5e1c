"""Who may ask: HTTP basic authentication as Twilio does it."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass, field

from simulator.mistakes import MistakeError


@dataclass(frozen=True, kw_only=True, slots=True)
class Accounts:
    """The accounts that exist; with none configured, every pair of credentials is good."""

    #: Auth token of each account SID.
    tokens: Mapping[str, str] = field(default_factory=dict)
    #: Secret and account SID of each API key SID.
    keys: Mapping[str, tuple[str, str]] = field(default_factory=dict)

    def admit(self, account: str, authorization: str) -> None:
        """Let a request for that account through, or raise Twilio's MistakeError."""
        user, secret = _credentials(authorization)
        if not user or not secret:
            raise MistakeError(20003)
        if not self.tokens and not self.keys:
            return
        if user in self.keys:
            expected, owner = self.keys[user]
        else:
            expected, owner = self.tokens.get(user, ""), user
        if secret != expected:
            raise MistakeError(20003)
        if owner != account:
            raise MistakeError(
                code=20404,
                message=f"The requested resource /2010-04-01/Accounts/{account} was not found",
            )

    def auth_token(self, account: str, authorization: str) -> str:
        """Return the account's auth token, which signs what is sent to it; empty if unknown."""
        user, secret = _credentials(authorization)
        return self.tokens.get(account) or (secret if user == account else "")


def _credentials(authorization: str) -> tuple[str, str]:
    scheme, _, encoded = authorization.partition(" ")
    if scheme.lower() != "basic":
        return "", ""
    try:
        decoded = base64.b64decode(encoded, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    user, _, secret = decoded.partition(":")
    return user, secret
