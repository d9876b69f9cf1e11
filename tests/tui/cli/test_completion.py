"""A shell is offered what could stand next: commands, options, choices."""

from __future__ import annotations

import pytest
from click.shell_completion import ShellComplete

from tui.cli import Commands, faultline, run


def _offers(*words: str, begun: str = "") -> list[str]:
    return [item.value for item in ShellComplete(faultline, {}, "faultline", "_FAULTLINE_COMPLETE").get_completions(list(words), begun)]


@pytest.mark.parametrize(
    ("words", "begun", "offered"),
    [
        ((), "li", ["live"]),
        ((), "zz", []),
        (("live",), "--prof", ["--profile"]),
        (("-n", "7"), "--prof", ["--profile"]),  # options at once are those of `live`
        (("export", "--to"), "", ["jsonl", "history"]),
        (("completion",), "z", ["zsh"]),
        (("nonsense",), "--v", ["--version"]),
    ],
)
def test_what_could_stand_next(words: tuple[str, ...], begun: str, offered: list[str]) -> None:
    assert _offers(*words, begun=begun) == offered


def test_every_command_is_offered_and_can_be_loaded() -> None:
    assert _offers() == list(Commands.HELP)
    for name in Commands.HELP:
        command = faultline.get_command(None, name)  # type: ignore[arg-type]
        assert command is not None
        assert command.name == name


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_has_a_script(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["completion", shell]) == 0
    assert "_FAULTLINE_COMPLETE" in capsys.readouterr().out
