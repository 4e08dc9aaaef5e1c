"""Which calls have a machine on the line that is to hear its words, and which of them got them."""

from __future__ import annotations

from vomind_queue.calls.voicemail import Cue, DueVoicemail
from vomind_queue.queue import keys
from vomind_queue.queue.call_record import decode
from vomind_queue.queue.connection import RedisStore

#: Handed out at once.
AT_ONCE = 5
#: How much longer than the deadline of an update it may take to show, ms.
_SLACK_MS = 2_000


class VoicemailStore:
    """Everything may raise StoreUnavailable."""

    def __init__(self, store: RedisStore, deadline_ms: int) -> None:
        """``deadline_ms``: by when a worker's update of a call has left, or never will."""
        self._store = store
        self._on_its_way_ms = deadline_ms + _SLACK_MS

    def due(self) -> list[DueVoicemail]:
        """Return calls whose words are to be put in, each handed out once."""
        _, *flat = self._store.write("due_voicemails", [keys.VOICEMAILS], AT_ONCE)
        return [
            DueVoicemail(job_id=job_id, sid=sid, call=decode(data))
            for job_id, sid, data in zip(*[iter(flat)] * 3, strict=True)
        ]

    def not_left(self, job_id: str, sid: str, *, again_ms: int) -> None:
        """Note that a call did not get its words; ``again_ms``: when to try again, 0 for never."""
        self._store.write("voicemail_not_left", [keys.VOICEMAILS], job_id, sid, again_ms)

    def cue(self, job_id: str, token: str, sid: str) -> Cue:
        """Return what an attempt's call is to hear next. After `Cue.SPEAK` it got its words."""
        answer = self._store.write(
            "voicemail_cue", [keys.VOICEMAILS], job_id, token, sid, self._on_its_way_ms
        )
        return Cue(answer[1])
