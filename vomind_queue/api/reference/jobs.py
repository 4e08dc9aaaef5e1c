"""The reference of the endpoints about one job."""

from __future__ import annotations

from collections.abc import Mapping

from vomind_queue.api.reference import examples as shown
from vomind_queue.api.reference.operation import Example, Operation
from vomind_queue.api.reference.records import IGNORED, SAID
from vomind_queue.api.reference.shapes import TEXT, Shape, answer, ref, words
from vomind_queue.calls import State

TAG = "Jobs"
_ONE = {"jobId": "1"}
_NOBODY = shown.missing("There is no job 1.")

SCHEMAS: Mapping[str, Shape] = {
    "CancelledAnswer": answer(
        "The job is gone.", {"message": SAID, "jobId": TEXT, "was": words(State)}
    ),
    "RetryAnswer": answer(
        "The call waits again.",
        {"message": SAID, "jobId": TEXT, "status": words(["retrying"])},
        IGNORED,
    ),
}

SHOW = Operation(
    id="getJob",
    method="GET",
    path="/api/queue/job/{jobId}",
    tag=TAG,
    summary="Show a job",
    text="A job with its state and its story so far. `state` is `completed` once Twilio took the "
    "call; what becomes of it on the line arrives later, and stands in `call`. An outcome that is "
    "to be retried takes the job from `completed` back to `delayed`.\n\n"
    "A run of a recurring call is a job, too, such as `recurring:1:1795593600000`.",
    answer=ref("JobAnswer"),
    errors=[404],
    examples=[
        Example(
            name="waiting",
            summary="In the queue",
            path=_ONE,
            answer=shown.success(**shown.WAITING),
        ),
        Example(
            name="completed",
            summary="Answered, and over",
            path=_ONE,
            answer=shown.success(**shown.COMPLETED),
        ),
        Example(
            name="failed",
            summary="A number that Twilio refused",
            path=_ONE,
            answer=shown.success(**shown.FAILED),
        ),
        Example(name="unknown", summary="No such job", status=404, path=_ONE, answer=_NOBODY),
    ],
)

CANCEL = Operation(
    id="cancelJob",
    method="DELETE",
    path="/api/queue/job/{jobId}",
    tag=TAG,
    summary="Cancel a call",
    text="Takes a waiting or delayed call out of the queue: once this is answered, it is never "
    "placed. An active call is a 409. A finished one is removed from history.",
    answer=ref("CancelledAnswer"),
    errors=[404, 409],
    examples=[
        Example(
            name="waiting",
            summary="A call that waits",
            path=_ONE,
            answer=shown.success(message="Call cancelled successfully", jobId="1", was="waiting"),
        ),
        Example(
            name="completed",
            summary="A call that is over leaves history",
            path=_ONE,
            answer=shown.success(message="Job removed", jobId="1", was="completed"),
        ),
        Example(
            name="active",
            summary="A call that is being placed",
            status=409,
            path=_ONE,
            answer=shown.conflict("Call 1 is being placed and cannot be cancelled any more."),
        ),
        Example(name="unknown", summary="No such job", status=404, path=_ONE, answer=_NOBODY),
    ],
)

RETRY = Operation(
    id="retryJob",
    method="POST",
    path="/api/queue/job/{jobId}/retry",
    tag=TAG,
    summary="Retry a failed call",
    text="A failed call waits again, at its priority and with a full set of attempts; "
    "`attemptsMade` goes on counting. Any other state is a 409.",
    answer=ref("RetryAnswer"),
    errors=[404, 409],
    examples=[
        Example(
            name="failed",
            summary="A call that failed",
            path=_ONE,
            answer=shown.success(message="Call retry initiated", jobId="1", status="retrying"),
        ),
        Example(
            name="waiting",
            summary="A call that has not failed",
            status=409,
            path=_ONE,
            answer=shown.conflict("Only failed calls can be retried; call 1 is waiting."),
        ),
        Example(name="unknown", summary="No such job", status=404, path=_ONE, answer=_NOBODY),
    ],
)

OPERATIONS = [SHOW, CANCEL, RETRY]
