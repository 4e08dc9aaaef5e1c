"""Traces by OpenTelemetry, if its own variables ask for them.

Otherwise none of it is imported. Its packages are in ``requirements-otel.txt``, not in
``requirements.txt``.
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

#: Paths that contain phone numbers or tokens, which would appear in traces, and mere probes.
UNTRACED = "api/people,api/calls,api/twilio,healthz,readyz,metrics"


def wanted(environ: Mapping[str, str]) -> bool:
    """Return whether traces are requested."""
    off = environ.get("OTEL_SDK_DISABLED", "").lower() == "true"
    if off or environ.get("OTEL_TRACES_EXPORTER", "").lower() == "none":
        return False
    return any(environ.get(name) for name in ASKING)


def begin(part: str, environ: Mapping[str, str]) -> bool:
    """Start tracing this process if that is requested; return whether it is.

    ``part`` is the name of the process. Exit with one line if the packages are missing.
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
    """Trace the requests to a Flask application; call only after `begin` returned true."""
    _of("opentelemetry.instrumentation.flask", "FlaskInstrumentor")().instrument_app(
        app, excluded_urls=UNTRACED
    )


def _set_up(service: str, environ: Mapping[str, str]) -> None:
    resource = _of("opentelemetry.sdk.resources", "Resource").create({"service.name": service})
    provider = _of("opentelemetry.sdk.trace", "TracerProvider")(resource=resource)
    export = import_module("opentelemetry.sdk.trace.export")
    if environ.get("OTEL_TRACES_EXPORTER", "").lower() == "console":
        # Print each span as soon as it ends.
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
