"""`faultline completion SHELL`: the script that a shell sources."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class


@click.command("completion")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def command(shell: str) -> int:
    """Print the completion script: `source <(faultline completion bash)`."""
    from tui.cli import faultline

    completion = get_completion_class(shell)
    assert completion is not None
    click.echo(completion(faultline, {}, "faultline", "_FAULTLINE_COMPLETE").source())
    return 0
