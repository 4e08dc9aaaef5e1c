"""Flask without what this API does not use: sessions, coroutines, and looking up what is known.

Each part stands where Flask means it to be replaced, and answers byte for byte what Flask's
own answers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, TypeVar, cast

from flask import (
    Flask,
    Request,
    Response,
    appcontext_popped,
    appcontext_pushed,
    appcontext_tearing_down,
    request_finished,
    request_started,
    request_tearing_down,
)
from flask.ctx import AppContext, RequestContext, _AppCtxGlobals
from flask.globals import _cv_app, _cv_request
from flask.sessions import NullSession, SessionInterface
from werkzeug.datastructures import Headers
from werkzeug.exceptions import HTTPException
from werkzeug.routing import MapAdapter, Rule

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

F = TypeVar("F", bound=Callable[..., Any])

#: Who follows these signals wants to be told of each request.
_TOLD = tuple(
    signal.receivers
    for signal in (
        request_tearing_down,
        appcontext_pushed,
        appcontext_popped,
        appcontext_tearing_down,
    )
)

#: Each look at it in its enumeration is a function of Python's own.
_OK = int(HTTPStatus.OK)
#: What a `Question` finds out late.
_FOUND_OUT = frozenset(
    {"scheme", "server", "root_path", "path", "query_string", "headers", "remote_addr"}
)

#: A rule and what it found in the address.
Match = tuple[Rule, dict[str, Any]]


def asked() -> Request:
    """Flask's ``request`` itself: each look through its stand-in takes longer than the look."""
    return _cv_request.get().request


def kept() -> _AppCtxGlobals:
    """Flask's ``g`` itself."""
    return _cv_app.get().g


def notes() -> dict[str, Any]:
    """What stands in it, to look something up that may not be there; empty outside of requests."""
    context = _cv_app.get(None)
    return vars(context.g) if context is not None else {}


class Notes(_AppCtxGlobals):
    """Flask's ``g``; writes without a function of Python's own around each."""

    __setattr__ = object.__setattr__  # type: ignore[assignment]


class Question(Request):
    """A request that finds out what is asked of it, when it is asked."""

    def __init__(
        self, environ: WSGIEnvironment, populate_request: bool = True, shallow: bool = False
    ) -> None:
        self.environ = environ
        self.method = environ.get("REQUEST_METHOD", "GET").upper()
        self.shallow = shallow
        if populate_request and not shallow:
            environ["werkzeug.request"] = self

    def __getattr__(self, name: str) -> Any:
        if name not in _FOUND_OUT:
            raise AttributeError(name)
        # All that werkzeug's own constructor finds out.
        super().__init__(self.environ, populate_request=False, shallow=self.shallow)
        return vars(self)[name]


class Answer(Response):
    """A whole answer with its headers ready, handed over as it is."""

    #: Whether all is as it will be sent: its length is told, and its headers are ASCII.
    is_ready = False
    #: Whether its headers are known to be none but those that all answers have.
    is_ordinary = False

    @classmethod
    def whole(cls, body: bytes, content_type: str) -> Answer:
        """A 200 of one piece, of which werkzeug has nothing to find out."""
        made = cls.__new__(cls)
        # What werkzeug's own constructor leaves behind; it takes four times as long to find it.
        made.headers = Headers.__new__(Headers)
        made.headers._list = [  # noqa: SLF001
            ("Content-Type", content_type),
            ("Content-Length", str(len(body))),
        ]
        made._status, made._status_code = "200 OK", 200  # noqa: SLF001
        made.direct_passthrough = False
        made._on_close = []  # noqa: SLF001
        made.response = [body]
        made.is_ready = True
        return made

    def names(self) -> list[str]:
        """Of its headers, as they are written."""
        return [name for name, _ in self.headers._list]  # noqa: SLF001

    def add_headers(self, headers: Iterable[tuple[str, str]]) -> None:
        """Headers of ours, of names that are not there: nothing is looked at in them."""
        self.headers._list.extend(headers)  # noqa: SLF001

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """As werkzeug's, which first looks for an address to mend and a length to find out.

        What is whole is a list.
        """
        plain = self.is_ready and self._status_code == _OK and not self._on_close
        if plain and environ["REQUEST_METHOD"] != "HEAD":
            start_response(self._status, self.headers._list.copy())  # noqa: SLF001
            return cast(list[bytes], self.response)
        pieces = super().__call__(environ, start_response)
        if not self.is_sequence:
            return pieces
        try:
            return list(pieces)
        finally:
            self.close()


