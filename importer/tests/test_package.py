"""What pip installs of the importer."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

IMPORTER = Path(__file__).parent.parent


@pytest.mark.slow
def test_the_wheel_has_its_modules_scripts_and_command(tmp_path: Path) -> None:
    """Everything that the sources have, and no tests."""
    sources = tmp_path / "sources"
    skipped = shutil.ignore_patterns("__pycache__", "*.egg-info", "build")
    shutil.copytree(IMPORTER, sources, ignore=skipped)
    pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-index"]
    made = subprocess.run(
        [*pip, "--no-build-isolation", "--wheel-dir", str(tmp_path), str(sources)],
        check=False,
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert made.returncode == 0, made.stderr
    with zipfile.ZipFile(next(tmp_path.glob("*.whl"))) as opened:
        found = set(opened.namelist())
        (points,) = [name for name in found if name.endswith("entry_points.txt")]
        assert b"import-bullmq = vomind_queue_bullmq.command:import_bullmq" in opened.read(points)
    package = IMPORTER / "vomind_queue_bullmq"
    wanted = [*package.rglob("*.py"), *package.rglob("*.lua")]
    assert {str(path.relative_to(IMPORTER)) for path in wanted} <= found
    assert not [name for name in found if name.startswith("tests")]
