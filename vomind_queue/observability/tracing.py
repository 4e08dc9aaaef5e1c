"""Traces by OpenTelemetry, where its own variables ask for them.

Else nothing of it is imported, and no call pays for it. Its packages are no part of
``requirements.txt``; ``requirements-otel.txt`` has them.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from importlib import import_module
from typing import Any

#: Any of them asks for traces
#: (https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/).
ASKING = (
    "OTEL_EXPORTER_OTLP_ENDPOINT",
    "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
    "OTEL_TRACES_EXPORTER",
)

#: Their addresses have numbers or tokens in them, and a trace has the address; or nobody asks.
UNTRACED = "api/people,api/calls,api/twilio,healthz,readyz,metrics"


def wanted(environ: Mapping[str, str]) -> bool:
    """Whether traces are asked for."""
    off = environ.get("OTEL_SDK_DISABLED", "").lower() == "true"
    if off or environ.get("OTEL_TRACES_EXPORTER", "").lower() == "none":
        return False
    return any(environ.get(name) for name in ASKING)


def begin(part: str, environ: Mapping[str, str]) -> bool:
    """Traces what this process does from now on, if that is wanted; whether it is.

    ``part`` is the process's name among ours. Ends the process with one line where the packages
    are missing.
    """
    if not wanted(environ):
        return False
    try:
        _set_up(environ.get("OTEL_SERVICE_NAME") or f"vomind-queue-{part}", environ)
        _instrument("redis", "RedisInstrumentor")
        _instrument("celery", "CeleryInstrumentor")
        import_module("opentelemetry.instrumentation.flask")
    except ImportError as error:
        sys.exit(
            f"OTEL_… asks for traces, and {error.name} is missing; "
            "install it: pip install -r requirements-otel.txt"
        )
    return True


def follow(app: Any) -> None:
    """Traces the requests to a Flask application. Only after `begin` has said yes."""
    _of("opentelemetry.instrumentation.flask", "FlaskInstrumentor")().instrument_app(
        app, excluded_urls=UNTRACED
    )


def _set_up(service: str, environ: Mapping[str, str]) -> None:
    resource = _of("opentelemetry.sdk.resources", "Resource").create({"service.name": service})
    provider = _of("opentelemetry.sdk.trace", "TracerProvider")(resource=resource)
    export = import_module("opentelemetry.sdk.trace.export")
    if environ.get("OTEL_TRACES_EXPORTER", "").lower() == "console":
        # Each span as soon as it ends: it is for looking on.
        provider.add_span_processor(export.SimpleSpanProcessor(export.ConsoleSpanExporter()))
    else:
        exporter = _of(
            "opentelemetry.exporter.otlp.proto.http.trace_exporter", "OTLPSpanExporter"
        )()
        provider.add_span_processor(export.BatchSpanProcessor(exporter))
    import_module("opentelemetry.trace").set_tracer_provider(provider)


def _instrument(library: str, name: str) -> None:
    _of(f"opentelemetry.instrumentation.{library}", name)().instrument()


def _of(module: str, name: str) -> Any:
    return getattr(import_module(module), name)
