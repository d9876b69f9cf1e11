"""`faultline meta SLUG`: the cases that must follow from the mechanism, if it is understood."""

from __future__ import annotations

import click

from tui.cli.exits import GOOD, VIOLATION
from tui.cli.incident import SLUG, progress, put, read_backends, run_options, runs_dir, worst


@click.command("meta")
@SLUG
@run_options
def command(slug: str, seed: int, scale: float, backends: tuple[str, ...], runs: str, as_json: bool) -> int:
    """Run an incident's metamorphic cases and compare each verdict with the expected one."""
    from scenarios.catalog import load
    from scenarios.report import case, words_of_cases
    from scenarios.runner import Asked, drawn_seed, run

    incident, kept = load(slug), runs_dir(runs)
    urls = read_backends(backends, incident.card)
    seed = drawn_seed(seed)
    cases = []
    for wanted in incident.play.METAMORPHIC:
        progress(f"{slug}: {wanted.name} …")
        settings = tuple(f"{name}={value}" for name, value in wanted.overrides.items())
        cases.append(case(wanted, run(incident, Asked(wanted.base, settings, seed, scale, urls), kept)))
    document = {"slug": slug, "seed": seed, "cases": cases}
    put(document, lambda: words_of_cases(cases), as_json=as_json)
    if all(found.good for found in cases):
        return GOOD
    return worst(found.outcome for found in cases) or VIOLATION
