"""What an operator types: forgetting a person, and the lines that the log refused."""

from __future__ import annotations

import subprocess
import sys

import redis

from tests.acceptance.conftest import Api
from tests.integration.call_log.lines import event
from tests.stack import ROOT, Stack
from vomind_queue.call_log.models import DeadLetter
from vomind_queue.queue.connection import RedisStore
from vomind_queue.queue.outbox import Outbox


def command(stack: Stack, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """``vomind-queue`` with these arguments."""
    return subprocess.run(
        [sys.executable, "-m", "vomind_queue", *arguments],
        env={**stack.environment(), **settings},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=200,
    )


def test_a_person_is_forgotten(fast: Stack, api: Api) -> None:
    """It says what was done, and never the number."""
    api.bulk([{"to": "+15550000001", "delayMs": 3_600_000}, {"to": "+15550000002"}])
    done = command(fast, "forget", "+15550000001")
    assert (done.returncode, "+1555" in done.stdout + done.stderr) == (0, False)
    assert done.stdout.splitlines() == [
        "queue: 1 calls and 0 recurring calls cancelled",
        "history: 0 calls removed",
        "call log: 0 calls and 0 events erased",
    ]
    assert api.stats()["total"] == 1


def test_what_is_no_number_is_refused(stack: Stack) -> None:
    """With one line on how to write it."""
    done = command(stack, "forget", "0123")
    assert done.returncode == 2
    assert "+ and 7 to 15 digits" in done.stderr


def test_without_redis_there_is_one_line(stack: Stack) -> None:
    """And not a traceback."""
    done = command(stack, "forget", "+15550000001", REDIS_URL="redis://127.0.0.1:9")
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "Redis cannot be reached" in done.stderr


def test_dead_letters_are_shown_and_sent_again(stack: Stack, valkey: redis.Redis) -> None:
    """With their reasons; the status says whether there are any."""
    none = command(stack, "dead-letters")
    assert (none.returncode, none.stdout) == (0, "There are no dead letters.\n")
    letter = DeadLetter(line=event(1), reason="23514: not polite")
    Outbox(RedisStore(valkey), "one", None).bury([letter])
    shown = command(stack, "dead-letters")
    assert (shown.returncode, shown.stdout) == (1, "job 1\tcall_events\t23514: not polite\n")
    sent = command(stack, "dead-letters", "--send")
    assert sent.returncode == 0
    assert sent.stdout == "sent: 1, refused again: 0\nThere are no dead letters.\n"
