"""The command that takes a BullMQ queue over, as a person runs it."""

from __future__ import annotations

import inspect
import json
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import entry_points
from pathlib import Path

import click
import pytest
import redis

from importer.tests.conftest import BASE, fill
from tests.servers import Server
from tests.stack import ROOT, Stack, until
from vomind_queue.cli.main import entry

COMMAND = (sys.executable, "-m", "vomind_queue", "import-bullmq", "--timezone", "UTC")
PASSWORD = "a-source-password"


@pytest.fixture
def old(start_server: Callable[..., Server]) -> Server:
    """A server with a password that holds a queue of BullMQ 6."""
    server = start_server()
    with redis.Redis(port=server.port) as client:
        fill(client, "6.7.0")
        client.config_set("requirepass", PASSWORD)
    return server


def run(stack: Stack, old: Server, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Runs the command to its end."""
    source = f"redis://:{PASSWORD}@127.0.0.1:{old.port}/0"
    done = subprocess.run(
        [*COMMAND, *arguments],
        env={**stack.environment(), "BULLMQ_REDIS_URL": source, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert PASSWORD not in done.stdout + done.stderr
    return done


def test_it_is_looked_at_taken_over_and_rung(stack: Stack, old: Server, tmp_path: Path) -> None:
    """A look changes nothing; then each waiting call rings once, and the report has the ids."""
    looked = run(stack, old)
    assert "Nothing was changed. --take-over carries it out." in looked.stdout
    with redis.Redis(port=old.port, password=PASSWORD) as client:
        assert client.zcard(BASE + "prioritized") == 7
    refused = run(stack, old, "--take-over", "--wait", "0")
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "--abandoned" in refused.stderr
    report = tmp_path / "report.json"
    taken = run(stack, old, "--take-over", "--abandoned", "--report", str(report))
    # A number that is none, and a pattern with seconds: they stay.
    assert taken.returncode == 1
    assert taken.stdout.count("left behind: ") == 2
    assert "5550000" not in taken.stdout + report.read_text("utf-8")
    assert len(json.loads(report.read_text("utf-8"))["ids"]) == 14
    again = run(stack, old, "--take-over", "--abandoned")
    assert "became" not in again.stdout
    stack.start_all(CALL_RATE_LIMIT="off")
    until(lambda: len(stack.rings()) >= 8, within_s=30, what="all waiting calls ring")
    assert sorted(str(ring["to"])[-3:] for ring in stack.rings()) == [
        *("101", "102", "103", "108", "109", "110", "203", "205")
    ]


def test_a_source_that_is_not_there_is_told_in_one_line(stack: Stack, old: Server) -> None:
    """Nothing is left half done."""
    old.kill()
    done = run(stack, old, "--take-over")
    assert done.returncode == 1
    assert done.stderr.startswith("The source cannot be read: ")
    assert done.stderr.count("\n") == 1


def test_the_service_lists_it_with_its_first_line() -> None:
    """The list of commands takes the line from the distribution, without importing it."""
    context = click.Context(entry)
    assert "import-bullmq" in entry.list_commands(context)
    (distribution,) = [
        point.dist for point in entry_points(group="vomind_queue.commands") if point.dist
    ]
    command = entry.get_command(context, "import-bullmq")
    assert command
    first = inspect.cleandoc(command.help or "").splitlines()[0]
    assert first == distribution.metadata["Summary"]
