"""Runs the import contracts of pyproject.toml over a tree of packages.

Law: a contract may name modules of ours that are not written yet; they are left out, and an empty contract with them.
Layers say so themselves, in parentheses; the forbidding contracts have no way to, so it is done here.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

_NAMING = ("source_modules", "forbidden_modules")


def broken(tree: Path, config: str, scratch: Path) -> str:
    """What the contracts of `config` (a pyproject.toml's text) find wrong in the packages at `tree`; empty if nothing."""
    linter = tomllib.loads(config)["tool"]["importlinter"]
    linter["root_packages"] = [name for name in linter["root_packages"] if (tree / name).is_dir()]
    linter["contracts"] = [kept for contract in linter["contracts"] if (kept := _existing(contract, linter["root_packages"], tree))]
    path = scratch / "contracts.toml"
    path.write_text("\n".join(_toml(linter)))
    lint = [sys.executable, "-c", "from importlinter.cli import lint_imports_command; lint_imports_command()"]
    done = subprocess.run([*lint, "--config", path, "--no-cache"], cwd=tree, capture_output=True, text=True, check=False, env={"PATH": ""})
    return "" if done.returncode == 0 else done.stdout + done.stderr


def _existing(contract: Mapping[str, Any], roots: list[str], tree: Path) -> dict[str, Any] | None:
    """The contract without modules of ours that do not exist; None if that leaves it empty."""
    kept = dict(contract)
    for key in _NAMING:
        if key in kept:
            kept[key] = [name for name in kept[key] if _exists(name, roots, tree)]
            if not kept[key]:
                return None
    return kept


def _exists(module: str, roots: list[str], tree: Path) -> bool:
    ours = module.split(".")[0] in roots
    place = module.replace(".", "/")
    return not ours or any(any(tree.glob(pattern)) for pattern in (f"{place}.py", f"{place}/__init__.py"))


def _toml(linter: dict[str, Any]) -> Iterator[str]:
    """As TOML, whose strings, booleans and lists of strings are also JSON's."""
    yield "[tool.importlinter]"
    yield from (f"{key} = {json.dumps(value)}" for key, value in linter.items() if key != "contracts")
    for contract in linter["contracts"]:
        yield "[[tool.importlinter.contracts]]"
        yield from (f"{key} = {json.dumps(value)}" for key, value in contract.items())
