"""The application: blueprints, access and errors put together."""

from __future__ import annotations

from flask import Flask

from vomind_queue.api import headers, problems
from vomind_queue.api.access import Access
from vomind_queue.api.body import Readers
from vomind_queue.api.calls import CallRoutes
from vomind_queue.api.failed import FailedRoutes
from vomind_queue.api.flood import Flood
from vomind_queue.api.health import HealthRoutes
from vomind_queue.api.history import HistoryRoutes
from vomind_queue.api.http_meters import HttpMeters
from vomind_queue.api.jobs import JobRoutes
from vomind_queue.api.metrics import MetricsRoutes
from vomind_queue.api.outage import Outage
from vomind_queue.api.overview import OverviewRoutes
from vomind_queue.api.ports import Services
from vomind_queue.api.queue import QueueRoutes
from vomind_queue.api.recurring import RecurringRoutes, ScheduleNumber
from vomind_queue.api.reference.routes import ReferenceRoutes
from vomind_queue.api.shell import Api
from vomind_queue.api.twilio import TwilioRoutes

#: Where the queue's endpoints hang.
QUEUE_PATH = "/api/queue"


def make_app(services: Services) -> Flask:
    """A Flask application that answers from ``services``; connects to nothing."""
    app = Api("vomind_queue")
    # A redirect would be an answer in HTML, and would turn a POST into a GET for many clients.
    app.url_map.merge_slashes = False
    http = HttpMeters()
    http.install(app)
    Access(services.settings.api_keys, services.settings.metrics_key).install(app)
    # Behind the keys: a stranger learns nothing of an outage.
    Outage(services.control).install(app)
    Flood(services.floods, services.settings.request_rate).install(app)
    headers.install(app)
    Readers(services.settings.web_threads).install(app)
    app.register_error_handler(Exception, problems.respond)
    app.url_map.converters["schedule_number"] = ScheduleNumber
    for routes in (CallRoutes, RecurringRoutes, JobRoutes, QueueRoutes, FailedRoutes):
        app.register_blueprint(routes(services).blueprint(), url_prefix=QUEUE_PATH)
    TwilioRoutes(services).install(app)
    app.register_blueprint(HistoryRoutes(services).blueprint(), url_prefix="/api")
    app.register_blueprint(OverviewRoutes(services).blueprint(), url_prefix="/api")
    app.register_blueprint(HealthRoutes(services).blueprint())
    app.register_blueprint(MetricsRoutes(services, http).blueprint())
    app.register_blueprint(ReferenceRoutes().blueprint())
    return app
