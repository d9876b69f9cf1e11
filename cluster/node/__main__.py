"""`python -m cluster.node SPECFILE`: one node from a file with its msgpack `NodeSpec`, without zygote."""

from __future__ import annotations

import sys
from pathlib import Path

from cluster.node.process import EXIT_USAGE, run

if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.stderr.write("usage: python -m cluster.node SPECFILE\n")
        sys.exit(EXIT_USAGE)
    try:
        spec = Path(sys.argv[1]).read_bytes()
    except OSError as error:
        sys.stderr.write(f"{sys.argv[1]}: {error.strerror}\n")
        sys.exit(EXIT_USAGE)
    run(spec)
