"""Run directories: one per lab, private, short enough for a Unix socket, and gone when the lab is.

Law 1: mode 0700, owned by us, never a link: whoever may enter holds the run's secret.
Law 2: a supervisor holds a lock on its directory's `pid` file for as long as it lives, so a directory that can be locked is stale.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import shutil
import stat
import time
from pathlib import Path

from cluster.core.errors import EnvironmentFailed, UsageError

SOCKET_NAME = "control.sock"
PID_NAME = "pid"
# sun_path holds 108 bytes on Linux and 104 on macOS.
_SOCKET_PATH_MAX = 100
# A directory without its `pid` file is being made right now, or was left half-made by one that died.
_HALF_MADE_S = 10.0


class RunDir:
    """A lab's own directory, locked. `close` removes it and everything in it."""

    def __init__(self, path: Path, lock: int) -> None:
        self.path = path
        self._lock = lock

    @property
    def socket_path(self) -> str:
        return str(self.path / SOCKET_NAME)

    @property
    def name(self) -> str:
        return self.path.name

    def close(self) -> None:
        # The locked file goes last: killed on the way, this leaves a directory that anybody can tell is stale.
        for part in self.path.iterdir() if self.path.is_dir() else ():  # somebody may have removed it under us
            if part.is_dir():
                shutil.rmtree(part, ignore_errors=True)
            elif part.name != PID_NAME:
                part.unlink(missing_ok=True)
        shutil.rmtree(self.path, ignore_errors=True)
        os.close(self._lock)


def base_dir(wanted: str = "") -> Path:
    """Where this user's run directories live, made if need be. Raises `EnvironmentFailed` when it is not safe to use."""
    if wanted:
        base = Path(wanted)
    elif os.environ.get("XDG_RUNTIME_DIR") and Path(os.environ["XDG_RUNTIME_DIR"]).is_dir():
        base = Path(os.environ["XDG_RUNTIME_DIR"]) / "faultline"
    else:
        base = Path(os.environ.get("TMPDIR") or "/tmp") / f"faultline-{os.getuid()}"
    if len(str(base / "000000-abcd" / SOCKET_NAME)) > _SOCKET_PATH_MAX:
        raise EnvironmentFailed(f"{base} is too long a path for a Unix socket: choose a shorter one")
    try:
        base.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise EnvironmentFailed(f"cannot make {base}: {error.strerror}") from error
    found = base.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or (not wanted and found.st_mode & 0o077):
        raise EnvironmentFailed(f"{base} is not a private directory of this user: remove it")
    return base


def make(base: Path) -> RunDir:
    """A new directory, its sub-directories, and the lock on it."""
    path = base / f"{time.strftime('%H%M%S')}-{secrets.token_hex(2)}"
    try:
        path.mkdir(mode=0o700)
        for part in ("nodes", "log"):
            (path / part).mkdir(mode=0o700)
        # Locked before it has its name: nobody ever sees a `pid` file of a living lab that is not locked.
        unnamed = path / f".{PID_NAME}"
        lock = os.open(unnamed, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.write(lock, f"{os.getpid()}\n".encode())
        unnamed.rename(path / PID_NAME)
    except OSError as error:
        shutil.rmtree(path, ignore_errors=True)
        raise EnvironmentFailed(f"cannot make a run directory in {base}: {error.strerror}") from error
    return RunDir(path, lock)


def sweep(base: Path) -> list[Path]:
    """Remove the directories of dead supervisors. Returns what it removed."""
    stale = [path for path in _run_dirs(base) if not alive(path)]
    for path in stale:
        shutil.rmtree(path, ignore_errors=True)
    return stale


def living(base: Path) -> list[Path]:
    """Running labs, oldest first."""
    return sorted((path for path in _run_dirs(base) if alive(path)), key=_made_at)


def find(base: Path, run: str = "") -> Path:
    """The running lab named `run`, or the only one there is. Raises `UsageError` naming what exists."""
    found = living(base)
    named = [path for path in found if path.name == run or str(path) == run] if run else found
    if len(named) == 1:
        return named[0]
    names = ", ".join(path.name for path in found)
    if not found:
        raise UsageError("no lab is running: start one with --keep and attach to it")
    if not named:
        raise UsageError(f"no lab {run!r} is running; these are: {names}")
    raise UsageError(f"several labs are running, name one: {names}")


def alive(path: Path) -> bool:
    """Whether the supervisor of this directory lives (law 2)."""
    try:
        lock = os.open(path / PID_NAME, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return _young(path)
    try:
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(lock)
    return False


def _young(path: Path) -> bool:
    return time.time() - _made_at(path) < _HALF_MADE_S


def _made_at(path: Path) -> float:
    """Long ago for one that is gone: a lab may end while others are looked at."""
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return 0.0


def _run_dirs(base: Path) -> list[Path]:
    try:
        return [path for path in base.iterdir() if path.is_dir() and not path.is_symlink()]
    except FileNotFoundError:
        return []
