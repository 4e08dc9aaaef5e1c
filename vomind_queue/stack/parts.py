"""Which processes make up the stack, for given settings."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from vomind_queue.config.settings import Settings
from vomind_queue.config.types import is_loopback
from vomind_queue.stack import embedded, probes
from vomind_queue.stack.probes import Place
from vomind_queue.stack.supervisor import Part

#: What each process of ours is started with, after the name of the interpreter.
COMMANDS: Mapping[str, Sequence[str]] = {
    "web": ("-m", "vomind_queue.web"),
    "worker": ("-m", "celery", "--quiet", "-A", "celery_app", "worker"),
    "shipper": ("-m", "vomind_queue.shipper"),
    "beat": ("-m", "celery", "--quiet", "-A", "celery_app", "beat"),
    "flower": ("-m", "vomind_queue.flower"),
    "simulator": ("-m", "vomind_queue.simulator"),
}

#: An account that exists nowhere, for the simulator and those who talk to it.
FAKE_ACCOUNT: Mapping[str, str] = {
    "TWILIO_ACCOUNT_SID": "AC" + "0" * 32,
    "TWILIO_AUTH_TOKEN": "the-simulator-takes-any",
    "TWILIO_PHONE_NUMBER": "+15005550006",
}

#: Where ``celery_app.py`` lies.
ROOT = Path(__file__).resolve().parent.parent.parent

#: For the requests under way, seconds.
WEB_GRACE_S = 30.0
#: For one delivery to the call log, seconds.
SHIPPER_GRACE_S = 15.0
#: For what has nothing to finish.
GRACE_S = 5.0
#: Over the worker's own drain time, for giving back what it did not finish.
WORKER_MARGIN_S = 10.0
#: For writing out what is in memory.
SERVER_GRACE_S = 60.0


def simulated(settings: Settings) -> bool:
    """Whether the simulator stands in for Twilio: no account is configured."""
    return settings.twilio_account_sid is None


def places(settings: Settings) -> Sequence[Place]:
    """All addresses that the stack listens on."""
    found = [
        Place(host=settings.host, port=settings.port, variable="PORT"),
        Place(host=settings.flower_host, port=settings.flower_port, variable="FLOWER_PORT"),
    ]
    if settings.embedded:
        number = settings.embedded_redis_port
        found.append(Place(host="127.0.0.1", port=number, variable="EMBEDDED_REDIS_PORT"))
    if simulated(settings):
        number = settings.simulator_port
        found.append(Place(host="127.0.0.1", port=number, variable="SIMULATOR_PORT"))
    return found


def parts(settings: Settings, environ: Mapping[str, str]) -> Sequence[Part]:
    """The processes in the order of starting; they end in the opposite one."""
    children = _environment(settings, environ)
    ours = [
        _flower(settings, children),
        _unasked("worker", children, settings.drain_ms / 1000 + WORKER_MARGIN_S),
        _unasked("shipper", children, SHIPPER_GRACE_S),
        _unasked("beat", children, GRACE_S),
        _ours("web", children, WEB_GRACE_S, settings.host, settings.port),
    ]
    if simulated(settings):
        simulator = _ours("simulator", children, GRACE_S, "127.0.0.1", settings.simulator_port)
        return [simulator, *ours]
    return ours


def server(settings: Settings, lock: int) -> Part:
    """The embedded server, started before and ended after all others."""
    return Part(
        name="valkey",
        command=embedded.command(settings),
        environment=dict(os.environ),
        grace_s=SERVER_GRACE_S,
        probe=probes.redis(settings.embedded_redis_port),
        inherits=(lock,),
    )


#: What each answers with 200 once it is ready; web only when a worker was seen.
_READY = {
    "web": "/readyz",
    "simulator": "/simulator/rings",
}


def _ours(name: str, environ: Mapping[str, str], grace_s: float, host: str, port: int) -> Part:
    return Part(
        name=name,
        command=(sys.executable, *COMMANDS[name]),
        environment=environ,
        grace_s=grace_s,
        probe=probes.http(probes.reachable(host), port, _READY[name]),
    )


def _flower(settings: Settings, environ: Mapping[str, str]) -> Part:
    """Flower, which may want a password even of those who ask whether it is up."""
    prefix = f"/{settings.flower_url_prefix}" if settings.flower_url_prefix else ""
    login = (settings.flower_basic_auth or "").partition(",")[0]
    host = probes.reachable(settings.flower_host)
    return Part(
        name="flower",
        command=(sys.executable, *COMMANDS["flower"]),
        environment=environ,
        grace_s=GRACE_S,
        probe=probes.http(host, settings.flower_port, f"{prefix}/healthcheck", login),
    )


def _unasked(name: str, environ: Mapping[str, str], grace_s: float) -> Part:
    """One that listens nowhere, so that it cannot be asked whether it is ready."""
    command = (sys.executable, *COMMANDS[name])
    return Part(name=name, command=command, environment=environ, grace_s=grace_s, probe=None)


def _environment(settings: Settings, environ: Mapping[str, str]) -> dict[str, str]:
    """What the processes get: the caller's environment, and the simulator where it is used."""
    path = [str(ROOT), *filter(None, [environ.get("PYTHONPATH")])]
    made = dict(environ) | {"PYTHONUNBUFFERED": "1", "PYTHONPATH": os.pathsep.join(path)}
    if simulated(settings):
        number = settings.twilio_phone_number or FAKE_ACCOUNT["TWILIO_PHONE_NUMBER"]
        made |= {**FAKE_ACCOUNT, "TWILIO_PHONE_NUMBER": number}
        made["TWILIO_API_BASE"] = f"http://127.0.0.1:{settings.simulator_port}"
        if is_loopback(probes.reachable(settings.host)):
            # Farther the simulator does not call back.
            made["PUBLIC_URL"] = settings.public_url or _web_url(settings)
    return made


def _web_url(settings: Settings) -> str:
    return f"http://{probes.in_url(probes.reachable(settings.host))}:{settings.port}"


def announcement(settings: Settings) -> Sequence[str]:
    """What to tell the person who started the stack, once it is ready."""
    web = _web_url(settings)
    flower = f"http://{probes.in_url(probes.reachable(settings.flower_host))}"
    lines = ["", "VoMind Queue is ready.", f"  API        {web}/api/queue"]
    prefix = f"/{settings.flower_url_prefix}/" if settings.flower_url_prefix else ""
    lines.append(f"  Flower     {flower}:{settings.flower_port}{prefix}")
    if simulated(settings):
        rings = f"http://127.0.0.1:{settings.simulator_port}/simulator/rings"
        lines.append(f"  simulator  {rings} (rings nobody; set Twilio's keys to ring people)")
    # With a real account an example must not ring whoever has the number in it.
    to = "+1234567890" if simulated(settings) else "+<a number that you may ring>"
    body = json.dumps({"to": to, "message": "Hello from VoMindAI"})
    key = " -H 'X-API-Key: <one of API_KEYS>'" if settings.api_keys else ""
    lines += ["", "Try it:"]
    lines.append(f"  curl -H 'Content-Type: application/json'{key} -d '{body}' \\")
    lines += [f"    {web}/api/queue/schedule-call", f"  curl{key} {web}/api/queue/job/1", ""]
    return lines
