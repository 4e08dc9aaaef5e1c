"""Traces are there for those who ask, and cost nobody else anything."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.pages import ROOT
from vomind_queue.observability import tracing

ENDPOINT = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318"}


@pytest.mark.parametrize(
    ("environ", "wanted"),
    [
        ({}, False),
        ({"OTEL_SERVICE_NAME": "calls"}, False),
        (ENDPOINT, True),
        ({"OTEL_TRACES_EXPORTER": "console"}, True),
        ({"OTEL_TRACES_EXPORTER": ""}, False),
        ({**ENDPOINT, "OTEL_TRACES_EXPORTER": "none"}, False),
        ({**ENDPOINT, "OTEL_SDK_DISABLED": "true"}, False),
    ],
)
def test_its_own_variables_decide(environ: dict[str, str], wanted: bool) -> None:
    """As its specification has them."""
    assert tracing.wanted(environ) is wanted
    if not wanted:
        assert tracing.begin("web", environ) is False


def test_nothing_of_it_is_imported_unasked() -> None:
    """Neither by the API nor by the worker."""
    look = (
        "import sys, vomind_queue.processes.application, vomind_queue.processes.worker\n"
        "import vomind_queue.observability.tracing as t\n"
        "t.begin('web', {})\n"
        "sys.exit(any(name.startswith('opentelemetry') for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", look], cwd=ROOT, check=False).returncode == 0


def test_packages_that_are_missing_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """One line says how to install them."""
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.resources", None)
    with pytest.raises(SystemExit, match=r"requirements-otel\.txt"):
        tracing.begin("web", ENDPOINT)


def test_what_is_pinned_is_what_is_imported() -> None:
    """Each instrumentation that is asked for stands in the file."""
    pinned = (ROOT / "requirements-otel.txt").read_text("utf-8")
    for library in ("flask", "celery", "redis"):
        assert f"opentelemetry-instrumentation-{library}==" in pinned
