"""Create the application from blueprints, authentication and error handlers."""

from __future__ import annotations

from flask import Flask

from vomind_queue.api import errors
from vomind_queue.api.auth import Authentication
from vomind_queue.api.blueprints import (
    campaigns,
    do_not_call,
    health,
    history,
    jobs,
    metrics,
    overview,
    person,
    queue,
    recurring,
    rules,
    twilio,
    webhooks,
)
from vomind_queue.api.blueprints.acts import ActRoutes
from vomind_queue.api.blueprints.calls import CallRoutes
from vomind_queue.api.blueprints.lists import ListRoutes
from vomind_queue.api.body import Readers
from vomind_queue.api.http_metrics import HttpMetrics
from vomind_queue.api.json_provider import StrictJson
from vomind_queue.api.middleware import Api, Middleware, provide
from vomind_queue.api.openapi import routes as reference
from vomind_queue.api.rate_limit import RateLimit
from vomind_queue.api.redis_outage import Outage
from vomind_queue.api.refused_keys import RefusedKeys
from vomind_queue.container.web_services import Services
from vomind_queue.errors import StoreUnavailable

#: Path of the queue's endpoints.
QUEUE_PATH = "/api/queue"


def make_app(services: Services) -> Flask:
    """Return a Flask application for these services; connect to nothing."""
    app = Api("vomind_queue", static_folder=None, template_folder=None)
    app.json = StrictJson(app)
    # A redirect is HTML, and many clients would follow it with a GET in place of the POST.
    app.url_map.merge_slashes = False
    http_metrics = HttpMetrics()
    app.wsgi_app = Middleware(app.wsgi_app, http_metrics.seconds)  # type: ignore[method-assign]
    settings = services.settings
    outage = Outage(services.queue)
    Authentication(
        settings.api_keys,
        settings.metrics_key,
        hosts=settings.own_hosts,
        wrong_keys=RefusedKeys(http_metrics.wrong_keys),
        away=outage.away,
    ).install(app)
    RateLimit(services.request_limiter, settings.request_rate).install(app)
    Readers(settings.web_threads).install(app)
    app.register_error_handler(Exception, errors.respond)
    app.register_error_handler(StoreUnavailable, outage.respond)
    _add_routes(app, services, http_metrics)
    return app


def _add_routes(app: Flask, services: Services, http_metrics: HttpMetrics) -> None:
    provide(app, services)
    app.url_map.converters["schedule_number"] = recurring.ScheduleNumber
    app.register_blueprint(CallRoutes(services).blueprint(), url_prefix=QUEUE_PATH)
    app.register_blueprint(ListRoutes(services).blueprint(), url_prefix=QUEUE_PATH)
    for module in (recurring, jobs, queue, campaigns):
        app.register_blueprint(module.routes, url_prefix=QUEUE_PATH)
    app.register_blueprint(rules.routes, url_prefix="/api/rules")
    twilio.install(app, services.settings.public_url)
    history.install(app, services.settings.web_threads)
    ActRoutes(services).install(app)
    for module in (do_not_call, person):
        app.register_blueprint(module.routes, url_prefix="/api")
    app.register_blueprint(webhooks.routes, url_prefix="/api/webhooks")
    overview.install(app, services.control, services.settings.senders.numbers)
    metrics.install(app, http_metrics)
    app.register_blueprint(health.routes)
    app.register_blueprint(reference.routes)
