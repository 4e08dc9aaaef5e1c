"""What holds for every command: keys, statuses, streams, colours, completion, Ctrl-C."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest

from tests.acceptance.cli.typist import COMMAND, Typist
from tests.acceptance.conftest import TO, Api
from tests.ports import free_port
from tests.stack import Stack


@pytest.fixture
def somebody_else() -> Iterator[str]:
    """A web server that is not ours."""

    class Page(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"<html>Log in</html>")

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Page)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


def test_what_cannot_be_reached_is_named(typed: Typist) -> None:
    """In one line, with where to say another address; no traceback."""
    url = f"http://127.0.0.1:{free_port()}"
    done = typed("pause", "--url", url)
    assert (done.status, done.out) == (6, "")
    assert done.err.startswith(f"Error: {url} cannot be reached: connection refused.")
    assert done.err.count("\n") == 1


def test_what_is_not_ours_is_told(typed: Typist, somebody_else: str) -> None:
    """A page to log in at is no success."""
    done = typed("pause", "--url", somebody_else)
    assert (done.status, "is not VoMind Queue" in done.err) == (7, True)


@pytest.mark.parametrize(
    "words",
    ["bogus", "show", "schedule +14155550100", "call +14155550100 --metadata {", "bulk none.csv"],
)
def test_a_wrong_command_line_is_told_to_programs_too(typed: Typist, words: str) -> None:
    """As one document with its status, beside the words for people."""
    done = typed(*words.split(), "--json")
    assert done.status == done.document["exitCode"] == 2
    assert done.document["error"] in done.err


@pytest.mark.parametrize("url", ["ftp://host", "http://", "http://user:secret@host", "a b"])
def test_what_is_no_address_is_refused(typed: Typist, url: str) -> None:
    """Before anything is sent, and without showing a password."""
    done = typed("pause", "--url", url)
    assert (done.status, "secret" in done.err) == (2, False)


def test_the_key_opens_the_api(stack: Stack, typed: Typist) -> None:
    """By option or variable; without it it has its own status, and it is never shown."""
    stack.start_web(API_KEYS="ops:a-long-secret")
    environ = {"VOMIND_URL": stack.web_url}
    closed = typed("pause", **environ)
    assert (closed.status, "API key required" in closed.err) == (5, True)
    wrong = typed("pause", "--key", "a-wrong-secret", **environ)
    assert (wrong.status, "a-wrong-secret" in wrong.err) == (5, False)
    assert typed("pause", VOMIND_KEY="a-long-secret", **environ).status == 0
    before = typed("--key", "a-long-secret", "--url", stack.web_url, "resume")
    assert before.out == "Resumed: calls start again.\n"


def test_a_terminal_is_painted_unless_told_otherwise(typed: Typist, api: Api) -> None:
    """Colours in a terminal; none in a pipe, and none with NO_COLOR."""
    api.schedule(TO)
    with typed.terminal("list", "waiting") as terminal:
        assert terminal.end() == 0
    assert "\x1b[33mwaiting" in terminal.shown
    with typed.terminal("list", "waiting", NO_COLOR="1") as terminal:
        assert terminal.end() == 0
    assert "\x1b" not in terminal.shown
    assert "waiting" in terminal.shown
    assert "\x1b" not in typed("list", "waiting").out


def test_a_reader_that_goes_away_is_no_fault(typed: Typist, api: Api) -> None:
    """As in `vomind-queue list | head`."""
    api.bulk([{"to": TO} for _ in range(3_000)])
    line = f"{' '.join(COMMAND)} list waiting --limit 3000 --ids | head -1"
    done = subprocess.run(
        ["bash", "-c", line], env=typed._environ(), capture_output=True, text=True, check=True,
        timeout=200,
    )  # fmt: skip
    assert (done.stdout, done.stderr) == ("1\n", "")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_shells_complete_commands(typed: Typist, shell: str) -> None:
    """What is printed is asked for words by the shell's own protocol."""
    assert "_VOMIND_QUEUE_COMPLETE" in typed("completion", shell).out
    words = typed(
        _VOMIND_QUEUE_COMPLETE=f"{shell}_complete", COMP_WORDS="vomind-queue re", COMP_CWORD="1"
        if shell != "fish" else "re",
    )  # fmt: skip
    assert {"recurring", "resume", "retry"} <= set(re.split(r"[,\t\n]", words.out))


def test_bash_completes_in_a_real_shell(typed: Typist, tmp_path: Path) -> None:
    """The function that bash is given finds the options of a command."""
    command = tmp_path / "vomind-queue"
    command.write_text(f'#!/bin/sh\nexec {" ".join(COMMAND)} "$@"\n')
    command.chmod(0o755)
    script = (
        'eval "$(vomind-queue completion bash)"\n'
        "COMP_WORDS=(vomind-queue clean --o); COMP_CWORD=2; COMPREPLY=()\n"
        '_vomind_queue_completion vomind-queue; printf "%s\\n" "${COMPREPLY[@]}"\n'
    )
    environ = typed._environ()
    done = subprocess.run(
        ["bash", "-c", script],
        env={**environ, "PATH": f"{tmp_path}:{environ['PATH']}"},
        capture_output=True,
        text=True,
        check=True,
        timeout=200,
    )
    assert done.stdout == "--older-than\n"
