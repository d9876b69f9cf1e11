"""Which run directories are kept: the newest, so many of them and so much, and any that somebody uses.

Law 1: only what has the name of a run directory is ever removed, whatever else lies beside it.
Law 2: who writes or reads a run directory holds a lock on it; what is locked stays. The kernel gives the lock back, whatever becomes of
its holder.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

KEPT_MAX = 200
KEPT_BYTES_MAX = 1024**3
_NAME = re.compile(r"\d{8}-\d{6}\.\d{3}-[a-z0-9-]+-(broken|canonical)(-changed)?\Z")


@contextmanager
def in_use(run_dir: Path) -> Iterator[None]:
    """For as long as it lasts, the directory stays. One that is not there, or may not be opened, is nobody's to keep."""
    try:
        held = os.open(run_dir, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError:
        yield
        return
    try:
        fcntl.flock(held, fcntl.LOCK_SH)
        yield
    finally:
        os.close(held)


def prune(runs: Path, kept_max: int = KEPT_MAX, kept_bytes_max: int = KEPT_BYTES_MAX) -> list[Path]:
    """Remove what is beyond the newest `kept_max`, or beyond so many bytes of the newest. Returns what it removed."""
    count, size, gone = 0, 0, []
    for run_dir in sorted(_run_dirs(runs), key=lambda path: path.name, reverse=True):
        count, size = count + 1, size + _size(run_dir)
        if (count > kept_max or size > kept_bytes_max) and _remove(run_dir):
            gone.append(run_dir)
    return gone


def _run_dirs(runs: Path) -> list[Path]:
    return [path for path in runs.iterdir() if _NAME.match(path.name) and path.is_dir() and not path.is_symlink()]


def _size(run_dir: Path) -> int:
    """Of its files, in bytes. A file may go while it is looked at: somebody else removes the directory."""
    total = 0
    for folder, _, files in os.walk(run_dir):
        for file in files:
            try:
                total += os.lstat(os.path.join(folder, file)).st_size
            except FileNotFoundError:
                continue
    return total


def _remove(run_dir: Path) -> bool:
    """False when it is in use, or not ours to remove."""
    try:
        held = os.open(run_dir, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(run_dir, ignore_errors=True)
    except BlockingIOError:
        return False
    finally:
        os.close(held)
    return not run_dir.exists()
