"""Check that Twilio knows the account and its numbers, without ringing anyone."""

from __future__ import annotations

from collections.abc import Iterator

from twilio.request_validator import RequestValidator  # type: ignore[import-untyped]

from vomind_queue.calls.attempts import DialerUnavailable
from vomind_queue.calls.call import mask_number
from vomind_queue.observability.check_result import CheckResult, advice, fine, wrong
from vomind_queue.twilio.dialer import TwilioDialer

_CREDENTIALS = (
    "Compare TWILIO_ACCOUNT_SID, and TWILIO_AUTH_TOKEN or the API key, with Twilio's console."
)


class AccountChecks(TwilioDialer):
    """A dialer that checks its configuration instead of dialing."""

    def run_checks(self, *, by_key: bool) -> Iterator[CheckResult]:
        """Yield findings on the credentials and on each number.

        ``by_key``: the login is an API key, which may not read the account itself
        (https://www.twilio.com/docs/iam/api-keys).
        """
        if self._missing:
            yield wrong("Twilio", f"{self._missing}.", "Take them from Twilio's console.")
            return
        try:
            if not by_key:
                yield self._account()
            for number in self._numbers:
                yield self._number(number)
        except DialerUnavailable as error:
            yield wrong("Twilio", str(error), _CREDENTIALS)

    def _account(self) -> CheckResult:
        found, _ = self._ask(self._client.api.v2010.account.fetch)
        shown = f"account …{str(found.sid)[-4:]} is {found.status}, {found.type}"
        if found.status != "active":
            return wrong("Twilio", shown, "Twilio's console says why; it calls nobody meanwhile.")
        if found.type == "Trial":
            return advice(
                "Twilio", shown, "A trial account calls verified numbers only: upgrade it."
            )
        return fine("Twilio", shown)

    def _number(self, number: str) -> CheckResult:
        shown = mask_number(number)
        owned, _ = self._ask(
            lambda: self._client.incoming_phone_numbers.page(phone_number=number, page_size=20)
        )
        for each in owned:
            if each.phone_number == number:
                return self._capable(shown, voice=bool((each.capabilities or {}).get("voice")))
        verified, _ = self._ask(
            lambda: self._client.outgoing_caller_ids.page(phone_number=number, page_size=20)
        )
        if any(each.phone_number == number for each in verified):
            return fine("number", f"{shown} is verified for this account")
        return wrong(
            "number",
            f"{shown} is neither a number of this account nor verified for it.",
            "Set TWILIO_PHONE_NUMBER (or _NUMBERS) to one that is, or verify it in Twilio's "
            "console.",
        )

    def _capable(self, shown: str, *, voice: bool) -> CheckResult:
        if voice:
            return fine("number", f"{shown} is this account's, and can call")
        return wrong("number", f"{shown} cannot call.", "Choose a number with voice.")


def signature(auth_token: str, url: str) -> str:
    """Return the signature that Twilio would give an empty form sent to a URL."""
    return str(RequestValidator(auth_token).compute_signature(url, {}))
