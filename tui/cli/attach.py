"""`faultline attach [RUN]`: another seat at a running lab."""

from __future__ import annotations

import click


@click.command("attach")
@click.argument("run", default="")
@click.option("--observe", is_flag=True, help="Look, without commands.")
@click.option("--end", "end_it", is_flag=True, help="End the lab (a kept one ends only so), and show nothing.")
@click.option("--theme", default="", help="One of Textual's themes, or deuteranopia, tritanopia.")
@click.option("--ascii", "ascii_only", is_flag=True, help="Only ASCII shapes.")
def command(run: str, observe: bool, end_it: bool, theme: str, ascii_only: bool) -> int:
    """Sit down at a running lab (RUN is its name; not needed when there is only one)."""
    from cluster.supervisor.rundir import base_dir, find
    from tui.cli.dashboard import end_lab, need_terminal, run_attached

    chosen = find(base_dir(), run)
    if end_it:
        return end_lab(str(chosen))
    need_terminal()
    return run_attached(str(chosen), observe=observe, theme=theme, ascii_only=ascii_only)
