"""Flask without what this API does not use: sessions, coroutines, and looking up what is known.

Each part stands where Flask means it to be replaced, and answers byte for byte what Flask's
own answers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, TypeVar, cast

from flask import Flask, Request, Response
from flask.sessions import NullSession, SessionInterface
from werkzeug.exceptions import HTTPException
from werkzeug.routing import MapAdapter, Rule

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

F = TypeVar("F", bound=Callable[..., Any])

#: A rule and what it found in the address.
Match = tuple[Rule, dict[str, Any]]


class Answer(Response):
    """A whole answer with its headers ready, handed over as it is."""

    @classmethod
    def whole(cls, body: bytes, content_type: str) -> Answer:
        """A 200 of one piece, of which werkzeug has nothing to find out."""
        headers = [("Content-Type", content_type), ("Content-Length", str(len(body)))]
        return cls([body], headers=headers)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """As werkzeug's, which first looks for an address to mend and a length to find out.

        What is whole is a list.
        """
        body = self.response
        plain = self._status_code == HTTPStatus.OK and type(body) is list and not self._on_close
        if plain and environ["REQUEST_METHOD"] != "HEAD":
            start_response(self._status, self.headers.to_wsgi_list())
            return cast(list[bytes], body)
        pieces = super().__call__(environ, start_response)
        if not self.is_sequence:
            return pieces
        try:
            return list(pieces)
        finally:
            self.close()


class Api(Flask):
    """The application; finds most routes by their address alone."""

    response_class = Answer

    def __init__(self, name: str) -> None:
        super().__init__(name, static_folder=None, template_folder=None)
        self.session_interface = _NoSessions()
        #: Matches of addresses without variable parts, by method and path.
        self._fixed: dict[tuple[str, str], Match] | None = None

    def ensure_sync(self, func: F) -> F:
        """Nothing here is a coroutine."""
        return func

    def create_url_adapter(self, request: Request | None) -> Any:
        """An adapter that looks into `fixed` first."""
        if request is None or "HTTP_UPGRADE" in request.environ:
            return super().create_url_adapter(request)
        return _Finder(self, request)

    def fixed(self) -> dict[tuple[str, str], Match]:
        """What werkzeug finds at each address without variable parts."""
        if self._fixed is None:
            found = {}
            adapter = self.url_map.bind("localhost")
            for rule in self.url_map.iter_rules():
                for method in rule.methods or ():
                    if not rule.arguments - set(rule.defaults or ()):
                        found[method, rule.rule] = _match(adapter, rule.rule, method)
            self._fixed = {key: match for key, match in found.items() if match}
        return self._fixed

    def real_adapter(self, request: Request) -> MapAdapter:
        """Flask's own."""
        return cast(MapAdapter, super().create_url_adapter(request))


class _Finder:
    """Stands for a request's adapter, and makes it only where it is needed."""

    def __init__(self, app: Api, request: Request) -> None:
        self._app, self._request = app, request

    def match(self, **options: Any) -> Match:
        environ = self._request.environ
        found = self._app.fixed().get((environ["REQUEST_METHOD"], environ["PATH_INFO"]))
        if found is None:
            return self._app.real_adapter(self._request).match(**options)
        rule, arguments = found
        return rule, arguments.copy()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._app.real_adapter(self._request), name)


def _match(adapter: MapAdapter, path: str, method: str) -> Match | None:
    try:
        rule, arguments = adapter.match(path, method, return_rule=True)
    except HTTPException:
        return None
    return rule, dict(arguments)


class _NoSessions(SessionInterface):
    """Requests have no session, all of them the same one."""

    _none = NullSession()

    def open_session(self, app: Flask, request: Request) -> NullSession:  # noqa: ARG002
        return self._none
