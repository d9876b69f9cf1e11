"""`faultline show SLUG`: an incident as it was reported, its toggles, faults, errata, and the lesson."""

from __future__ import annotations

import click

from cluster.core.errors import UsageError
from tui.cli.incident import JSON, SLUG, put


@click.command("show")
@SLUG
@JSON
def command(slug: str, as_json: bool) -> int:
    """Say what an incident is: the report, toggles, faults, what to watch, and where the report does not hold."""
    from scenarios.catalog import entry
    from scenarios.report import document_of_card, document_of_row, words_of_card, words_of_row

    found = entry(slug)
    if found.wrong:
        raise UsageError(found.wrong)
    if (card := found.card) is None:
        put(document_of_row(found.row), lambda: words_of_row(found.row), as_json=as_json)
    else:
        put(document_of_card(card), lambda: words_of_card(card), as_json=as_json)
    return 0
