"""Incidents in a real terminal: watched, touched while they go on, looked into, left; from a lab, and without one."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.cluster.supervisor.labs import Watched, children_of, parent_of
from tests.e2e.terminal import Terminal

pytestmark = [
    pytest.mark.slow,
    pytest.mark.processes,
    pytest.mark.terminal,
    pytest.mark.timeout(180),
    pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not here: apt-get install tmux"),
]

OpenTerminal = Callable[[int, int], Terminal]
WATCH = ("run", "stale-lock-holder", "--watch", "--scale", "2", "--seed", "7")


@pytest.fixture
def terminal(runtime: Path) -> Iterator[OpenTerminal]:
    opened: list[Terminal] = []

    def open_terminal(columns: int, rows: int) -> Terminal:
        opened.append(Terminal(runtime, columns, rows))
        return opened[-1]

    yield open_terminal
    for each in opened:
        each.close()


@pytest.mark.parametrize(("columns", "rows"), [(80, 24), (120, 36), (200, 50)], ids=lambda value: str(value))
def test_a_run_is_watched_to_its_verdict_and_its_exit_code(terminal: OpenTerminal, runtime: Path, columns: int, rows: int) -> None:
    t = terminal(columns, rows)
    t.start(*WATCH, XDG_STATE_HOME=str(runtime / "state"))
    t.until(r"INCIDENT 02 stale-lock-holder", r"runs +\d", r"‖Z", r"pause w1 +▒")
    t.until(r"FAIL +10 violations", r"2 ✖", r"w1 +○")
    t.press("Enter")
    t.until("RAW RECORDS", r"ledger/payd\.jsonl:\d+", r'"kind":"charged"')
    t.press("Escape")
    t.until("FAIL", gone="RAW RECORDS")
    t.press("q")
    screen = t.given_back()
    assert "over 1" in screen
    assert "stale-lock-holder · broken · FAIL · V = 10" in screen


def test_a_toggle_flipped_while_w1_stands_still_cures(terminal: OpenTerminal, runtime: Path) -> None:
    t = terminal(120, 36)
    t.start(*WATCH, XDG_STATE_HOME=str(runtime / "state"))
    t.until(r"‖Z")
    t.press("t")
    t.until(r"set fencing=on", r"fencing is on now", r"changed by hand")
    t.until(r"PASS +0 violations", r"refused as stale 10 ✓", r"PASS with 0 violations, changed by hand: set fencing=on")
    t.press("q")
    assert "over 0" in t.given_back()
    (run_dir,) = (runtime / "state" / "faultline" / "runs").iterdir()
    assert run_dir.name.endswith("-broken-changed")


def test_both_sides_run_beside_each_other_and_the_list_tells_of_them(terminal: OpenTerminal, runtime: Path) -> None:
    t = terminal(120, 36)
    t.start("run", "stale-lock-holder", "--watch", "--without", "faults", XDG_STATE_HOME=str(runtime / "state"))
    t.until(r"VACUOUS", r"It was no trial")
    t.press("v")
    t.until(r"BROKEN \[[^\]]*‖", r"CANONICAL \[[^\]]*‖")
    t.until(r"broken FAIL 10", r"canonical PASS", r"Canonical, with fencing=on and lock=raft: none")
    t.press("Escape")
    t.until(r"▸02 stale-lock-holder +FAIL +PASS", r"not built yet")
    t.press("1")
    t.until(r"there is no lab behind this")
    t.press("q")
    t.given_back()


def test_leaving_in_the_middle_leaves_nothing(terminal: OpenTerminal, runtime: Path) -> None:
    t = terminal(80, 24)
    t.start(*WATCH, XDG_STATE_HOME=str(runtime / "state"))
    t.until(r"‖Z")
    forked = [pid for pid in _below(t) if _is_of_a_run(pid)]
    (runner,) = [pid for pid in forked if parent_of(pid) not in forked]
    assert len(forked) > 5
    with closing(Watched([runner, *forked])) as family:
        t.press("q")
        assert "Traceback" not in t.given_back()
        assert family.still_there() == []


def test_a_finished_run_is_opened_again(terminal: OpenTerminal, runtime: Path) -> None:
    t = terminal(120, 36)
    t.start("run", "stale-lock-holder", "--variant", "canonical", "--runs", str(runtime / "runs"))
    t.until(r"canonical · PASS", r"over 0")
    (run_dir,) = (runtime / "runs").iterdir()
    t.start("replay", str(run_dir))
    t.until(r"CANONICAL \[○+\]", r"PASS +0 violations", r"refused as stale 10 ✓", r"broken not run yet")
    t.press("q")
    assert "over 0" in t.given_back()


def test_from_a_lab_with_five_and_back(terminal: OpenTerminal, runtime: Path) -> None:
    t = terminal(120, 36)
    t.start("live", "-n", "3", XDG_STATE_HOME=str(runtime / "state"))
    t.until(r"All is well: n\d leads")
    t.press("5")
    t.until(r"INCIDENTS │ \d+ of 24 are built", r"02 stale-lock-holder")
    t.press("Escape")
    t.until(r"All is well: n\d leads")
    t.press("5", "v")
    t.until(r"INCIDENT \d\d", r"BROKEN \[")
    t.press("q")
    screen = t.given_back()
    assert "over 0" in screen
    assert "Traceback" not in screen


def test_without_colour_and_in_ascii(terminal: OpenTerminal, runtime: Path) -> None:
    t = terminal(120, 36)
    t.start(*WATCH, "--ascii", XDG_STATE_HOME=str(runtime / "state"))
    text = t.until(r"=Z", r"pause w1 +%")
    assert text.isascii()
    t.until(r"FAIL +10 violations", r"2 x")
    t.press("q")
    t.given_back()


def _below(t: Terminal) -> list[int]:
    """Everything that runs below the terminal's shell."""
    found, pending = list[int](), [t.shell]
    while pending:
        pid = pending.pop()
        found.append(pid)
        pending += children_of(pid)
    return found


def _is_of_a_run(pid: int) -> bool:
    """The runner, or what was forked from it and has its command line still."""
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return False
    return b"scenarios" in words
