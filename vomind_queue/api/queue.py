"""The endpoints about the queue as a whole."""

from __future__ import annotations

from flask import Blueprint, Response, request

from vomind_queue.api import access, answers, schemas
from vomind_queue.api.body import read_object
from vomind_queue.calls import State
from vomind_queue.services import Services


class QueueRoutes:
    """GET /stats and the lists; POST /clean, /pause and /resume."""

    def __init__(self, services: Services) -> None:
        self._control = services.control
        self._queue = services.queue

    def blueprint(self) -> Blueprint:
        """The routes, below the path that the API hangs at."""
        routes = Blueprint("queue", __name__)
        routes.get("/stats")(self.stats)
        for state in State:
            routes.get(f"/{state.value}", defaults={"state": state}, endpoint=state.value)(
                self.page
            )
        routes.post("/clean")(self.clean)
        routes.post("/pause")(self.pause)
        routes.post("/resume")(self.resume)
        return routes

    def stats(self) -> Response:
        """All numbers, read at one moment."""
        return answers.success(answers.stats(self._queue.stats()))

    def page(self, state: State) -> Response:
        """Some jobs of one state, in that state's order."""
        start, end = schemas.PAGE.load(request.args.to_dict())
        return answers.success(answers.page(self._queue.page(state, start, end)))

    def clean(self) -> Response:
        """Removes finished jobs from history, the oldest first."""
        body = read_object()
        removed = self._control.clean(*schemas.CLEAN.load(body))
        return answers.success(answers.cleaned(removed), schemas.CLEAN.ignored(body))

    def pause(self) -> Response:
        """No call starts from now on."""
        body = read_object()
        schemas.BARE.load(body)
        self._control.pause(access.caller())
        return answers.success({"message": "Queue paused"}, schemas.BARE.ignored(body))

    def resume(self) -> Response:
        """Calls start again."""
        body = read_object()
        schemas.BARE.load(body)
        self._control.resume()
        return answers.success({"message": "Queue resumed"}, schemas.BARE.ignored(body))
