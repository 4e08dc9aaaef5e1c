"""Which valid calls are not placed: for what the settings do not allow, or for their time."""

from __future__ import annotations

from collections.abc import Sequence

from vomind_queue.api.serializers.times import YEAR_MS, in_words
from vomind_queue.calls import voices
from vomind_queue.calls.application import MAX_URL, ApplicationPolicy
from vomind_queue.calls.call import Call, NewCall
from vomind_queue.calls.opt_out import NO_OPT_OUT, OptOut
from vomind_queue.calls.senders import Senders
from vomind_queue.config.settings import Settings
from vomind_queue.twilio.callbacks import application_url
from vomind_queue.twilio.twiml import ALWAYS_FITS, MAX_TWIML, twiml_length

#: As long as the id of any job.
_LONGEST_ID = "0" * 40
#: Of a latest start.
EXPIRES_TOO_SOON = "Must not be before the time at which the call is due."


def untimely(
    news: Sequence[NewCall], now_ms: int, past_grace_ms: int | None
) -> dict[int, dict[str, list[str]]]:
    """Return the errors of calls whose time is too long ago or too far ahead, by index."""
    found = {}
    for index, new in enumerate(news):
        if text := _ill_timed(new, now_ms, past_grace_ms):
            found[index] = {"scheduleAt": [text]}
        elif text := too_soon(new, now_ms):
            found[index] = {"notAfter": [text]}
    return found


def _ill_timed(new: NewCall, now_ms: int, past_grace_ms: int | None) -> str | None:
    if new.due_ms is None:
        return None
    late_ms = now_ms - new.due_ms
    if past_grace_ms is not None and late_ms > past_grace_ms:
        return f"Must be at most {in_words(past_grace_ms)} ago; got {in_words(late_ms)} ago."
    if -late_ms > YEAR_MS:
        return f"Must be at most one year (365 days) ahead; got {in_words(-late_ms)} ahead."
    return None


def too_soon(new: NewCall, now_ms: int) -> str | None:
    """Return the error of a latest start that has passed or lies before the time; or ``None``."""
    latest_ms = new.call.not_after_ms
    if latest_ms is None:
        return None
    if latest_ms < now_ms:
        return f"Must be in the future; got {in_words(now_ms - latest_ms)} ago."
    due_ms = now_ms + (new.delay_ms or 0) if new.due_ms is None else new.due_ms
    return EXPIRES_TOO_SOON if latest_ms < due_ms else None


def has_times(new: NewCall) -> bool:
    """Return whether `untimely` has something to judge."""
    return new.due_ms is not None or new.call.not_after is not None


def unspeakable(calls: Sequence[Call], twiml_url: str | None) -> dict[int, dict[str, list[str]]]:
    """Return the errors of calls with a voicemail message, where nothing reaches this service.

    ``twiml_url``: of the application that is handed the words then, if not of a call's own.
    """
    text = "Must be absent: Twilio can ask for it only once the operator sets PUBLIC_URL."
    return {
        index: {"voicemailMessage": [text]}
        for index, call in enumerate(calls)
        if call.voicemail_message is not None and (call.twiml_url or not twiml_url)
    }


def unheard_of(calls: Sequence[Call]) -> dict[int, dict[str, list[str]]]:
    """Return the errors of calls whose recording nobody would be told of, as nothing reaches us."""
    text = "Must not be true: Twilio can report a recording only once the operator sets PUBLIC_URL."
    return {index: {"record": [text]} for index, call in enumerate(calls) if call.record}


def misplaced(calls: Sequence[Call], policy: ApplicationPolicy) -> dict[int, dict[str, list[str]]]:
    """Return the errors of calls whose own application is not where it may be."""
    return {
        index: {"twimlUrl": [text]}
        for index, call in enumerate(calls)
        if call.twiml_url is not None and (text := policy.objection(call.twiml_url))
    }


def not_ours(calls: Sequence[Call], senders: Senders) -> dict[int, dict[str, list[str]]]:
    """Return the errors of calls that are to come from a number which is not the operator's."""
    return {
        index: {"from": [text]}
        for index, call in enumerate(calls)
        if call.from_number is not None and (text := senders.objection(call.from_number))
    }


def too_long(calls: Sequence[Call], twiml_url: str | None) -> dict[int, dict[str, list[str]]]:
    """Return errors of the calls whose words do not fit into the application's address."""
    found = {}
    for index, call in enumerate(calls if twiml_url else ()):
        length = len(application_url(call, _LONGEST_ID, twiml_url or ""))
        if length > MAX_URL and call.twiml_url is None:
            text = f"Must fit into an address of {MAX_URL:,} characters, encoded for TWIML_URL; "
            found[index] = {"message": [f"{text}got {length:,}."]}
    return found


def overlong(
    calls: Sequence[Call], default: voices.Voice, opt_out: OptOut = NO_OPT_OUT
) -> dict[int, dict[str, list[str]]]:
    """Return errors of the calls whose words do not fit together with how they are spoken."""
    found: dict[int, dict[str, list[str]]] = {}
    for index, call in enumerate(calls):
        words = {"message": call.message, "voicemailMessage": call.voicemail_message or ""}
        if call.voicemail_message is not None:
            words["voicemailMessage"] = opt_out.for_machine(call.voicemail_message)
        long = {name: text for name, text in words.items() if len(text) > ALWAYS_FITS}
        for name, text in long.items():
            if (length := twiml_length(text, call.spoken(default))) > MAX_TWIML:
                said = f"Must be at most {MAX_TWIML:,} characters as TwiML"
                found.setdefault(index, {})[name] = [f"{said}, escaped; got {length:,}."]
    return found


class PlaceableCalls:
    """Which valid calls this service does not place, because of its settings."""

    def __init__(self, settings: Settings) -> None:
        self._number_policy = settings.number_policy
        self._twiml_url = settings.twiml_url
        self._is_reached = settings.public_url is not None
        self._voice = settings.voice
        self._opt_out = settings.opt_out
        self._application_policy = settings.application_policy
        self._senders = settings.senders

    def faults(self, calls: Sequence[Call]) -> dict[int, dict[str, list[str]]]:
        """Return the errors of calls that are not placed, by index."""
        return {**self.option_faults(calls), **self._number_policy.objections(calls)}

    def option_faults(self, calls: Sequence[Call]) -> dict[int, dict[str, list[str]]]:
        """Return the same without those of their numbers."""
        mute = {} if self._is_reached else unspeakable(calls, self._twiml_url)
        unheard = {} if self._is_reached else unheard_of(calls)
        elsewhere = misplaced(calls, self._application_policy)
        strange = not_ours(calls, self._senders)
        long = too_long(calls, self._twiml_url) or overlong(calls, self._voice, self._opt_out)
        return {**unheard, **mute, **long, **elsewhere, **strange}
