"""What a bench hands back: one document for machines, lines for people, and what was aimed at beside what was reached."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import msgspec

# Told while it runs, so that nobody thinks that it hangs: one line, for standard error.
Tell = Callable[[str], None]


class Target(msgspec.Struct, frozen=True):
    """One promise: `measured` ≤ `limit` keeps it, or ≥ when it is one of `at_least`."""

    what: str
    limit: float
    measured: float
    unit: str
    at_least: bool = False

    @property
    def met(self) -> bool:
        return self.measured >= self.limit if self.at_least else self.measured <= self.limit

    def document(self) -> dict[str, Any]:
        return {**msgspec.to_builtins(self), "met": self.met}

    def line(self) -> str:
        mark, relation = "✓" if self.met else "✗", "≥" if self.at_least else "≤"
        return f"  {mark} {self.what:<58} {self.measured:8.2f} {self.unit:<3} (target {relation} {self.limit:g})"


class Report(msgspec.Struct, frozen=True):
    """`document` is what `--json` prints, targets included by whoever prints it; `lines` are for people."""

    document: dict[str, Any]
    lines: tuple[str, ...]
    targets: tuple[Target, ...] = ()


class Summary(msgspec.Struct, frozen=True):
    """Of one sort of measurement. `late`: how many did not come before their deadline, with which they are counted."""

    count: int
    p50: float
    p90: float
    p99: float
    max: float
    late: int = 0


def summarise(values: Sequence[float], late: int = 0) -> Summary:
    """Nearest-rank quantiles: every figure is a value that was measured. Needs at least one."""
    ordered = sorted(values)
    assert ordered, "nothing was measured"
    p50, p90, p99, most = (round(_rank(ordered, share), 1) for share in (0.5, 0.9, 0.99, 1.0))
    return Summary(len(ordered), p50, p90, p99, most, late)


def _rank(ordered: Sequence[float], share: float) -> float:
    return ordered[max(0, -(-int(share * 1_000) * len(ordered) // 1_000) - 1)]


def table(heading: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Columns as wide as they need to be; the first to the left, all others to the right."""
    widths = [max(len(row[column]) for row in (heading, *rows)) for column in range(len(heading))]
    return ["  " + "  ".join(_padded(row, widths)) for row in (heading, *rows)]


def _padded(row: Sequence[str], widths: Sequence[int]) -> list[str]:
    return [cell.ljust(width) if place == 0 else cell.rjust(width) for place, (cell, width) in enumerate(zip(row, widths, strict=True))]
