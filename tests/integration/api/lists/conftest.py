"""Both doors to the same service: its API, and the command that reads a file itself."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from werkzeug.serving import make_server

from devserver.parts import FAKE_ACCOUNT
from tests.integration.api.conftest import Api
from tests.integration.api.test_lists import Lists
from tests.ports import free_port
from vomind_queue.cli.main import entry

#: What both doors say of a file.
SHARED = ("questions", "options", "counts", "refusals", "rows", "found")


@dataclass(frozen=True, slots=True)
class Command:
    """``vomind-queue bulk``, in this process."""

    url: str

    def __call__(self, file: Path, *options: str) -> Any:
        """The document that it prints."""
        arguments = ["--url", self.url, "bulk", str(file), *options, "--json"]
        done = CliRunner().invoke(entry, arguments, catch_exceptions=False)
        return json.loads(done.stdout)

    def check(self, file: Path, country: str | None, answers: Mapping[str, str]) -> Any:
        """What would become of a file."""
        given = [f"--answer={name}={said}" for name, said in answers.items() if name != "country"]
        code = answers.get("country", country)
        return self(file, "--check", *([f"--country={code}"] if code else []), *given)


@dataclass(frozen=True, slots=True)
class Page:
    """The API, as the page for files uses it."""

    api: Api

    def campaign(self, country: str | None) -> Lists:
        """The lists of a new campaign."""
        return Lists(self.api, country)

    def check(self, file: Path, country: str | None, answers: Mapping[str, str]) -> Any:
        """What would become of a file."""
        lists = self.campaign(country)
        answer = self.api.web.post(f"{lists.path}?filename={file.name}", data=file.read_bytes())
        staged = answer.get_json()
        if answer.status_code != 200:
            return {"error": staged["detail"]}
        if answers:
            staged = lists.answer(staged["listId"], answers=answers)
        return {"found": staged["found"], **lists.preview(staged["listId"], "?start=0&end=99")}


@pytest.fixture
def api(make_api: Callable[..., Api]) -> Api:
    """One that can be told of answering machines: a file has words for them."""
    return make_api(**FAKE_ACCOUNT, PUBLIC_URL="https://queue.example.com")


@pytest.fixture
def page(api: Api) -> Page:
    """The page's door."""
    return Page(api)


@pytest.fixture
def command(api: Api) -> Iterator[Command]:
    """The command's door."""
    server = make_server("127.0.0.1", free_port(), api.web.application, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield Command(f"http://127.0.0.1:{server.server_port}")
    server.shutdown()
    thread.join()
    server.server_close()


def said(document: Mapping[str, Any], names: Sequence[str] = SHARED) -> Mapping[str, Any]:
    """What both doors must have in common."""
    assert "questions" in document, document
    return {name: document[name] for name in names}
