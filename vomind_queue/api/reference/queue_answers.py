"""Answers about the queue as a whole, and about the service around it."""

from __future__ import annotations

from marshmallow.fields import Boolean, DateTime, Dict, Integer, List, Nested, String
from marshmallow.validate import Range, Regexp

from vomind_queue.api.reference.answer import (
    OPTIONAL,
    Always,
    Answer,
    AnswerSchema,
    Count,
    Done,
    Object,
    Read,
    Shaped,
    Word,
    record,
)
from vomind_queue.calls import State
from vomind_queue.overview import Condition, Level


class DoneAnswer(Done, Read):
    """The request was carried out."""


class Problem(AnswerSchema):
    """Why a request was not carried out (RFC 9457)."""

    success = Shaped({"type": "boolean", "const": False})
    error = String()
    type = String()
    title = String()
    status = Integer(validate=Range(400, 599))
    detail = String()
    request_id = String()
    errors = Object(metadata=OPTIONAL)


class _Stats(Answer):
    """Numbers of jobs, and what decides when calls start."""

    stats = record(
        "JobCounts",
        waiting=Count(),
        active=Count(),
        completed=Count(),
        failed=Count(),
        delayed=Count(),
        total=Count(),
    )
    paused = Boolean()
    paused_by = String(allow_none=True)
    paused_at = DateTime(allow_none=True)
    pause_reason = String(allow_none=True)
    by_priority = record("PriorityCounts", high=Count(), normal=Count(), low=Count())
    breaker_open_until = DateTime(allow_none=True)
    in_doubt = Count()
    stray_rings = Count()
    workers = Count()
    call_log = record(
        "CallLog",
        pending=Count(),
        behind_ms=Count(),
        dead_letters=Count(),
        lost=Count(),
        shipping=Boolean(),
    )
    recurring = Count()
    scheduler_leads = Boolean()


class _Allowance(AnswerSchema):
    """How much of the allowance is used up."""

    max = Count()
    window_ms = Count()
    used = Count()
    overridden = Boolean()


class RateLimit(_Allowance):
    """How much of the allowance is used up."""

    reset_ms = Count()


class RateLimitNow(_Allowance):
    """How much of the allowance is used up, and when the next start is allowed."""

    next_start_at = DateTime(allow_none=True)


class StatsAnswer(_Stats):
    """All numbers, read at one moment."""

    rate_limit = Nested(RateLimit, allow_none=True)


class CleanAnswer(Done, Read):
    """The jobs that were removed from history."""

    completed_cleaned = List(String())
    failed_cleaned = List(String())
    total = Count()


class CleanableAnswer(Read):
    """What would be removed."""

    completed = Count()
    failed = Count()
    total = Count()


class Reason(AnswerSchema):
    """One thing that an operator should know, and what to do about it."""

    kind = String()
    level = Word(Level)
    title = String()
    detail = String()
    remedy = String()
    until = DateTime(allow_none=True)


class LastHour(AnswerSchema):
    """What happened in the last hour."""

    starts = Count()
    outcomes = Dict(values=Count())
    wait_ms = record(
        "Waits",
        p50=Count(allow_none=True),
        p90=Count(allow_none=True),
        max=Count(allow_none=True),
    )
    minutes = List(record("Minute", at=DateTime(), starts=Count(), outcomes=Dict(values=Count())))


class OverviewAnswer(_Stats):
    """The state of the queue at a glance."""

    state = Word(Condition)
    level = Word(Level)
    reasons = List(Nested(Reason))
    version = String()
    rate_limit = Nested(RateLimitNow, allow_none=True)
    last_hour = Nested(LastHour)


class WhyAnswer(Answer):
    """What keeps a call from ringing."""

    job_id = String()
    state = Word(State)
    reasons = List(
        record("WhyReason", kind=String(), text=String(), until=DateTime(allow_none=True))
    )
    ahead = Count()
    expected_at = DateTime(allow_none=True)


class FailureReasonsAnswer(Answer):
    """Why calls failed."""

    count = Count()
    total = Count()
    reasons = List(record("FailureReason", kind=String(), count=Count(), example=String()))


class RetriedAnswer(Done, Read):
    """The calls are waiting again."""

    count = Count()
    job_ids = List(String())
    more = Boolean()


class ForgottenAnswer(Done):
    """What was done to forget a number."""

    complete = Boolean()
    cancelled = Count()
    recurring = Count()
    history = Count()
    log = record("Erased", calls=Count(), events=Count())
    being_placed = List(String())


class AliveAnswer(Answer):
    """The process is up."""

    status = Always("up")


class ReadyAnswer(Answer):
    """Calls can be placed."""

    status = Always("ready")
    redis = Always("ready")
    workers = Count()
    scheduler_leads = Boolean()


class TwilioReport(AnswerSchema):
    """The parameters of Twilio's requests that are read here; Twilio sends many more."""

    call_sid = String(data_key="CallSid", validate=Regexp(r"^CA[0-9a-fA-F]{32}$"))
    call_status = String(data_key="CallStatus", metadata=OPTIONAL)
    sequence_number = String(data_key="SequenceNumber", metadata=OPTIONAL)
    call_duration = String(data_key="CallDuration", metadata=OPTIONAL)
    answered_by = String(data_key="AnsweredBy", metadata=OPTIONAL)
    sip_response_code = String(data_key="SipResponseCode", metadata=OPTIONAL)


class TwilioQuestion(TwilioReport):
    """The same where Twilio asks what to say: nothing of it is read for an attempt that is over."""

    call_sid = String(data_key="CallSid", metadata=OPTIONAL)
