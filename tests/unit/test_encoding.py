"""JSON that people look at."""

from __future__ import annotations

import json
import logging

import pytest

from vomind_queue.encoding import readable
from vomind_queue.observability.logs import JsonFormatter

#: Control sequences of terminals, separators that end a line in some editors, marks that reverse
#: the text behind them.
UNSEEN = ["\x7f", "\x9b31m", "\u2028", "\u202e", "\u2066", "\ufeff", "\u200b"]


@pytest.mark.parametrize("text", UNSEEN)
def test_what_cannot_be_seen_is_escaped(text: str) -> None:
    """A program reads the same text; a terminal obeys nothing."""
    shown = readable({"message": f"a{text}b"})
    assert text[0] not in shown
    assert json.loads(shown) == {"message": f"a{text}b"}


@pytest.mark.parametrize("text", UNSEEN)
def test_a_log_line_escapes_it_as_well(text: str) -> None:
    """A client that can send a request must not write into an operator's terminal."""
    record = logging.LogRecord("x", logging.INFO, "", 0, "said %s", (text,), None)
    assert text[0] not in JsonFormatter().format(record)


def test_letters_and_emoji_stay_as_they_are() -> None:
    """Joined emoji and scripts that need joiners are letters like others."""
    assert readable("Grüße 👩‍👧 می‌خواهم") == '"Grüße 👩‍👧 می‌خواهم"'
