"""Alarms and the dashboard watch metrics that there are, and each alarm says what to do."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.integration.api.conftest import Api
from tests.pages import ROOT, Page

ALERTS = ROOT / "docs" / "alerts.yaml"
DASHBOARD = ROOT / "docs" / "grafana.json"
_METRIC = re.compile(r"\bvomind_[a-z_]+")


def shown(text: str) -> set[str]:
    """Names of the samples in an answer of /metrics."""
    return set(re.findall(r"^(vomind_[a-z_]+)", text, re.MULTILINE))


def watched(path: Path) -> set[str]:
    """Names of the metrics that a file asks for."""
    return set(_METRIC.findall(path.read_text("utf-8")))


def alarms() -> dict[str, dict[str, str]]:
    """Each alarm with its keys; the file keeps to one key a line."""
    found: dict[str, dict[str, str]] = {}
    for line in ALERTS.read_text("utf-8").splitlines():
        key, _, value = line.strip().removeprefix("- ").partition(": ")
        if key == "alert":
            found[value] = {}
        elif found and value:
            found[list(found)[-1]][key] = value.strip("'")
    return found


@pytest.mark.parametrize("path", [ALERTS, DASHBOARD], ids=["alerts", "dashboard"])
def test_what_is_watched_is_there(path: Path, one_of_each: str) -> None:
    """A name that was changed would never raise an alarm."""
    assert watched(path) - {"vomind_queue"} <= shown(one_of_each)


def test_each_metric_is_documented(one_of_each: str) -> None:
    """The page names each, and none that is not there."""
    text = (ROOT / "docs" / "observability.md").read_text("utf-8")
    endings = re.compile(r"_(bucket|count|sum)$")
    names = {endings.sub("", name) for name in shown(one_of_each)}
    documented = set(_METRIC.findall(text.partition("## Alarms")[0]))
    assert names == documented - {"vomind_http_", "vomind_queue"}


def test_each_alarm_is_explained() -> None:
    """With a reason, what to do, and the same words in the page."""
    text = Page(ROOT / "docs" / "observability.md").text
    for name, keys in alarms().items():
        assert {"expr", "severity", "summary", "reason", "action"} <= keys.keys(), name
        section = text.partition(f"### {name}\n")[2].partition("\n### ")[0]
        for word in ("summary", "reason", "action"):
            assert keys[word].replace("''", "'") in section, (name, word)


def test_the_dashboard_is_one() -> None:
    """Each panel asks something, and none lies on another one."""
    panels = json.loads(DASHBOARD.read_text("utf-8"))["panels"]
    places = [(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in panels]
    assert len(set(places)) == len(places)
    assert all(target["expr"] for panel in panels for target in panel["targets"])


def test_promtool_reads_the_rules(tmp_path: Path) -> None:
    """Prometheus' own word on them, where its tool is to be had."""
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is missing (Debian's prometheus)")
    run = subprocess.run(
        [promtool, "check", "rules", str(ALERTS)], capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert f"{len(alarms())} rules found" in run.stdout


@pytest.fixture(name="one_of_each")
def _one_of_each(make_api: Callable[..., Api], eventful: None) -> str:
    """What /metrics says when everything has happened once."""
    api = make_api()
    api.get("/stats")
    return api.web.get("/metrics").get_data(as_text=True)
