"""Exit codes, and the one line that goes with a bad one."""

from __future__ import annotations

import sys

GOOD = 0
VIOLATION = 1
USAGE = 2
UNKNOWN = 3
ENVIRONMENT = 4
INTERRUPTED = 130


def complain(text: str, code: int) -> int:
    """`faultline: text` on standard error; returns the code."""
    print("\n".join(f"faultline: {line}" for line in text.splitlines() or [""]), file=sys.stderr)
    return code
