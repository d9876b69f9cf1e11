"""`faultline bench KIND`: a measurement made here and now, with the machine it was made on.

Law 1: kinds are the files of `tui/bench/kinds`, loaded when asked for; this file knows none of them by name.
Law 2: a target that was missed is a figure, not an error: the exit code says only whether the measurement could be made.
"""

from __future__ import annotations

import importlib
import json
import pkgutil
import signal
import sys
from types import ModuleType
from typing import Any

import click

from cluster.commands.words import did_you_mean
from cluster.core.errors import UsageError
from tui.cli.exits import GOOD


def kinds() -> list[str]:
    """What can be measured."""
    import tui.bench.kinds

    return sorted(module.name for module in pkgutil.iter_modules(tui.bench.kinds.__path__))


def _load(kind: str) -> ModuleType:
    return importlib.import_module(f"tui.bench.kinds.{kind}")


class Kinds(click.Group):
    """One command per kind, made from its `PARAMETERS` and its docstring."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return kinds()

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in kinds():
            raise UsageError(f"there is no bench {cmd_name!r}{did_you_mean(cmd_name, kinds())} (faultline bench --help lists them)")
        kind = _load(cmd_name)
        as_json = click.Option(["--json", "as_json"], is_flag=True, help="One JSON document.")

        def run(as_json: bool, **parameters: Any) -> int:
            return _run(cmd_name, kind, as_json, parameters)

        return click.Command(cmd_name, callback=run, params=[*kind.PARAMETERS, as_json], help=kind.__doc__)


@click.command("bench", cls=Kinds)
def command() -> None:
    """Measure here and now."""


def _run(name: str, kind: ModuleType, as_json: bool, parameters: dict[str, Any]) -> int:
    from tui.bench.machine import machine, machine_line

    # As Ctrl-C: what was started is ended in order.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    here = machine()
    report = kind.measure(_tell, **parameters)
    targets = [target.document() for target in report.targets]
    if as_json:
        print(json.dumps({"bench": name, "machine": here, **report.document, "targets": targets}, ensure_ascii=False))
        return GOOD
    print(f"{name} on {machine_line(here)}\n")
    print("\n".join(report.lines))
    if report.targets:
        print("Targets")
        print("\n".join(target.line() for target in report.targets))
    return GOOD


def _tell(line: str) -> None:
    print(f"bench: {line}", file=sys.stderr, flush=True)
