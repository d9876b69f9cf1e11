from __future__ import annotations

import os
import sys
import time

import pytest

from tui.bench.family import Family, percent
from tui.bench.terminal import Terminal

pytestmark = pytest.mark.terminal

# Says how large its terminal is, then answers each key: the first three only in colour, `q` by ending.
ECHO = """
import os, sys, tty
tty.setraw(0)
size = os.get_terminal_size(0)
print(f"\\x1b[1;1H{size.columns}x{size.lines}", end="", flush=True)
while (key := os.read(0, 1)) != b"q":
    print(f"\\x1b[2;1H\\x1b[31mgot {key.decode()}", end="", flush=True)
"""


def echo(columns: int = 40, lines: int = 5) -> Terminal:
    return Terminal([sys.executable, "-c", ECHO], os.environ, columns, lines)


def test_a_program_sees_the_size_and_its_keys_are_seen() -> None:
    terminal = echo()
    try:
        assert terminal.until(lambda screen: screen.row(0).startswith("40x5"), 20.0) is not None
        pressed_s = terminal.type("z")
        seen_s = terminal.until(lambda screen: screen.row(1).startswith("got z"), 20.0)
        assert seen_s is not None
        assert pressed_s < seen_s <= time.monotonic()
    finally:
        terminal.type("q")
        terminal.close()
    assert terminal.over


def test_what_does_not_come_is_none() -> None:
    terminal = echo()
    try:
        assert terminal.until(lambda screen: "never" in screen.row(0), 0.2) is None
    finally:
        terminal.close()


def test_a_program_that_ends_is_not_waited_for() -> None:
    terminal = Terminal([sys.executable, "-c", "print('gone')"], os.environ, 20, 3)
    try:
        began_s = time.monotonic()
        assert terminal.until(lambda screen: "never" in screen.row(0), 60.0) is None
        assert time.monotonic() - began_s < 50.0, "it waited for the deadline although nothing could come"
        assert "gone" in terminal.look().row(0)
    finally:
        terminal.close()


def test_what_arrives_while_resting_is_on_the_screen_afterwards() -> None:
    terminal = echo()
    try:
        terminal.until(lambda screen: "40x5" in screen.row(0), 20.0)
        terminal.type("a")
        while terminal.received_bytes < len("\x1b[1;1H40x5\x1b[2;1H\x1b[31mgot a"):
            terminal.rest(0.01)
        assert terminal.look().row(1).startswith("got a")
    finally:
        terminal.close()


def test_cpu_of_the_front_and_of_the_measurer_is_counted() -> None:
    terminal = echo()
    try:
        family = Family(terminal.pid)
        before = family.usage()
        spent_until_s = time.process_time() + 0.05
        while time.process_time() < spent_until_s:
            pass
        found = percent(before, family.usage())
    finally:
        terminal.close()
    assert set(found) == {"front", "supervisor", "zygote", "cluster", "bench", "others"}
    assert found["bench"] > 0
    assert found["supervisor"] == 0
