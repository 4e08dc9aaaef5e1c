"""What a failed request to Twilio means: one pure function, based on a table.

Twilio's codes: https://www.twilio.com/docs/api/errors.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from enum import Enum
from http import HTTPStatus

from vomind_queue.calls.attempts import Failure, Kind

#: Longest ``Retry-After`` honoured, ms; a longer one is treated as a mistake.
MAX_RETRY_AFTER_MS = 3_600_000
#: Most characters of Twilio's message that a reason shows.
MAX_WORDS = 300


class Trouble(Enum):
    """Why there was no usable answer, with what that means; each says how far the request got."""

    #: Our process or machine was suspended until it was too late to send anything.
    TOO_LATE = (
        Kind.UNSENT,
        "This process stood still for too long before the request; nothing was sent",
    )
    #: No connection: refused, no such host, no TLS, no route, too slow. Nothing was sent.
    UNREACHABLE = (Kind.REFUSED, "Twilio cannot be reached")
    #: Sent, at least in part; no whole answer came in time.
    SILENT = (Kind.UNKNOWN, "Twilio did not answer in time")
    #: Sent, at least in part; then the connection broke.
    BROKEN = (Kind.UNKNOWN, "The connection to Twilio broke before the answer")
    #: An answer came that Twilio would not give.
    UNREADABLE = (Kind.UNKNOWN, "Twilio's answer could not be understood")
    #: This call's words make the address of the operator's application too long.
    TOO_LONG = (Kind.PERMANENT, "The message is too long to be handed to TWIML_URL")
    #: This call's own application is not on a host that TWIML_HOSTS lists.
    ELSEWHERE = (Kind.PERMANENT, "Not placed. twimlUrl")
    #: This call is to come from a number that is not, or no longer, in the settings.
    SENDER = (Kind.PERMANENT, "Not placed. TWILIO_PHONE_NUMBERS does not list its number (from)")
    #: A setting that every request needs is missing.
    UNCONFIGURED = (Kind.ACCOUNT, "Twilio is not configured")


@dataclass(frozen=True, kw_only=True, slots=True)
class Refused:
    """An answer other than success."""

    #: HTTP status.
    status: int
    #: Twilio's code; ``None`` when the answer is not in Twilio's form.
    code: int | None = None
    #: Twilio's words.
    message: str | None = None
    #: The ``Retry-After`` header as it came.
    retry_after: str | None = None


#: This call will never be placed as asked; calls to other numbers may be.
_THIS_CALL = frozenset(
    {
        13223,  # Dial: invalid phone number format
        13224,  # Dial: not supported or invalid number
        13225,  # Dial: forbidden phone number
        13226,  # Dial: invalid country code
        13227,  # Dial: no international authorization
        21201,  # no 'To' number
        21202,  # 'To' is a premium number
        21203,  # international calling not enabled
        21206,  # invalid keys to press
        21211,  # invalid 'To'
        21214,  # 'To' cannot be reached
        21215,  # geographic permissions
        21216,  # not allowed to call this number
        21217,  # 'To' does not appear to be valid
        21219,  # 'To' not verified (trial account)
        32018,  # TwiML too long
    }
)
#: Every call would fail in the same way until somebody changes something.
_OURS = frozenset(
    {
        10001,  # account is not active
        10002,  # trial account does not support this
        10005,  # voice calling disabled for this account
        20003,  # authentication
        20005,  # account not active
        20006,  # access denied
        20008,  # test credentials
        20403,  # forbidden
        20404,  # not found: the account, for this request
        21205,  # invalid URL
        21207,  # the parameters that are the same for every call …
        21208,
        21209,
        21210,  # 'From' not verified
        21212,  # invalid 'From'
        21213,  # no 'From'
        21218,  # invalid application
        21609,  # invalid status callback
    }
)
#: Not processed, because the account's capacity is used up: no fault of the call.
_CAPACITY = frozenset(
    {
        10004,  # call concurrency limit
        20429,  # too many requests
        22005,  # call queue full: more than 24 hours of calls
        31206,  # rate exceeded authorized limit
        64109,  # ConversationRelay: concurrency limit
        86008,  # concurrency limit
    }
)
#: The address of the instructions is not valid.
_BAD_ADDRESS = 21205
_BY_CODE: Mapping[int, Kind] = {
    **dict.fromkeys(_THIS_CALL, Kind.PERMANENT),
    **dict.fromkeys(_OURS, Kind.ACCOUNT),
    **dict.fromkeys(_CAPACITY, Kind.REFUSED),
}
#: What a code means that is in no list, by its thousands. The other classes say nothing about the
#: call itself, so it is tried again, and given up after the usual number of attempts.
_BY_CLASS: Mapping[int, Kind] = {
    13: Kind.PERMANENT,  # what is to be dialed, in the form that it was given
    21: Kind.PERMANENT,  # this request's own parameters
}
#: What an HTTP status means when Twilio's code is unknown or missing.
_BY_STATUS: Mapping[int, Kind] = {
    HTTPStatus.UNAUTHORIZED: Kind.ACCOUNT,
    HTTPStatus.PAYMENT_REQUIRED: Kind.ACCOUNT,
    HTTPStatus.FORBIDDEN: Kind.ACCOUNT,
    HTTPStatus.NOT_FOUND: Kind.ACCOUNT,
    HTTPStatus.METHOD_NOT_ALLOWED: Kind.ACCOUNT,
    HTTPStatus.PROXY_AUTHENTICATION_REQUIRED: Kind.ACCOUNT,
    HTTPStatus.REQUEST_TIMEOUT: Kind.UNKNOWN,
    HTTPStatus.TOO_MANY_REQUESTS: Kind.REFUSED,
}
#: The setting that a code is about, because Twilio does not know our names.
_SETTINGS: Mapping[int, str] = {
    20003: "TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN",
    20404: "TWILIO_ACCOUNT_SID",
    21205: "TWIML_URL",
    21210: "TWILIO_PHONE_NUMBER",
    21212: "TWILIO_PHONE_NUMBER",
    21213: "TWILIO_PHONE_NUMBER",
    21609: "PUBLIC_URL",
}
_WORDS: Mapping[Kind, str] = {
    Kind.PERMANENT: "Twilio will not place this call",
    Kind.ACCOUNT: "Twilio refuses every call until the account or its settings are fixed",
    Kind.REFUSED: "Twilio did not take the call for now",
    Kind.UNKNOWN: "Twilio failed, and may or may not have taken the call",
    Kind.UNSENT: "Nothing was sent",
}


def failure(
    cause: Refused | Trouble, *, detail: str = "", now_s: float = 0.0, own_address: bool = False
) -> Failure:
    """Return what follows from an answer other than success, or from none.

    ``detail`` is added to the words of a `Trouble`. ``now_s``, unix seconds, is needed only for
    a ``Retry-After`` that is a date. ``own_address``: a refused address of instructions is that
    call's fault, and not the operator's.
    """
    if isinstance(cause, Trouble):
        kind, words = cause.value
        return Failure(kind=kind, reason=f"{words}: {detail}." if detail else f"{words}.")
    is_own = own_address and cause.code == _BAD_ADDRESS
    kind = Kind.PERMANENT if is_own else _kind(cause)
    return Failure(
        kind=kind,
        reason=_reason(kind, cause),
        code=cause.code,
        retry_after_ms=_retry_after_ms(cause.retry_after, now_s),
        capacity=kind is Kind.REFUSED and _is_capacity(cause),
    )


def _kind(answer: Refused) -> Kind:
    if answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR or answer.status < HTTPStatus.BAD_REQUEST:
        # No redirect is followed, so nothing was processed: the configured address is wrong.
        is_redirect = HTTPStatus.MULTIPLE_CHOICES <= answer.status < HTTPStatus.BAD_REQUEST
        return Kind.ACCOUNT if is_redirect else Kind.UNKNOWN
    known = _BY_CODE.get(answer.code or 0) or _BY_STATUS.get(answer.status)
    if known:
        return known
    # A refusal in Twilio's own form was not processed. Something in between, such as a proxy,
    # may have let the request through and failed afterwards.
    if answer.code is None:
        return Kind.UNKNOWN
    return _BY_CLASS.get(answer.code // 1000, Kind.REFUSED)


def _is_capacity(answer: Refused) -> bool:
    return answer.code in _CAPACITY or answer.status == HTTPStatus.TOO_MANY_REQUESTS


def _reason(kind: Kind, answer: Refused) -> str:
    # One line of plain text, whatever Twilio sent: it is stored, logged and displayed.
    words = (answer.message or "").encode("utf-8", "replace").decode()
    said = " ".join(words.split())[:MAX_WORDS].rstrip(".") or "no reason given"
    code = f"error {answer.code}, " if answer.code else ""
    setting = _SETTINGS.get(answer.code or 0) if kind is Kind.ACCOUNT else None
    hint = f" Check {setting}." if setting else ""
    return f"{_WORDS[kind]}: {said} ({code}HTTP {answer.status}).{hint}"


def _retry_after_ms(given: str | None, now_s: float) -> int | None:
    """Parse ``Retry-After``: seconds or a date (RFC 9110); anything else counts as absent."""
    if not given:
        return None
    try:
        wait_s = (
            float(given)
            if given.strip().isdecimal()
            else parsedate_to_datetime(given).timestamp() - now_s
        )
    except (TypeError, ValueError, OverflowError):
        return None
    return int(min(max(wait_s * 1000, 0), MAX_RETRY_AFTER_MS))
