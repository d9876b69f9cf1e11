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
    from scenarios.model import alone
    from scenarios.report import matrix_row, words_of_matrix
    from scenarios.runner import Asked, drawn_seed, run

    incident, kept = load(slug), runs_dir(runs)
    urls = read_backends(backends, incident.card)
    seed = drawn_seed(seed)
    settings = alone(incident.card)
    single = [(setting, "broken", (setting,)) for setting, why in settings.items() if not why]
    plans: list[tuple[str, str, tuple[str, ...]]] = [("broken", "broken", ()), *single, ("canonical", "canonical", ())]
    left_out = {setting: why for setting, why in settings.items() if why}
    rows = []
    for label, variant, changed in plans:
        progress(f"{slug}: {label} …")
        rows.append(matrix_row(label, run(incident, Asked(variant, changed, seed, scale, urls), kept)))
    document = {"slug": slug, "seed": seed, "rows": rows, "left_out": left_out}
    put(document, lambda: words_of_matrix(rows, left_out), as_json=as_json)
    return worst(row.outcome for row in rows)
