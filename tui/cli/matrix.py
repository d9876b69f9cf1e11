"""`faultline matrix SLUG`: what each mitigation alone would have changed."""

from __future__ import annotations

import click

from tui.cli.incident import SLUG, progress, put, read_backends, run_options, runs_dir, worst


@click.command("matrix")
@SLUG
@run_options
def command(slug: str, seed: int, scale: float, backends: tuple[str, ...], runs: str, as_json: bool) -> int:
    """Run the broken variant, then with each single toggle changed, then the canonical one: one seed for all."""
    from scenarios.catalog import load
    from scenarios.report import Row, words_of_matrix
    from scenarios.runner import Asked, drawn_seed, run

    incident, kept = load(slug), runs_dir(runs)
    urls = read_backends(backends, incident.card)
    seed = drawn_seed(seed)
    plans: list[tuple[str, str, tuple[str, ...]]] = [("broken", "broken", ())]
    for toggle in incident.card.toggle:
        plans += [(f"{toggle.name}={value}", "broken", (f"{toggle.name}={value}",)) for value in toggle.values if value != toggle.broken]
    plans.append(("canonical", "canonical", ()))
    rows = []
    for label, variant, settings in plans:
        progress(f"{slug}: {label} …")
        rows.append(Row(label, run(incident, Asked(variant, settings, seed, scale, urls), kept)))
    document = {"slug": slug, "seed": seed, "rows": rows}
    put(document, lambda: words_of_matrix(rows), as_json=as_json)
    return worst(row.outcome for row in rows)
