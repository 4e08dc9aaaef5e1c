"""What it means when a request to Twilio did not place its call."""

from __future__ import annotations

import json
import ssl
import time
from dataclasses import replace
from http import HTTPStatus
from http.client import HTTPException

from twilio.http.response import Response  # type: ignore[import-untyped]

from vomind_queue.calls.attempts import Failure
from vomind_queue.calls.call import mask_number
from vomind_queue.twilio.connection import Exchange, TooLateError
from vomind_queue.twilio.failures import Refused, Trouble, failure


def failure_of(error: Exception, exchange: Exchange, *, own_address: bool = False) -> Failure:
    """Return what an exception of the library or of a connection means.

    ``own_address``: whether the call named the address of its instructions itself.
    """
    answer = exchange.answer
    if answer is None:
        return _unanswered(error, exchange)
    if answer.status_code < HTTPStatus.MULTIPLE_CHOICES:
        return failure(Trouble.UNREADABLE)
    return failure(_refused(answer), now_s=time.time(), own_address=own_address)


def _unanswered(error: Exception, exchange: Exchange) -> Failure:
    # `sent` alone decides whether the phone may be rung again; the error supplies the words.
    if exchange.sent:
        if isinstance(error, TimeoutError | TooLateError):
            return failure(Trouble.SILENT)
        return failure(Trouble.BROKEN, detail=_words(error))
    if isinstance(error, TooLateError) or exchange.is_over:
        return failure(Trouble.TOO_LATE)
    return failure(Trouble.UNREACHABLE, detail=_words(error))


def _words(error: Exception) -> str:
    """Describe an error for people, without memory addresses, sockets or phone numbers."""
    if isinstance(error, TimeoutError):
        return "it took too long"
    if isinstance(error, ssl.SSLError):
        return f"no secure connection ({error.reason or error})"
    if isinstance(error, HTTPException):
        return f"not valid HTTP ({type(error).__name__})"
    if isinstance(error, OSError):
        return (error.strerror or str(error) or type(error).__name__).lower()
    # Most likely a bug.
    return f"{type(error).__name__}: {error}"


def _refused(answer: Response) -> Refused:
    """Return Twilio's code and words, if the answer has Twilio's form."""
    retry_after = answer.headers.get("retry-after")
    try:
        body = json.loads(answer.text)
        code, message = int(body["code"]), str(body["message"] or "")
    except (ValueError, TypeError, KeyError, OverflowError, RecursionError):
        return Refused(status=answer.status_code, retry_after=retry_after)
    return Refused(status=answer.status_code, code=code, message=message, retry_after=retry_after)


def masked(failed: Failure, *numbers: str) -> Failure:
    """Mask the numbers in a reason: Twilio repeats them in its words, and reasons are logged."""
    reason = failed.reason
    for number in filter(None, numbers):
        reason = reason.replace(number, mask_number(number))
        reason = reason.replace(number.removeprefix("+"), mask_number(number))
    return replace(failed, reason=reason)
