"""`faultline doctor`: what this machine offers, and what is missing, with the remedy beside it.

Law 1: every line was looked at just now; nothing is assumed.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import json
import os
import platform
import resource
import shutil
import socket
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import click
import msgspec

from cluster import native
from cluster.core.errors import EnvironmentFailed
from tui.cli.exits import ENVIRONMENT, GOOD

FILES_WANTED = 1_024
FSYNC_SAMPLES = 20
FSYNC_SLOW_MS = 20.0
SLEEP_SAMPLES = 50
SLEEP_LATE_MS = 5.0


class Finding(msgspec.Struct, frozen=True):
    """`state`: "ok", "note" (works, but…) or "missing" (faultline cannot run). `remedy` is empty when there is none to give."""

    what: str
    state: str
    detail: str
    remedy: str = ""


def _python() -> Finding:
    detail = f"{platform.python_implementation()} {platform.python_version()} ({sys.executable})"
    good = sys.version_info >= (3, 11)
    return Finding("python", "ok" if good else "missing", detail, "" if good else "install Python 3.11 or newer")


def _system() -> Finding:
    detail = f"{platform.system()} {platform.release()} {platform.machine()}, {os.cpu_count()} cores"
    if platform.system() == "Linux":
        return Finding("system", "ok", detail)
    return Finding("system", "note", detail, "tested on Linux; elsewhere processes end by EOF alone, without a death signal")


def _libraries() -> Finding:
    names = ("textual", "rich", "msgspec", "psutil", "click")
    found = [f"{name} {importlib.metadata.version(name)}" for name in names if importlib.util.find_spec(name)]
    missing = [name for name in names if not importlib.util.find_spec(name)]
    return Finding("libraries", "missing" if missing else "ok", ", ".join(found), f"missing: {', '.join(missing)}" if missing else "")


def _event_loop() -> Finding:
    if importlib.util.find_spec("uvloop"):
        return Finding("event loop", "ok", f"uvloop {importlib.metadata.version('uvloop')}")
    return Finding("event loop", "note", "asyncio", "uvloop makes nodes faster, and is not required")


def _compiled() -> Finding:
    """The hot path as machine code (`faultline compile`)."""
    match native.STATE:
        case native.USED:
            return Finding("hot path", "ok", f"{len(native.MODULES)} modules are compiled")
        case native.STALE:
            detail = "compiled from other sources, or for another Python: not used"
            return Finding("hot path", "note", detail, "faultline compile makes it anew")
        case native.OFF:
            return Finding("hot path", "note", f"compiled or not, {native.SWITCH}=0 leaves it out")
    return Finding("hot path", "note", "not compiled", "faultline compile halves the time of simulations, and is not required")


def _loopback() -> Finding:
    try:
        with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname(), 1.0):
            return Finding("loopback", "ok", "127.0.0.1 accepts connections")
    except OSError as error:
        return Finding("loopback", "missing", str(error), "nodes talk over 127.0.0.1: allow it")


def _files() -> Finding:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    good = soft >= FILES_WANTED
    return Finding("open files", "ok" if good else "note", f"{soft} (limit {hard})", "" if good else f"ulimit -n {FILES_WANTED}")


def _processes() -> Finding:
    soft, _ = resource.getrlimit(resource.RLIMIT_NPROC)
    shown = "unlimited" if soft == resource.RLIM_INFINITY else str(soft)
    good = soft == resource.RLIM_INFINITY or soft >= 256
    return Finding("processes", "ok" if good else "note", shown, "" if good else "ulimit -u 256 or more, for fifty nodes")


def _disk() -> Finding:
    """The median of a small write made durable, where run directories live."""
    try:
        with tempfile.NamedTemporaryFile(dir=_run_base()) as file:
            file.write(bytes(1 << 16))
            os.fsync(file.fileno())
            times = [_timed(lambda: _durable_write(file.fileno())) for _ in range(FSYNC_SAMPLES)]
    except (OSError, EnvironmentFailed) as error:
        return Finding("disk", "missing", str(error), "run directories need a writable place: set XDG_RUNTIME_DIR or TMPDIR")
    median_ms = 1_000 * statistics.median(times)
    slow = median_ms > FSYNC_SLOW_MS
    detail = f"a durable write takes {median_ms:.2f} ms in {_run_base()}"
    return Finding("disk", "note" if slow else "ok", detail, "elections will be slow: use --profile lan" if slow else "")


def _run_base() -> Path:
    """Where a lab would put its run directory."""
    from cluster.supervisor.rundir import base_dir

    return base_dir()


def _durable_write(descriptor: int) -> None:
    os.pwrite(descriptor, b"faultline" * 16, 0)
    getattr(os, "fdatasync", os.fsync)(descriptor)


def _timed(act: Callable[[], None]) -> float:
    began = time.perf_counter()
    act()
    return time.perf_counter() - began


def _clock() -> Finding:
    """How late this machine wakes a sleeper: an election timeout must be far above it."""
    late = sorted(_timed(lambda: time.sleep(0.001)) - 0.001 for _ in range(SLEEP_SAMPLES))
    p99_ms = 1_000 * late[-1]
    resolution_ns = time.get_clock_info("monotonic").resolution * 1e9
    detail = f"monotonic, {resolution_ns:.0f} ns; wakes up to {p99_ms:.2f} ms late"
    busy = p99_ms > SLEEP_LATE_MS
    scale = incident_scale(p99_ms)
    return Finding(
        "clock", "note" if busy else "ok", detail, f"a busy machine: use --profile lan, incidents with --scale {scale}" if busy else ""
    )


def incident_scale(late_ms: float) -> int:
    """What `--scale` incidents want where sleepers wake so late: their shortest windows, of 100 ms, stay five times as long as that."""
    return next((scale for scale in (1, 2, 4, 8) if late_ms <= 20.0 * scale), 16)


def _terminal() -> Finding:
    if not sys.stdout.isatty():
        return Finding("terminal", "note", "standard output is not a terminal", "the dashboard needs one; --headless does not")
    size = shutil.get_terminal_size()
    colours = "no colour" if "NO_COLOR" in os.environ else os.environ.get("COLORTERM") or os.environ.get("TERM", "unknown")
    small = size.columns < 80 or size.lines < 24
    detail = f"{size.columns}x{size.lines}, {colours}, encoding {sys.stdout.encoding}"
    return Finding("terminal", "note" if small else "ok", detail, "the dashboard wants 80x24 or more" if small else "")


def _backend(program: str, role: str) -> Finding:
    path = shutil.which(program)
    return Finding(program, "ok" if path else "note", path or "not found", "" if path else f"optional: {role}")


def _multiplexer() -> Finding:
    return _backend("tmux", "only the end-to-end tests use it")


def _redis() -> Finding:
    """The server that incidents with a Redis start for themselves."""
    from cluster.backends.redis.embedded import find

    client = importlib.util.find_spec("redis")
    try:
        program = find()
    except EnvironmentFailed as error:
        return Finding("redis", "note", "no server", f"{error} (some incidents need one)")
    if client is None:
        return Finding("redis", "note", "no client", "install the package redis: some incidents need it")
    return Finding("redis", "ok", f"client {importlib.metadata.version('redis')}, server {program}")


def _mqtt() -> Finding:
    return _packages("mqtt", ("aiomqtt", "amqtt"), "some incidents need them")


def _etcd() -> Finding:
    """Only for those who want etcd itself; incidents bring their own Raft group."""
    found = _packages("etcd", ("aetcd",), "--backend kv=etcd needs it")
    program = shutil.which("etcd")
    return msgspec.structs.replace(found, detail=f"{found.detail}, {f'program {program}' if program else 'no program etcd'}")


def _packages(what: str, names: tuple[str, ...], role: str) -> Finding:
    missing = [name for name in names if importlib.util.find_spec(name) is None]
    if missing:
        return Finding(what, "note", f"no {' and no '.join(missing)}", f"install the extra 'incidents': {role}")
    return Finding(what, "ok", ", ".join(f"{name} {importlib.metadata.version(name)}" for name in names))


CHECKS: tuple[Callable[[], Finding], ...] = (
    _python, _system, _libraries, _event_loop, _compiled, _loopback, _files, _processes, _disk, _clock, _terminal, _redis, _mqtt, _etcd,
    _multiplexer,
)  # fmt: skip


@click.command("doctor")
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
def command(as_json: bool) -> int:
    """Look at this machine: Python, libraries, limits, disk, clock, terminal."""
    findings = [check() for check in CHECKS]
    if as_json:
        print(json.dumps([msgspec.to_builtins(finding) for finding in findings]))
    else:
        print("\n".join(_line(finding) for finding in findings))
    return ENVIRONMENT if any(finding.state == "missing" for finding in findings) else GOOD


_MARKS = {"ok": "✓", "note": "·", "missing": "✗"}


def _line(finding: Finding) -> str:
    remedy = f"  → {finding.remedy}" if finding.remedy else ""
    return f"{_MARKS[finding.state]} {finding.what:<11} {finding.detail}{remedy}"
