"""Answers about calls: accepted, waiting, over, recurring, logged."""

from __future__ import annotations

from marshmallow.fields import DateTime, Integer, List, Nested, String
from marshmallow.validate import Length, OneOf, Range

from vomind_queue.api.fields import MAX_CALLS, DetectionWord, LeadId, Outcomes, PhoneNumber
from vomind_queue.api.recurring_schemas import Key, OverlapRule
from vomind_queue.api.reference.answer import (
    OPTIONAL,
    Always,
    Answer,
    AnswerSchema,
    Count,
    Done,
    Object,
    Page,
    Read,
    Shaped,
    Word,
    record,
)
from vomind_queue.api.schemas import RequestSchema
from vomind_queue.calls import Priority, State
from vomind_queue.logbook import OUTCOMES, STATES
from vomind_queue.progress import LineStatus
from vomind_queue.schedules import ScheduleStatus


class Call(AnswerSchema):
    """A call as it was requested, with defaults filled in."""

    to = PhoneNumber()
    message = String()
    priority = Word(Priority)
    metadata = Object()
    lead_id = LeadId(data_key="lead_id", metadata=OPTIONAL)
    retry_on = Outcomes(metadata=OPTIONAL)
    machine_detection = DetectionWord(metadata=OPTIONAL)
    voicemail_message = String(metadata=OPTIONAL)


class CallAtTwilio(AnswerSchema):
    """A call at Twilio."""

    sid = String()
    status = Word(LineStatus)
    duration = Count(allow_none=True)
    answered_by = String(allow_none=True)
    sip_response_code = Integer(allow_none=True)
    price = String(allow_none=True)
    price_unit = String(allow_none=True)


class Attempt(AnswerSchema):
    """One attempt to ring the phone, in progress or over."""

    number = Integer(validate=Range(1))
    sid = String(allow_none=True)
    status = Word(LineStatus, allow_none=True)
    started_at = DateTime(allow_none=True)
    ended_at = DateTime(allow_none=True)
    duration = Count(allow_none=True)
    answered_by = String(allow_none=True)
    sip_response_code = Integer(allow_none=True)
    failed_reason = String(allow_none=True)


class Job(AnswerSchema):
    """A call with its state and its history so far."""

    job_id = String()
    state = Word(State)
    progress = Integer(validate=OneOf([0, 50, 100]))
    data = Nested(Call)
    attempts_made = Count()
    failed_reason = String(allow_none=True)
    priority = Word(Priority)
    created_at = DateTime()
    scheduled_for = DateTime(allow_none=True)
    started_at = DateTime(allow_none=True)
    finished_at = DateTime(allow_none=True)
    call = Nested(CallAtTwilio, allow_none=True)
    attempts = List(Nested(Attempt))
    timestamp = Integer()
    processed_on = Integer(allow_none=True)
    finished_on = Integer(allow_none=True)


class JobAnswer(Job, Answer):
    """A job."""


class JobsAnswer(Page):
    """Some jobs of one state."""

    jobs = List(Nested(Job))


class CancelledAnswer(Done):
    """The job is gone."""

    job_id = String()
    was = Word(State)


class RetryAnswer(Done, Read):
    """The call is waiting again."""

    job_id = String()
    status = Always("retrying")


class ScheduledAnswer(Done, Read):
    """The call is in the queue."""

    job_id = String()
    status = Always("scheduled")
    data = Nested(Call)


class DelayedAnswer(ScheduledAnswer):
    """The call is in the queue, for later."""

    scheduled_for = DateTime()


class BulkAnswer(Done, Read):
    """All of the calls are in the queue."""

    count = Integer(validate=Range(1))
    jobs = List(
        record("BulkJob", job_id=String(), status=Always("scheduled")), validate=Length(min=1)
    )


class BulkPreviewRequest(RequestSchema):
    """Calls as in a bulk; entries that are not calls are reported, too."""

    calls = List(Shaped({}), required=True, validate=Length(1, MAX_CALLS))


class BulkPreviewAnswer(Read):
    """What would become of a bulk."""

    count = Count()
    valid = Count()
    errors = Object()


class CountedRuns(AnswerSchema):
    """How many runs there were, and the last ten of them."""

    count = Count()
    last = List(DateTime())


class Run(AnswerSchema):
    """A run of a recurring call; its job has the rest."""

    job_id = String()
    scheduled_for = DateTime()
    state = Word(State, allow_none=True)
    attempts_made = Count(metadata=OPTIONAL)
    failed_reason = String(allow_none=True, metadata=OPTIONAL)
    started_at = DateTime(allow_none=True, metadata=OPTIONAL)
    finished_at = DateTime(allow_none=True, metadata=OPTIONAL)
    call = Nested(CallAtTwilio, allow_none=True, metadata=OPTIONAL)


