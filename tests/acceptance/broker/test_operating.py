"""What an operator of Celery does, and finds to work as usual."""

from __future__ import annotations

import json
import subprocess
from socket import gethostname
from typing import Any

import pytest
import redis

from tests.acceptance.conftest import Api, calls, number
from tests.simulator import SimulatorClient
from tests.stack import Stack, until

PLACE_CALL = "vomind_queue.place_call"


def patient(*workers: str) -> tuple[str, ...]:
    """Options of a command for these workers: a busy one takes longer than Celery waits."""
    names = [f"{name}@{gethostname()}" for name in workers or ("celery",)]
    return "-t", "60", "-d", ",".join(names)


def run_celery(stack: Stack, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Runs one `celery -A celery_app …`, whatever its end."""
    return stack.run("-m", "celery", "-A", "celery_app", *arguments)


def celery(stack: Stack, *arguments: str) -> str:
    """Runs one that succeeds, and returns what it printed."""
    done = run_celery(stack, *arguments)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def python(stack: Stack, code: str) -> str:
    """Runs code beside the application, and returns what it printed."""
    done = stack.run("-c", code)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def asked(stack: Stack, *arguments: str) -> dict[str, Any]:
    """The answers of all workers to a remote-control command, by worker."""
    answers: dict[str, Any] = json.loads(celery(stack, *arguments, "--json"))
    return answers


def test_inspection_and_ordinary_tasks(fast: Stack, api: Api, phone: SimulatorClient) -> None:
    """Workers answer pings, show what is active without numbers, and run any other task."""
    # Twilio takes longer than the slowest machine needs to ask its worker.
    times = {"DIAL_DEADLINE": "60s", "UNKNOWN_OUTCOME_HORIZON": "2m"}
    worker = fast.start_worker("--include", "tests.ordinary", **times)
    assert list(asked(fast, "inspect", *patient(), "ping").values()) == [{"ok": "pong"}]
    phone.faults({"fault": "slow", "ms": 50_000, "when": "after"})
    job_id = api.schedule(number(1))
    until(phone.rings, within_s=30, what="it rings")
    (active,) = asked(fast, "inspect", *patient(), "active").values()
    assert (active[0]["id"], active[0]["name"]) == (job_id, PLACE_CALL)
    assert number(1) not in json.dumps(active)
    celery(fast, "call", "tests.note", "--args", '["noted", "yes"]')
    with redis.Redis.from_url(fast.redis_url, decode_responses=True) as client:
        until(lambda: client.get("noted") == "yes", within_s=30, what="the task ran")
    (conf,) = asked(fast, "inspect", *patient(), "conf").values()
    assert conf["worker_prefetch_multiplier"] == 1
    assert worker.alive


def test_the_rate_is_changed_for_all_workers(fast: Stack, api: Api, phone: SimulatorClient) -> None:
    """`control rate_limit` reaches all at once, is seen in stats, and outlives the workers."""
    workers = [
        fast.start_worker("-n", name, CALL_RATE_LIMIT="1/h") for name in ("one@%h", "two@%h")
    ]
    api.bulk(calls(10))
    until(phone.rings, within_s=30, what="one rings")
    celery(fast, "control", *patient("one", "two"), "rate_limit", PLACE_CALL, "4/h")
    until(lambda: len(phone.rings()) == 4, within_s=30, what="four ring")
    for worker in workers:
        worker.stop()
    fast.start_worker(CALL_RATE_LIMIT="1/h")
    rate = api("GET", "/stats")["rateLimit"]
    assert (rate["max"], rate["windowMs"], rate["used"]) == (4, 3_600_000, 4)
    celery(fast, "control", *patient(), "rate_limit", PLACE_CALL, "1/h")
    until(
        lambda: not (api("GET", "/stats")["rateLimit"] or {}).get("overridden"),
        within_s=30,
        what="the change is taken back",
    )
    assert len(phone.rings()) == 4
    celery(fast, "control", *patient(), "rate_limit", PLACE_CALL, "0")
    api.until_done()
    assert len(phone.rings()) == 10


def test_a_revoked_call_is_cancelled(fast: Stack, api: Api, phone: SimulatorClient) -> None:
    """It never rings, is gone from the queue, and holds up nothing behind it."""
    fast.start_worker()
    api("POST", "/pause")
    job_ids = api.bulk(calls(3))
    celery(fast, "control", *patient(), "revoke", job_ids[0])
    api("POST", "/resume")
    stats = api.until_done(within_s=30)
    assert stats["completed"] == 2
    assert api.ask("GET", f"/job/{job_ids[0]}").status_code == 404
    assert sorted(ring["to"] for ring in phone.rings()) == [number(1), number(2)]


def test_calls_are_not_purged(fast: Stack, api: Api) -> None:
    """`celery purge` leaves them alone."""
    api.bulk(calls(3))
    done = run_celery(fast, "purge", "-f")
    assert "never purged" in done.stdout + done.stderr
    assert api.stats()["waiting"] == 3


def test_commands_that_would_do_harm_are_refused_in_words(
    fast: Stack, api: Api, phone: SimulatorClient
) -> None:
    """Calls are taken on, a call that is being placed is placed once, no slot comes or goes."""
    worker = fast.start_worker(DIAL_DEADLINE="30s", UNKNOWN_OUTCOME_HORIZON="2m")
    # Longer than a slow machine needs for the commands.
    phone.faults({"fault": "slow", "ms": 20_000, "when": "after"})
    job_id = api.schedule(number(1))
    until(phone.rings, within_s=30, what="it rings")
    script = (
        "from celery_app import app\n"
        "ask = app.control.broadcast\n"
        "for name, arguments in (\n"
        f"    ('revoke', dict(task_id='{job_id}', terminate=True)),\n"
        "    ('cancel_consumer', dict(queue='calls.normal')),\n"
        "    ('pool_grow', dict(n=2)), ('pool_shrink', dict(n=1)),\n"
        "    ('autoscale', dict(max=9, min=1)), ('pool_restart', {}),\n"
        "):\n"
        "    (answer,) = ask(name, arguments=arguments, reply=True, timeout=20, limit=1)\n"
        "    print(*(told['error'] for told in answer.values()))\n"
    )
    done = python(fast, script)
    revoked, cancelled, *resized = done.splitlines()
    assert f"Under way, and not to be ended by this: {job_id}." in revoked
    assert "vomind-queue pause" in cancelled
    assert all("CALL_WORKER_CONCURRENCY" in words for words in resized)
    api.schedule(number(2))
    assert api.until_done()["completed"] == 2
    assert sorted(ring["to"] for ring in phone.rings()) == [number(1), number(2)]
    assert "Traceback" not in worker.output


def test_only_threads_place_calls(fast: Stack) -> None:
    """A worker with another pool ends with words that say what to do."""
    worker = fast.start("worker", "--pool", "solo")
    assert worker.wait() != 0
    assert "--pool" in worker.output


@pytest.mark.alone
def test_questions_one_after_the_other_are_all_answered(fast: Stack) -> None:
    """As Flower asks them: no wait that one leaves behind takes the answer to the next."""
    fast.start_worker()
    code = (
        "from celery_app import app\n"
        "print([bool(app.control.inspect(timeout=1).ping()) for _ in range(4)])"
    )
    assert python(fast, code).strip() == str([True] * 4)
