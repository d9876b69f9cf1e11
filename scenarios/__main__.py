"""`python -m scenarios`: a run for a front, started by exec, never by hand."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from cluster.core.errors import FaultlineError, ProtocolError, UsageError
from scenarios.catalog import load
from scenarios.commission import REPLIES, Refused, Staged, read_commission
from scenarios.runner import Front, run


def main() -> int:
    try:
        commission = read_commission(sys.stdin.buffer)
        incident = load(commission.slug)
        run(incident, commission.asked, Path(commission.runs), Front(sys.stdin.fileno(), _say))
    except ProtocolError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    except FaultlineError as error:
        _say(Refused(str(error), isinstance(error, UsageError)))
        return 4
    except KeyboardInterrupt:
        return 130
    return 0


def _say(reply: Staged | Refused) -> None:
    """The only thing that is ever said on standard output: the front reads it to its end."""
    sys.stdout.buffer.write(REPLIES.encode(reply))
    sys.stdout.buffer.flush()
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    sys.exit(main())
