"""Endpoints for one act on many calls."""

from __future__ import annotations

import logging
import secrets
import threading
from collections.abc import Mapping, Sequence

from flask import Blueprint, Flask, Response
from marshmallow import ValidationError

from vomind_queue.api.auth import caller
from vomind_queue.api.blueprints.jobs import plausible
from vomind_queue.api.body import read_object
from vomind_queue.api.idempotency import idempotency_key
from vomind_queue.api.overrides import Overrides
from vomind_queue.api.schemas import calls as call_schemas
from vomind_queue.api.schemas import placeable
from vomind_queue.api.schemas.acts import ACT
from vomind_queue.api.serializers import acts as act_serializer
from vomind_queue.calls.call import Call, NewCall
from vomind_queue.calls.call_act import Act, ActStatus, Order, Progress
from vomind_queue.calls.instants import iso
from vomind_queue.container.web_services import Services
from vomind_queue.errors import CallRefused, LogUnavailable, StoreUnavailable

logger = logging.getLogger(__name__)

_GOES_ON = (ActStatus.SELECTING, ActStatus.RUNNING)


class ActRoutes:
    """POST /api/acts, and GET and DELETE of one of them."""

    def __init__(self, services: Services) -> None:
        self._acts = services.call_acts
        self._queue = services.queue
        self._past_grace_ms = services.settings.past_schedule_grace_ms
        self._placeable = placeable.PlaceableCalls(services.settings)
        self._overrides = Overrides(services.settings.override_keys)

    def install(self, app: Flask) -> None:
        """Add the routes to an application."""
        routes = Blueprint("acts", __name__)
        routes.post("/acts")(self.act)
        routes.get("/acts/<order_id>")(self.show)
        routes.delete("/acts/<order_id>")(self.stop)
        app.register_blueprint(routes, url_prefix="/api")

    def act(self) -> Response:
        """Act on many calls: on named ones at once, on all that match in the background."""
        body = read_object()
        wanted = ACT.load(body)
        key = idempotency_key(body)
        order = Order(
            id=key.name[:32] if key else secrets.token_hex(16),
            act=wanted["act"],
            by=caller(),
            priority=wanted.get("priority"),
            due_ms=wanted.get("due_ms"),
        )
        self._check_time(order)
        mark = key.fingerprint if key else order.id
        ids = wanted.get("ids", [])
        progress = self._acts.take(order, mark, match=wanted.get("match", {}), ids=ids)
        if ids:
            self._acts.run(order.id, self._wanted)
            return act_serializer.progress(self._acts.progress(order.id), ACT.ignored(body))
        return act_serializer.progress(self._going_on(progress), ACT.ignored(body))

    def show(self, order_id: str) -> Response:
        """Return the progress of an act."""
        return act_serializer.progress(self._going_on(self._acts.progress(plausible(order_id))))

    def stop(self, order_id: str) -> Response:
        """Stop an act."""
        return act_serializer.progress(self._acts.stop(plausible(order_id)))

    def _going_on(self, progress: Progress) -> Progress:
        """Return the progress, and make sure that a thread works on the act."""
        if progress.status in _GOES_ON:
            arguments = (progress.order.id,)
            # A daemon: when this process ends, the next request for the act resumes it.
            threading.Thread(target=self._run, args=arguments, name="acts", daemon=True).start()
        return progress

    def _run(self, order_id: str) -> None:
        try:
            self._acts.run(order_id, self._wanted)
        except (LogUnavailable, StoreUnavailable) as error:
            logger.warning("act on many calls interrupted: %s", error)
        except Exception:
            logger.exception("act on many calls failed")

    def _wanted(self, old: Call, order: Order) -> NewCall:
        """Return the call that an order makes of one. Raise CallRefused."""
        changes = {} if order.priority is None else {"priority": str(order.priority)}
        if order.due_ms is not None:
            changes["scheduleAt"] = iso(order.due_ms)
        # Who may not lift the rules may not choose when a call rings without them.
        chooses = order.act is Act.AGAIN or order.due_ms is not None
        if chooses and (fault := self._overrides.fault(old, order.by)):
            raise CallRefused(fault)
        try:
            new = call_schemas.CHANGE.merged(old, changes)
        except ValidationError as error:
            raise CallRefused(_words(error.messages_dict)) from None
        if found := self._placeable.faults([new.call]):
            raise CallRefused(_words(found[0]))
        if new.call.not_after and (text := placeable.too_soon(new, self._queue.now_ms())):
            raise CallRefused(_words({"notAfter": [text]}))
        return new

    def _check_time(self, order: Order) -> None:
        if order.due_ms is None:
            return
        # Only the time is checked, so any call will do.
        new = NewCall(call=Call(to="+10000000", message=""), due_ms=order.due_ms)
        if found := placeable.untimely([new], self._queue.now_ms(), self._past_grace_ms):
            raise ValidationError(dict(found[0]))


def _words(found: Mapping[str, Sequence[str]]) -> str:
    return " ".join(f"{name}: {' '.join(texts)}" for name, texts in found.items())
