"""Endpoints that accept calls."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from flask import Blueprint, Response
from marshmallow import ValidationError

from vomind_queue.api import bulk_preview
from vomind_queue.api.auth import caller, kept_id
from vomind_queue.api.blueprints.campaigns import plausible as plausible_campaign
from vomind_queue.api.blueprints.jobs import plausible
from vomind_queue.api.body import read_object
from vomind_queue.api.idempotency import answered_before, idempotency_key
from vomind_queue.api.overrides import Overrides
from vomind_queue.api.schemas import calls as call_schemas
from vomind_queue.api.schemas import placeable
from vomind_queue.api.serializers import jobs as job_serializer
from vomind_queue.api.wording import received
from vomind_queue.calls.call import Call, NewCall
from vomind_queue.calls.campaign import Campaign
from vomind_queue.calls.job import IdempotencyKey, Receipt
from vomind_queue.container.web_services import Services
from vomind_queue.errors import ExpiresTooSoon
from vomind_queue.rules.law import Purpose


class CallRoutes:
    """POST /schedule-call, -delayed-call, -bulk-calls and its preview, and a campaign's calls.

    Also PATCH /job/<jobId>.
    """

    def __init__(self, services: Services) -> None:
        self._enqueue = services.enqueue
        self._queue = services.queue
        self._do_not_call = services.do_not_call
        self._rules = services.rules
        self._campaigns = services.campaigns
        self._past_grace_ms = services.settings.past_schedule_grace_ms
        self._placeable = placeable.PlaceableCalls(services.settings)
        self._overrides = Overrides(services.settings.override_keys)
        self._senders = services.settings.senders

    def blueprint(self) -> Blueprint:
        """Return the routes, relative to the API's path."""
        routes = Blueprint("calls", __name__)
        routes.post("/schedule-call")(self.schedule_call)
        routes.post("/schedule-delayed-call")(self.schedule_delayed_call)
        routes.post("/schedule-bulk-calls")(self.schedule_bulk_calls)
        routes.post("/schedule-bulk-calls/preview")(self.preview_bulk)
        routes.post("/campaigns/<campaign_id>/calls")(self.add_to_campaign)
        routes.patch("/job/<job_id>")(self.change)
        return routes

    def schedule_call(self) -> Response:
        """Accept a call to be dialed as soon as its turn comes."""
        body = read_object()
        (new,) = self._signed([call_schemas.CALL.load(body)])
        ignored = call_schemas.CALL.ignored(body)
        return self._answer(new, self._scheduled(new, body), "Call scheduled successfully", ignored)

    def schedule_delayed_call(self) -> Response:
        """Accept a call for later."""
        body = read_object()
        (new,) = self._signed([call_schemas.DELAYED_CALL.load(body)])
        receipt, ignored = self._scheduled(new, body), call_schemas.DELAYED_CALL.ignored(body)
        return self._answer(new, receipt, "Delayed call scheduled successfully", ignored)

    def _answer(
        self, new: NewCall, receipt: Receipt, message: str, ignored: Sequence[str]
    ) -> Response:
        held = None
        if self._rules.hold:
            due_ms = job_serializer.due_ms(new, receipt.accepted_ms)
            asked = [(new.call, due_ms)]
            # Its own start may have been noted meanwhile.
            (held,) = self._rules.forecast(asked, before_ms=receipt.accepted_ms)
        return job_serializer.scheduled(new, receipt, message, ignored, held)

    def _scheduled(self, new: NewCall, body: dict[str, Any]) -> Receipt:
        """Accept one call, or return what this request was answered before."""
        if found := self._not_placed([new]):
            raise ValidationError(dict(found[0]))
        key = idempotency_key(body)
        if untimely := self._untimely([new]):
            refusal = ValidationError(dict(untimely[0]))
            return answered_before(self._queue.recall, key, refusal)
        return self._enqueue.schedule(new, key)

    def schedule_bulk_calls(self) -> Response:
        """Accept many calls, all or none."""
        body = read_object()
        news = self._signed(call_schemas.BULK.load(body)["calls"])
        if found := self._not_placed(news):
            raise ValidationError({"calls": found})
        key = idempotency_key(body)
        receipt = self._many_answered_before(news, key)
        return job_serializer.scheduled_many(
            receipt or self._enqueue.schedule_many(news, key), call_schemas.BULK.ignored(body)
        )

    def add_to_campaign(self, campaign_id: str) -> Response:
        """Give a campaign calls, all or none."""
        body = read_object()
        campaign = self._campaigns.show(plausible_campaign(campaign_id)).campaign
        calls = body.get("calls")
        filled = [*map(campaign.filled, calls)] if isinstance(calls, list) else calls
        news = self._signed(call_schemas.BULK.load({**body, "calls": filled})["calls"])
        if found := _without_words(news, campaign) or self._not_placed(news):
            raise ValidationError({"calls": found})
        key = idempotency_key({**body, "campaignId": campaign_id})
        receipt = self._many_answered_before(news, key)
        receipt = receipt or self._campaigns.add_calls(campaign_id, news, key)
        return job_serializer.scheduled_many(receipt, call_schemas.BULK.ignored(body))

    def _many_answered_before(
        self, news: list[NewCall], key: IdempotencyKey | None
    ) -> Receipt | None:
        """Return what untimely calls were answered when they were timely; ``None``: they are.

        Raise ValidationError where they never were.
        """
        if untimely := self._untimely(news):
            error = ValidationError({"calls": untimely})
            return answered_before(self._queue.recall, key, error)
        return None

    def preview_bulk(self) -> Response:
        """Return what is wrong with which of many calls; store nothing."""
        body = read_object()
        seen = bulk_preview.check(body)
        places, news = list(seen.good), self._signed(list(seen.good.values()))
        late = self._not_placed(news) | self._untimely(news)
        bad = {**seen.bad, **{places[index]: found for index, found in late.items()}}
        fit = {place: new for place, new in zip(places, news, strict=True) if place not in bad}
        document = {
            "count": seen.count,
            "valid": seen.count - len(bad),
            "errors": {str(index): bad[index] for index in sorted(bad)},
            "senders": self._senders.counted(new.call for new in fit.values()),
            **self._blocked(fit),
            **self._holding(fit),
        }
        fine = {**body, "calls": [body["calls"][index] for index in places]}
        return job_serializer.success(document, call_schemas.BULK.ignored(fine))

    def _blocked(self, news: Mapping[int, NewCall]) -> dict[str, Any]:
        """Return which calls the do-not-call list would end, by index; nothing without any."""
        listed = self._do_not_call.listed([new.call.to for new in news.values()])
        text = "The number is on the do-not-call list."
        blocked = {str(index): text for index, new in news.items() if new.call.to in listed}
        return {"blocked": blocked} if blocked else {}

    def _holding(self, news: Mapping[int, NewCall]) -> dict[str, Any]:
        """Return which calls would wait for a rule, by index; nothing without rules."""
        if not self._rules.hold:
            return {}
        now_ms = self._queue.now_ms()
        due = [(new.call, job_serializer.due_ms(new, now_ms)) for new in news.values()]
        found = zip(news, self._rules.forecast(due), strict=True)
        return {"held": {str(index): job_serializer.held(each) for index, each in found if each}}

    def change(self, job_id: str) -> Response:
        """Change the time, number, message and so on of a call that has not started."""
        body = read_object()

        def changed(old: Call) -> NewCall:
            new = call_schemas.CHANGE.merged(old, body)
            if found := self._not_placed([new]) or self._untimely([new]):
                raise ValidationError(dict(found[0]))
            if (new.due_ms, new.delay_ms) != (None, None):
                # Who may not lift the rules may not choose when a call rings without them.
                self._overrides.check(new.call, caller())
            new = replace(new, call=self._overrides.signed(new.call, old))
            if new.call.to != old.to:
                self._do_not_call.refuse(new.call.to)
            return new

        try:
            job = self._enqueue.change(plausible(job_id), changed, caller())
        except ExpiresTooSoon:
            raise ValidationError({"notAfter": [placeable.EXPIRES_TOO_SOON]}) from None
        document = {"message": "Call changed", **job_serializer.job(job)}
        return job_serializer.success(document, call_schemas.CHANGE.ignored(body))

    def _signed(self, news: list[NewCall]) -> list[NewCall]:
        """Return the calls with the id of the request, and their overrides with the key's name."""
        request_id = kept_id()
        if request_id is not None:
            news = [replace(new, call=replace(new.call, request_id=request_id)) for new in news]
        return [
            replace(new, call=self._overrides.signed(new.call))
            if new.call.override or new.call.purpose == Purpose.EMERGENCY
            else new
            for new in news
        ]

    def _not_placed(self, news: list[NewCall]) -> dict[int, dict[str, list[str]]]:
        """Return the errors of calls that this service does not place, by index."""
        return self._placeable.faults([new.call for new in news])

    def _untimely(self, news: list[NewCall]) -> dict[int, dict[str, list[str]]]:
        if not any(map(placeable.has_times, news)):
            return {}
        return placeable.untimely(news, self._queue.now_ms(), self._past_grace_ms)


def _without_words(news: Sequence[NewCall], campaign: Campaign) -> dict[int, Any]:
    """Return errors of calls that would say a campaign's words with a place for a column."""
    words = campaign.defaults.get("message", "")
    if "{{" not in words and "}}" not in words:
        return {}
    text = f"Must be its own words, as a list alone fills columns in; got {received(words)}."
    return {
        index: {"message": [text]} for index, new in enumerate(news) if new.call.message == words
    }
