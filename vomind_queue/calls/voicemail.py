"""What a call with words for an answering machine is to hear next: plain values, no I/O."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from vomind_queue.calls.call import Call
from vomind_queue.calls.voices import Voice

#: How often Twilio asks again what to say, at most. With the pause between two questions that is
#: longer than any detection takes.
MOST_QUESTIONS = 45
#: The pause before the next question, s.
PAUSE_S = 2


class Cue(StrEnum):
    """How to answer Twilio when it asks what to say."""

    #: Who answered is not known yet.
    UNDECIDED = "undecided"
    #: No machine answered.
    PERSON = "person"
    #: A worker is putting the words in.
    WAIT = "wait"
    #: The words are to be spoken now.
    SPEAK = "speak"
    #: An earlier attempt left the words.
    LEFT = "left"
    #: The call belongs to no attempt at the job.
    GONE = "gone"


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """What Twilio does next in a call; with neither it hangs up."""

    #: Words to speak.
    words: str | None = None
    #: Whether they are for an answering machine, in place of the message.
    for_machine: bool = False
    #: Whether Twilio asks again afterwards.
    asks_again: bool = False
    #: How they are spoken.
    voice: Voice = field(default_factory=Voice)


@dataclass(frozen=True, kw_only=True, slots=True)
class DueVoicemail:
    """A call on the line whose machine is to hear its words."""

    job_id: str
    sid: str
    call: Call


def step(call: Call, cue: Cue, questions: int) -> Step:
    """Return what follows from a cue; ``questions`` were asked in this call before.

    The message comes first, for a person and for a machine alike. After it the line is held until
    it is known who answered.
    """
    if call.voicemail_message is None and cue is not Cue.GONE:
        return Step(words=call.message if questions == 0 else None)
    match cue:
        case Cue.SPEAK:
            return Step(words=call.voicemail_message, for_machine=True)
        case Cue.GONE:
            return Step()
        case Cue.UNDECIDED | Cue.WAIT:
            words = call.message if questions == 0 else None
            return Step(words=words, asks_again=questions < MOST_QUESTIONS)
        case Cue.PERSON | Cue.LEFT:
            return Step(words=call.message if questions == 0 else None)
