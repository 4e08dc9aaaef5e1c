"""The ways of verifying a delivery that docs/webhooks.md shows, each of them run."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.pages import ROOT, Page
from tests.servers import missing
from vomind_queue.webhooks.signing import headers, new_secret

PAGE = Page(ROOT / "docs" / "webhooks.md")
BODY = '{"type":"call.ended","data":{"jobId":"1","message":"Grüße"}}'.encode()
Verify = Callable[[str, dict[str, str], bytes], bool]


def shown(language: str, word: str) -> str:
    """Return the block that has this word."""
    (found,) = [each.text for each in PAGE.blocks(language) if word in each.text]
    return found


def by_python(secret: str, signed: dict[str, str], body: bytes) -> bool:
    """As the Python block does."""
    names: dict[str, Any] = {}
    exec(shown("python", "def verify"), names)
    return bool(names["verify"](secret, signed, body))


def by_javascript(secret: str, signed: dict[str, str], body: bytes) -> bool:
    """As the JavaScript block does."""
    if shutil.which("node") is None:
        missing("node")
    given = ", ".join(json.dumps(each) for each in (secret, signed, body.decode()))
    script = f"{shown('js', 'function verify')}\nconsole.log(verify({given}));"
    done = subprocess.run(
        ["node", "-e", script], capture_output=True, text=True, check=True, timeout=200
    )
    return done.stdout.strip() == "true"


@pytest.mark.parametrize("verify", [by_python, by_javascript])
def test_a_genuine_delivery_alone_is_verified(verify: Verify) -> None:
    """One with another body, secret or time is not; during a rotation either secret will do."""
    secret, old, now = new_secret(), new_secret(), int(time.time())
    signed = dict(headers([secret, old], "evt_1", now, BODY))
    assert verify(secret, signed, BODY)
    assert verify(old, signed, BODY)
    assert not verify(new_secret(), signed, BODY)
    assert not verify(secret, signed, BODY.replace(b"1", b"2"))
    assert not verify(secret, signed | {"webhook-timestamp": str(now + 1)}, BODY)
    assert not verify(secret, dict(headers([secret], "evt_1", now - 3_600, BODY)), BODY)


def test_the_commands_compute_the_signature(tmp_path: Path) -> None:
    """Of openssl alone."""
    if shutil.which("openssl") is None:
        missing("openssl")
    secret = new_secret()
    signed = headers([secret], "evt_1", 1_796_037_648, BODY)
    (tmp_path / "body.json").write_bytes(BODY)
    environ = {"PATH": os.environ["PATH"], "SECRET": secret, "ID": "evt_1", "STAMP": "1796037648"}
    done = subprocess.run(
        ["bash", "-c", shown("bash", "openssl dgst")],
        cwd=tmp_path, env=environ, capture_output=True, text=True, check=True, timeout=200,
    )  # fmt: skip
    assert done.stdout.strip() == signed["webhook-signature"]


def test_the_receiver_handles_each_event_once(capsys: pytest.CaptureFixture[str]) -> None:
    """And nothing that is not signed."""
    secret = new_secret()
    names: dict[str, Any] = {"SECRET": secret, "__name__": __name__}
    exec(shown("python", "def verify"), names)
    exec(shown("python", "from flask"), names)
    client = names["app"].test_client()
    signed = dict(headers([secret], "evt_1", int(time.time()), BODY))
    for status in (204, 204):
        answer = client.post("/calls", data=BODY, headers=signed, content_type="application/json")
        assert answer.status_code == status
    assert capsys.readouterr().out == "call.ended 1\n"
    assert client.post("/calls", data=b"{}", headers=signed).status_code == 401
