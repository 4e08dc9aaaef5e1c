"""The reference of the endpoints about one recurring call."""

from __future__ import annotations

from vomind_queue.api.recurring_schemas import CHANGE
from vomind_queue.api.reference import examples as shown
from vomind_queue.api.reference.operation import Example, Operation
from vomind_queue.api.reference.recurring_examples import DATA, WHOLE
from vomind_queue.api.reference.shapes import ref

TAG = "Recurring calls"
_PATH = "/api/queue/job/recurring:{scheduleId}"
_ONE = {"scheduleId": "1"}
_NOBODY = shown.missing("There is no job recurring:1.")
#: What is stored of it cannot be read.
_OTHER = Example(
    name="otherVersion",
    summary="A record of another version of the service",
    status=409,
    path=_ONE,
    answer=shown.conflict(
        "recurring:1 was stored by another version and cannot be read (ValueError(\"'new' is not a "
        'valid Overlap")); delete it, or go back to that version.'
    ),
)
_UNKNOWN = Example(
    name="unknown", summary="No such recurring call", status=404, path=_ONE, answer=_NOBODY
)

SHOW = Operation(
    id="getRecurringCall",
    method="GET",
    path=_PATH,
    tag=TAG,
    summary="Show a recurring call",
    text="With its next five and its last ten runs, and how many fired, were missed and skipped.",
    answer=ref("RecurringCallAnswer"),
    errors=[404, 409],
    examples=[
        Example(
            name="workdays",
            summary="One that has not rung yet",
            path=_ONE,
            answer=shown.success(**WHOLE),
        ),
        _OTHER,
        _UNKNOWN,
    ],
)

CHANGED = Operation(
    id="changeRecurringCall",
    method="PATCH",
    path=_PATH,
    tag=TAG,
    summary="Change a recurring call",
    text="Any field but `to`; `null` takes a field back to its default. A 409 when another "
    "recurring call has that number, pattern and zone, or when two change it at the same time.",
    answer=ref("RecurringCallAnswer"),
    body=CHANGE,
    headers={405: ["Allow"]},
    errors=[404, 409],
    examples=[
        Example(
            name="message",
            summary="Another message, and no end",
            path=_ONE,
            body={"message": "Good morning", "endAt": None},
            answer=shown.success(
                message="Recurring call changed",
                **{**WHOLE, "data": {**DATA, "message": "Good morning"}},
            ),
        ),
        Example(
            name="taken",
            summary="A pattern that another recurring call to that number has",
            status=409,
            path=_ONE,
            body={"cronExpression": "@daily"},
            answer=shown.conflict("recurring:2 has this number, pattern and time zone already."),
        ),
        Example(
            name="number",
            summary="Another number",
            status=422,
            path=_ONE,
            body={"to": "+1222222222"},
            answer=shown.invalid(
                "to",
                "A recurring call keeps its number; schedule another one for another number.",
            ),
        ),
        Example(
            name="noRecurringCall",
            summary="An id that no recurring call has: other jobs are not changed",
            status=405,
            path={"scheduleId": "x"},
            body={"message": "Good morning"},
            answer=shown.problem(
                405,
                "Method Not Allowed",
                "PATCH is not possible here; allowed: DELETE, GET, HEAD, OPTIONS.",
            ),
        ),
        Example(
            name="unknown",
            summary="No such recurring call",
            status=404,
            path=_ONE,
            body={"message": "Good morning"},
            answer=_NOBODY,
        ),
    ],
)

REMOVED = Operation(
    id="cancelRecurringCall",
    method="DELETE",
    path=_PATH,
    tag=TAG,
    summary="Stop a recurring call for good",
    text="Together with its run that has not started. One that is being placed goes on to its end, "
    "and stands in `activeJobs`.",
    answer=ref("RecurringCancelledAnswer"),
    errors=[404],
    examples=[
        Example(
            name="workdays",
            summary="One that has not rung yet",
            path=_ONE,
            answer=shown.success(
                message="Recurring call cancelled successfully",
                jobId="recurring:1",
                was="recurring",
                cancelledJobs=[],
                activeJobs=[],
            ),
        ),
        _UNKNOWN,
    ],
)


def _set(verb: str, status: str, text: str) -> Operation:
    return Operation(
        id=f"{verb}RecurringCall",
        method="POST",
        path=f"{_PATH}/{verb}",
        tag=TAG,
        summary=f"{verb.title()} a recurring call",
        text=text,
        answer=ref("RecurringStatusAnswer"),
        errors=[404, 409],
        examples=[
            Example(
                name=verb,
                summary=verb.title(),
                path=_ONE,
                answer=shown.success(
                    message=f"Recurring call {verb}d", jobId="recurring:1", status=status
                ),
            ),
            _OTHER,
            _UNKNOWN,
        ],
    )


RETRY = Operation(
    success=None,
    id="retryRecurringCall",
    method="POST",
    path=f"{_PATH}/retry",
    tag=TAG,
    summary="Retry a recurring call",
    text="Always refused: runs are retried, each by its own id, such as "
    "`recurring:1:1795593600000`.",
    errors=[404, 409],
    examples=[
        Example(
            name="refused",
            summary="A recurring call is no run",
            status=409,
            path=_ONE,
            answer=shown.conflict("recurring:1 is a recurring call; retry one of its runs."),
        ),
        _UNKNOWN,
    ],
)

OPERATIONS = [
    SHOW,
    CHANGED,
    REMOVED,
    _set("pause", "paused", "Its runs ring no more until it is resumed, and are not made up for."),
    _set("resume", "recurring", "Its runs ring again."),
    RETRY,
]
