"""What the commands about incidents share: their options, where runs are kept, and verdicts as exit codes.

Law 1: a verdict is an exit code: PASS 0, FAIL 1, VACUOUS 3, ERROR 4. Of several runs the worst trouble counts first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click
import msgspec

from cluster.core.errors import UsageError
from tui.cli.exits import ENVIRONMENT, GOOD, UNKNOWN, VIOLATION

if TYPE_CHECKING:
    from scenarios.model import Card
    from scenarios.report import Pair

_EXITS = {"PASS": GOOD, "FAIL": VIOLATION, "VACUOUS": UNKNOWN, "ERROR": ENVIRONMENT}
F = TypeVar("F", bound=Callable[..., Any])

SLUG = click.argument("slug")
JSON = click.option("--json", "as_json", is_flag=True, help="One JSON document.")
_KEPT = "Keep run directories here: the newest 200, at most 1 GiB, and those in use."
RUNS = click.option("--runs", type=click.Path(file_okay=False), default="", help=_KEPT)
_OPTIONS = (
    click.option("--seed", type=click.IntRange(0, 2**32 - 1), default=0, help="Seed of the workload.  [default: drawn]"),
    click.option("--scale", type=click.FloatRange(0.1, 20.0), default=1.0, show_default=True, help="Multiply every duration."),
    click.option("--backend", "backends", multiple=True, metavar="NAME=URL", help="Other servers (redis=redis://…, kv=etcd://…, kv=etcd)."),
    RUNS,
    JSON,
)


def run_options(command: F) -> F:
    """Of every command that runs an incident."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def runs_home() -> Path:
    """With this user's other state."""
    import platformdirs

    return platformdirs.user_state_path("faultline") / "runs"


def runs_dir(wanted: str) -> Path:
    """Where run directories are kept: as asked, or with this user's other state."""
    path = Path(wanted).absolute() if wanted else runs_home()
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path


def read_backends(texts: Iterable[str], card: Card) -> dict[str, tuple[str, ...]]:
    """`redis=URL`, or several URLs with commas between them, of the backends that the incident has."""
    from scenarios.servers import check_urls

    found = {}
    for text in texts:
        name, equals, urls = text.partition("=")
        if not equals:
            raise UsageError(f"--backend {text}: expected NAME=URL")
        found[name] = tuple(urls.split(","))
    check_urls(card.backend, found, card.slug)
    return found


def put(document: Any, words: Callable[[], str], *, as_json: bool) -> None:
    """On standard output: one document, or its words."""
    print(msgspec.json.encode(document).decode() if as_json else words(), flush=True)


def exit_code(verdict: str) -> int:
    return _EXITS[verdict]


def worst(outcomes: Iterable[Any]) -> int:
    """Of runs that were only to be compared: ERROR and VACUOUS count, FAIL and PASS are both answers."""
    verdicts = {outcome.verdict for outcome in outcomes}
    return ENVIRONMENT if "ERROR" in verdicts else UNKNOWN if "VACUOUS" in verdicts else GOOD


def exit_of_pair(found: Pair) -> int:
    """Good is: broken FAIL, canonical PASS, under the same faults."""
    return GOOD if found.good else worst((found.broken, found.canonical)) or (VIOLATION if found.same_faults else UNKNOWN)


def progress(text: str) -> None:
    """While it takes its time: on standard error."""
    click.echo(f"faultline: {text}", err=True)

