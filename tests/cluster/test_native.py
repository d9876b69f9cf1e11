"""Compiled modules are taken whole, made of exactly these sources by exactly this Python, or not at all; and which may be compiled."""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from cluster import native
from tests.architecture.source import Source, sources


@pytest.fixture
def made(tmp_path: Path) -> tuple[Path, Path]:
    """(folder with what looks compiled, root of the sources that it was made of)."""
    root, folder = tmp_path / "root", tmp_path / "made"
    folder.mkdir()
    for module in native.MODULES:
        copy = root / native.source_of(module)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(native.ROOT / native.source_of(module), copy)
    files = {module: f"{module}.so" for module in (*native.MODULES, "group__mypyc")}
    for name in files.values():
        (folder / name).touch()
    (folder / native.MANIFEST).write_text(native.manifest_of(files, root))
    return folder, root


def test_what_is_made_of_these_sources_is_used_whole(made: tuple[Path, Path]) -> None:
    folder, root = made
    state, files = native.look(folder, root)
    assert state == native.USED
    assert set(files) == {*native.MODULES, "group__mypyc"}
    assert native.look(folder, native.ROOT) == (state, files)  # where the sources lie does not matter


def test_nothing_compiled_is_no_trouble(tmp_path: Path) -> None:
    assert native.look(tmp_path, native.ROOT) == (native.NONE, {})


def test_one_changed_source_puts_all_out_of_use(made: tuple[Path, Path]) -> None:
    folder, root = made
    source = root / native.source_of("cluster.core.raft.log")
    source.write_bytes(source.read_bytes() + b"\n")
    assert native.look(folder, root) == (native.STALE, {})


def test_one_missing_source_or_file_puts_all_out_of_use(made: tuple[Path, Path]) -> None:
    folder, root = made
    (root / native.source_of("cluster.sim.world")).unlink()
    assert native.look(folder, root) == (native.STALE, {})
    (folder / "group__mypyc.so").unlink()
    assert native.look(folder, native.ROOT) == (native.STALE, {})


@pytest.mark.parametrize("spoil", [
    lambda text: text.replace("for .", "for .cpython-27"),
    lambda text: text.replace("module cluster.core.raft.log ", "module cluster.core.raft.catalogue "),
    lambda text: text.replace("source cluster.core.raft.log ", "source cluster.core.raft.catalogue "),
    lambda text: text[: len(text) // 2],
    lambda text: "",
    lambda text: "\x00",
])  # fmt: skip
def test_a_manifest_for_another_python_or_other_modules_or_cut_in_the_middle_is_stale(made: tuple[Path, Path], spoil: object) -> None:
    folder, root = made
    assert callable(spoil)
    manifest = folder / native.MANIFEST
    manifest.write_text(spoil(manifest.read_text()))
    assert native.look(folder, root) == (native.STALE, {})


def test_a_manifest_that_is_no_text_counts_as_none(made: tuple[Path, Path]) -> None:
    folder, root = made
    (folder / native.MANIFEST).write_bytes(b"\x80\xff")
    assert native.look(folder, root) == (native.NONE, {})


def test_the_switch_leaves_them_out_and_says_where_they_are(made: tuple[Path, Path]) -> None:
    folder, _ = made
    code = "from cluster import native; print(native.STATE, native.place())"

    def said(switch: str) -> list[str]:
        environ = {**os.environ, "FAULTLINE_NATIVE": switch, "PYTHONPATH": str(native.ROOT)}
        return subprocess.run([sys.executable, "-P", "-c", code], env=environ, capture_output=True, text=True, check=True).stdout.split()

    assert said("0")[0] == native.OFF
    assert said(str(folder)) == [native.USED, str(folder)]
    assert said("1")[1].startswith(sys.prefix)


# ---- what may be compiled (see `MODULES`) --------------------------------------------------------------------------------------


def _classes(source: Source) -> list[ast.ClassDef]:
    return [node for node in ast.walk(source.tree) if isinstance(node, ast.ClassDef)]


def _bases(found: ast.ClassDef) -> list[str]:
    return [ast.unparse(base).rpartition(".")[2] for base in found.bases]


COMPILED = [source for source in sources("cluster/") if source.path in {str(native.source_of(module)) for module in native.MODULES}]
INTERPRETED = [source for source in sources("cluster/", "tui/", "scenarios/") if source not in COMPILED]


def test_every_module_in_the_list_is_there() -> None:
    assert len(COMPILED) == len(native.MODULES) == len(set(native.MODULES))


def _unfit(source: Source) -> list[str]:
    """Classes that a compiler of typed classes makes something else of: records, and those with settings or decorators."""
    return [found.name for found in _classes(source) if found.keywords or found.decorator_list or "Struct" in _bases(found)]


def _crossing(source: Source, *, compiled: bool) -> list[str]:
    """Classes with a base from the other side."""
    origin = {
        alias.asname or alias.name: node.module or ""
        for node in ast.walk(source.tree)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    bases = [(found.name, origin.get(base, "")) for found in _classes(source) for base in _bases(found)]
    return [name for name, module in bases if module.startswith("cluster.") and (module in native.MODULES) is not compiled]


def test_compiled_modules_define_no_records_and_no_classes_with_settings() -> None:
    wrong = {source.path: found for source in COMPILED if (found := _unfit(source))}
    assert not wrong, "these belong in a module beside"


def test_no_class_has_a_base_from_the_other_side() -> None:
    wrong = {source.path: found for source in COMPILED if (found := _crossing(source, compiled=True))}
    wrong |= {source.path: found for source in INTERPRETED if (found := _crossing(source, compiled=False))}
    assert not wrong


def test_these_rules_bite() -> None:
    record = Source.of("cluster/x.py", "class Held(msgspec.Struct):\n    token: int\nclass Role(Base, frozen=True): pass")
    assert _unfit(record) == ["Held", "Role"]
    heir = Source.of("cluster/x.py", "from cluster.sim.clients import Client\nclass Auditor(Client): pass")
    assert _crossing(heir, compiled=False) == ["Auditor"]
    assert not _crossing(heir, compiled=True)
    stray = Source.of("cluster/x.py", "from cluster.check.invariants.monitor import Monitor\nclass Light(Monitor): pass")
    assert _crossing(stray, compiled=True) == ["Light"]
