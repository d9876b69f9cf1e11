"""Whichever process is killed, with a node stopped and the network cut: nothing of the lab is left.

How soon is a figure, and is measured by the slow test; here only the end counts.
"""

from __future__ import annotations

import os
import signal

import pytest

from tests.cluster.supervisor.labs import SOON_S
from tests.e2e.fronts import Front, broken_front

pytestmark = pytest.mark.processes

ROUNDS = 20


async def _kill(front: Front, victim: str, signum: signal.Signals = signal.SIGKILL) -> float:
    os.kill({"front": front.pid, "supervisor": front.supervisor, "zygote": front.zygote}[victim], signum)
    return await front.nothing_left()


@pytest.mark.parametrize("victim", ["front", "supervisor", "zygote"])
async def test_nothing_outlives_a_kill(victim: str) -> None:
    async with broken_front() as front:
        await _kill(front, victim)


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("victim", ["front", "supervisor", "zygote"])
async def test_nothing_outlives_a_kill_however_often(victim: str, capsys: pytest.CaptureFixture[str]) -> None:
    took_s: list[float] = []
    for _ in range(ROUNDS):
        async with broken_front() as front:
            took_s.append(await _kill(front, victim))
    mean_ms, most_ms = 1e3 * sum(took_s) / ROUNDS, 1e3 * max(took_s)
    assert max(took_s) < SOON_S
    with capsys.disabled():
        print(f"\nkill -9 of the {victim}, {ROUNDS} times: all gone after {mean_ms:.0f} ms, at most {most_ms:.0f} ms")  # noqa: T201


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
async def test_a_signal_to_the_front_ends_the_lab_and_the_report_still_comes(signum: signal.Signals) -> None:
    async with broken_front("--json") as front:
        await _kill(front, "front", signum)
        assert front.process.stdout is not None
        assert b'"clean_exit": true' in front.process.stdout.read()
        assert front.process.returncode == 130


@pytest.mark.parametrize(
    ("victim", "line"),
    [("supervisor", "the supervisor is gone"), ("zygote", "the lab ended early: the zygote is gone")],
)
async def test_the_front_says_in_one_line_what_was_lost(victim: str, line: str) -> None:
    async with broken_front("--json") as front:
        await _kill(front, victim)
        assert front.process.stderr is not None
        said = front.process.stderr.read().decode()
        assert line in said
        assert "Traceback" not in said
        assert front.process.returncode == 4
