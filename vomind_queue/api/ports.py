"""What the API needs of the rest of the product; ``services.Services`` fits it."""

from __future__ import annotations

from typing import Protocol

from vomind_queue.api.flood import Book
from vomind_queue.config.settings import Settings
from vomind_queue.control import Control
from vomind_queue.dialer.webhooks import Postmark
from vomind_queue.history import History
from vomind_queue.meters import MeterReader
from vomind_queue.oversight import Oversight
from vomind_queue.recurring import Recurring
from vomind_queue.reporting import Reporting
from vomind_queue.scheduling import Scheduling


class Services(Protocol):
    """The parts that answer requests."""

    @property
    def settings(self) -> Settings:
        """What was set."""
        ...

    @property
    def scheduling(self) -> Scheduling:
        """Takes calls in."""
        ...

    @property
    def history(self) -> History:
        """Looks into the call log."""
        ...

    @property
    def recurring(self) -> Recurring:
        """Takes recurring calls in, shows and changes them."""
        ...

    @property
    def control(self) -> Control:
        """Looks and acts."""
        ...

    @property
    def oversight(self) -> Oversight:
        """Tells how the queue stands and why."""
        ...

    @property
    def meters(self) -> MeterReader:
        """Tells what is measured."""
        ...

    @property
    def floods(self) -> Book:
        """Counts requests."""
        ...

    @property
    def reporting(self) -> Reporting:
        """Takes in what Twilio reports."""
        ...

    @property
    def postmark(self) -> Postmark | None:
        """Tells Twilio's requests from others; ``None`` while none is expected."""
        ...
