"""Old run directories go, newest last; what somebody uses stays, and so does whatever is not a run directory."""

from __future__ import annotations

from pathlib import Path

import pytest

from scenarios.keeping import in_use, prune

BYTES = 100


def run_dirs(runs: Path, count: int) -> list[Path]:
    """Oldest first, with a file of `BYTES` each."""
    found = [runs / f"20261125-0000{number:02}.000-2pc-in-doubt-broken" for number in range(count)]
    for path in found:
        (path / "ledger").mkdir(parents=True)
        (path / "ledger" / "banka.jsonl").write_bytes(b"x" * BYTES)
    return found


@pytest.mark.parametrize(
    ("kept_max", "kept_bytes_max", "kept"), [(3, 10_000, 3), (100, 2 * BYTES, 2), (100, 2 * BYTES - 1, 1), (5, 500, 5)]
)
def test_the_newest_are_kept_so_many_and_so_much(tmp_path: Path, kept_max: int, kept_bytes_max: int, kept: int) -> None:
    dirs = run_dirs(tmp_path, 5)
    prune(tmp_path, kept_max, kept_bytes_max)
    assert sorted(tmp_path.iterdir()) == dirs[5 - kept :]


def test_what_is_in_use_stays_and_goes_later(tmp_path: Path) -> None:
    dirs = run_dirs(tmp_path, 3)
    with in_use(dirs[0]), in_use(dirs[0]):
        assert prune(tmp_path, 1) == [dirs[1]]
    assert prune(tmp_path, 1) == [dirs[0]]


def test_what_is_no_run_directory_is_not_touched(tmp_path: Path) -> None:
    other = tmp_path / "20261125-000000.000-notes"
    other.mkdir()
    elsewhere = run_dirs(tmp_path / "elsewhere", 1)[0]
    link = tmp_path / elsewhere.name
    link.symlink_to(elsewhere)
    (tmp_path / "20261125-000001.000-2pc-in-doubt-broken").write_text("a file")
    assert prune(tmp_path, 0) == []
    assert other.exists()
    assert link.exists()


def test_a_directory_that_is_not_there_can_be_used_for_nothing(tmp_path: Path) -> None:
    with in_use(tmp_path / "nowhere"):
        assert prune(tmp_path) == []
