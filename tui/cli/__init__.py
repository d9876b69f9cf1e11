"""The command line: one file per command, loaded only when asked for.

Law 1: standard output carries what was asked for (with `--json` exactly one document); everything else goes to standard error.
Law 2: exit codes: 0 good, 1 a violation was found, 2 usage or malformed input, 3 vacuous or unknown, 4 the environment failed.
Law 3: an error is one clear line. A traceback is a bug of ours.
"""

from __future__ import annotations

import codecs
import importlib
import io
import json
import os
import sys
from typing import ClassVar

import click

from cluster import __version__
from cluster.core.errors import EnvironmentFailed, FaultlineError, UsageError
from tui.cli.exits import ENVIRONMENT, INTERRUPTED, USAGE, complain

EXAMPLES = """\b
Examples:
  faultline                                    five nodes and the dashboard
  faultline live -n 50 --voters 5              fifty nodes, five of them vote
  faultline live --headless --for 10s --json   no screen, one JSON report
  echo 'at 3 crash leader' | faultline live --headless --for 10s --script -
  faultline live --record drill.flt            keep a recording
  faultline replay drill.flt                   and look at it again
  faultline pair stale-lock-holder             an incident, broken and canonical

\b
In a checkout: ./faultline test [--all] [ARGS] runs the tests.
"""


class Commands(click.Group):
    """Commands by name, each in `tui.cli.<name>`, imported when used: `--help` must not cost an import of Textual."""

    HELP: ClassVar[dict[str, str]] = {
        "live": "Start a cluster and the dashboard (the default command).",
        "attach": "Sit down at a running lab.",
        "incidents": "List the incidents, with the verdicts of their last runs.",
        "show": "Say what an incident is: report, toggles, faults, errata, lesson.",
        "run": "Run an incident once, for real, and judge it by its records.",
        "pair": "Run an incident broken and canonical, under the same faults.",
        "matrix": "Run an incident with one mitigation at a time.",
        "meta": "Run the cases that must follow from an incident's mechanism.",
        "verify": "Judge a finished run of an incident again, from its files alone.",
        "replay": "Look at a recording again: pause, step, seek.",
        "export": "Write a recording as JSON lines.",
        "recover": "Make a new cluster from one survivor's directory.",
        "sim": "Play seeds of a simulated cluster under faults, and judge them.",
        "check": "Judge a recorded history: is it linearizable?",
        "compile": "Compile the hot path: simulations take about half the time.",
        "doctor": "Say what this machine offers, and what is missing.",
        "bench": "Measure here and now.",
        "screenshots": "Remake the pictures from recorded runs of a real cluster.",
        "completion": "Print the completion script for a shell.",
    }

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.HELP)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.HELP:
            return None
        command = importlib.import_module(f"tui.cli.{cmd_name}").command
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(self.HELP.items()))

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        from cluster.commands.words import did_you_mean

        if args and args[0] not in self.HELP and not ctx.resilient_parsing:
            raise UsageError(f"there is no command {args[0]!r}{did_you_mean(args[0], self.HELP)} (faultline --help lists them)")
        return super().resolve_command(ctx, args)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """No command, or options at once: `faultline -n 7` is `faultline live -n 7`."""
        if not args and ctx.resilient_parsing:
            return super().parse_args(ctx, args)  # a shell completes the command's own name
        if not args or (args[0].startswith("-") and args[0] not in ("--help", "-h", "--version")):
            args = ["live", *args]
        return super().parse_args(ctx, args)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]}, epilog=EXAMPLES)
@click.version_option(__version__, prog_name="faultline")
def faultline() -> None:
    """A terminal laboratory for distributed coordination: a real cluster of processes, and keys that break it."""


def main() -> None:
    """Run and exit; every expected failure is one line on standard error."""
    _fill_descriptors()
    _let_all_words_pass()
    code = run(sys.argv[1:])
    try:
        sys.stdout.flush()
    except OSError as error:  # a full disk behind a pipe or a file: told here, and not once more by the interpreter's end
        code = complain(f"standard output: {error.strerror}", ENVIRONMENT)
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(code)


def _fill_descriptors() -> None:
    """Whoever started us may have closed 0, 1 or 2: the next socket would get that number, and our words with it."""
    for number, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        if getattr(sys, name) is None:
            os.dup2(os.open(os.devnull, os.O_RDWR), number)
            setattr(sys, name, open(number, mode, encoding="utf-8", closefd=False))


def _let_all_words_pass() -> None:
    """A sign that standard output's encoding lacks (LANG=C, a file name of no text) is written as JSON escapes it, in documents as well."""
    codecs.register_error("faultline", _escaped)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="faultline")


def _escaped(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeEncodeError), "it is for writing only"
    return json.dumps(error.object[error.start : error.end])[1:-1], error.end


def run(arguments: list[str]) -> int:
    """Run one command line; returns the exit code."""
    if sys.platform == "win32":
        return complain("Windows itself is not supported: use WSL 2", ENVIRONMENT)
    try:
        result = _invoke(arguments)
    except click.ClickException as error:
        return complain(f"{error.format_message()} (try faultline --help)", USAGE)
    except (click.Abort, KeyboardInterrupt):
        return INTERRUPTED
    except UsageError as error:
        return complain(str(error), USAGE)
    except EnvironmentFailed as error:
        return complain(str(error), ENVIRONMENT)
    except SystemExit:
        # So click ends when whoever read our output has left: 1 is the code of a violation, and there is none.
        return ENVIRONMENT
    except OSError as error:
        return complain(": ".join(filter(None, (str(error.filename or ""), error.strerror))) or str(error), ENVIRONMENT)
    except FaultlineError as error:
        return complain(str(error), ENVIRONMENT)
    except UnicodeEncodeError as error:  # a file name that is no text: a document cannot hold it
        return complain(f"{error.object!a} is no UTF-8 text", USAGE)
    return result if isinstance(result, int) else 0


def _invoke(arguments: list[str]) -> object:
    """The command's own answer. What tasks failed with together is told by the first of it, if all of it is expected (Law 3)."""
    try:
        return faultline.main(arguments, prog_name="faultline", standalone_mode=False)
    except BaseExceptionGroup as group:
        expected, defects = group.split((FaultlineError, OSError, KeyboardInterrupt, click.ClickException, click.Abort))
        if expected is None or defects is not None:
            raise
        first: BaseException = expected
        while isinstance(first, BaseExceptionGroup):
            first = first.exceptions[0]
        raise first from None
