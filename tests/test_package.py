"""What `pip install .` installs works by itself, away from the sources."""

from __future__ import annotations

import os
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

from tests.pages import ROOT
from tests.ports import free_port

#: Files beside the modules: each is looked for in the wheel.
DATA = ("Procfile.dev", "*.lua", "*.sql", "*.html", "*.js", "*.css", "*.svg", "*.txt", "*.yaml")
#: Asks an installed service for its document, its page and its scripts, without a server.
_USE = """
import sys
assert not any(path.startswith({root!r}) for path in sys.path if path != {site!r}), sys.path
import vomind_queue
assert vomind_queue.__file__.startswith({prefix!r}), vomind_queue.__file__
from vomind_queue.container.log_services import open_log
from vomind_queue.container.web_services import build
from vomind_queue.config.settings import Settings
from vomind_queue.processes.application import create_app
settings = Settings.from_env({{"REDIS_URL": "redis://127.0.0.1:{port}", "DATA_DIR": {data!r}}})
web = create_app(build(settings, open_log(settings))).test_client()
assert web.get("/healthz").status_code == 200
assert len(web.get("/openapi.json").get_json()["paths"]) > 30
assert web.get("/docs").status_code == 200
assert len(web.get("/docs/scalar-1.72.1.js").data) > 1_000_000
assert web.get("/").status_code == 200
import importlib.util
assert importlib.util.find_spec("celery_app") and importlib.util.find_spec("wsgi")
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of a clean copy of the sources, made with the setuptools that are installed."""
    directory = tmp_path_factory.mktemp("wheel")
    sources = directory / "sources"
    listed = ["git", "-C", str(ROOT), "ls-files", "-z", "--cached", "--others"]
    names = subprocess.run(
        [*listed, "--exclude-standard"], check=True, capture_output=True, text=True, timeout=30
    ).stdout.split("\0")
    for name in filter(None, names):
        if (ROOT / name).is_file() and not name.startswith("tests/"):
            (sources / name).parent.mkdir(parents=True, exist_ok=True)
            (sources / name).write_bytes((ROOT / name).read_bytes())
    pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-index"]
    made = subprocess.run(
        [*pip, "--no-build-isolation", "--wheel-dir", str(directory), str(sources)],
        check=False,
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert made.returncode == 0, made.stderr
    return next(directory.glob("*.whl"))


@pytest.mark.slow
def test_the_wheel_has_every_file_beside_the_modules(wheel: Path) -> None:
    """Scripts, migrations and pages: whatever the sources have, and neither tests nor caches."""
    with zipfile.ZipFile(wheel) as opened:
        found = set(opened.namelist())
    wanted = {
        str(path.relative_to(ROOT))
        for package in ("vomind_queue", "simulator", "devserver")
        for pattern in (*DATA, "*.py")
        for path in (ROOT / package).rglob(pattern)
    }
    assert wanted - found == set()
    assert not [name for name in found if name.startswith("tests") or name.endswith(".pyc")]


@pytest.mark.slow
def test_an_installed_service_works(wheel: Path, tmp_path: Path) -> None:
    """From a clean environment, which lends the libraries of this one, in an empty directory."""
    prefix = tmp_path / "venv"
    venv.create(prefix, with_pip=False)
    python = prefix / "bin" / "python"
    site = next(Path(sys.prefix).glob("lib/python3*/site-packages"))
    own = next(prefix.glob("lib/python3*/site-packages"))
    with zipfile.ZipFile(wheel) as opened:
        opened.extractall(own)
    (own / "lent.pth").write_text(f"{site}\n")
    use = _USE.format(
        root=str(ROOT), site=str(site), prefix=str(own), port=free_port(), data=str(tmp_path)
    )
    environ = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "VOMIND_ENV_FILE": ""}
    ran = subprocess.run(
        [python, "-c", use],
        cwd=tmp_path,
        env=environ,
        check=False,
        capture_output=True,
        text=True,
        timeout=200,
    )
    assert ran.returncode == 0, ran.stderr
