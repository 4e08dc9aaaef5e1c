"""What each failure of Twilio's means, as a table."""

from __future__ import annotations

import pytest

from vomind_queue.calls.attempts import Kind
from vomind_queue.twilio.failures import MAX_RETRY_AFTER_MS, Refused, Trouble, failure

P, A, R, D, U = Kind.PERMANENT, Kind.ACCOUNT, Kind.REFUSED, Kind.UNKNOWN, Kind.UNSENT


@pytest.mark.parametrize(
    ("code", "status", "kind"),
    [
        # This number's, for good.
        *[(code, 400, P) for code in (21201, 21206, 21211, 21214, 21215, 21217, 21219)],
        *[(code, 400, P) for code in (13224, 13225, 13226, 13227, 32018)],
        (21216, 403, P),
        # Ours: account or configuration.
        (20003, 401, A),
        (20005, 403, A),
        (10001, 403, A),
        (10002, 400, A),
        (10005, 400, A),
        *[(code, 400, A) for code in (21205, 21210, 21212, 21213, 21218, 21609)],
        (20404, 404, A),
        # Not processed, for now.
        (20429, 429, R),
        (10004, 429, R),
        (10004, 400, R),
        # Codes that nobody has heard of: Twilio refused, and did not process.
        (29999, 400, R),
        (29999, 422, R),
        # By their class: what is wrong with the request stays wrong.
        (13999, 400, P),
        (21999, 400, P),
        (29999, 401, A),
        (29999, 402, A),
        (29999, 403, A),
        (29999, 404, A),
        (29999, 429, R),
        # A failing server may have processed it, whatever it says.
        (20500, 500, D),
        (20503, 503, D),
        (20429, 503, D),
        (21211, 500, D),
        (29999, 408, D),
        # Not in Twilio's form: something in between answered.
        (None, 400, D),
        (None, 401, A),
        (None, 403, A),
        (None, 404, A),
        (None, 405, A),
        (None, 407, A),
        (None, 408, D),
        (None, 429, R),
        (None, 301, A),
        (None, 302, A),
        (None, 307, A),
        (None, 500, D),
        (None, 502, D),
        (None, 504, D),
        (None, 599, D),
    ],
)
def test_answers(code: int | None, status: int, kind: Kind) -> None:
    """Every answer other than success has one meaning."""
    failed = failure(Refused(status=status, code=code, message="Words."))
    assert failed.kind is kind
    assert failed.code == code
    assert "Words (" in failed.reason
    assert str(status) in failed.reason
    assert str(code or "") in failed.reason


@pytest.mark.parametrize(
    ("code", "setting"),
    [(21609, "PUBLIC_URL"), (21205, "TWIML_URL"), (21210, "TWILIO_PHONE_NUMBER")],
)
def test_a_pause_names_the_setting(code: int, setting: str) -> None:
    """Twilio calls it otherwise."""
    assert failure(Refused(status=400, code=code)).reason.endswith(f"Check {setting}.")


@pytest.mark.parametrize(
    ("code", "status", "capacity"),
    [
        *[(code, 400, True) for code in (10004, 20429, 22005, 31206, 64109, 86008)],
        (None, 429, True),
        (29999, 429, True),
        (29999, 400, False),
        (21211, 429, False),
        (20429, 503, False),
    ],
)
def test_used_up_capacity(code: int | None, status: int, capacity: bool) -> None:
    """It is no fault of the call, with whatever status Twilio says so."""
    assert failure(Refused(status=status, code=code)).capacity is capacity


@pytest.mark.parametrize(
    ("trouble", "kind"),
    [
        (Trouble.TOO_LATE, U),
        (Trouble.UNREACHABLE, R),
        (Trouble.SILENT, D),
        (Trouble.BROKEN, D),
        (Trouble.UNREADABLE, D),
        (Trouble.UNCONFIGURED, A),
    ],
)
def test_troubles(trouble: Trouble, kind: Kind) -> None:
    """Without an answer it counts how far the request got."""
    assert failure(trouble).kind is kind
    assert failure(trouble, detail="because").reason.endswith(": because.")


def test_every_trouble_has_a_meaning() -> None:
    """No trouble is left out of the table."""
    assert all(failure(trouble).reason.endswith(".") for trouble in Trouble)


@pytest.mark.parametrize(
    ("given", "wait_ms"),
    [
        (None, None),
        ("", None),
        ("0", 0),
        ("3", 3_000),
        (" 3 ", 3_000),
        ("soon", None),
        ("-3", None),
        ("1.5", None),
        ("9" * 30, MAX_RETRY_AFTER_MS),
        ("9" * 6000, MAX_RETRY_AFTER_MS),
        ("Wed, 21 Oct 0001 07:28:00 -0000", 0),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 10_000),
        ("Wed, 21 Oct 2015 07:27:00 GMT", 0),
    ],
)
def test_retry_after(given: str | None, wait_ms: int | None) -> None:
    """Seconds and dates are honoured, nonsense is absent, and no wait is endless."""
    now_s = 1_445_412_470
    failed = failure(Refused(status=429, code=20429, retry_after=given), now_s=now_s)
    assert failed.retry_after_ms == wait_ms


def test_a_reason_is_one_line_of_text() -> None:
    """Words that could not be stored, or would forge a log line, do neither."""
    words = "bad \ud800 number\r\n2026 INFO all is well\x00 " + "x" * 10_000
    reason = failure(Refused(status=400, code=21211, message=words)).reason
    assert reason.encode()
    assert "\n" not in reason
    assert "\r" not in reason
    assert len(reason) < 500
