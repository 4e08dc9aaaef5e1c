"""The simulator, put together."""

from __future__ import annotations

from simulator.account_api import AccountApi
from simulator.accounts import Accounts
from simulator.book import Book
from simulator.callbacks import Callbacks
from simulator.calls_api import CallsApi
from simulator.control import Control
from simulator.courses import Courses
from simulator.door import Door
from simulator.faults import Faults
from simulator.mishaps import Troubles
from simulator.wire import Reply, Request


class Simulator:
    """Listening simulator; it ends with its process."""

    def __init__(self, door: Door, side_door: Door | None) -> None:
        self._door = door
        self._side_door = side_door

    @property
    def url(self) -> str:
        """Address of the Calls API and of the control."""
        return _url(self._door)

    @property
    def control_url(self) -> str:
        """Address at which the control answers even while connections are refused."""
        return _url(self._side_door or self._door)


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
    callbacks = Callbacks(troubles)
    control = Control(book, faults, courses, troubles, callbacks)
    known = accounts or Accounts()
    api, account = CallsApi(book, faults, known, courses, callbacks), AccountApi(known)

    def handle(request: Request) -> Reply:
        if request.path.startswith("/simulator/"):
            return control.answer(request)
        return (account if account.knows(request.path) else api).answer(request)

    door = Door(host, port, handle)
    side_door = None if control_port is None else Door(host, control_port, control.answer)
    control.watch(door, has_side_door=side_door is not None)
    door.open()
    if side_door:
        side_door.open()
    return Simulator(door, side_door)


def _url(door: Door) -> str:
    host, port = door.address
    return f"http://{host}:{port}"
