"""What this service says of the calls of a list."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from vomind_queue.api import bulk_preview
from vomind_queue.api.schemas import calls as call_schemas
from vomind_queue.api.schemas import placeable, unknown_fields
from vomind_queue.api.serializers import jobs as job_serializer
from vomind_queue.calls.call import NewCall
from vomind_queue.calls.campaign import Campaign
from vomind_queue.container.web_services import Services
from vomind_queue.errors import leaves
from vomind_queue.lists.models import Row
from vomind_queue.lists.preview import Judged, Wait
from vomind_queue.rules.law import Purpose

#: Calls that are checked together, as many as a bulk has.
_AT_ONCE = 10_000
_UNSIGNED = "Must not be in a list; calls against the rules are added to a campaign one by one."
#: Headers that are compared with the names of fields at once.
_HEADERS = 100


class ListJudge:
    """Judges as the endpoints for calls do."""

    def __init__(self, services: Services) -> None:
        self._queue = services.queue
        self._do_not_call = services.do_not_call
        self._rules = services.rules
        self._placeable = placeable.PlaceableCalls(services.settings)
        self._past_grace_ms = services.settings.past_schedule_grace_ms

    def hints(self, headers: Sequence[str]) -> Mapping[str, str]:
        """Return what columns were probably meant for that are not used."""
        known = call_schemas.TIMED_CALL.known
        found: dict[str, str] = {}
        for start in range(0, len(headers), _HEADERS):
            some = headers[start : start + _HEADERS]
            sent = {**dict.fromkeys(some, "x"), "to": "x", "message": "x"}
            errors = unknown_fields.slips(sent, known)
            found |= {name: texts[0] for name, texts in errors.items() if name in some}
        return found

    def judge(
        self, rows: Sequence[Row], campaign: Campaign
    ) -> tuple[Judged, Mapping[int, NewCall]]:
        """Return the verdicts, and the calls that are right, by the rows' indexes."""
        filled = {
            index: campaign.filled(row.call)
            for index, row in enumerate(rows)
            if row.call is not None
        }
        errors: dict[int, Any] = {}
        right: dict[int, NewCall] = {}
        indexes = list(filled)
        for start in range(0, len(indexes), _AT_ONCE):
            part = indexes[start : start + _AT_ONCE]
            self._check({index: filled[index] for index in part}, errors, right)
        return self._verdicts(errors, right, campaign.hours), right

    def _check(
        self, calls: Mapping[int, Any], errors: dict[int, Any], right: dict[int, NewCall]
    ) -> None:
        places = list(calls)
        seen = bulk_preview.check({"calls": list(calls.values())})
        good, news = list(seen.good), list(seen.good.values())
        late: dict[int, Any] = {**self._placeable.faults([new.call for new in news])}
        if any(map(placeable.has_times, news)):
            late |= placeable.untimely(news, self._queue.now_ms(), self._past_grace_ms)
        bad = {**seen.bad, **{good[index]: found for index, found in late.items()}}
        for index, new in seen.good.items():
            # A list is previewed by many, and accepted in the background: nobody signs it.
            if new.call.override or new.call.purpose == Purpose.EMERGENCY:
                name = "override" if new.call.override else "purpose"
                bad.setdefault(index, {name: [_UNSIGNED]})
        errors |= {places[index]: found for index, found in bad.items()}
        right |= {places[index]: new for index, new in seen.good.items() if index not in bad}

    def _verdicts(
        self, errors: Mapping[int, Any], right: Mapping[int, NewCall], hours: str | None
    ) -> Judged:
        now_ms = self._queue.now_ms()
        listed = self._do_not_call.listed([new.call.to for new in right.values()])
        due = [(new.call, job_serializer.due_ms(new, now_ms)) for new in right.values()]
        held = {
            index: job_serializer.held(found)
            for index, found in zip(right, self._rules.forecast(due, hours), strict=True)
            if found
        }
        return Judged(
            errors={index: list(leaves(found)) for index, found in errors.items()},
            blocked={
                index: "The number is on the do-not-call list."
                for index, new in right.items()
                if new.call.to in listed
            },
            held={
                index: Wait(until=found["until"], why=found["why"]) for index, found in held.items()
            },
        )
