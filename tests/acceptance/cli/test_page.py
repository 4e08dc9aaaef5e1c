"""docs/command-line.md, typed line by line: what it shows is what is printed."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from tests import nursery
from tests.acceptance.cli.typist import COMMAND
from tests.acceptance.conftest import Api
from tests.pages import ROOT, Page
from tests.servers import Server
from tests.stack import Stack, until
from vomind_queue.cli.commands import COMMANDS
from vomind_queue.cli.exit_codes import ExitCode

PAGE = Page(ROOT / "docs" / "command-line.md")
#: How long a command may take on a busy machine, s.
PATIENCE_S = 200
#: What only a shell understands, outside of quotes or in them.
SHELL = re.compile(r"[|&;<>*?~\\#'$`]")
QUOTED = re.compile(r'"[^"$`\\]*"')
#: What is different each time, and what is written for it on both sides.
CHANGING = [
    (r"CA[0-9a-f]{32}", "CA…"),
    (r"[▁▂▃▄▅▆▇█]+", "▁"),
    (r"http://127\.0\.0\.1:\d+", "URL"),
    (r"(?:\d+[dhms] ?)+(?= ago|\)|,|\.)|in (?:\d+[dhms] ?)+", "T"),
    (r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?Z?", "TIME"),
    (r"\d{4}-\d\d-\d\d \d\d:\d\d(?= )", "MINUTE"),
    (r"^\d\d:00(?= )", "HOUR"),
    (r"(?<= )\d+s +\d+s$", "WAITS"),
    (r"p50 .*", "WAITS"),
    (r"\d+ of 10 starts", "N of 10 starts"),
    (r"\d+\.\d+ (?:ms|at most)|\d+ (?:MiB|ms)", "N"),
    (r"(?:Valkey|Redis) [\d.]+", "SERVER"),
    (r'"requestId": "[0-9a-f]+"', "ID"),
    (r"ahead of this|behind this", "off this"),
    (r"SQLite file in \S+,", "SQLite,"),
    (r'"status": 404.*', "PROBLEM"),
    (r" +", " "),
    # As often as Twilio's words come between two looks.
    (r"(?:^ (?:active|waiting|placed: \S+)\n)+", ""),
]


def plain(text: str) -> str:
    """A text without what is different each time."""
    for pattern, word in CHANGING:
        text = re.sub(pattern, word, text, flags=re.MULTILINE)
    return text.strip()


def examples() -> list[tuple[str, str]]:
    """Each command of the page, and what it shows below."""
    found: list[tuple[str, str]] = []
    for block in PAGE.blocks("console"):
        for part in re.split(r"^\$ ", block.text, flags=re.MULTILINE)[1:]:
            command, _, shown = part.partition("\n")
            found.append((command, shown))
    return found


def typed(command: str, environ: Mapping[str, str], directory: Path) -> str:
    """What a line prints; bash reads those that need a shell, as its start takes long."""
    name, *arguments = shlex.split(command)
    path = directory / "printed"
    with path.open("w") as printed:
        plain_words = name == "vomind-queue" and not SHELL.search(QUOTED.sub("", command))
        if nursery.current and plain_words:
            variables = {name: value for name, value in environ.items() if name != "PYTHONPATH"}
            module = ["-m", "vomind_queue", *arguments]
            nursery.current.start(module, variables, printed.fileno(), directory).wait(PATIENCE_S)
        else:
            subprocess.run(
                ["bash", "-c", command], env=environ, cwd=directory, stdin=subprocess.DEVNULL,
                stdout=printed, stderr=subprocess.STDOUT, check=False, timeout=PATIENCE_S,
            )  # fmt: skip
    return path.read_text()


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_page_shows_what_is_printed(
    fast: Stack, start_server: Callable[..., Server], tmp_path: Path
) -> None:
    """All of its commands in their order, on its own stack."""
    if shutil.which("bash") is None:
        pytest.skip("the page is typed into bash")
    fast.redis_url = start_server("--appendfsync", "always", durable=True).url
    del fast.settings["CALL_RATE_LIMIT"]
    fast.settings["PUBLIC_URL"] = fast.web_url
    for name in ("shipper", "beat"):
        fast.start(name)
    fast.start_worker()
    fast.start_web()
    program = tmp_path / "bin" / "vomind-queue"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec {" ".join(COMMAND)} "$@"\n')
    program.chmod(0o755)
    environ = {
        **{k: v for k, v in fast.environment().items() if not k.startswith("TWILIO")},
        "VOMIND_URL": fast.web_url,
        "PYTHONPATH": str(ROOT),
        "COLUMNS": "100",
        "PATH": f"{program.parent}:{fast.environment()['PATH']}",
    }
    environ.pop("PUBLIC_URL")
    calls = next(shown for command, shown in examples() if command == "cat calls.csv")
    (tmp_path / "calls.csv").write_text(calls)
    assert len(examples()) > 40
    api = Api(fast.queue_url)
    for command, shown in examples():
        until(
            lambda: not api("GET", "/stats")["callLog"]["pending"], within_s=30, what="it is logged"
        )
        printed = typed(command, environ, tmp_path)
        assert plain(printed) == plain(shown), f"$ {command}\n{printed}"


def test_the_page_lists_every_command_and_status() -> None:
    """Nobody has to read the source to find one."""
    for name, lazy in COMMANDS.items():
        assert lazy.hidden or f"`{name}" in PAGE.text or f"vomind-queue {name}" in PAGE.text, name
    found = re.findall(r"^\| (\d+)(?:, (\d+))? \|", PAGE.text, re.MULTILINE)
    statuses = {int(number) for pair in found for number in pair if number}
    assert statuses == {int(result) for result in ExitCode}
