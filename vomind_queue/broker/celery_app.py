"""Makes the Celery application."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from celery import Celery
from kombu import Exchange, Queue

from vomind_queue.broker import transport
from vomind_queue.broker.context import WorkerContext
from vomind_queue.broker.control import Control
from vomind_queue.broker.names import CALL_QUEUES, CONTEXT_OPTION, DEFAULT_QUEUE
from vomind_queue.config.redis_address import tls_options
from vomind_queue.config.settings import Settings
from vomind_queue.queue import keys
from vomind_queue.queue.connection import WORKER_TIMEOUT_S, connect

#: How often kombu checks its long-lived connections, s.
HEALTH_CHECK_S = 5
#: The longest time between two looks of a scheduler, s.
BEAT_INTERVAL_S = 5
#: A scheduler leads for as many leases without a look: it renews less often than a worker.
LEASES_PER_LOCK = 2


def create_celery(settings: Settings, context: WorkerContext) -> Celery:
    """Return the application of workers, clients and operators alike; connects on first use."""
    transport.install()
    app = Celery("vomind_queue", broker=settings.redis_url, control=Control, set_as_current=False)
    app.conf.update(_configuration(settings, context))
    # RedBeat looks for its client here first. An address with a password must not be in the
    # configuration: Celery shows all of it to Flower, `inspect conf` and `report`, and hides the
    # password of `broker_url` alone.
    app.redbeat_redis = connect(settings.redis_url, timeout_s=WORKER_TIMEOUT_S)
    return app


def _configuration(settings: Settings, context: WorkerContext) -> dict[str, Any]:
    options: dict[str, Any] = {
        "broker_transport_options": {
            CONTEXT_OPTION: context,
            "socket_timeout": WORKER_TIMEOUT_S,
            "socket_connect_timeout": WORKER_TIMEOUT_S,
            "socket_keepalive": True,
            "health_check_interval": HEALTH_CHECK_S,
            "queue_order_strategy": "priority",
        },
        "broker_connection_retry_on_startup": True,
        "broker_connection_max_retries": None,
        # A replica that refuses writes, after a failover, is an outage like any other.
        "broker_channel_error_retry": True,
        "task_queues": [*map(_queue, [*CALL_QUEUES, DEFAULT_QUEUE])],
        "task_default_queue": DEFAULT_QUEUE,
        "task_ignore_result": True,
        "result_backend": None,
        "result_expires": None,
        "task_acks_late": True,
        "worker_prefetch_multiplier": 1,
        "worker_cancel_long_running_tasks_on_connection_loss": False,
        "worker_enable_prefetch_count_reduction": False,
        "worker_pool": "vomind_queue.broker.thread_pool:TaskPool",
        "worker_consumer": "vomind_queue.broker.consumer:Consumer",
        "worker_concurrency": settings.concurrency,
        "beat_scheduler": "vomind_queue.broker.scheduler:Scheduler",
        "beat_max_loop_interval": BEAT_INTERVAL_S,
        # For people alone: RedBeat warns when it is missing, and has its client on the app.
        "redbeat_redis_url": _without_login(settings.redis_url),
        "redbeat_redis_options": {},
        # So that one script makes a call and moves its entry on.
        "redbeat_key_prefix": keys.REDBEAT,
        "redbeat_lock_timeout": LEASES_PER_LOCK * settings.lease_ms / 1000,
        "worker_hijack_root_logger": False,
        "worker_redirect_stdouts": False,
        "enable_utc": True,
        "timezone": "UTC",
    }
    if tls := tls_options(settings.redis_url):
        # Flower asks for this; the address alone would do for kombu.
        options["broker_use_ssl"] = tls
    return options


def _queue(name: str) -> Queue:
    return Queue(name, Exchange(name, type="direct"), routing_key=name)


def _without_login(url: str) -> str:
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="").geturl()
