"""The incident commands as a user gives them: exit code and the JSON document."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]


def faultline(*arguments: str | Path) -> tuple[int, Any]:
    """Exit code and the JSON document on standard output."""
    done = subprocess.run(
        [sys.executable, "-P", "-m", "tui", *map(str, arguments), "--json"],
        cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout)
