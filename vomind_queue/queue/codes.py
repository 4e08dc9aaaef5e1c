"""What the Lua scripts answer, named once for both languages."""

from __future__ import annotations

from enum import IntEnum


class Code(IntEnum):
    """First value of most scripts' answers."""

    #: Done.
    OK = 0
    #: An idempotency key seen before, with the same request.
    REPLAY = 1
    #: An idempotency key seen before, with another request; a call that is another by now.
    MISMATCH = 2
    #: The deadline had passed when the server came to the command: nothing was done.
    LATE = 3
    #: There is no such job.
    MISSING = 4
    #: The job is in a state in which that cannot be done.
    WRONG_STATE = 5
    #: The caller no longer holds the job.
    LOST = 6
    #: The same outcome was written before.
    AGAIN = 7
    #: The attempt is not the job's any more.
    SUPERSEDED = 8
    #: Given back: the queue is paused.
    PAUSED = 9
    #: Given back: a call of higher priority waits.
    PREEMPTED = 10
    #: Given back: the allowance is used up.
    LIMITED = 11
    #: Given back: the circuit is open.
    CIRCUIT_OPEN = 12
    #: Delayed: another call to the same number is under way, or its outcome unknown.
    BUSY = 13
    #: The call's latest start has passed, or lies before the time at which it is due.
    EXPIRED = 14
    #: Ended or refused: the number is on the do-not-call list.
    DO_NOT_CALL = 15
    #: Delayed: the do-not-call list is not whole, or cannot be read.
    NO_LIST = 16
    #: Delayed: a rule keeps the call from ringing now.
    HELD = 17
    #: The rules are to be applied by the worker first; nothing was changed.
    UNJUDGED = 18
    #: The call's campaign does not run, or takes no calls.
    CAMPAIGN = 19
    #: Rules are lifted for the call, and who asks must not say when it rings.
    LIFTED = 20
    #: The attempt's outcome is not written yet.
    UNDECIDED = 30


#: The codes as the Lua scripts know them.
LUA_NAMES = {code.name.lower(): code.value for code in Code}
