"""Makes the Celery application."""

from __future__ import annotations

from typing import Any

from celery import Celery
from kombu import Exchange, Queue

from vomind_queue.broker import transport
from vomind_queue.broker.link import Link
from vomind_queue.broker.names import CALL_QUEUES, DEFAULT_QUEUE, LINK_OPTION
from vomind_queue.broker.replies import Control
from vomind_queue.config.redis_address import tls_options
from vomind_queue.config.settings import Settings
from vomind_queue.store.connection import WORKER_TIMEOUT_S

#: How often kombu checks its long-lived connections, s.
HEALTH_CHECK_S = 5
#: The longest time between two looks of a scheduler, s.
BEAT_LOOK_S = 5


def create_celery(settings: Settings, link: Link) -> Celery:
    """The application of workers, clients and operators alike; connects on first use."""
    transport.install()
    app = Celery("vomind_queue", broker=settings.redis_url, control=Control, set_as_current=False)
    app.conf.update(_configuration(settings, link))
    return app


def _configuration(settings: Settings, link: Link) -> dict[str, Any]:
    options: dict[str, Any] = {
        "broker_transport_options": {
            LINK_OPTION: link,
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
        "worker_pool": "vomind_queue.broker.pool:TaskPool",
        "worker_consumer": "vomind_queue.broker.consumer:Consumer",
        "worker_concurrency": settings.concurrency,
        "beat_scheduler": "vomind_queue.broker.beat:Scheduler",
        "beat_max_loop_interval": BEAT_LOOK_S,
        "redbeat_redis_url": settings.redis_url,
        "redbeat_redis_options": {
            "socket_timeout": WORKER_TIMEOUT_S,
            "socket_connect_timeout": WORKER_TIMEOUT_S,
            "socket_keepalive": True,
        },
        # The store says who leads.
        "redbeat_lock_key": None,
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
