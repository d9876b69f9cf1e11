"""`faultline pair SLUG`: broken and canonical, the same faults, the same workload, the same seed."""

from __future__ import annotations

import click

from tui.cli.incident import SLUG, exit_of_pair, progress, put, read_backends, run_options, runs_dir


@click.command("pair")
@SLUG
@run_options
def command(slug: str, seed: int, scale: float, backends: tuple[str, ...], runs: str, as_json: bool) -> int:
    """Run both variants of an incident. Good is: broken FAIL, canonical PASS, under the same faults."""
    from scenarios.catalog import load
    from scenarios.report import pair, words_of_pair
    from scenarios.runner import Asked, drawn_seed, run

    incident, kept = load(slug), runs_dir(runs)
    urls = read_backends(backends, incident.card)
    seed = drawn_seed(seed)
    outcomes = []
    for variant in ("broken", "canonical"):
        progress(f"{slug}: {variant} …")
        outcomes.append(run(incident, Asked(variant, (), seed, scale, urls), kept))
    found = pair(incident.card, *outcomes)
    put(found, lambda: words_of_pair(found), as_json=as_json)
    return exit_of_pair(found)
