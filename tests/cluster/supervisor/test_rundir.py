"""Run directories: private, locked while their lab lives, swept when it does not."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from cluster.core.errors import EnvironmentFailed, UsageError
from cluster.supervisor import rundir


@pytest.fixture
def base() -> Iterator[Path]:
    """Short, as a Unix socket's path must be."""
    path = Path(os.path.realpath("/tmp")) / f"fl-{os.getpid()}-rundir"
    path.mkdir(mode=0o700)
    yield path
    shutil.rmtree(path, ignore_errors=True)


def _age(path: Path, seconds: float) -> None:
    then = path.stat().st_mtime - seconds
    os.utime(path, (then, then))


def test_a_run_directory_is_private_and_its_lock_says_who_lives(base: Path) -> None:
    run = rundir.make(base)
    assert stat.S_IMODE(run.path.stat().st_mode) == 0o700
    assert {path.name for path in run.path.iterdir()} == {"nodes", "log", "pid"}
    assert (run.path / "pid").read_text() == f"{os.getpid()}\n"
    assert run.socket_path == str(run.path / "control.sock")
    assert rundir.alive(run.path)
    run.close()
    assert not run.path.exists()
    assert not rundir.alive(run.path)


def test_the_dead_are_swept_and_the_living_are_not(base: Path) -> None:
    living = rundir.make(base)
    dead = base / "101010-dead"
    dead.mkdir()
    (dead / "pid").write_text("1\n")
    (base / "ports").mkdir()
    assert rundir.sweep(base) == [dead]
    assert {path.name for path in base.iterdir()} == {living.name, "ports"}
    assert rundir.sweep(base) == []
    living.close()


def test_what_is_being_made_is_left_alone_until_it_is_old(base: Path) -> None:
    half = base / "101010-half"
    half.mkdir()
    assert rundir.sweep(base) == []
    _age(half, 11)
    assert rundir.sweep(base) == [half]


def test_a_link_is_never_followed(base: Path, tmp_path: Path) -> None:
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious" / "pid").write_text("1\n")
    (base / "101010-link").symlink_to(tmp_path / "precious")
    assert rundir.sweep(base) == []
    assert (tmp_path / "precious" / "pid").exists()


def test_the_only_lab_needs_no_name(base: Path) -> None:
    with pytest.raises(UsageError, match="no lab is running: start one with --keep"):
        rundir.find(base)
    one = rundir.make(base)
    assert rundir.find(base) == one.path
    assert rundir.find(base, one.name) == rundir.find(base, str(one.path)) == one.path
    with pytest.raises(UsageError, match=f"no lab 'nosuch' is running; these are: {one.name}"):
        rundir.find(base, "nosuch")
    other = rundir.make(base)
    _age(one.path, 60)
    with pytest.raises(UsageError, match=f"several labs are running, name one: {one.name}, {other.name}"):
        rundir.find(base)
    assert rundir.living(base) == [one.path, other.path]
    one.close()
    assert rundir.find(base) == other.path
    other.close()


def test_a_lab_that_ends_while_others_are_listed_is_no_error(base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = rundir.make(base)
    monkeypatch.setattr(rundir, "alive", lambda path: shutil.rmtree(path) or True)
    assert rundir.living(base) == [run.path]
    run.close()


def test_a_directory_that_is_not_there_holds_no_labs(base: Path) -> None:
    assert rundir.living(base / "nothing") == rundir.sweep(base / "nothing") == []


def test_the_base_is_made_private(base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(base))
    made = rundir.base_dir()
    assert made == base / "faultline"
    assert stat.S_IMODE(made.stat().st_mode) == 0o700
    made.chmod(0o755)
    with pytest.raises(EnvironmentFailed, match="is not a private directory of this user: remove it"):
        rundir.base_dir()


def test_a_base_that_is_a_link_is_refused(base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(base))
    (base / "faultline").symlink_to(tmp_path)
    with pytest.raises(EnvironmentFailed, match="is not a private directory"):
        rundir.base_dir()


def test_a_base_that_is_too_long_for_a_socket_or_cannot_be_made(base: Path) -> None:
    with pytest.raises(EnvironmentFailed, match="too long a path for a Unix socket"):
        rundir.base_dir(str(base / ("x" * 100)))
    (base / "file").write_text("")
    with pytest.raises(EnvironmentFailed, match=r"^cannot make .*file"):
        rundir.base_dir(str(base / "file"))


def test_a_base_in_which_nothing_can_be_made(base: Path) -> None:
    with pytest.raises(EnvironmentFailed, match=r"^cannot make a run directory in"):
        rundir.make(base / "nothing")
