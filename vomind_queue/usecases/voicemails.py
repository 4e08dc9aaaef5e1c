"""Put a voicemail message into a live call once the machine's greeting is over.

The message is spoken as soon as somebody answers, while Twilio finds out who that is. Its callback
makes the voicemail message due (`status_callback.lua`). A worker then replaces what is spoken. It
does so at most once, because a second update would start the words again. If the update is lost,
or the message ended before the greeting, Twilio asks us what to say and gets the words then.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import Protocol

from vomind_queue.calls.attempts import Failure, Kind
from vomind_queue.calls.call import Call
from vomind_queue.calls.job import Job
from vomind_queue.calls.voicemail import Cue, DueVoicemail, Step, step
from vomind_queue.calls.voices import Voice
from vomind_queue.errors import JobNotFound

logger = logging.getLogger(__name__)

#: Wait before an update that Twilio refused is sent again, ms.
AGAIN_MS = 1_000


class VoicemailStore(Protocol):
    """What leaving messages needs of the queue."""

    def due(self) -> list[DueVoicemail]: ...
    def not_left(self, job_id: str, sid: str, *, again_ms: int) -> None: ...
    def cue(self, job_id: str, token: str, sid: str) -> Cue: ...


class Jobs(Protocol):
    """Read jobs, which hold the words to speak."""

    def job(self, job_id: str) -> Job: ...


class Operator(Protocol):
    """What leaving messages needs of a telephone provider."""

    def put_in(self, sid: str, call: Call) -> Failure | None:
        """Have a live call hear its words for a machine, at once. Never raise."""
        ...


class Voicemails:
    """Puts due words into live calls, for workers."""

    def __init__(self, *, store: VoicemailStore, operator: Operator) -> None:
        self._store = store
        self._operator = operator

    def leave_due(self) -> int:
        """Put in what is due; return how many there were. May raise StoreUnavailable."""
        due = self._store.due()
        for each in due:
            fields = {"job_id": each.job_id, "sid": each.sid}
            failure = self._operator.put_in(each.sid, each.call)
            if failure is None:
                logger.info("📞 voicemail left", extra=fields)
                continue
            logger.warning("voicemail not left: %s", failure.reason, extra=fields)
            if failure.kind is not Kind.UNKNOWN:
                passing = failure.kind in (Kind.REFUSED, Kind.UNSENT)
                again_ms = max(AGAIN_MS, failure.retry_after_ms or 0) if passing else 0
                self._store.not_left(each.job_id, each.sid, again_ms=again_ms)
        return len(due)


class NextWords:
    """Answers Twilio when it asks what to say in a call with words for a machine."""

    def __init__(self, *, store: VoicemailStore, jobs: Jobs, voice: Voice) -> None:
        """``voice``: how words are spoken where a call names none."""
        self._store = store
        self._jobs = jobs
        self._voice = voice

    def step(self, job_id: str, token: str, sid: str, questions: int) -> Step:
        """Return what comes next; ``questions`` were asked in this call before.

        May raise StoreUnavailable.
        """
        try:
            call = self._jobs.job(job_id).call
        except JobNotFound:
            return Step()
        found = step(call, self._store.cue(job_id, token, sid), questions)
        return replace(found, voice=call.spoken(self._voice))
