"""The hot path as machine code: compiled modules in place of their sources, where `faultline compile` has made some.

Law 1: nothing needs them. They are made of the same sources, and do what these do, sooner.
Law 2: all or none. Compiled modules know each other's insides: if one source has changed since, or another Python runs, none is used.
Law 3: FAULTLINE_NATIVE=0 leaves them out; a path instead of a number says where they are.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import sys
from collections.abc import Mapping, Sequence
from importlib.machinery import EXTENSION_SUFFIXES, ModuleSpec
from pathlib import Path
from typing import Final

# What is compiled: the machines, the simulator around them, the checker beside it. Such a module defines no record (a compiler of typed
# classes knows nothing of msgspec's), no interpreted class is made from one of its classes, and none of its from an interpreted one.
MODULES: Final = tuple(
    f"cluster.{name}"
    for name in (
        *("framing", "wal_writer"),
        *("check.burst", "check.linearizability", "check.models", "check.orders", "check.register", "check.search", "core.clock"),
        *("core.detect.phi", "core.detect.verdicts", "core.detect.window", "core.gossip.machine", "core.gossip.state"),
        *("core.kv.history", "core.kv.keyspace", "core.kv.limits", "core.kv.span", "core.kv.store", "core.kv.txn"),
        *("core.raft.changes", "core.raft.compaction", "core.raft.election", "core.raft.lease", "core.raft.log", "core.raft.machine"),
        *("core.raft.mailbox", "core.raft.progress", "core.raft.quorum", "core.raft.reads", "core.raft.replication"),
        *("core.raft.snapshots", "core.raft.state", "core.raft.streaming", "core.raft.terms", "core.replica", "core.waiting"),
        *("sim.auditor", "sim.clients", "sim.dice", "sim.disk", "sim.eras", "sim.host", "sim.housekeeper", "sim.judge", "sim.network"),
        *("sim.trace", "sim.world", "telemetry.reports"),
    )
)
ROOT: Final = Path(__file__).resolve().parents[1]
SWITCH: Final = "FAULTLINE_NATIVE"
MANIFEST: Final = "manifest"
# Names files, and which Python they are for.
_SUFFIX: Final = EXTENSION_SUFFIXES[0]

USED, OFF, NONE, STALE = "used", "off", "none", "stale"


def place() -> Path:
    """Where this checkout's compiled modules are, or would be: beside the packages of the Python that runs it."""
    switch = os.environ.get(SWITCH, "1")
    if switch not in ("0", "1", ""):
        return Path(switch)
    checkout = hashlib.blake2b(os.fsencode(ROOT), digest_size=6).hexdigest()
    return Path(sys.prefix) / "faultline-native" / checkout


def source_of(module: str) -> Path:
    """Its path below the root."""
    return Path(*module.split(".")).with_suffix(".py")


def manifest_of(files: Mapping[str, str], sources: Path) -> str:
    """What is written beside compiled `files` (module -> name of its file) made of what lies below `sources`."""
    lines = [f"for {_SUFFIX}"]
    lines += [f"source {module} {_digest(sources / source_of(module))}" for module in MODULES]
    lines += [f"module {module} {name}" for module, name in files.items()]
    return "\n".join((*lines, ""))


def look(folder: Path, sources: Path) -> tuple[str, dict[str, Path]]:
    """(state, module -> compiled file): the files only when they are to be used (law 2)."""
    try:
        lines = [line.split(" ") for line in (folder / MANIFEST).read_text(encoding="utf-8").splitlines()]
    except (OSError, ValueError):
        return NONE, {}
    made_of = {line[1]: line[2] for line in lines if line[0] == "source" and len(line) == 3}
    files = {line[1]: folder / line[2] for line in lines if line[0] == "module" and len(line) == 3}
    if lines[:1] != [["for", _SUFFIX]] or made_of.keys() != set(MODULES) or not made_of.keys() <= files.keys():
        return STALE, {}
    if any(_digest(sources / source_of(module)) != digest for module, digest in made_of.items()):
        return STALE, {}
    return (USED, files) if all(path.is_file() for path in files.values()) else (STALE, {})


def _digest(path: Path) -> str:
    try:
        return hashlib.blake2b(path.read_bytes(), digest_size=16).hexdigest()
    except OSError:
        return "unreadable"


class _Finder:
    """Asked by the import system before it looks for sources."""

    def __init__(self, files: Mapping[str, Path]) -> None:
        self._files = files

    def find_spec(self, name: str, path: Sequence[str] | None, target: object = None) -> ModuleSpec | None:
        file = self._files.get(name)
        return None if file is None else importlib.util.spec_from_file_location(name, file)


def use() -> str:
    """Import compiled modules from now on, if there are any that may be used. Returns the state."""
    if os.environ.get(SWITCH) == "0":
        return OFF
    state, files = look(place(), ROOT)
    if files:
        sys.meta_path.insert(0, _Finder(files))
    return state


STATE: Final = use()
