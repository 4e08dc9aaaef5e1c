"""The simulator, put together."""

from __future__ import annotations

from simulator.account_api import AccountApi
from simulator.accounts import Accounts
from simulator.book import Book
from simulator.callbacks import Callbacks
from simulator.calls_api import CallsApi
from simulator.control import Control
from simulator.courses import Courses
from simulator.faults import Faults
from simulator.http1 import Reply, Request
from simulator.listener import Listener
from simulator.mishaps import Troubles


class Simulator:
    """Listening simulator; it ends with its process."""

    def __init__(self, listener: Listener, control_listener: Listener | None) -> None:
        self._listener = listener
        self._control_listener = control_listener

    @property
    def url(self) -> str:
        """Address of the Calls API and of the control."""
        return _url(self._listener)

    @property
    def control_url(self) -> str:
        """Address at which the control answers even while connections are refused."""
        return _url(self._control_listener or self._listener)


def create_simulator(
    *,
    host: str = "127.0.0.1",
    port: int = 3001,
    control_port: int | None = None,
    accounts: Accounts | None = None,
) -> Simulator:
    """Start to listen; port 0 takes a free one. Raise OSError when a port is in use."""
    book, faults = Book(), Faults()
    courses, troubles = Courses(), Troubles()
    callbacks = Callbacks(book, troubles)
    control = Control(book, faults, courses, troubles, callbacks)
    known = accounts or Accounts()
    api, account = CallsApi(book, faults, known, courses, callbacks), AccountApi(known)

    def handle(request: Request) -> Reply:
        if request.path.startswith("/simulator/"):
            return control.answer(request)
        return (account if account.knows(request.path) else api).answer(request)

    listener = Listener(host, port, handle)
    control_listener = (
        None if control_port is None else Listener(host, control_port, control.answer)
    )
    control.watch(listener, has_control_listener=control_listener is not None)
    listener.open()
    if control_listener:
        control_listener.open()
    return Simulator(listener, control_listener)


def _url(listener: Listener) -> str:
    host, port = listener.address
    return f"http://{host}:{port}"
