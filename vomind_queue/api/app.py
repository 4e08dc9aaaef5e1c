"""The application: blueprints, access and errors put together."""

from __future__ import annotations

from flask import Flask

from vomind_queue.api import problems
from vomind_queue.api.access import Access
from vomind_queue.api.body import Readers
from vomind_queue.api.calls import CallRoutes
from vomind_queue.api.failed import FailedRoutes
from vomind_queue.api.flood import Flood
from vomind_queue.api.health import HealthRoutes
from vomind_queue.api.history import HistoryRoutes
from vomind_queue.api.http_meters import HttpMeters
from vomind_queue.api.jobs import JobRoutes
from vomind_queue.api.json_provider import StrictJson
from vomind_queue.api.metrics import MetricsRoutes
from vomind_queue.api.middleware import Api, Middleware
from vomind_queue.api.outage import Outage
from vomind_queue.api.overview import OverviewRoutes
from vomind_queue.api.queue import QueueRoutes
from vomind_queue.api.recurring import RecurringRoutes, ScheduleNumber
from vomind_queue.api.reference.routes import ReferenceRoutes
from vomind_queue.api.twilio import TwilioRoutes
from vomind_queue.api.wrong_keys import WrongKeys
from vomind_queue.errors import StoreUnavailable
from vomind_queue.services import Services

#: Where the queue's endpoints hang.
QUEUE_PATH = "/api/queue"


def make_app(services: Services) -> Flask:
    """A Flask application that answers from ``services``; connects to nothing."""
    app = Api("vomind_queue", static_folder=None, template_folder=None)
    app.json = StrictJson(app)
    # A redirect would be an answer in HTML, and would turn a POST into a GET for many clients.
    app.url_map.merge_slashes = False
    meters = HttpMeters()
    app.wsgi_app = Middleware(app.wsgi_app, meters.seconds)  # type: ignore[method-assign]
    settings = services.settings
    outage = Outage(services.queue)
    Access(
        settings.api_keys,
        settings.metrics_key,
        hosts=settings.own_hosts,
        wrong_keys=WrongKeys(meters.wrong_keys),
        away=outage.away,
    ).install(app)
    Flood(services.floods, settings.request_rate).install(app)
    Readers(settings.web_threads).install(app)
    app.register_error_handler(Exception, problems.respond)
    app.register_error_handler(StoreUnavailable, outage.respond)
    _add_routes(app, services, meters)
    return app


def _add_routes(app: Flask, services: Services, meters: HttpMeters) -> None:
    app.url_map.converters["schedule_number"] = ScheduleNumber
    for routes in (CallRoutes, RecurringRoutes, JobRoutes, QueueRoutes, FailedRoutes):
        app.register_blueprint(routes(services).blueprint(), url_prefix=QUEUE_PATH)
    TwilioRoutes(services).install(app)
    app.register_blueprint(HistoryRoutes(services).blueprint(), url_prefix="/api")
    app.register_blueprint(OverviewRoutes(services).blueprint(), url_prefix="/api")
    app.register_blueprint(HealthRoutes(services).blueprint())
    app.register_blueprint(MetricsRoutes(services, meters).blueprint())
    app.register_blueprint(ReferenceRoutes().blueprint())
