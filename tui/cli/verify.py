"""`faultline verify RUN_DIR`: the oracle again, over a finished run's files alone."""

from __future__ import annotations

from pathlib import Path

import click

from tui.cli.incident import JSON, exit_code, put


@click.command("verify")
@click.argument("run_dir", type=click.Path(path_type=Path))
@JSON
def command(run_dir: Path, as_json: bool) -> int:
    """Judge a finished run again from its raw records; a changed, removed or moved line makes it ERROR."""
    from scenarios.judging import verify
    from scenarios.report import words_of_run

    outcome = verify(run_dir.absolute())
    put(outcome, lambda: words_of_run(outcome), as_json=as_json)
    return exit_code(outcome.verdict)
