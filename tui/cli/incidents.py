"""`faultline incidents`: all 24, and what the last runs of those that are built came to."""

from __future__ import annotations

import click

from tui.cli.incident import JSON, RUNS, put, runs_dir


@click.command("incidents")
@RUNS
@JSON
def command(runs: str, as_json: bool) -> int:
    """List the incidents, by family, with the verdicts of their last runs."""
    from scenarios.catalog import entries
    from scenarios.judging import last_verdicts
    from scenarios.report import document_of_list, words_of_list

    found, kept = entries(), runs_dir(runs)
    last = {entry.row.slug: last_verdicts(kept, entry.row.slug) for entry in found if entry.card is not None}
    put(document_of_list(found, last), lambda: words_of_list(found, last), as_json=as_json)
    return 0
