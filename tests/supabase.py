"""A real PostgreSQL, and before it a counterpart of Supabase's REST API, for tests."""

from __future__ import annotations

import json
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests

from tests.ports import free_port
from tests.servers import missing

ROOT = Path(__file__).parent.parent
MIGRATIONS = sorted((ROOT / "vomind_queue" / "call_log" / "migrations").glob("*.sql"))
#: npm's @supabase/lite, which speaks PostgREST before a PostgreSQL.
LITE = ROOT / "node_modules" / ".bin" / "lite"
#: Any of this form will do.
SERVICE_KEY = "sb_secret_for_tests_only_0123456789"
ANON_KEY = "sb_publishable_for_tests_only"
#: As Supabase has them (https://supabase.com/docs/guides/database/postgres/roles), with its
#: default of granting everything and leaving the rest to row-level security.
ROLES = """
create role anon nologin; create role authenticated nologin;
create role service_role nologin bypassrls;
"""
GRANTS = """
grant usage on schema public to anon, authenticated, service_role;
alter default privileges in schema public
    grant all on tables to anon, authenticated, service_role;
"""
#: How long a server may take to answer, s.
START_S = 60


def _binaries() -> Path:
    """Return where PostgreSQL's programs are; skip or fail the test where there are none."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    path = found[-1] if found else shutil.which("initdb")
    if path is None or shutil.which("psql") is None:
        missing("postgresql (Debian's postgresql, version 15)")
    return Path(str(path)).parent


@dataclass(slots=True, kw_only=True)
class Postgres:
    """One PostgreSQL with its own port and directory."""

    #: Not pytest's: PostgreSQL does not run as root, and nobody else may enter there.
    directory: Path = field(default_factory=lambda: Path(tempfile.mkdtemp(prefix="postgres-")))
    port: int = field(default_factory=free_port)
    _process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Make it and start it."""
        programs = _binaries()
        data = self.directory / "data"
        if os.geteuid() == 0:
            os.chown(self.directory, pwd.getpwnam("postgres").pw_uid, -1)
        init = [str(programs / "initdb"), "-D", str(data), "-U", "postgres", "-A", "trust"]
        subprocess.run(
            [*init, "--no-sync"], check=True, stdout=subprocess.DEVNULL, **_as_postgres()
        )
        command = [str(programs / "postgres"), "-D", str(data), "-p", str(self.port)]
        command += ["-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories="]
        with (self.directory / "postgres.log").open("wb") as log:
            self._process = subprocess.Popen(
                [*command, "-c", "fsync=off"],
                stdout=log,
                stderr=log,
                start_new_session=True,
                **_as_postgres(),
            )
        self._wait()
        self.sql("postgres", ROLES)

    def _wait(self) -> None:
        until = time.monotonic() + START_S
        while time.monotonic() < until:
            if self._psql("postgres", "-c", "select 1").returncode == 0:
                return
            time.sleep(0.1)
        raise AssertionError("PostgreSQL does not answer")

    def database(self, name: str) -> None:
        """Make an empty database with Supabase's roles."""
        self.sql("postgres", f"create database {name}")
        self.sql(name, GRANTS)

    def migrate(self, name: str, files: Sequence[Path] = tuple(MIGRATIONS)) -> None:
        """Run the migrations by psql."""
        for file in files:
            answer = self._psql(name, "-1", "-f", str(file))
            assert answer.returncode == 0, answer.stderr

    def sql(self, name: str, query: str) -> list[dict[str, Any]]:
        """Return what a query answers, a dictionary a row; nothing for other commands."""
        reads = query.lstrip().lower().startswith("select")
        whole = f"select coalesce(json_agg(found), '[]') from ({query}) found" if reads else query
        answer = self.text(name, whole)
        rows: list[dict[str, Any]] = json.loads(answer) if reads else []
        return rows

    def text(self, name: str, command: str) -> str:
        """Return what psql prints for a command."""
        answer = self._psql(name, "-c", command)
        assert answer.returncode == 0, answer.stderr
        return answer.stdout

    def file(self, name: str, path: Path) -> str:
        """Return what psql prints for the commands in a file."""
        answer = self._psql(name, "-f", str(path))
        assert answer.returncode == 0, answer.stderr
        return answer.stdout

    def _psql(self, name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = ["psql", "-X", "-q", "-At", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1"]
        command += ["-p", str(self.port), "-U", "postgres", "-d", name]
        return subprocess.run([*command, *arguments], capture_output=True, text=True, check=False)

    def kill(self) -> None:
        """End it at once."""
        if self._process is not None:
            self._process.send_signal(signal.SIGQUIT)
            self._process.wait(20)
            self._process = None
        shutil.rmtree(self.directory, ignore_errors=True)


def _as_postgres() -> dict[str, Any]:
    """PostgreSQL refuses to run as root."""
    return {"user": "postgres", "cwd": "/"} if os.geteuid() == 0 else {}


@dataclass(slots=True, kw_only=True)
class Supabase:
    """A database with the call log's tables, and its REST API."""

    postgres: Postgres
    #: Name of the database, which must exist.
    database: str
    directory: Path
    port: int = field(default_factory=free_port)
    _process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """What SUPABASE_URL is set to."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start the API, again on the same port, and wait until it answers."""
        if not LITE.exists():
            missing("@supabase/lite (npm ci)")
        self._configure()
        environment = {**os.environ, "LITE_TELEMETRY": "0"}
        with (self.directory / "lite.log").open("ab") as log:
            self._process = subprocess.Popen(
                [str(LITE), "--no-telemetry", "start", "--no-admin"],
                cwd=self.directory,
                env=environment,
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )
        until = time.monotonic() + START_S
        while not self._answers():
            assert time.monotonic() < until, (self.directory / "lite.log").read_text()
            time.sleep(0.1)

    def _configure(self) -> None:
        place = self.directory / "supabase" / "config.toml"
        place.parent.mkdir(parents=True, exist_ok=True)
        address = f"postgres://postgres@127.0.0.1:{self.postgres.port}/{self.database}"
        place.write_text(
            f'project_id = "tests"\n[api]\nport = {self.port}\n'
            f'[db]\ndriver = "postgres"\nurl = "{address}"\n'
            f'[auth]\npublishable_key = "{ANON_KEY}"\nsecret_key = "{SERVICE_KEY}"\n'
        )

    def _answers(self) -> bool:
        try:
            return self.get("call_logs?limit=1").status_code < 500
        except requests.RequestException:
            return False

    def get(self, path: str, key: str = SERVICE_KEY) -> requests.Response:
        """Send one request to the REST API."""
        return requests.get(f"{self.url}/rest/v1/{path}", headers={"apikey": key}, timeout=30)

    def sql(self, query: str) -> list[dict[str, Any]]:
        """Ask the database itself."""
        return self.postgres.sql(self.database, query)

    def kill(self) -> None:
        """End the API; its database stays."""
        if self._process is not None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait(10)
            self._process = None