class RecurringCall(AnswerSchema):
    """A recurring call."""

    job_id = String()
    key = Key(metadata=OPTIONAL)
    status = Word(ScheduleStatus)
    data = Nested(Call)
    priority = Word(Priority)
    cron_expression = String()
    timezone = String()
    description = String(allow_none=True)
    start_at = DateTime(allow_none=True)
    end_at = DateTime(allow_none=True)
    max_runs = Count(allow_none=True)
    grace_ms = Count()
    overlap = OverlapRule()
    next_runs = List(DateTime())
    last_job = Nested(Run, allow_none=True)
    fired_runs = record("FiredRuns", count=Count())
    missed_runs = Nested(CountedRuns)
    skipped_runs = Nested(CountedRuns)
    paused_by = String(allow_none=True)
    paused_at = DateTime(allow_none=True)
    created_at = DateTime()
    updated_at = DateTime()


class UnreadableRecurringCall(AnswerSchema):
    """A recurring call that this version of the service cannot read."""

    job_id = String()
    status = Always("unreadable")


class RecurringCallAnswer(RecurringCall, Read):
    """A recurring call with its next and its last runs."""

    message = String(metadata=OPTIONAL)
    last_runs = List(Nested(Run))


class RecurringCallsAnswer(Page):
    """Some recurring calls, soonest first, each with one next run."""

    jobs = List(
        Shaped(
            {
                "anyOf": [
                    {"$ref": "#/components/schemas/RecurringCall"},
                    {"$ref": "#/components/schemas/UnreadableRecurringCall"},
                ]
            }
        )
    )


class OtherRecurringCall(AnswerSchema):
    """Another recurring call that rings the same number."""

    job_id = String()
    cron_expression = String()
    timezone = String()
    next_run = DateTime()
    key = String(allow_none=True)


class OtherRecurringCalls(AnswerSchema):
    """Others that ring the same number and have a next run."""

    total = Count()
    jobs = List(Nested(OtherRecurringCall), validate=Length(max=10))


class RecurringScheduledAnswer(Done, Read):
    """The call will ring again and again."""

    job_id = String()
    status = Word(ScheduleStatus)
    cron_expression = String()
    timezone = String()
    next_runs = List(DateTime(), validate=Length(max=3))
    data = Nested(Call)
    key = Key(metadata=OPTIONAL)
    updated = Shaped({"type": "boolean", "const": True}, metadata=OPTIONAL)
    others = Nested(OtherRecurringCalls, metadata=OPTIONAL)


class RecurringStatusAnswer(Done, Read):
    """Whether the call rings."""

    job_id = String()
    status = Word(ScheduleStatus)


class RecurringCancelledAnswer(Done):
    """The call will not ring again."""

    job_id = String()
    was = Always("recurring")
    cancelled_jobs = List(String())
    active_jobs = List(String())


class PreviewAnswer(Read):
    """When a pattern would ring."""

    cron_expression = String()
    timezone = String()
    description = String()
    runs = List(record("PreviewedRun", local=DateTime(), utc=DateTime()))
    clock_changes = List(
        record("ClockChange", utc=DateTime(), from_=DateTime(data_key="from"), to=DateTime())
    )


class LoggedCallAtTwilio(AnswerSchema):
    """A call at Twilio, as the log has it."""

    sid = String()
    status = Word(LineStatus, allow_none=True)
    duration = Count(allow_none=True)
    answered_by = String(allow_none=True)
    price = String(allow_none=True)
    price_unit = String(allow_none=True)


class LoggedCall(AnswerSchema):
    """A call as the log has it."""

    job_id = String()
    state = String(validate=OneOf(STATES))
    to = String(allow_none=True)
    lead_id = String(data_key="lead_id", allow_none=True)
    priority = Word(Priority)
    message = String(allow_none=True)
    metadata = Object(allow_none=True)
    attempts_made = Count()
    outcome = String(validate=OneOf(OUTCOMES), allow_none=True)
    failed_reason = String(allow_none=True)
    created_at = DateTime()
    scheduled_for = DateTime(allow_none=True)
    started_at = DateTime(allow_none=True)
    answered_at = DateTime(allow_none=True)
    finished_at = DateTime(allow_none=True)
    call = Nested(LoggedCallAtTwilio, allow_none=True)
    anonymized_at = DateTime(allow_none=True)


class Event(AnswerSchema):
    """One event in the life of a call."""

    sequence = Integer()
    at = DateTime()
    event = String()
    state = String(validate=OneOf(STATES), allow_none=True)
    attempt = Count(allow_none=True)
    sid = String(allow_none=True)
    status = Word(LineStatus, allow_none=True)
    duration = Count(allow_none=True)
    details = Object()


class LoggedCallAnswer(LoggedCall, Answer):
    """A call with all of its events."""

    events = List(Nested(Event))


class LoggedCallsAnswer(Answer):
    """A page of the log, newest call first."""

    count = Count()
    calls = List(Nested(LoggedCall))
    next = String(allow_none=True)
