"""The Celery task. It takes a job id and holds no logic."""

from __future__ import annotations

from typing import Any

from celery import Celery
from celery.exceptions import Ignore

from vomind_queue.broker.names import PLACE_CALL
from vomind_queue.calls.decisions import AttemptResult, NotStarted
from vomind_queue.calls.limits import Rate
from vomind_queue.calls.retry import LONGEST_BACKOFF_S
from vomind_queue.config.settings import Settings
from vomind_queue.errors import VomindError
from vomind_queue.usecases.place_call import PlaceCall

#: Celery's units of a rate by their length, ms.
_UNITS = {1_000: "s", 60_000: "m", 3_600_000: "h"}


class TryAgain(VomindError):
    """The attempt was refused for a passing cause; Celery puts the call off."""


class CallFailed(VomindError):
    """The call failed for good. The reason is in the job, not here: it may contain the number."""


def register(app: Celery, usecase: PlaceCall, settings: Settings) -> Any:
    """Add the task to the application."""

    @app.task(  # type: ignore[untyped-decorator]
        name=PLACE_CALL,
        # No other application of this process gets it.
        shared=False,
        autoretry_for=(TryAgain,),
        retry_backoff=settings.retry_delay_s,
        retry_backoff_max=LONGEST_BACKOFF_S,
        retry_jitter=False,
        max_retries=settings.max_attempts - 1,
        rate_limit=rate_text(settings.rate),
        throws=(CallFailed,),
        acks_late=True,
        ignore_result=True,
        bind=True,
    )
    def place_call(self: Any, job_id: str) -> None:
        """Place one call."""
        outcome = usecase.place(job_id)
        if isinstance(outcome, NotStarted):
            raise Ignore(outcome)
        match outcome.result:
            case AttemptResult.COMPLETED:
                return
            case AttemptResult.AGAIN:
                again = TryAgain(f"call {job_id} will be tried again")
                if outcome.asked_ms:
                    # Twilio said how long to wait; without that Celery's autoretry decides.
                    raise self.retry(exc=again, countdown=outcome.wait_ms / 1000)
                raise again
            case AttemptResult.FAILED:
                raise CallFailed(f"call {job_id} failed; its reason is in the job")
            case _:
                raise Ignore(outcome.result)

    return place_call


def rate_text(rate: Rate | None) -> str | None:
    """Return a rate in Celery's form, ``10/m``; ``10/3000ms`` where Celery has no unit for it."""
    if rate is None:
        return None
    unit = _UNITS.get(rate.window_ms, f"{rate.window_ms}ms")
    return f"{rate.max_starts}/{unit}"
