"""`faultline incidents`: which there are, and what their last runs came to."""

from __future__ import annotations

import click

from tui.cli.incident import JSON, RUNS, put, runs_dir


@click.command("incidents")
@RUNS
@JSON
def command(runs: str, as_json: bool) -> int:
    """List the incidents, by family, with the verdicts of their last runs."""
    from scenarios.catalog import cards
    from scenarios.judging import last_verdicts
    from scenarios.report import document_of_list, words_of_list

    found, kept = cards(), runs_dir(runs)
    last = {card.slug: last_verdicts(kept, card.slug) for card in found}
    put(document_of_list(found, last), lambda: words_of_list(found, last), as_json=as_json)
    return 0
