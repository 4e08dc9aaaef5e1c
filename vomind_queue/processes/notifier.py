"""The notifier process: it delivers events to webhooks, and serves the live stream.

``python -m vomind_queue.processes.notifier`` starts it. Several may run: they share the webhooks,
and one of them makes the events.
"""

from __future__ import annotations

import asyncio
import logging
import resource
import secrets
import signal
import sys
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

from vomind_queue.api.serializers import campaigns as campaign_serializer
from vomind_queue.api.serializers import jobs
from vomind_queue.api.serializers import recurring as recurring_serializer
from vomind_queue.config.address_types import is_loopback
from vomind_queue.config.loading import load_or_exit
from vomind_queue.config.settings import Settings
from vomind_queue.container.web_services import check_store
from vomind_queue.errors import CampaignNotFound, JobNotFound
from vomind_queue.notifier.guarded_client import RESOLVING, GuardedClient
from vomind_queue.notifier.live_stream import LiveStream
from vomind_queue.notifier.origins import Origins
from vomind_queue.notifier.service import THREADS, Notifier
from vomind_queue.notifier.supervisor import LEASE_MS, Supervisor
from vomind_queue.observability import logs
from vomind_queue.queue.campaign_store import CampaignStore
from vomind_queue.queue.connection import WORKER_TIMEOUT_S, RedisStore, connect
from vomind_queue.queue.event_outbox import EventOutbox, NewEvent
from vomind_queue.queue.kept_events import KeptEvents
from vomind_queue.queue.recurring_store import RecurringStore
from vomind_queue.queue.webhook_store import WebhookLeases
from vomind_queue.recurring.schedule import PREFIX
from vomind_queue.usecases.prepare_events import PrepareEvents

logger = logging.getLogger(__name__)


def main() -> None:
    """Deliver until SIGTERM or Ctrl-C."""
    settings = load_or_exit()
    if not (settings.api_keys or settings.allow_anonymous or is_loopback(settings.notifier_host)):
        sys.exit(
            f"Invalid NOTIFIER_HOST ({settings.notifier_host!r}): expected a loopback address "
            "while API_KEYS is unset; set API_KEYS, or ALLOW_ANONYMOUS=1."
        )
    logs.configure(settings)
    _allow_connections()
    if fault := check_store(settings):
        sys.exit(fault)
    try:
        asyncio.run(_run(settings))
    except OSError as error:
        place = f"{settings.notifier_port} on {settings.notifier_host}"
        sys.exit(f"NOTIFIER_PORT: {place} cannot be used: {error.strerror}.")
    logger.info("notifier stopped")


def _allow_connections() -> None:
    """Allow as many open files as the system does: none of the receivers shares its connections."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


async def _run(settings: Settings) -> None:
    stopped, loop = asyncio.Event(), asyncio.get_running_loop()
    loop.set_default_executor(ThreadPoolExecutor(RESOLVING))
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    await build_notifier(settings).run(stopped)


def build_notifier(settings: Settings) -> Notifier:
    """Return the parts of a notifier process; connect to nothing."""
    client = connect(settings.redis_url, timeout_s=WORKER_TIMEOUT_S, max_connections=THREADS + 1)
    store, token = RedisStore(client, settings.outbox_max), secrets.token_urlsafe(9)
    kept, leases = KeptEvents(store), WebhookLeases(store, token, LEASE_MS)
    outbox = EventOutbox(store, token, settings.events_kept)
    others = {
        "campaign": partial(_campaign, CampaignStore(store)),
        "recurring": partial(_recurring, RecurringStore(store)),
    }
    return Notifier(
        prepare=PrepareEvents(outbox, jobs.job, others, NewEvent).run,
        kept=kept,
        client=lambda: GuardedClient(settings.webhook_addresses),
        store=leases,
        supervisor=lambda means: Supervisor(leases, means),
        stream=lambda feed: LiveStream(
            feed,
            kept.want,
            settings.api_keys,
            hosts=settings.own_hosts,
            origins=Origins(settings.page_origins),
        ),
        host=settings.notifier_host,
        port=settings.notifier_port,
        now_ms=lambda: int(time.time() * 1_000),
    )


def _campaign(campaigns: CampaignStore, campaign_id: str) -> Mapping[str, Any]:
    try:
        return campaign_serializer.view(campaigns.show(campaign_id))
    except CampaignNotFound:
        return {"campaignId": campaign_id}


def _recurring(recurring_calls: RecurringStore, schedule_id: str) -> Mapping[str, Any]:
    try:
        return recurring_serializer.view(recurring_calls.show(schedule_id))
    except JobNotFound:
        return {"jobId": PREFIX + schedule_id}


if __name__ == "__main__":
    main()
