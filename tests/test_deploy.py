"""The files by which it is deployed name what there is."""

from __future__ import annotations

import ast
import json
import re
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.pages import ROOT
from tests.supabase import Postgres
from vomind_queue.config.settings import VARIABLES

SETTINGS = {variable.name for variable in VARIABLES}
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text())
OURS = {name: each for name, each in COMPOSE["services"].items() if "build" in each}
UNITS = sorted((ROOT / "deploy" / "systemd").glob("*.service"))
DEPLOY = ROOT / "deploy" / "compose"


def procfile() -> dict[str, list[str]]:
    """Return the words of each process's command, settings before it left out."""
    found = {}
    for line in (ROOT / "Procfile").read_text().splitlines():
        name, _, command = line.partition(":")
        words = [word for word in shlex.split(command) if "=" not in word]
        found[name] = words
    return found


def dockerfile() -> list[tuple[str, str]]:
    """Return instructions with their arguments, continued lines joined."""
    text = re.sub(r"^#.*\n", "", (ROOT / "Dockerfile").read_text(), flags=re.MULTILINE)
    lines = text.replace("\\\n", " ").splitlines()
    return [(name, rest) for name, _, rest in (line.partition(" ") for line in lines) if name]


def test_compose_runs_the_processes_of_the_procfile() -> None:
    """By the same commands; web's is the image's own."""
    image = next(rest for name, rest in reversed(dockerfile()) if name == "CMD")
    commands = {name: each.get("command", json.loads(image)) for name, each in OURS.items()}
    assert commands == procfile()


@pytest.mark.parametrize("name", OURS)
def test_compose_sets_settings_that_there_are(name: str) -> None:
    """And what is secret has no default."""
    environment: dict[str, str] = OURS[name]["environment"]
    assert set(environment) <= SETTINGS
    for variable in {"API_KEYS", "TWILIO_AUTH_TOKEN", "SUPABASE_SERVICE_KEY"} & set(environment):
        assert environment[variable].startswith(f"${{{variable}:?")


def test_compose_hands_out_secrets_to_those_who_need_them() -> None:
    """A break-in at one container does not reveal the keys of the others."""
    secrets = {variable.name for variable in VARIABLES if variable.secret} - {"REDIS_URL"}
    held = {name: secrets & set(each["environment"]) for name, each in OURS.items()}
    assert held == {
        "web": {
            "API_KEYS", "METRICS_KEY", "TWILIO_AUTH_TOKEN", "SUPABASE_SERVICE_KEY",
            "DO_NOT_CALL_KEY",
        },
        # From the log a worker restores the do-not-call list, before it places anything.
        "worker": {
            "TWILIO_AUTH_TOKEN", "TWILIO_API_SECRET", "SUPABASE_SERVICE_KEY", "DO_NOT_CALL_KEY",
        },
        "beat": set(),
        "shipper": {"SUPABASE_SERVICE_KEY"},
        "notifier": {"API_KEYS"},
        "flower": {"FLOWER_BASIC_AUTH"},
    }  # fmt: skip


def test_compose_gives_the_least_rights() -> None:
    """No capabilities, no way to gain any, nothing to write but data; no password in argv."""
    for each in OURS.values():
        assert each["cap_drop"] == ["ALL"]
        assert each["read_only"] is True
    for each in COMPOSE["services"].values():
        assert each["security_opt"] == ["no-new-privileges:true"]
        assert "PASSWORD" not in " ".join(each.get("command", ()))
    assert "postgres:${POSTGRES" not in COMPOSE["services"]["rest"]["environment"]["PGRST_DB_URI"]


def test_compose_hands_each_setting_on() -> None:
    """One that is written into .env and not named here would count for nothing, unsaid."""
    handed_on = {name for each in OURS.values() for name in each["environment"]}
    #: The addresses and places of containers are Compose's own matter.
    fixed = {"HOST", "PORT", "DATA_DIR", "FLOWER_PORT", "NOTIFIER_PORT", "VOMIND_ENV_FILE"}
    fixed |= {"ALLOW_ANONYMOUS"}
    fixed |= {name for name in SETTINGS if re.match("REDIS_(?!URL)|EMBEDDED_|SIMULATOR_", name)}
    assert SETTINGS - handed_on == fixed | {"ALLOW_EVICTION", "ALLOWED_HOSTS"}
    for each in OURS.values():
        for name, value in each["environment"].items():
            assert "${" not in value or f"${{{name}:" in value or name == "REDIS_URL", name


def test_compose_opens_nothing_beyond_loopback() -> None:
    """A proxy with TLS stands before it."""
    ports = [port for each in COMPOSE["services"].values() for port in each.get("ports", ())]
    assert ports
    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_compose_mounts_files_that_there_are() -> None:
    """From the repository, for reading alone."""
    mounted = [mount for each in COMPOSE["services"].values() for mount in each.get("volumes", ())]
    own = [mount for mount in mounted if mount.startswith("./")]
    assert len(own) == 4
    for mount in own:
        path, _, mode = mount.split(":")
        assert (ROOT / path).exists(), mount
        assert mode == "ro", mount


