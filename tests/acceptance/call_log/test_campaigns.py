"""A campaign outlives Redis: real shipper, web process and command."""

from __future__ import annotations

import json

import redis

from tests.acceptance.call_log.test_admin import command
from tests.acceptance.call_log.test_shipper import log_of
from tests.acceptance.conftest import Api
from tests.stack import Stack, until
from vomind_queue.call_log.models import Search
from vomind_queue.queue import keys


def test_a_campaign_is_shown_and_reported_after_redis_was_emptied(
    stack: Stack, valkey: redis.Redis
) -> None:
    """Once the shipper has brought it back; its calls come from the call log."""
    stack.start_web()
    api = Api(stack.queue_url)
    api("POST", "/campaigns", {"name": "Reminders", "pace": "10/m"})
    body = {"calls": [{"to": "+15550000091"}, {"to": "+15550000092"}]}
    api("POST", "/campaigns/1/calls", body)
    api("POST", "/campaigns/1/cancel")
    report = ("campaign", "report", "1", "--json", "--url", stack.web_url)

    def logged() -> bool:
        return valkey.zcard(keys.OUTBOX_CAMPAIGNS) == 0 and log_of(stack).count(Search()) == 2

    shipper = stack.start("shipper")
    until(logged, within_s=60, what="all is in the log")
    shipper.stop()
    valkey.flushdb()
    stack.start("shipper")
    until(lambda: api("GET", "/campaigns")["total"] == 1, within_s=60, what="it is back")
    shown = api("GET", "/campaigns/1")
    assert (shown["state"], shown["data"]["name"], shown["data"]["pace"]) == (
        "cancelled", "Reminders", "10/m",
    )  # fmt: skip
    assert (shown["counts"]["total"], shown["counts"]["cancelled"]) == (2, 2)
    jobs = json.loads(command(stack, *report).stdout)["jobs"]
    assert [job["data"]["to"] for job in jobs] == ["+15550000091", "+15550000092"]
    assert api("POST", "/campaigns", {"name": "Others"})["campaignId"] == "2"
