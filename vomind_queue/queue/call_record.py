"""The record of a job in Redis, and the job that it means.

Fields of the hash, all optional but the first four. They keep the names that earlier versions gave
them: old processes read them, and renaming those of a million records would buy nothing. A record
whose number lies in a bulk that is in ``staging`` is not there yet for anyone.

============  ==================================================================
``data``      the call as the app sent it, JSON
``priority``  rank: 1 high, 2 normal, 3 low
``state``     ``waiting``, ``delayed``, ``active``, ``completed``, ``failed``
``at``        when it was accepted (a large bulk: when its first part came in), unix ms
``due``       when it was first wanted, unix ms; absent when at once
``notafter``  latest start of an attempt, unix ms; absent where there is none
``pos``       its place among the waiting calls while it is held or waits for its number
``c``         id of the campaign that it belongs to
``part``      where that counted it last, as in `includes/parts.lua`; absent while it waits at first
``lease``     token of the worker that holds it
``attempt``   token of the last attempt
``mark``      dial marker: when that attempt started, unix ms; kept until its outcome
              is known
``ring``      how long that attempt's phone may ring, ms; absent where that is as usual
``started``   when that attempt started, unix ms; stays
``attempts``  attempts that have ended
``round``     the same since the last manual retry; gone when it completed or failed
``busy``      how often it waited for another call to its number
``held``      the kind of rule that holds it, while it is delayed for that
``takenback`` its last start does not count for the caps: Twilio placed no call
``notbefore`` earliest next attempt, unix ms, until the call is delayed
``looks``     how often an unknown outcome was checked
``horizon``   when the outcome is reconciled at the latest, if Twilio's list can be read, unix ms
``next``      when it was last delayed until, after it had been claimed, unix ms
``reason``    the last failure, in words
``ended``     when it completed or failed, unix ms; absent where it completed with its last
              attempt, at ``finished``
``log``       sequence number of its last entry in the outbox, once it has ended
``retriedby`` name of the last request of many acts that retried it
``repeats``   attempts made for an outcome on the line since the last manual retry
``forgotten`` its person was to be forgotten while it was being placed, unix ms
``hangup``    it is to be ended once Twilio has taken it, since then, unix ms
``hungup``    when somebody hung its call up, unix ms: it is not made again
``voicemail`` ``due``, or the SID of the call whose machine got its words and when, unix ms
``past``      the attempts before the last one, each a line of JSON with fields as below
              and its ``token``
============  ==================================================================

Of the last attempt alone, gone when the next one begins:

============  ==================================================================
``from``      the number that it comes from
``finished``  when its outcome was written, unix ms; stands only for one that counts
``sid``       Twilio's SID
``status``    Twilio's status of it
``rank``      place of that status in the order of a call's life, as in `call_status.py`; absent
              for 0
``seq``       highest sequence number of a callback
``seen``      all sequence numbers, each between commas
``duration``  on the line, s
``answered``  by whom: ``human``, ``machine_start`` …
``sip``       SIP response code
``price``     as Twilio writes it, and ``unit``, its currency
``recording`` Twilio's SID of its recording, and ``recordingurl``, where that is kept
``over``      when it was over on the line, unix ms
``looked``    how often it was polled
``why``       the reason of its failure, once a manual retry has taken that from the job
``talked``    when the person was last known to talk, as it is noted for the caps, unix ms
============  ==================================================================
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from vomind_queue.calls.call import Call, State
from vomind_queue.calls.job import AttemptMade, Held, Job, Placed, Recording
from vomind_queue.encoding import compact
from vomind_queue.rules.law import TIMED


def encode(call: Call) -> str:
    """Return the ``data`` field of a call."""
    data = call.as_data()
    if call.request_id is not None:
        # At its end: `status_callback.lua` looks for it there.
        data["requestId"] = call.request_id
    return compact(data).decode()


def decode(data: str) -> Call:
    """Return the inverse of `encode`."""
    return Call.from_data(json.loads(data))


def pairs(flat: Sequence[str]) -> dict[str, str]:
    """Return a hash as Lua answers it, field and value in turn."""
    return dict(zip(flat[::2], flat[1::2], strict=True))


def read(job_id: str, fields: Mapping[str, str]) -> Job | None:
    """Return the job that a record means; ``None`` when there is none."""
    if not fields:
        return None
    state = State(fields["state"])
    return Job(
        id=job_id,
        state=state,
        call=decode(fields["data"]),
        progress=_progress(state, fields),
        attempts_made=int(fields.get("attempts", 0)),
        failed_reason=fields.get("reason"),
        created_ms=int(fields["at"]),
        due_ms=number(fields, "due"),
        not_after_ms=number(fields, "notafter"),
        started_ms=number(fields, "started"),
        finished_ms=ended_ms(fields),
        next_attempt_ms=_next_attempt_ms(state, fields),
        held=_held(state, fields),
        reconciled_by_ms=number(fields, "horizon"),
        placed=_placed(fields),
        campaign_id=fields.get("c"),
        attempts=_attempts(fields),
    )


def _progress(state: State, fields: Mapping[str, Any]) -> int:
    if state is State.COMPLETED:
        return 100
    return 50 if "mark" in fields else 0


def _next_attempt_ms(state: State, fields: Mapping[str, str]) -> int | None:
    if state is not State.DELAYED:
        return None
    return number(fields, "next" if "next" in fields else "due")


def _held(state: State, fields: Mapping[str, str]) -> Held | None:
    if state is not State.DELAYED or "held" not in fields:
        return None
    by = fields["held"]
    # Of the others it is only known when they are judged again.
    until_ms = number(fields, "next") if by in TIMED else None
    return Held(by=by, until_ms=until_ms)


def number(fields: Mapping[str, Any], name: str) -> int | None:
    """Return a field that is a whole number; ``None`` where it is absent."""
    value = fields.get(name)
    return None if value is None else int(value)


def ended_ms(fields: Mapping[str, str]) -> int | None:
    """Return when the call completed or failed, unix ms; ``None`` while it is open."""
    completed = fields["state"] == State.COMPLETED
    return number(fields, "finished" if completed and "ended" not in fields else "ended")


def _placed(fields: Mapping[str, str]) -> Placed | None:
    if "sid" not in fields:
        return None
    return Placed(
        sid=fields["sid"],
        status=fields.get("status", ""),
        duration_s=number(fields, "duration"),
        answered_by=fields.get("answered"),
        sip_code=number(fields, "sip"),
        price=fields.get("price"),
        price_unit=fields.get("unit"),
        from_number=fields.get("from"),
        recording=_recording(fields),
    )


def _recording(fields: Mapping[str, str]) -> Recording | None:
    if "recording" not in fields:
        return None
    return Recording(sid=fields["recording"], url=fields.get("recordingurl", ""))


def last_status(fields: Mapping[str, str]) -> str | None:
    """Return Twilio's status of the last attempt that it took; ``None`` when it took none."""
    placed = (attempt.placed for attempt in reversed(_attempts(fields)))
    return next((each.status for each in placed if each is not None), None)


def _attempts(fields: Mapping[str, str]) -> Sequence[AttemptMade]:
    lines = fields["past"].split("\n") if "past" in fields else []
    made = [_attempt(json.loads(line)) for line in lines]
    if "mark" in fields:
        under_way = str(int(fields.get("attempts", 0)) + 1)
        made.append(_attempt({"attempts": under_way, "started": fields["mark"]}))
    elif "finished" in fields or "sid" in fields:
        made.append(_attempt(fields))
    return made


def _attempt(fields: Mapping[str, str]) -> AttemptMade:
    placed = _placed(fields)
    return AttemptMade(
        number=int(fields["attempts"]),
        started_ms=number(fields, "started"),
        ended_ms=number(fields, "finished" if placed is None else "over"),
        placed=placed,
        reason=fields.get("why", fields.get("reason")),
    )