def test_compose_keeps_calls() -> None:
    """Redis syncs each write, evicts nothing, has a volume; so has PostgreSQL. Calls are small."""
    redis = COMPOSE["services"]["redis"]
    words = " ".join(redis["command"])
    for option in (
        *("--appendonly yes", "--appendfsync always", "--maxmemory-policy noeviction"),
        "--hash-max-listpack-value 512",
    ):
        assert option in words
    volumes = {name: COMPOSE["services"][name]["volumes"][0] for name in COMPOSE["volumes"]}
    assert volumes == {"redis": "redis:/data", "postgres": "postgres:/var/lib/postgresql/data"}


def test_the_image_is_made_of_files_that_there_are() -> None:
    """And .dockerignore lets them through."""
    let_through = re.findall(r"^!(.+)$", (ROOT / ".dockerignore").read_text(), re.MULTILINE)
    copied = [
        source
        for name, rest in dockerfile()
        if name == "COPY" and not rest.startswith("--from")
        for source in rest.split()[:-1]
    ]
    assert set(copied) == set(let_through)
    assert all((ROOT / source).exists() for source in copied)


def test_what_runs_is_not_root_and_has_no_pip() -> None:
    """The last stage takes pip away, takes another user, and says how to look after it."""
    instructions = dockerfile()
    last = max(index for index, (name, _) in enumerate(instructions) if name == "FROM")
    stage = instructions[last:]
    assert dict(stage)["USER"] == "vomind"
    assert any(name == "RUN" and "uninstall --yes pip" in rest for name, rest in stage)
    health = dict(stage)["HEALTHCHECK"]
    python, option, code = json.loads(health[health.index("[") :])
    assert (python, option) == ("python", "-c")
    assert "/healthz" in code
    ast.parse(code)


def exec_start(unit: Path) -> list[str]:
    """Return the words of a unit's command, without its path and a worker's name."""
    line = re.search(r"^ExecStart=(.+)$", unit.read_text(), re.MULTILINE)
    assert line
    program, *words = line[1].split()
    return [Path(program).name, *(word for word in words if word not in {"-n", "%i@%H"})]


def test_the_units_run_the_processes_of_the_procfile() -> None:
    """One unit for each."""
    found = {
        unit.stem.removeprefix("vomind-queue-").rstrip("@"): exec_start(unit) for unit in UNITS
    }
    assert found == procfile()


def test_systemd_can_read_the_units(tmp_path: Path) -> None:
    """Its own check finds nothing but that the programs are not there yet."""
    units = [*UNITS, ROOT / "deploy" / "systemd" / "vomind-queue.target"]
    try:
        done = subprocess.run(
            ["systemd-analyze", "verify", "--man=no", *units],
            capture_output=True,
            text=True,
            check=False,
            timeout=200,
        )
    except FileNotFoundError:
        pytest.skip("systemd is not here")
    faults = [
        line
        for line in done.stderr.splitlines()
        if "vomind-queue" in line and "is not executable" not in line
    ]
    assert faults == []


@pytest.fixture(scope="module")
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL with a database of compose's name and without Supabase's roles."""
    made = Postgres()
    made.start()
    made.sql("postgres", "drop role anon, authenticated, service_role")
    made.sql("postgres", "create database calls")
    yield made
    made.kill()


def test_composes_postgresql_has_what_the_call_log_needs(postgres: Postgres) -> None:
    """Roles and tables, made twice without harm; the service may write, others see nothing."""
    run = ["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1"]
    run += ["-p", str(postgres.port), "-U", "postgres", "-d", "calls"]
    environ = {
        "PATH": "/usr/bin:/bin",
        "AUTHENTICATOR_PASSWORD": "it's a secret",
        "PGHOST": "127.0.0.1",
        "PGPORT": str(postgres.port),
        "MIGRATIONS": str(ROOT / "vomind_queue" / "call_log" / "migrations"),
    }
    for _ in range(2):
        subprocess.run([*run, "-f", DEPLOY / "roles.sql"], env=environ, check=True, timeout=30)
        subprocess.run([DEPLOY / "migrate.sh"], env=environ, check=True, timeout=200)
    write = (
        "set role service_role; insert into call_logs (call_key, job_id, version, priority, state,"
        " attempts, queued_at) values ('k', '1', 1, 'normal', 'waiting', 0, now())"
    )
    postgres.sql("calls", write)
    assert postgres.sql("calls", "select job_id from call_logs") == [{"job_id": "1"}]
    as_rest = ["authenticator" if word == "postgres" else word for word in run]
    for role, succeeds in (("service_role", True), ("postgres", False)):
        command = f"set role {role}; select count(*) from call_logs"
        done = subprocess.run([*as_rest, "-c", command], capture_output=True, check=False)
        assert (done.returncode == 0) is succeeds
    seen = subprocess.run(
        [*run, "-At", "-c", "set role anon; select count(*) from call_logs"],
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    assert seen.returncode != 0 or seen.stdout.strip() == "0"
