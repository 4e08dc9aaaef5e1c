"""Errors that the product raises on purpose; two more are `DialerUnavailable` and `CronError`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any


class VomindError(Exception):
    """Base of every error of this package; its text is for people."""


class SettingsError(VomindError):
    """A setting is missing or has a value that is not allowed."""


class QueueError(VomindError):
    """A request that the queue refuses."""


class JobNotFound(QueueError):
    """No job has that id."""

    def __init__(self, job_id: str) -> None:
        super().__init__(f"No such job: {job_id}.")
        self.job_id = job_id


class WrongState(QueueError):
    """The job is in a state in which the request cannot be carried out."""

    def __init__(self, message: str, *, job_id: str, state: str) -> None:
        super().__init__(message)
        self.job_id = job_id
        self.state = state


class ExpiresTooSoon(QueueError):
    """A call's latest start would lie before the time at which it is due."""


class CallRefused(Exception):
    """This service does not place a call, or not so."""


class NumberListed(CallRefused):
    """The number is on the do-not-call list."""

    def __init__(self) -> None:
        super().__init__("Must be a number that may be called; it is on the do-not-call list.")


class NotOverriding(CallRefused):
    """Rules are lifted for the call, and this API key must not say when it rings."""

    def __init__(self, by: str, field: str = "override") -> None:
        super().__init__(f"{field}: Must be sent with an API key named in OVERRIDE_KEYS; got {by}.")


class NumberNotListed(QueueError):
    """The number is not on the do-not-call list."""

    def __init__(self) -> None:
        super().__init__("That number is not on the do-not-call list.")


class WrongRefusalTime(QueueError):
    """A refusal lies in the future, or longer ago than any pause lasts."""

    def __init__(self) -> None:
        super().__init__("Must be a time within the last 90 days.")


class NeverRefused(QueueError):
    """No refusal of the person is known."""

    def __init__(self) -> None:
        super().__init__("No refusal of that person is known.")


class NoRules(QueueError):
    """No calling rules are set, so that no day can be closed."""

    def __init__(self) -> None:
        super().__init__("No calling rules are set (CALLING_RULES), so no day can be closed.")


class TooManyDays(QueueError):
    """There is no room for another closed day."""

    def __init__(self) -> None:
        super().__init__("Too many days are closed; remove some that have passed.")


class DayNotClosed(QueueError):
    """The day was not closed at run time."""

    def __init__(self) -> None:
        super().__init__(
            "No such closed day. Those of the setting CLOSED_DAYS cannot be removed here."
        )


class WebhookNotFound(QueueError):
    """No subscription has that id."""

    def __init__(self) -> None:
        super().__init__("No such webhook.")


class WebhooksFull(QueueError):
    """There are as many subscriptions as there may be."""

    def __init__(self, most: int) -> None:
        super().__init__(f"There are {most:,} webhooks already; remove one first.")


class ReplayTooEarly(QueueError):
    """The event from which a webhook was to be delivered again is not kept any more."""

    def __init__(self, first: int) -> None:
        super().__init__(f"Events before {first} are not kept any more.")


class KeyReused(QueueError):
    """The idempotency key was sent before with another request."""


class ScheduleChanged(QueueError):
    """A recurring call was changed, or a tick of it fired, since it was read.

    ``last_run_ms`` is the last tick that was handled, unix ms; the next one comes after it.
    """

    def __init__(self, message: str, *, last_run_ms: int = 0) -> None:
        super().__init__(message)
        self.last_run_ms = last_run_ms


class ScheduleUnreadable(QueueError):
    """The record of a recurring call cannot be read by this version."""


class ScheduleExists(QueueError):
    """Another recurring call has that number, pattern and zone."""


class CampaignNotFound(QueueError):
    """No campaign has that id."""

    def __init__(self, campaign_id: str) -> None:
        super().__init__(f"No such campaign: {campaign_id}.")


class ListNotFound(QueueError):
    """No list of that campaign has that id; lists are kept for a day."""

    def __init__(self, list_id: str) -> None:
        super().__init__(f"No such list: {list_id}. Lists are kept for a day.")


class ListBusy(QueueError):
    """A large list is being read or accepted."""

    def __init__(self, list_id: str) -> None:
        super().__init__(f"List {list_id} is being read or accepted: try again later.")


class ListNotRead(QueueError):
    """A list is still being read, or cannot be read: nothing can be accepted of it."""


class TooManyLists(QueueError):
    """There is no room for another list."""


class WrongCampaignState(QueueError):
    """The campaign is in a state in which the request cannot be carried out."""


class StoreUnavailable(VomindError):
    """Redis cannot be reached, did not answer in time or cannot take the command.

    ``outcome_unknown`` is true when the command may have been carried out all
    the same, because only its reply was lost.
    """

    def __init__(self, message: str, *, outcome_unknown: bool = False) -> None:
        super().__init__(message)
        self.outcome_unknown = outcome_unknown


class StoreFull(StoreUnavailable):
    """Redis has no memory left for the command; the text says what to do."""


class StoreUnsuitable(VomindError):
    """The Redis server cannot hold calls safely as it is set up."""


class LogUnavailable(VomindError):
    """The call log cannot be reached, or is not set up to take or to show anything.

    The text names no person: it is logged.
    """


def leaves(errors: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Yield all messages of a refusal with their paths, such as ``calls[3].to``."""
    if isinstance(errors, Mapping):
        for name, inner in errors.items():
            yield from leaves(inner, _below(path, str(name)))
    elif isinstance(errors, list):
        for message in errors:
            yield path, str(message)


def _below(path: str, name: str) -> str:
    if name == "_schema":
        return path
    if name.isdigit():
        return f"{path}[{name}]"
    return f"{path}.{name}" if path else name
