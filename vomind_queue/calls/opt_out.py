"""How a person says during a call that there shall be no more calls. Plain values, no I/O."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class OptOut:
    """What calls offer, and in which words; with no digit and no number they offer nothing."""

    #: Who is calling, said first; ``None``: the message begins at once.
    caller_name: str | None = None
    #: The key that puts the number on the do-not-call list.
    digit: str | None = None
    #: Where the owner of an answering machine can call.
    number: str | None = None
    #: The words before the message that offer the key; ``None``: there is none.
    offer: str | None = None
    #: Spoken after the key was pressed.
    confirmation: str = ""
    #: Spoken after the words for a machine; ``{number}`` stands for the number.
    voicemail: str = ""

    def for_machine(self, words: str) -> str:
        """Return the words for an answering machine with where to call."""
        if self.number is None:
            return words
        # Digit by digit, or it is spoken as one large number.
        spoken = " ".join(self.number.removeprefix("+"))
        return f"{words} {self.voicemail.replace('{number}', spoken)}"


#: Calls offer nothing.
NO_OPT_OUT = OptOut()
