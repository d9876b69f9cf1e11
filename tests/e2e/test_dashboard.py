"""The dashboard in a real terminal: each key has an effect that can be read, and the terminal is given back."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.cluster.supervisor.labs import Watched, children_of, parent_of
from tests.e2e.terminal import Terminal

pytestmark = [
    pytest.mark.processes,
    pytest.mark.terminal,
    pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not here: apt-get install tmux"),
]

OpenTerminal = Callable[[int, int], Terminal]
STANDING = (r"5/5 QUORUM \[[●★]+\]", r"n\d +★L", r"All is well: n\d leads term \d+")


@pytest.fixture
def terminal(runtime: Path) -> Iterator[OpenTerminal]:
    opened: list[Terminal] = []

    def open_terminal(columns: int, rows: int) -> Terminal:
        place = runtime / f"t{len(opened)}"
        place.mkdir()
        opened.append(Terminal(runtime, columns, rows) if not opened else Terminal(place, columns, rows))
        return opened[-1]

    yield open_terminal
    for each in opened:
        each.close()


@pytest.mark.parametrize(("columns", "rows"), [(80, 24), (120, 36), (200, 50)], ids=lambda value: str(value))
def test_each_key_has_an_effect_that_can_be_read(terminal: OpenTerminal, columns: int, rows: int) -> None:
    t = terminal(columns, rows)
    t.start("live", "--seed", "3")
    t.until(*STANDING, "no faults")
    t.press("p")
    t.until(r"cut n\d,n\d \| rest +enter applies", r"3 of 5 voters: quorum", r"2 of 5 voters: no quorum")
    t.press("Enter")
    t.until(r"cut n\d,n\d \| rest +\(u undoes\)")  # for a few seconds only
    t.until(r"A 3/5 QUORUM \[[★●]{3}\] ╳╳ B 2/5 STALLED \[[●▲◆]{2}\]", r"1 fault\b", r"The network is cut\.")
    t.press("H")
    t.until(*STANDING, "no faults", r"last heal")
    t.press("g", "8")
    t.until(r"n\d +‖Z", r"1 fault\b", r"stands still", r"pause n\d 8s")
    t.press("u")
    t.until(*STANDING, "no faults", r"last undo", gone=r"‖Z")
    t.press("?")
    t.until("KEYS AND SIGNS", r"SIGSTOP", r"esc back")
    t.press("Escape")
    t.until(*STANDING, gone="KEYS AND SIGNS")
    t.press(":")
    t.press(*"isolat")
    t.until(r":isolat", r"isolate")
    t.press(*"e", "Space", *"n2", "Enter")
    t.until(r"last isolate n2", r"1 fault\b", r"B 1/5 STALLED")
    t.press("q")
    assert "over 0" in t.given_back()


def test_a_terminal_may_shrink_and_grow_while_all_goes_on(terminal: OpenTerminal) -> None:
    t = terminal(120, 36)
    t.start("live", COLUMNS="80", LINES="24")  # as an exported shell variable would say for ever
    t.until(*STANDING, "TOPOLOGY")
    t.resize(50, 12)
    t.until("this terminal has 50x12", "the dashboard needs 60x18 or more", "the lab runs on; q leaves")
    t.resize(80, 24)
    t.until(*STANDING, gone="TOPOLOGY")
    t.resize(120, 36)
    t.until(*STANDING, "TOPOLOGY")
    t.press("q")
    assert "over 0" in t.given_back()


def test_a_terminal_too_small_from_the_start_says_so_and_can_be_left(terminal: OpenTerminal) -> None:
    t = terminal(40, 10)
    t.start("live", "-n", "1")
    t.until("this terminal has 40x10")
    t.press("q")
    assert "over 0" in t.given_back()


def test_a_killed_supervisor_is_one_line_and_a_clean_terminal(terminal: OpenTerminal) -> None:
    t = terminal(80, 24)
    t.start("live")
    t.until(*STANDING)
    supervisor = t.supervisor()
    (zygote,) = children_of(supervisor)
    family = Watched([supervisor, zygote, *children_of(zygote)])
    os.kill(supervisor, signal.SIGKILL)
    t.until("ENDED", "the supervisor is gone")
    t.press("q")
    left = t.given_back()
    assert left.count("the supervisor is gone") == 1
    assert "Traceback" not in left
    assert "over 4" in left
    assert family.still_there() == []


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_to_the_dashboard_gives_the_terminal_back(terminal: OpenTerminal, signum: signal.Signals) -> None:
    t = terminal(80, 24)
    t.start("live", "-n", "3")
    t.until(r"3/3 QUORUM \[[●★]+\]", "All is well")
    os.kill(parent_of(t.supervisor()), signum)
    assert "over 130" in t.given_back()


@pytest.mark.parametrize("deaf", [False, True], ids=["", "SIGHUP ignored"])
def test_a_closed_terminal_ends_the_lab(terminal: OpenTerminal, deaf: bool) -> None:
    t = terminal(80, 24)
    if deaf:  # as under nohup: then only the terminal itself tells
        t.keys_typed("trap '' HUP")
    t.start("live", "-n", "3")
    t.until(r"3/3 QUORUM \[[●★]+\]")
    supervisor = t.supervisor()
    (zygote,) = children_of(supervisor)
    family = Watched([parent_of(supervisor), supervisor, zygote, *children_of(zygote)])
    t.hang_up()
    assert family.still_there() == []


def test_an_observer_sees_what_the_operator_does_and_asks_nothing(terminal: OpenTerminal, runtime: Path) -> None:
    operator, observer = terminal(80, 24), terminal(120, 36)
    operator.start("live", "-n", "3")
    operator.until(r"3/3 QUORUM \[[●★]+\]", "All is well")
    observer.start("attach", "--observe", XDG_RUNTIME_DIR=str(runtime))
    observer.until(r"3/3 QUORUM \[[●★]+\]", "OBSERVE")
    operator.press(":", *"crash", "Space", *"n2", "Enter")
    observer.until(r"n2 +✖X", "1 fault")
    observer.press("H")
    observer.press("u")
    operator.press(":", *"put", "Space", "a", "Space", "b", "Enter")  # what comes after the observer's keys
    operator.until("last put a b", r"n2 +✖X")
    observer.press("q")
    assert "over 0" in observer.given_back()
    operator.until(r"n2 +✖X")  # the lab is the operator's
    operator.press("q")
    assert "over 0" in operator.given_back()


def test_errors_may_go_elsewhere(terminal: OpenTerminal, runtime: Path) -> None:
    t = terminal(80, 24)
    t.start("live", "-n", "3", redirected=f"2>{runtime}/errors")
    t.until(r"3/3 QUORUM \[[●★]+\]", "All is well")
    t.press("q")
    assert "over 0" in t.given_back()
    assert (runtime / "errors").read_text().startswith("faultline: ran ")


@pytest.mark.parametrize("name", ["dumb", "unknown"])
def test_a_terminal_that_cannot_be_drawn_on_is_refused(terminal: OpenTerminal, name: str) -> None:
    t = terminal(120, 24)
    t.start("live", TERM=name)
    t.until(rf"a terminal of TERM={name} cannot be drawn on \(faultline live --headless needs none\)")
    assert "over 4" in t.given_back()
