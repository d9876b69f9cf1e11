"""Runs a command that ends when whoever started it does, however that happened: `python -m tui.bench.rivals.tether PARENT_PID COMMAND…`

The command takes this process's place, so its PID, its pipes and its exit are the caller's own business. On Linux the kernel does the
rest; elsewhere only an orderly end takes the command along.
"""

from __future__ import annotations

import os
import sys

from cluster.supervisor.zygote import die_with


def main() -> None:
    parent, *command = sys.argv[1:]
    die_with(int(parent))
    os.execvp(command[0], command)


if __name__ == "__main__":
    main()
