"""An emptied Redis rings nobody who is on the do-not-call list: real shipper, worker, simulator."""

from __future__ import annotations

import redis
import requests

from tests.acceptance.conftest import Api
from tests.simulator import SimulatorClient
from tests.stack import Stack, until
from vomind_queue.call_log.sqlite import SqliteLog
from vomind_queue.call_log.sqlite_listings import SqliteListings
from vomind_queue.container.log_services import SQLITE_FILE

LISTED, OTHER = "+15550000001", "+15550000002"


def test_a_redis_that_was_emptied_gets_the_list_back_first(
    fast: Stack, api: Api, phone: SimulatorClient, valkey: redis.Redis
) -> None:
    """The worker restores the list before it places anything; the shipper has ended by then."""
    listings = SqliteListings(SqliteLog(fast.directory / "data" / SQLITE_FILE))
    shipper = fast.start("shipper")
    url = f"{fast.web_url}/api/people/{LISTED}/do-not-call"
    assert requests.put(url, timeout=30).status_code == 200
    until(lambda: listings.after("", 9), within_s=30, what="the log has the list")
    shipper.stop()
    worker = fast.start_worker()
    valkey.flushdb()
    first, second = api.bulk([{"to": LISTED}, {"to": OTHER}])
    assert api.until_state(second, "completed")
    assert api.until_state(first, "failed")["failedReason"].startswith("Do-not-call")
    assert [ring["to"] for ring in phone.rings()] == [OTHER]
    assert "restored" in worker.output
