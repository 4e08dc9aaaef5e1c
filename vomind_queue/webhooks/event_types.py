"""The types of events, and which entry of the outbox becomes which."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

#: The event that an app asks for to try its receiver; only that subscription gets it.
TEST = "webhook.test"

#: What an entry about a call becomes. Of the others: `type_of`.
_CALL: Mapping[str, str] = {
    "accepted": "call.accepted",
    "put_off": "call.held",
    "started": "call.started",
    "completed": "call.placed",
    "revived": "call.placed",
    "refused": "call.retrying",
    "in_doubt": "call.unknown",
    "line_ended": "call.ended",
    "failed": "call.failed",
    "cancelled": "call.cancelled",
    "recorded": "call.recorded",
    "changed": "call.changed",
    "retried": "call.retried",
}
#: The same for what Twilio says of a call that is on the line.
_LINE: Mapping[str, str] = {"ringing": "call.ringing", "in-progress": "call.answered"}

#: All types, in the order of a call's life.
TYPES: Mapping[str, str] = {
    "call.accepted": "The call was stored.",
    "call.changed": "Somebody changed the call.",
    "call.held": "A calling rule keeps it from ringing now.",
    "call.started": "Twilio is being asked to place it.",
    "call.placed": "Twilio accepted it.",
    "call.ringing": "The phone rings.",
    "call.answered": "A person or a machine picked up.",
    "call.ended": "The call is over on the line.",
    "call.priced": "Twilio reported its price.",
    "call.recorded": "Its recording is ready.",
    "call.retrying": "An attempt failed; there will be another.",
    "call.unknown": "An attempt has no clear outcome and is looked up at Twilio.",
    "call.failed": "It was given up.",
    "call.retried": "Somebody gave a failed call a new set of attempts.",
    "call.cancelled": "It was taken out of the queue.",
    "campaign.started": "Its calls start for the first time.",
    "campaign.paused": "None of its calls starts any more.",
    "campaign.resumed": "Its calls start again.",
    "campaign.finished": "Nothing more is to come of it, or its end has come.",
    "campaign.cancelled": "It was cancelled, with its calls that had not started.",
    "recurring.created": "A recurring call was stored.",
    "recurring.changed": "Somebody changed it.",
    "recurring.paused": "It makes no calls until it is resumed.",
    "recurring.resumed": "It makes calls again.",
    "recurring.skipped": "A run was left out, as the one before was not over.",
    "recurring.missed": "Runs were left out, as it was too late for them.",
    "recurring.removed": "It was removed.",
    "person.opted_out": "The person pressed the key against further calls.",
    "person.listed": "A number was put on the do-not-call list.",
    "person.unlisted": "A number was taken off it.",
    "queue.paused": "No call starts any more.",
    "queue.resumed": "Calls start again.",
    TEST: "You asked for it.",
}


def type_of(kind: str, details: Mapping[str, Any]) -> str | None:
    """Return what an entry about a call becomes; ``None`` where apps are told nothing."""
    if kind != "line":
        return _CALL.get(kind)
    if found := _LINE.get(str(details.get("status"))):
        return found
    return "call.priced" if "price" in details else None


def is_wanted(event_type: str, wanted: Sequence[str]) -> bool:
    """Return whether a type is among those wanted, such as ``call.ended`` or ``call.*``.

    An empty list wants all.
    """
    area = event_type.partition(".")[0]
    return not wanted or event_type in wanted or f"{area}.*" in wanted


def patterns() -> Sequence[str]:
    """Return all that may be wanted: each type, and each area as a whole."""
    areas = dict.fromkeys(f"{each.partition('.')[0]}.*" for each in TYPES if each != TEST)
    return [*(each for each in TYPES if each != TEST), *areas]
