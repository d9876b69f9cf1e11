"""ruff and strict mypy find nothing, and each would find what is planted."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.source import CHECKOUT, paths


def run(*command: str | Path, text: str = "") -> subprocess.CompletedProcess[str]:
    # Without the import path of the start script: to mypy, what is found there is somebody else's package.
    environ = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    return subprocess.run(
        [sys.executable, "-m", *command], cwd=CHECKOUT, input=text, env=environ, capture_output=True, text=True, check=False
    )


def test_ruff_finds_nothing() -> None:
    python = [path for path in paths() if path.endswith(".py")]
    done = run("ruff", "check", "--output-format", "concise", *python)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("path", "text", "rule"),
    [
        ("cluster/core/planted.py", '"""Head."""\nprint("x")\n', "T201"),
        ("cluster/node/planted.py", '"""Head."""\ntry:\n    x = 1\nexcept Exception:\n    x = 2\n', "BLE001"),
        ("cluster/node/planted.py", '"""Head."""\nimport os\n', "F401"),
        ("tui/planted.py", '"""Head."""\nimport pickle\n\npickle.loads(b"")\n', "S301"),
        ("tui/planted.py", "x = 1\n", "D100"),
    ],
)
def test_ruff_finds_what_is_planted(path: str, text: str, rule: str) -> None:
    done = run("ruff", "check", "--output-format", "concise", "--stdin-filename", path, "-", text=text)
    assert done.returncode == 1
    assert rule in done.stdout


def mypy(*args: str | Path) -> subprocess.CompletedProcess[str]:
    """mypy with a cache that only tests use, one at a time: two at once over one cache crash."""
    cache = CHECKOUT / ".mypy_cache" / "tests"
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        return run("mypy", "--no-error-summary", "--cache-dir", cache, *args)


@pytest.mark.timeout(300)
def test_mypy_finds_nothing() -> None:
    done = mypy()
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.timeout(300)
def test_mypy_finds_what_is_planted(tmp_path: Path) -> None:
    planted = tmp_path / "planted.py"
    planted.write_text("def f(x):\n    return x\n\ny: int = 'one'\n")
    done = mypy(planted)
    assert done.returncode == 1
    assert "no-untyped-def" in done.stdout
    assert "assignment" in done.stdout
