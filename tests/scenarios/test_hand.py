"""What a person does to a run is told when the kernel confirms it, and what cannot be is one clear line."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path

import pytest

from cluster.commands import parse
from cluster.commands.dialect import of_run
from cluster.core.errors import UsageError
from cluster.supervisor.zygote import Continued, Exited, Started, Stopped
from scenarios.hand import VERBS, Hand
from scenarios.lines import LineFile
from scenarios.records import Records

RUN = of_run(("w1", "w2"), {"fencing": ("off", "on")})


class Run:
    """A hand over two processes that run, and what it asked for."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.asked: list[tuple[str, object]] = []
        self.bell = asyncio.Event()
        self.hand = Hand(LineFile(root / "faults.jsonl"), self._ask, lambda name: self._ask(name, "start"), self._ask)
        for name in ("w1", "w2"):
            self.hand.heard(Started(name, 1, 0))

    def _ask(self, name: str, what: object) -> None:
        self.asked.append((name, what))
        self.bell.set()

    def obey(self, text: str) -> str:
        return self.hand.obey(parse(text, RUN))

    @property
    def told(self) -> list[tuple[str, str, str, int]]:
        return [(line["phase"], line["do"], line["target"], line["mono_ns"]) for line in Records(self.root).faults()]


async def test_a_pause_is_told_when_it_is_so_and_ends_at_its_time(tmp_path: Path) -> None:
    run = Run(tmp_path)
    assert run.obey("pause w1 1ms") == "pause w1"
    assert run.told == []
    assert run.hand.heard(Stopped("w1", 5))
    run.bell.clear()
    await run.bell.wait()
    assert run.asked == [("w1", signal.SIGSTOP), ("w1", signal.SIGCONT)]
    assert not run.hand.heard(Continued("w1", 9))
    assert run.told == [("landed", "pause", "w1", 5_000), ("ended", "pause", "w1", 9_000)]
    assert Records(tmp_path).by_hand() == ("pause w1",)


async def test_a_crash_is_nobodys_failure_and_a_restart_follows(tmp_path: Path) -> None:
    run = Run(tmp_path)
    run.obey("crash w1")
    assert run.hand.heard(Exited("w1", 1, -signal.SIGKILL, 5))
    run.obey("restart w1")
    assert run.hand.heard(Started("w1", 2, 8))
    assert run.asked == [("w1", signal.SIGKILL), ("w1", "start")]
    assert [line[:3] for line in run.told] == [("landed", "kill", "w1"), ("ended", "kill", "w1"), ("landed", "restart", "w1")]


def test_what_others_do_is_not_the_hands(tmp_path: Path) -> None:
    run = Run(tmp_path)
    assert not run.hand.heard(Stopped("w1", 5))
    assert not run.hand.heard(Exited("w2", 1, -signal.SIGKILL, 6))
    run.obey("crash w1")
    assert not run.hand.heard(Exited("w1", 1, 1, 7))
    assert run.told == []


def test_healing_what_somebody_else_stopped_is_told_as_done_by_hand(tmp_path: Path) -> None:
    run = Run(tmp_path)
    run.hand.heard(Stopped("w1", 5))
    run.obey("heal")
    assert run.hand.heard(Continued("w1", 7))
    assert run.told == [("landed", "heal", "w1", 7_000)]


def test_a_toggle_is_told_at_once(tmp_path: Path) -> None:
    run = Run(tmp_path)
    assert run.obey("set fencing on") == "fencing is on now"
    assert run.asked == [("fencing", "on")]
    assert Records(tmp_path).by_hand() == ("set fencing=on",)


@pytest.mark.parametrize(
    ("before", "text", "said"),
    [
        ([], "restart w1", "w1 runs"),
        ([], "heal w1", "nothing stands still that could go on"),
        ([Stopped("w1", 1)], "pause w1", "w1 stands still"),
        ([Exited("w1", 1, 0, 1)], "crash w1", "w1 has ended"),
        ([], "transfer w1", f"no transfer here: a run takes {VERBS}"),
    ],
)
def test_what_cannot_be_is_one_line(tmp_path: Path, before: list[Stopped], text: str, said: str) -> None:
    run = Run(tmp_path)
    for report in before:
        run.hand.heard(report)
    with pytest.raises(UsageError, match=f"^{said}$"):
        run.obey(text)
    assert run.asked == []
