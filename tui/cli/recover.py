"""`faultline recover DIR`: a new cluster from one survivor's directory."""

from __future__ import annotations

import sys
from pathlib import Path

import click
import msgspec


@click.command("recover")
@click.argument("directory", type=click.Path(file_okay=False, path_type=Path))
@click.option("--to", "target", type=click.Path(file_okay=False, path_type=Path), help="Where the new cluster is made [DIR-recovered].")
@click.option("-n", "--nodes", type=click.IntRange(1, 100), default=5, show_default=True, help="Nodes of the new cluster, all with a vote.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document on standard output.")
def command(directory: Path, target: Path | None, nodes: int, as_json: bool) -> int:
    """Make a new cluster from one node's directory when the quorum is lost for good.

    Everything that the survivor's log holds counts as committed. Writes that only lost nodes held are gone.
    """
    from cluster.node.recovery import recover

    target = target or directory.with_name(directory.name + "-recovered")
    done = recover(directory, target, nodes)
    if as_json:
        sys.stdout.buffer.write(msgspec.json.encode(done) + b"\n")
        return 0
    torn = f" ({done.cut_bytes} bytes of an unfinished write were left out)" if done.cut_bytes else ""
    print(f"{done.keys} keys, up to entry {done.index} of term {done.term}, {done.entries} of them from the log{torn}")
    print(f"The new cluster is in {target}: faultline live --data {target} -n {nodes} --voters {nodes}")
    print("What only the lost nodes held is gone; a write that nobody was promised may have come back.", file=sys.stderr)
    return 0
