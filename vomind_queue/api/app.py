"""The application: blueprints, access and errors put together."""

from __future__ import annotations

from flask import Flask

from vomind_queue.api import errors
from vomind_queue.api.auth import Access
from vomind_queue.api.blueprints import (
    health,
    history,
    jobs,
    metrics,
    overview,
    queue,
    recurring,
    twilio,
)
from vomind_queue.api.blueprints.calls import CallRoutes
from vomind_queue.api.body import Readers
from vomind_queue.api.context import provide
from vomind_queue.api.http_metrics import HttpMetrics
from vomind_queue.api.json_provider import StrictJson
from vomind_queue.api.middleware import Api, Middleware
from vomind_queue.api.openapi import routes as reference
from vomind_queue.api.rate_limit import RateLimit
from vomind_queue.api.redis_outage import Outage
from vomind_queue.api.refused_keys import RefusedKeys
from vomind_queue.container.web_services import Services
from vomind_queue.errors import StoreUnavailable

#: Where the queue's endpoints hang.
QUEUE_PATH = "/api/queue"


def make_app(services: Services) -> Flask:
    """A Flask application that answers from ``services``; connects to nothing."""
    app = Api("vomind_queue", static_folder=None, template_folder=None)
    app.json = StrictJson(app)
    # A redirect would be an answer in HTML, and would turn a POST into a GET for many clients.
    app.url_map.merge_slashes = False
    meters = HttpMetrics()
    app.wsgi_app = Middleware(app.wsgi_app, meters.seconds)  # type: ignore[method-assign]
    settings = services.settings
    outage = Outage(services.queue)
    Access(
        settings.api_keys,
        settings.metrics_key,
        hosts=settings.own_hosts,
        wrong_keys=RefusedKeys(meters.wrong_keys),
        away=outage.away,
    ).install(app)
    RateLimit(services.floods, settings.request_rate).install(app)
    Readers(settings.web_threads).install(app)
    app.register_error_handler(Exception, errors.respond)
    app.register_error_handler(StoreUnavailable, outage.respond)
    _add_routes(app, services, meters)
    return app


def _add_routes(app: Flask, services: Services, meters: HttpMetrics) -> None:
    provide(app, services)
    app.url_map.converters["schedule_number"] = recurring.ScheduleNumber
    app.register_blueprint(CallRoutes(services).blueprint(), url_prefix=QUEUE_PATH)
    for room in (recurring, jobs, queue):
        app.register_blueprint(room.routes, url_prefix=QUEUE_PATH)
    twilio.install(app, services.settings.public_url)
    history.install(app, services.settings.web_threads)
    overview.install(app, services.control)
    metrics.install(app, meters)
    app.register_blueprint(health.routes)
    app.register_blueprint(reference.routes)
