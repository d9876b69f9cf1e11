"""The three places that name packages agree: pyproject.toml, uv.lock and the exports that machines without uv install."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]
PROJECT: dict[str, Any] = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())
LOCK: dict[str, dict[str, Any]] = {package["name"]: package for package in tomllib.loads((CHECKOUT / "uv.lock").read_text())["package"]}
PIN = re.compile(r"([a-z0-9._-]+)==(\S+)")


def name_of(requirement: str) -> str:
    return re.split(r"[\[<>=~!; ]", requirement, maxsplit=1)[0].lower()


def exported(kind: str) -> dict[str, tuple[str, set[str]]]:
    """Name → version and SHA-256s of an export."""
    found: dict[str, tuple[str, set[str]]] = {}
    for block in (CHECKOUT / "requirements" / f"{kind}.txt").read_text().replace("\\\n", "").splitlines():
        if pin := PIN.match(block):
            found[pin[1]] = (pin[2], set(re.findall(r"--hash=sha256:([0-9a-f]{64})", block)))
    return found


@pytest.mark.parametrize("kind", ["runtime", "dev"])
def test_an_export_holds_what_is_locked(kind: str) -> None:
    for name, (version, hashes) in exported(kind).items():
        locked = {wheel["hash"].removeprefix("sha256:") for wheel in LOCK[name]["wheels"]}
        assert version == LOCK[name]["version"]
        assert hashes & locked, f"{name}: no wheel's hash"


@pytest.mark.parametrize("kind", ["runtime", "dev"])
def test_an_export_names_no_index(kind: str) -> None:
    assert "://" not in (CHECKOUT / "requirements" / f"{kind}.txt").read_text()


def test_the_lock_is_of_this_project() -> None:
    metadata = LOCK["faultline"]["metadata"]
    wanted = set(PROJECT["project"]["dependencies"]).union(*PROJECT["project"]["optional-dependencies"].values())
    assert {entry["name"] for entry in metadata["requires-dist"]} == {name_of(one) for one in wanted}
    assert {entry["name"] for entry in metadata["requires-dev"]["dev"]} == {name_of(one) for one in PROJECT["dependency-groups"]["dev"]}


def test_the_exports_hold_what_the_project_needs() -> None:
    extras = PROJECT["project"]["optional-dependencies"]
    runtime = {name_of(one) for one in (*PROJECT["project"]["dependencies"], *extras["fast"], *extras["incidents"])}
    assert runtime <= exported("runtime").keys()
    assert runtime | {name_of(one) for one in PROJECT["dependency-groups"]["dev"]} <= exported("dev").keys()


def test_every_address_in_the_lock_is_one_registrys() -> None:
    hosts = set(re.findall(r"https?://([^/\"]+)", (CHECKOUT / "uv.lock").read_text()))
    assert hosts == {"py" + "pi.org", "files.python" + "hosted.org"}
