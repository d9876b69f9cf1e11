"""`faultline run SLUG`: one run of an incident, judged."""

from __future__ import annotations

import click

from tui.cli.incident import SLUG, exit_code, put, read_backends, run_options, runs_dir


@click.command("run")
@SLUG
@click.option("--variant", type=click.Choice(["broken", "canonical"]), default="broken", show_default=True)
@click.option("--set", "settings", multiple=True, metavar="TOGGLE=VALUE", help="On top of the variant (repeatable).")
@click.option("--without", multiple=True, type=click.Choice(["faults", "workload"]), help="Leave out: the run must be VACUOUS then.")
@run_options
def command(
    slug: str, variant: str, settings: tuple[str, ...], without: tuple[str, ...], seed: int, scale: float, backends: tuple[str, ...],
    runs: str, as_json: bool,
) -> int:  # fmt: skip
    """Run an incident once, for real, and judge it by its records."""
    from scenarios.catalog import load
    from scenarios.report import words_of_run
    from scenarios.runner import Asked, run

    incident = load(slug)
    asked = Asked(variant, settings, seed, scale, read_backends(backends, incident.card), without)
    outcome = run(incident, asked, runs_dir(runs))
    put(outcome, lambda: words_of_run(outcome), as_json=as_json)
    return exit_code(outcome.verdict)
