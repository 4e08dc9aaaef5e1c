"""The number that calls come from: what was used is known, whatever the settings say by now."""

from __future__ import annotations

from tests.acceptance.conftest import Api, number
from tests.simulator import SimulatorClient
from tests.stack import Stack, until

HERE, THERE = "+15005550006", "+4930123456"


def test_a_call_rings_once_though_the_number_that_it_comes_from_changes(
    fast: Stack, api: Api, phone: SimulatorClient
) -> None:
    """Its answer is lost and everything restarts with another default: the first ring is found."""
    worker = fast.start_worker(TWILIO_PHONE_NUMBER=HERE)
    phone.faults({"fault": "list_lag", "ms": 1_500}, {"fault": "drop", "when": "after", "times": 1})
    job_id = api.schedule(number(1))
    until(lambda: phone.rings(number(1)), within_s=30, what="the phone rings")
    worker.kill()
    fast.start_worker(TWILIO_PHONE_NUMBER=THERE)
    job = api.until_state(job_id, "completed")
    (ring,) = phone.rings(number(1))
    assert ring["parameters"]["From"] == HERE
    assert (job["call"]["sid"], job["call"]["from"]) == (ring["sid"], HERE)


def test_a_ring_from_a_number_of_another_program_is_not_taken_for_the_call(
    fast: Stack, api: Api, phone: SimulatorClient
) -> None:
    """The request never reached Twilio, and a colleague rang the same person: it rings later."""
    fast.start_worker()
    phone.faults({"fault": "drop", "when": "before", "times": 1})
    job_id = api.schedule(number(1))
    until(lambda: api.job(job_id)["reconciledBy"], within_s=30, what="the outcome is unknown")
    phone.create(number(1), From=THERE)
    job = api.until_state(job_id, "completed")
    colleague, ours = phone.rings(number(1))
    assert (colleague["parameters"]["From"], ours["parameters"]["From"]) == (THERE, HERE)
    assert job["call"]["sid"] == ours["sid"]


def test_a_call_comes_from_the_number_for_its_country(
    fast: Stack, api: Api, phone: SimulatorClient
) -> None:
    """Others come from the first one of the list."""
    fast.start_worker(TWILIO_PHONE_NUMBERS=f"{HERE},{THERE}", FROM_BY_COUNTRY=f"DE={THERE}")
    jobs = {to: api.schedule(to) for to in ("+493055512345", "+43155512345", number(1))}
    shown = {to: api.until_state(job, "completed")["call"]["from"] for to, job in jobs.items()}
    assert list(shown.values()) == [THERE, HERE, HERE]
    assert {ring["to"]: ring["parameters"]["From"] for ring in phone.rings()} == shown


def test_a_call_comes_from_the_number_that_it_names(fast: Stack, phone: SimulatorClient) -> None:
    """Of those that are set; others are refused, and a call that outlived its number fails."""
    both = {"TWILIO_PHONE_NUMBER": "", "TWILIO_PHONE_NUMBERS": f"{HERE},{THERE}"}
    fast.start_web(**both)
    api = Api(fast.queue_url)
    refused = api.ask("POST", "/schedule-call", {"to": number(1), "from": "+4930999999"})
    assert (refused.status_code, list(refused.json()["errors"])) == (422, ["from"])
    assert f"{HERE} or {THERE}" in refused.json()["errors"]["from"][0]
    worker = fast.start_worker(**both)
    own = {"from": THERE, "metadata": {"from": HERE}}
    job_id = api.schedule(number(1), **own)
    assert api("GET", f"/job/{job_id}/why")["from"] == THERE
    assert api.until_state(job_id, "completed")["call"]["from"] == THERE
    usual = api.schedule(number(2), metadata={"from": THERE})
    assert api.until_state(usual, "completed")["call"]["from"] == HERE
    worker.kill()
    left = api.schedule(number(3), **own)
    fast.start_worker(TWILIO_PHONE_NUMBER=HERE)
    failed = api.until_state(left, "failed")
    assert "TWILIO_PHONE_NUMBERS does not list" in failed["failedReason"]
    assert THERE not in failed["failedReason"]
    senders = {ring["to"]: ring["parameters"]["From"] for ring in phone.rings()}
    assert senders == {number(1): THERE, number(2): HERE}
