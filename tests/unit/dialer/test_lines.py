"""What a request to Twilio looks like."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest

from vomind_queue.dialer.lines import _encoded

FORMS = [
    {},
    {"To": "+15005550006", "Record": "false", "Timeout": 30},
    {"Twiml": "<Response><Say>Grüß Gott & 100 %</Say></Response>", "Empty": ""},
    {"StatusCallbackEvent": ["initiated", "completed"], "None": [], "Pair": ("a b", 1)},
    {"Message": "half a sign \ud83d"},
]


@pytest.mark.parametrize("form", FORMS, ids=str)
def test_a_form_is_encoded_as_the_library_does_it(form: dict[str, object]) -> None:
    """The same each time, lists as repeated parameters, signs that are none as question marks."""
    for _ in range(2):
        assert _encoded(form) == urlencode(form, doseq=True, errors="replace")
