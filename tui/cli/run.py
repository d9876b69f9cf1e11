"""`faultline run SLUG`: one run of an incident, judged."""

from __future__ import annotations

import click

from cluster.core.errors import UsageError
from tui.cli.incident import SLUG, exit_code, progress, put, read_backends, run_options, runs_dir


@click.command("run")
@SLUG
@click.option("--variant", type=click.Choice(["broken", "canonical"]), default="broken", show_default=True)
@click.option("--set", "settings", multiple=True, metavar="TOGGLE=VALUE", help="On top of the variant (repeatable).")
@click.option("--watch", is_flag=True, help="In the dashboard, where it can be touched.")
@click.option("--theme", default="", help="With --watch: one of Textual's themes, or deuteranopia, tritanopia.")
@click.option("--ascii", "ascii_only", is_flag=True, help="With --watch: only ASCII shapes.")
@click.option("--without", multiple=True, type=click.Choice(["faults", "workload"]), help="Leave out: the run must be VACUOUS then.")
@click.option("--exact", is_flag=True, help="The report's own times, where the incident runs faster or slower than it.")
@run_options
def command(
    slug: str, variant: str, settings: tuple[str, ...], watch: bool, theme: str, ascii_only: bool, without: tuple[str, ...], exact: bool,
    seed: int, scale: float, backends: tuple[str, ...], runs: str, as_json: bool,
) -> int:  # fmt: skip
    """Run an incident once, for real, and judge it by its records."""
    from scenarios.backends import needed
    from scenarios.catalog import load
    from scenarios.model import choose
    from scenarios.report import words_of_run
    from scenarios.runner import Asked, run

    incident = load(slug)
    if exact:
        if scale != 1.0:
            raise UsageError("--exact is a scale of its own: leave out --scale")
        scale = incident.card.scenario.exact_scale
        if not as_json:
            progress(f"{slug}: at its own times it takes up to {incident.card.scenario.duration_s * scale:.0f} s")
    asked = Asked(variant, settings, seed, scale, read_backends(backends, incident.card), without)
    toggles = choose(incident.card, variant, settings)  # what is wrong is said before anything else is
    for unused in asked.backends.keys() - needed(incident.card.backend, toggles).keys():
        progress(f"{slug}: --backend {unused} is not used with these toggles")
    if watch:
        from tui.cli.watch import watch_run

        if as_json:
            raise UsageError("--json and --watch do not go together")
        if "workload" in without:
            raise UsageError("--without workload shows nothing to --watch")
        return watch_run(slug, asked, runs_dir(runs), theme=theme, ascii_only=ascii_only)
    if not as_json:
        progress(f"{slug}: {variant} …")
    outcome = run(incident, asked, runs_dir(runs))
    put(outcome, lambda: words_of_run(outcome), as_json=as_json)
    return exit_code(outcome.verdict)
