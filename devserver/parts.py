"""Which processes make up the stack, for given settings."""

from __future__ import annotations

import json
import os
import shlex
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import redis
from honcho.environ import parse_procfile

from devserver import embedded, probes
from devserver.probes import Place
from devserver.servers import Server
from vomind_queue.config.address_types import is_loopback
from vomind_queue.config.loading import environment_with_file, with_password
from vomind_queue.config.settings import SIMULATED_ACCOUNT, Settings
from vomind_queue.queue.connection import connect

#: The processes by name; each line starts with ``python``.
PROCFILE: Mapping[str, str] = parse_procfile(
    Path(__file__).with_name("Procfile.dev").read_text(encoding="utf-8")
).processes

#: What each of them is started with, after the name of the interpreter.
COMMANDS: Mapping[str, Sequence[str]] = {
    name: tuple(shlex.split(line)[1:]) for name, line in PROCFILE.items()
}

#: An account that exists nowhere, for the simulator and those who talk to it.
FAKE_ACCOUNT: Mapping[str, str] = {
    "TWILIO_ACCOUNT_SID": SIMULATED_ACCOUNT,
    "TWILIO_AUTH_TOKEN": "the-simulator-takes-any",
    "TWILIO_PHONE_NUMBER": "+15005550006",
}

#: Where webhooks of the development stack may go as well.
LOOPBACK = "127.0.0.0/8,::1/128"

#: Where ``celery_app.py`` lies.
ROOT = Path(__file__).resolve().parent.parent

#: For the requests under way, and for one delivery to the call log, seconds.
GRACE_S = 30.0
#: Settings that want an account of Twilio, or PUBLIC_URL; the simulator takes their place.
_WITH_SIMULATOR = ("PUBLIC_URL", "CALLER_NAME", "OPT_OUT_DIGIT")
#: Over the worker's own drain time, for giving back what it did not finish.
WORKER_MARGIN_S = 10.0
#: For the simulator, which has nothing to finish.
SIMULATOR_GRACE_S = 5.0
#: For writing out what is in memory.
SERVER_GRACE_S = 60.0


def load_settings(environ: Mapping[str, str]) -> Settings:
    """Return the settings. What wants an account and its callbacks may stand beside the simulator.

    Raise SettingsError.
    """
    given = environment_with_file(environ)
    if given.get("TWILIO_ACCOUNT_SID") or not any(map(given.get, _WITH_SIMULATOR)):
        return with_password(Settings.from_env(given))
    account = dict(FAKE_ACCOUNT)
    if given.get("TWILIO_PHONE_NUMBERS"):
        del account["TWILIO_PHONE_NUMBER"]
    if not given.get("HOST"):
        # The processes get the stack's own address.
        account["PUBLIC_URL"] = "http://127.0.0.1"
    settings = Settings.from_env({**account, **given})
    own_url = settings.public_url if given.get("PUBLIC_URL") else None
    settings = replace(settings, public_url=own_url)
    return with_password(replace(settings, twilio_account_sid=None, twilio_auth_token=None))


def simulated(settings: Settings) -> bool:
    """Return whether the simulator replaces Twilio: no account is configured."""
    return settings.twilio_account_sid is None


def places(settings: Settings) -> Sequence[Place]:
    """Return all addresses that the stack listens on."""
    found = [
        Place(host=settings.host, port=settings.port, variable="PORT"),
        Place(host=settings.flower_host, port=settings.flower_port, variable="FLOWER_PORT"),
        Place(host=settings.notifier_host, port=settings.notifier_port, variable="NOTIFIER_PORT"),
    ]
    if settings.embedded:
        number = settings.embedded_redis_port
        found.append(Place(host="127.0.0.1", port=number, variable="EMBEDDED_REDIS_PORT"))
    if simulated(settings):
        number = settings.simulator_port
        found.append(Place(host="127.0.0.1", port=number, variable="SIMULATOR_PORT"))
    return found


def commands() -> Mapping[str, str]:
    """Return the line of a shell for each process but the simulator, by name."""
    ours = {name: line for name, line in PROCFILE.items() if name != "simulator"}
    interpreter = shlex.quote(sys.executable)
    return {name: f"{interpreter} {line.partition(' ')[2]}" for name, line in ours.items()}


def grace_s(settings: Settings) -> float:
    """Return how long the processes may take to end, seconds."""
    return max(GRACE_S, settings.drain_ms / 1000 + WORKER_MARGIN_S)


def servers(settings: Settings, environ: Mapping[str, str], lock: int | None) -> Sequence[Server]:
    """Return what must be ready before the processes start; ``lock``: of the data directory."""
    found = []
    if lock is not None:
        found.append(_valkey(settings, environ, lock))
    if simulated(settings):
        found.append(_simulator(settings, environ))
    return found


