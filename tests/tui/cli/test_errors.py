"""Every expected failure of a command is one line on standard error, whatever raised it; what nobody expected is not hidden."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import click
import pytest

from cluster.core.errors import EnvironmentFailed, UsageError
from tui.cli import run
from tui.cli.exits import ENVIRONMENT, INTERRUPTED, USAGE


def raises(monkeypatch: pytest.MonkeyPatch, failure: Callable[[], BaseException]) -> None:
    """`faultline doctor` fails so from now on."""

    @click.command("doctor")
    def command() -> None:
        raise failure()

    monkeypatch.setattr("tui.cli.doctor.command", command)


def in_tasks(*failures: BaseException) -> BaseException:
    """As they come out of tasks that failed together, and a group around that."""

    async def fail(failure: BaseException) -> None:
        raise failure

    async def together() -> None:
        async with asyncio.TaskGroup() as tasks:
            for failure in failures:
                tasks.create_task(fail(failure))

    try:
        asyncio.run(together())
    except BaseExceptionGroup as group:
        return BaseExceptionGroup("around", [group])
    raise AssertionError("nothing failed")


@pytest.mark.parametrize(
    ("failure", "code", "line"),
    [
        (UsageError("no such thing"), USAGE, "faultline: no such thing"),
        (EnvironmentFailed("the disk is full"), ENVIRONMENT, "faultline: the disk is full"),
        (OSError(28, "No space left on device", "x.flt"), ENVIRONMENT, "faultline: x.flt: No space left on device"),
    ],
)
def test_one_line_also_when_tasks_failed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], failure: Exception, code: int, line: str
) -> None:
    for raised in (failure, in_tasks(failure), in_tasks(failure, EnvironmentFailed("because of that"))):
        raises(monkeypatch, lambda raised=raised: raised)  # type: ignore[misc]
        assert run(["doctor"]) == code
        assert capsys.readouterr().err.strip() == line


def test_an_interrupt_in_tasks_is_an_interrupt(monkeypatch: pytest.MonkeyPatch) -> None:
    raises(monkeypatch, lambda: BaseExceptionGroup("tasks", [KeyboardInterrupt()]))
    assert run(["doctor"]) == INTERRUPTED


def test_a_defect_among_them_is_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    raises(monkeypatch, lambda: in_tasks(UsageError("expected"), ZeroDivisionError("not expected")))
    with pytest.raises(BaseExceptionGroup):
        run(["doctor"])
