"""Imports go one way, and pure code imports nothing of the world."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.architecture import layers
from tests.architecture.source import CHECKOUT

CONTRACTS = (CHECKOUT / "pyproject.toml").read_text()
# The smallest tree in which every layer that is not optional exists.
SKELETON = (
    "cluster/__init__.py", "cluster/core/__init__.py", "cluster/core/types.py", "cluster/core/errors.py", "cluster/faults.py",
    "cluster/telemetry/__init__.py", "cluster/node/__init__.py", "cluster/supervisor/__init__.py", "cluster/sim/__init__.py",
    "scenarios/__init__.py", "tui/__init__.py", "tui/screens/__init__.py", "tui/widgets/__init__.py",
)  # fmt: skip


def test_the_tree_keeps_its_contracts(tmp_path: Path) -> None:
    found = layers.broken(CHECKOUT, CONTRACTS, tmp_path)
    assert not found, found


def skeleton(tree: Path) -> Path:
    for name in SKELETON:
        path = tree / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return tree


@pytest.mark.parametrize(
    ("path", "text", "contract"),
    [
        ("cluster/core/types.py", "import cluster.node", "one direction"),
        ("cluster/node/__init__.py", "import cluster.supervisor", "one direction"),
        ("cluster/core/types.py", "from cluster.core import errors", "core layers"),
        ("cluster/core/stray.py", "", "core layers"),
        ("cluster/core/errors.py", "import asyncio", "pure code"),
        ("cluster/telemetry/__init__.py", "def now():\n    import time", "pure code"),
        ("cluster/sim/__init__.py", "import datetime", "virtual time"),
        ("tui/widgets/__init__.py", "import cluster.core.types", "views never reach"),
        ("tui/widgets/__init__.py", "import tui.screens", "tui layers"),
        ("cluster/node/__init__.py", "import rich.text", "no terminal"),
        ("cluster/supervisor/__init__.py", "def f():\n    import redis.asyncio", "start light"),
        ("cluster/supervisor/zygote.py", "import threading", "the zygote"),
        ("scenarios/clocks/lease/oracle.py", "import cluster.core.types", "an oracle"),
    ],
)
def test_a_planted_import_breaks_its_contract(tmp_path: Path, path: str, text: str, contract: str) -> None:
    tree = skeleton(tmp_path / "tree")
    for folder in (tree / path).relative_to(tree).parents:
        (tree / folder).mkdir(parents=True, exist_ok=True)
        if folder != Path():
            (tree / folder / "__init__.py").touch()
    (tree / path).write_text(text)
    assert any(contract in line and "BROKEN" in line for line in layers.broken(tree, CONTRACTS, tmp_path).splitlines())


def test_the_skeleton_itself_breaks_nothing(tmp_path: Path) -> None:
    assert layers.broken(skeleton(tmp_path / "tree"), CONTRACTS, tmp_path) == ""
