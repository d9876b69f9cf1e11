"""Where a figure was made: without it, it means nothing."""

from __future__ import annotations

import importlib.metadata
import os
import platform
from pathlib import Path
from typing import Any

from cluster import native

LIBRARIES = ("textual", "rich", "msgspec", "psutil", "uvloop")


def machine() -> dict[str, Any]:
    """Processor, system, Python, the libraries that matter, and how busy everything was when the bench began."""
    return {
        "cpu": _cpu(),
        "cores": os.cpu_count(),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "compiled": native.STATE == native.USED,
        "libraries": {name: version for name in LIBRARIES if (version := _version(name))},
        "load_before": round(os.getloadavg()[0], 2),
    }


def machine_line(found: dict[str, Any]) -> str:
    """The same in one line."""
    libraries = ", ".join(f"{name} {version}" for name, version in found["libraries"].items())
    python = f"{found['python']} ({'compiled' if found['compiled'] else 'interpreted'} hot path)"
    return f"{found['cpu']}, {found['cores']} cores, {found['system']}, {python}, {libraries}, load {found['load_before']}"


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or "unknown processor"
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown processor")


def _version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return ""
