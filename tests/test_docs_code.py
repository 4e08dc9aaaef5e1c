"""The code in the documentation: it can be read, and what it asks of the API is answered."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml

from tests.pages import ROOT, Block, Page, pages
from tests.servers import Server
from tests.stack import Stack, until

#: Where `make run` listens, as the pages have it.
API, SIMULATOR = "http://127.0.0.1:3000", "http://127.0.0.1:3001"
#: What a block has that is for another machine, or for a person.
_NOT_HERE = re.compile(r"\b(make|docker|systemctl|heroku|redis-cli|journalctl|apt|vomind-queue)\b")
#: Before each block: curl says what it was answered.
_CURL = """
set -u
curl() { command curl --silent --show-error --max-time 20 --write-out '\\n%{http_code}\\n' "$@"; }
"""


def blocks(*languages: str) -> list[Block]:
    """Return all blocks of these languages, of all pages."""
    return [block for page in pages() for block in page.blocks(*languages)]


def asks(page: Page) -> list[Block]:
    """Return the blocks of a page that ask the API, or the simulator."""
    found = page.blocks("bash")
    return [
        each
        for each in found
        if (API in each.text or SIMULATOR in each.text) and not _NOT_HERE.search(each.text)
    ]


def test_each_block_says_what_it_is() -> None:
    """An editor, and these tests, know what to do with it."""
    known = {
        "bash",
        "console",
        "json",
        "ini",
        "yaml",
        "text",
        "python",
        "csv",
        "sql",
        "js",
        "toml",
        "promql",
    }
    found = {str(block): block.language for page in pages() for block in page.all_blocks()}
    assert {place: name for place, name in found.items() if name not in known} == {}


@pytest.mark.parametrize("block", blocks("bash"), ids=str)
def test_a_block_of_commands_can_be_read(block: Block) -> None:
    """By the shell that is to run it; placeholders in brackets aside."""
    text = re.sub(r"<[^<>\n|;&]+>", "PLACEHOLDER", block.text)
    read = subprocess.run(
        ["bash", "-n"], input=text, text=True, capture_output=True, check=False, timeout=30
    )
    assert read.returncode == 0, read.stderr


@pytest.mark.parametrize("block", blocks("json"), ids=str)
def test_a_block_of_json_can_be_read(block: Block) -> None:
    """As one document."""
    assert isinstance(json.loads(block.text), dict | list)


@pytest.mark.parametrize("block", blocks("yaml"), ids=str)
def test_a_block_of_yaml_can_be_read(block: Block) -> None:
    """As one document or several."""
    assert list(yaml.safe_load_all(block.text))


def here(block: Block, stack: Stack) -> str:
    """Return the block's text, for this stack."""
    return block.text.replace(API, stack.web_url).replace(SIMULATOR, stack.simulator_url)


def answers(text: str, directory: Path) -> list[tuple[int, str]]:
    """Return status and body of all that a script asked."""
    ran = subprocess.run(
        ["bash", "-c", _CURL + text],
        cwd=directory,
        env={"PATH": os.environ["PATH"], "HOME": str(directory)},
        capture_output=True,
        text=True,
        check=False,
        timeout=200,
    )
    assert ran.returncode == 0, ran.stderr
    parts = re.split(r"\n(\d{3})\n", ran.stdout)
    return [(int(code), body) for body, code in zip(parts[::2], parts[1::2], strict=False)]


def unexpected(status: int, body: str) -> bool:
    """Return whether a reader should not get this answer; what was cancelled may be gone."""
    if status < 300:
        return False
    problem: dict[str, Any] = json.loads(body)
    gone = status == 404 and problem["detail"].startswith("No such job")
    late = status == 409
    return not (gone or late)


@pytest.fixture(scope="module")
def everything(shared_server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """What `make run` starts, Flower aside, for one page after the other."""
    shared_server.empty()
    made = Stack(directory=tmp_path_factory.mktemp("pages"), redis_url=shared_server.url)
    made.settings["CALL_RATE_LIMIT"] = "off"
    # As the page on voice agents says.
    made.settings["TWIML_HOSTS"] = "127.0.0.1"
    made.start_all()
    made.start("beat").wait_for("scheduler leads")
    made.start("shipper")
    yield made
    made.close()


@pytest.mark.slow
@pytest.mark.parametrize(
    "page", [page for page in pages() if asks(page)], ids=lambda page: page.name
)
def test_what_a_page_asks_is_answered(
    page: Page, everything: Stack, shared_server: Server, tmp_path: Path
) -> None:
    """Each of its blocks, one after the other, by real processes."""
    if any(re.search(r"/job/\d", block.text) for block in asks(page)):
        # Such a page names calls by their numbers, which begin with 1 for its reader.
        shared_server.empty()
        ready = f"{everything.web_url}/readyz"
        until(lambda: requests.get(ready, timeout=20).ok, within_s=60, what="all is ready")
    for block in asks(page):
        found = answers(here(block, everything), tmp_path)
        assert found, block
        wrong = [(status, body) for status, body in found if unexpected(status, body)]
        assert wrong == [], block


def test_the_pages_have_much_to_ask() -> None:
    """The test above would pass without any."""
    assert sum(len(asks(page)) for page in pages()) > 15
    assert {"README.md", "docs/api.md", "docs/start.md"} <= {
        page.name for page in pages() if asks(page)
    }


def test_the_secrets_for_compose_are_made_as_the_page_says(tmp_path: Path) -> None:
    """Its script writes a file that has all that compose.yaml wants, Twilio's settings aside."""
    page = Page(ROOT / "docs" / "deploying.md")
    script = next(each for each in page.blocks("bash") if "POSTGREST_SECRET" in each.text)
    subprocess.run(["bash", "-euc", script.text], cwd=tmp_path, check=True, timeout=200)
    made = dict(line.split("=", 1) for line in (tmp_path / ".env").read_text().splitlines())
    wanted = set(re.findall(r"\$\{([A-Z_]+):\?", (ROOT / "compose.yaml").read_text()))
    twilio = {"TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN", "TWILIO_PHONE_NUMBER"}
    assert set(made) == wanted - twilio
    assert (tmp_path / ".env").stat().st_mode & 0o077 == 0
