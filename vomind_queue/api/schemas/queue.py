"""Bodies and queries that are about the whole queue, its history and its failed calls."""

from __future__ import annotations

from typing import Any

from marshmallow import EXCLUDE, Schema, ValidationError, post_load

from vomind_queue.api.schemas import call_fields, fields
from vomind_queue.api.schemas.calls import RequestSchema
from vomind_queue.api.serializers.times import YEAR_MS

#: Jobs on one page of a list.
MOST_ON_PAGE = 1_000
#: Redis counts exactly up to here, and no list is that long.
FARTHEST = 2**53
#: Jobs that one request removes from history.
MOST_CLEANED = 1_000_000
#: Defaults of what is removed: jobs that ended so long ago, ms, and so many.
CLEANED_GRACE_MS = 3_600_000
CLEANED_AT_ONCE = 1_000
#: Failed calls that one request queues again: it takes a second.
MOST_RETRIED = 1_000
#: Longer than anything is kept, ms: 100 years.
LONGEST_GRACE_MS = 100 * YEAR_MS


class CleanSchema(RequestSchema):
    """Which finished jobs to remove; by default a thousand that ended an hour ago."""

    grace = fields.Integer(least=0, most=LONGEST_GRACE_MS, allow_none=True)
    limit = fields.Integer(least=1, most=MOST_CLEANED, allow_none=True)

    @post_load
    def make(self, data: dict[str, int | None], **_: Any) -> tuple[int, int]:
        """Return the least age, ms, and the greatest number of jobs."""
        grace, limit = data.get("grace"), data.get("limit")
        return (
            CLEANED_GRACE_MS if grace is None else grace,
            CLEANED_AT_ONCE if limit is None else limit,
        )


class RetrySchema(RequestSchema):
    """How to try a failed call again; by default as it was."""

    not_after = fields.LatestStart(data_key="notAfter", allow_none=True)


class RetryFailedSchema(RequestSchema):
    """Which failed calls to try again; by default a thousand of any kind."""

    reason = call_fields.Kind(allow_none=True)
    limit = fields.Integer(least=1, most=MOST_RETRIED, allow_none=True)


class PauseSchema(RequestSchema):
    """Why the queue is paused."""

    reason = fields.ShortText(allow_none=True)


class PageSchema(Schema):
    """Which part of a list to show, both ends included."""

    class Meta:
        unknown = EXCLUDE

    start = fields.Index()
    end = fields.Index()

    @post_load
    def make(self, data: dict[str, int], **_: Any) -> tuple[int, int]:
        """Return the first and the last position. Raise ValidationError."""
        start = data.get("start", 0)
        end = data.get("end", start + 10)
        if end < start:
            raise ValidationError(f"Must be at least start ({start:,}); got {end:,}.", "end")
        if end - start >= MOST_ON_PAGE:
            text = f"Must be at most {MOST_ON_PAGE - 1:,} more than start ({start:,}); got {end:,}."
            raise ValidationError(text, "end")
        return min(start, FARTHEST), min(end, FARTHEST)


CLEAN = CleanSchema()
RETRY = RetrySchema()
RETRY_FAILED = RetryFailedSchema()
PAUSE = PauseSchema()
PAGE = PageSchema()
