"""Raise what a script refused, in words."""

from __future__ import annotations

from typing import Any, NoReturn

from vomind_queue.calls.call import State
from vomind_queue.errors import (
    CampaignNotFound,
    JobNotFound,
    NotOverriding,
    WrongCampaignState,
    WrongState,
)
from vomind_queue.queue.codes import Code

NOT_RETRIED = "Only failed calls can be retried; call {id} is {state}."


def contended(job_id: str, state: str) -> WrongState:
    """Return the error of a change that others were faster than, each time."""
    text = f"Call {job_id} is being changed by others: try again."
    return WrongState(text, job_id=job_id, state=state)


def refuse_calls(campaign_id: str, state: str) -> NoReturn:
    """Raise CampaignNotFound or WrongCampaignState: it takes no calls."""
    if state == "deleted":
        raise CampaignNotFound(campaign_id)
    raise WrongCampaignState(f"Campaign {campaign_id} is {state}; it takes no calls.")


def cancelled(answer: list[Any], job_id: str) -> State:
    """Return the state a call was in. Raise JobNotFound, WrongState."""
    wording = "Call {id} is being placed and cannot be cancelled any more."
    if answer[0] == Code.WRONG_STATE and answer[2] != State.ACTIVE:
        wording = "Call {id} has ended ({state}); there is nothing to cancel."
    refuse(answer, job_id, wording)
    return State(answer[2])


def refuse_retry(answer: list[Any], job_id: str, by: str) -> None:
    """Raise JobNotFound, WrongState or NotOverriding where a call is not tried again."""
    refuse(answer, job_id, NOT_RETRIED)
    if answer[0] == Code.LIFTED:
        raise NotOverriding(by)
    if answer[0] == Code.CAMPAIGN:
        text = f"Campaign {answer[2]} of call {job_id} is {answer[3]}; its calls are not placed."
        raise WrongState(text, job_id=job_id, state=State.FAILED)


def refuse(answer: list[Any], job_id: str, wording: str) -> None:
    """Raise JobNotFound, or WrongState with ``wording``."""
    if answer[0] == Code.MISSING:
        raise JobNotFound(job_id)
    if answer[0] == Code.WRONG_STATE:
        state = answer[2]
        raise WrongState(wording.format(id=job_id, state=state), job_id=job_id, state=state)
