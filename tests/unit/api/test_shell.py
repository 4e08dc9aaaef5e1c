"""Flask without what the API does not use, beside Flask itself: the same answers, byte for byte."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from flask import Blueprint, Flask, Request, Response, abort, g, request, request_finished
from werkzeug.exceptions import HTTPException
from werkzeug.test import EnvironBuilder, run_wsgi_app

from vomind_queue.api.shell import Answer, Api, Question

REQUESTS: dict[str, dict[str, Any]] = {
    "fixed": {"path": "/rooms/fixed"},
    "fixed with a query": {"path": "/rooms/fixed", "query_string": "a=1"},
    "doubled slash": {"path": "/rooms//fixed"},
    "slash behind": {"path": "/rooms/fixed/"},
    "defaults": {"path": "/rooms/first"},
    "variable": {"path": "/rooms/each/7%20x"},
    "number": {"path": "/rooms/number/7"},
    "no number": {"path": "/rooms/number/x"},
    "post": {"path": "/rooms/fixed", "method": "POST", "data": b"{}"},
    "head": {"path": "/rooms/fixed", "method": "HEAD"},
    "options": {"path": "/rooms/fixed", "method": "OPTIONS"},
    "wrong method": {"path": "/rooms/fixed", "method": "PUT"},
    "odd method": {"path": "/rooms/fixed", "method": "get"},
    "nothing there": {"path": "/elsewhere"},
    "upgrade": {
        "path": "/rooms/fixed",
        "headers": {"Connection": "upgrade", "Upgrade": "websocket"},
    },
    "refused before": {"path": "/rooms/fixed", "headers": {"X-Refuse": "1"}},
    "answered before": {"path": "/rooms/fixed", "headers": {"X-Answer": "1"}},
    "aborted": {"path": "/rooms/abort"},
    "broken": {"path": "/rooms/broken"},
    "no content": {"path": "/rooms/empty"},
    "text": {"path": "/rooms/text"},
    "pieces": {"path": "/rooms/pieces"},
    "elsewhere": {"path": "/rooms/moved"},
    "odd address": {"path": "/rooms/odd"},
    "another host": {"path": "/rooms/fixed", "headers": {"Host": "a.example:8080"}},
    "no host": {"path": "/rooms/fixed", "headers": {"Host": "<>"}},
}


def furnish(app: Flask) -> Flask:
    """The same routes and hooks for both."""
    app.url_map.merge_slashes = False
    rooms = Blueprint("rooms", __name__)

    def fixed() -> Response:
        return Response(f"{request.method} {request.endpoint}".encode(), content_type="text/x")

    rooms.route("/fixed", methods=["GET", "POST"])(fixed)
    rooms.get("/first", defaults={"name": "first"}, endpoint="first")(lambda name: name)
    rooms.get("/each/<name>")(lambda name: name)
    rooms.get("/number/<int:name>", endpoint="number")(lambda name: str(name + 1))
    rooms.get("/abort", endpoint="abort")(lambda: abort(409, "no"))
    rooms.get("/broken", endpoint="broken")(lambda: 1 // 0)
    rooms.get("/empty", endpoint="empty")(lambda: ("", 204))
    rooms.get("/text", endpoint="text")(lambda: ("wörds", 201, {"X-More": "1"}))
    rooms.get("/pieces", endpoint="pieces")(lambda: Response(pieces()))
    rooms.get("/moved", endpoint="moved")(lambda: Response(status=302, headers={"Location": "/a"}))
    rooms.get("/odd", endpoint="odd")(lambda: Response(b"", headers={"Location": "/ä b"}))
    app.register_blueprint(rooms, url_prefix="/rooms")
    app.before_request(before)
    app.after_request(behind)
    app.after_request(last)
    app.register_error_handler(Exception, problem)
    return app


def pieces() -> Iterator[bytes]:
    """A body that is made piece by piece."""
    yield b"a"
    yield b"b"


def before() -> Response | None:
    """Goes before every request."""
    g.seen = "seen"
    if "X-Refuse" in request.headers:
        raise ValueError("refused")
    return Response(b"early") if "X-Answer" in request.headers else None


def behind(response: Response) -> Response:
    """Goes behind every request, the later one first."""
    response.headers["X-Order"] = response.headers.get("X-Order", "") + "behind"
    return response


def last(response: Response) -> Response:
    """Goes before `behind`."""
    response.headers["X-Order"] = "last " + g.seen
    return response


def problem(error: Exception) -> Response:
    """Every error's answer."""
    if isinstance(error, HTTPException):
        return Response(f"{error.code} {error.description}", error.code)
    return Response(f"{type(error).__name__} {error}", 500)


def answer(app: Flask, asked: dict[str, Any]) -> tuple[str, list[tuple[str, str]], bytes]:
    """Status, headers and body, as a server gets them."""
    environ = EnvironBuilder(**asked).get_environ()
    body, status, headers = run_wsgi_app(app, environ)
    # The methods are a set, in no order.
    ordered = [
        (name, "".join(sorted(value)) if name == "Allow" else value) for name, value in headers
    ]
    return status, sorted(ordered), b"".join(body)


@pytest.mark.parametrize("name", REQUESTS)
def test_answers_are_flasks(name: str) -> None:
    """Those of fixed addresses and of all that goes wrong."""
    asked = REQUESTS[name]
    flask = furnish(Flask("tested", static_folder=None, template_folder=None))
    assert answer(furnish(Api("tested")), asked) == answer(flask, asked)


def test_hooks_of_a_room_are_kept() -> None:
    """They are Flask's own business."""
    app = Api("tested")
    room = Blueprint("room", __name__)
    room.get("/here", endpoint="here")(lambda: "here")
    room.after_request(behind)
    app.register_blueprint(room)
    assert ("X-Order", "behind") in answer(app, {"path": "/here"})[1]


def test_who_listens_to_flask_is_told() -> None:
    """As by its signal of finished requests."""
    app, heard = furnish(Api("tested")), []

    def hear(_sender: Flask, response: Response, **_: Any) -> None:
        heard.append(response.status_code)

    with request_finished.connected_to(hear, app):
        answer(app, {"path": "/rooms/fixed"})
    answer(app, {"path": "/rooms/fixed"})
    assert heard == [200]


def test_what_is_whole_is_handed_over_as_a_list() -> None:
    """A server sends it in one piece."""
    app = furnish(Api("tested"))
    app.add_url_rule("/whole", view_func=lambda: Answer.whole(b"{}", "application/json"))
    environ = EnvironBuilder(path="/whole").get_environ()
    given: list[Any] = []
    body = app(environ, lambda status, headers, _=None: given.extend([status, headers]))
    assert body == [b"{}"]
    assert given[0] == "200 OK"
    assert ("Content-Length", "2") in given[1]


@pytest.mark.parametrize("name", REQUESTS)
def test_a_question_knows_what_flasks_request_knows(name: str) -> None:
    """However late it is asked for it."""
    environ = EnvironBuilder(**REQUESTS[name]).get_environ()
    theirs, ours = Request(environ), Question(environ)
    for known in vars(theirs):
        assert getattr(ours, known) == getattr(theirs, known)
    assert (ours.full_path, ours.args) == (theirs.full_path, theirs.args)
    assert environ["werkzeug.request"] is ours
    assert not hasattr(ours, "nothing")
    assert "werkzeug.request" not in vars(Question({}, shallow=True))["environ"]