class Api(Flask):
    """The application; finds most routes by their address alone."""

    app_ctx_globals_class = Notes
    request_class = Question
    response_class = Answer

    def __init__(self, name: str) -> None:
        super().__init__(name, static_folder=None, template_folder=None)
        self.session_interface = _NoSessions()
        self._plain: bool | None = None
        #: Matches of addresses without variable parts, by method and path.
        self._fixed: dict[tuple[str, str], Match] | None = None

    def ensure_sync(self, func: F) -> F:
        """Nothing here is a coroutine."""
        return func

    def wsgi_app(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """As Flask's, where nobody wants to be told that a request begins or is over."""
        if self._is_torn_down() or "werkzeug.debug.preserve_context" in environ:
            return super().wsgi_app(environ, start_response)
        context = RequestContext(self, environ)
        context._session = _NoSessions.none  # noqa: SLF001
        before = _cv_app.set(AppContext(self)), _cv_request.set(context)
        try:
            if context.url_adapter is not None:
                context.match_request()
            try:
                response = self.full_dispatch_request()
            except Exception as error:  # noqa: BLE001  (Flask's own way)
                response = self.handle_exception(error)
            return response(environ, start_response)
        finally:
            if "files" in vars(context.request):
                context.request.close()
            # Each holds the other.
            environ["werkzeug.request"] = None
            _cv_app.reset(before[0])
            _cv_request.reset(before[1])

    def _is_torn_down(self) -> bool:
        """Whether somebody is to be told when a context comes or goes."""
        nested = _cv_app.get(None)
        if self.teardown_request_funcs or self.teardown_appcontext_funcs or nested:
            return True
        return any(_TOLD)

    def full_dispatch_request(self) -> Response:
        """As Flask's, where nobody but the whole application goes before and behind requests."""
        request = asked()
        rule = request.url_rule
        if rule is None or request.method == "OPTIONS" or self._is_listened_to():
            return super().full_dispatch_request()
        self._got_first_request = True
        answer: Any
        try:
            for before in self.before_request_funcs[None]:
                if (answer := before()) is not None:
                    break
            else:
                answer = self.view_functions[rule.endpoint](**(request.view_args or {}))
        except Exception as error:  # noqa: BLE001  (Flask's own way)
            answer = self.handle_user_exception(error)
        response = answer if type(answer) is Answer else self.make_response(answer)
        for after in reversed(self.after_request_funcs[None]):
            response = after(response)
        return response

    def _is_listened_to(self) -> bool:
        """Whether rooms have hooks of their own, or somebody follows Flask's signals."""
        if self._plain is None:
            hooks = (
                self.before_request_funcs,
                self.after_request_funcs,
                self.url_value_preprocessors,
            )
            self._plain = not any(room is not None for each in hooks for room in each)
        return not self._plain or bool(request_started.receivers or request_finished.receivers)

    def create_url_adapter(self, request: Request | None) -> Any:
        """An adapter that looks into `fixed` first."""
        if request is not None and "HTTP_UPGRADE" not in request.environ:
            return _Finder(self, request)
        if request is None and self.config["SERVER_NAME"] is None:
            # As Flask itself finds.
            return None
        return super().create_url_adapter(request)

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

    none = NullSession()

    def open_session(self, app: Flask, request: Request) -> NullSession:  # noqa: ARG002
        return self.none