def _valkey(settings: Settings, environ: Mapping[str, str], lock: int) -> Server:
    return Server(
        name="valkey",
        command=embedded.command(settings),
        environment=environ,
        ready=partial(_answers, settings.redis_url),
        grace_s=SERVER_GRACE_S,
        inherits=(lock,),
    )


def _simulator(settings: Settings, environ: Mapping[str, str]) -> Server:
    return Server(
        name="simulator",
        command=(sys.executable, *COMMANDS["simulator"]),
        environment=environ,
        ready=partial(probes.serves, "127.0.0.1", settings.simulator_port, "/simulator/rings"),
        grace_s=SIMULATOR_GRACE_S,
    )


def _answers(url: str) -> bool:
    """Return whether PING is answered, which is once the data is loaded."""
    client = connect(url, timeout_s=probes.ANSWER_S)
    try:
        return bool(client.ping())
    except redis.RedisError:
        return False
    finally:
        client.close()


def ready(settings: Settings) -> Sequence[Callable[[], bool]]:
    """Return the questions that are all answered with yes once the stack is ready.

    Web says yes only when it has seen a worker and, where calls recur, a scheduler. Flower may
    want a password even of those who ask whether it is up.
    """
    prefix = f"/{settings.flower_url_prefix}" if settings.flower_url_prefix else ""
    login = (settings.flower_basic_auth or "").partition(",")[0]
    flower = (settings.flower_host, settings.flower_port, f"{prefix}/healthcheck", login)
    return [
        partial(probes.serves, settings.host, settings.port, "/readyz"),
        partial(probes.serves, *flower),
        partial(probes.serves, settings.notifier_host, settings.notifier_port, "/healthz"),
    ]


def environment(settings: Settings, environ: Mapping[str, str]) -> dict[str, str]:
    """Return what the processes get: ``environ``, and the simulator if it is used."""
    path = [str(ROOT), *filter(None, [environ.get("PYTHONPATH")])]
    made = dict(environ) | {"PYTHONUNBUFFERED": "1", "PYTHONPATH": os.pathsep.join(path)}
    if simulated(settings):
        number = settings.senders.default or FAKE_ACCOUNT["TWILIO_PHONE_NUMBER"]
        made |= {**FAKE_ACCOUNT, "TWILIO_PHONE_NUMBER": number}
        # The simulator reads no file of settings.
        made["SIMULATOR_PORT"] = str(settings.simulator_port)
        allowed = ",".join(map(str, settings.webhook_allowed_networks))
        made.setdefault("WEBHOOK_ALLOWED_NETWORKS", allowed or LOOPBACK)
        made["TWILIO_API_BASE"] = f"http://127.0.0.1:{settings.simulator_port}"
        if is_loopback(probes.reachable(settings.host)):
            # Farther the simulator does not call back.
            made["PUBLIC_URL"] = settings.public_url or _web_url(settings)
    if all(is_loopback(each) for each in (settings.host, settings.notifier_host)):
        # Elsewhere it may have another name, and this one would be the reader's own machine.
        host = probes.in_url(settings.notifier_host)
        own_url = f"http://{host}:{settings.notifier_port}"
        made.setdefault("NOTIFIER_URL", settings.notifier_url or own_url)
    return made


def _web_url(settings: Settings) -> str:
    return f"http://{probes.in_url(probes.reachable(settings.host))}:{settings.port}"


def announcement(settings: Settings) -> str:
    """Return what to tell the person who started the stack, once it is ready."""
    web = _web_url(settings)
    flower = f"http://{probes.in_url(probes.reachable(settings.flower_host))}"
    lines = ["", "VoMind Queue is ready.", f"  API        {web}/api/queue"]
    prefix = f"/{settings.flower_url_prefix}/" if settings.flower_url_prefix else ""
    lines.append(f"  Flower     {flower}:{settings.flower_port}{prefix}")
    if simulated(settings):
        rings = f"http://127.0.0.1:{settings.simulator_port}/simulator/rings"
        lines.append(f"  simulator  {rings} (rings nobody; set Twilio's keys to ring people)")
    # With a real account an example must not ring the person who has its number.
    to = "+1234567890" if simulated(settings) else "+<a number that you may ring>"
    body = json.dumps({"to": to, "message": "Hello from VoMindAI"})
    key = " -H 'X-API-Key: <one of API_KEYS>'" if settings.api_keys else ""
    lines += ["", "Try it:"]
    lines.append(f"  curl -H 'Content-Type: application/json'{key} -d '{body}' \\")
    lines += [f"    {web}/api/queue/schedule-call", f"  curl{key} {web}/api/queue/job/1", ""]
    return "\n".join(lines)
