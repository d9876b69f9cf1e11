"""`faultline incidents`: all 24, and what the last runs of those that are built came to."""

from __future__ import annotations

import click

from tui.cli.exits import GOOD, USAGE
from tui.cli.incident import JSON, RUNS, progress, put, runs_dir


@click.command("incidents")
@RUNS
@JSON
def command(runs: str, as_json: bool) -> int:
    """List the incidents, by family, with the verdicts of their last runs. A card that cannot be used is told, and is exit code 2."""
    from scenarios.catalog import entries, read_all, strangers
    from scenarios.judging import last_runs
    from scenarios.report import document_of_list, words_of_list

    shelf = read_all()
    found, kept = entries(shelf), runs_dir(runs)
    last = {entry.row.slug: last_runs(kept, entry.row.slug) for entry in found if entry.card is not None}
    put(document_of_list(found, last), lambda: words_of_list(found, last), as_json=as_json)
    for why in strangers(shelf):
        progress(why)
    return USAGE if shelf.wrong else GOOD
