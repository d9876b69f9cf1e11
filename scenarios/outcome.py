"""What a run came to: values that judges make, files hold, and fronts show.

Law 1: nothing here judges, reads or writes; it is the one form in which a verdict travels.
"""

from __future__ import annotations

from typing import Literal

import msgspec

EVIDENCE_MAX = 50
Status = Literal["PASS", "FAIL", "VACUOUS", "ERROR"]


class Evidence(msgspec.Struct, frozen=True):
    """One violation: the rule, the records that show it (`ledger/payd.jsonl:12`), and a sentence."""

    rule: str
    records: tuple[str, ...]
    text: str


class Violations(msgspec.Struct, frozen=True):
    """`count` is of all; `evidence` holds the first few."""

    count: int
    by_rule: dict[str, int]
    evidence: tuple[Evidence, ...]


class Outcome(msgspec.Struct, frozen=True):
    """What a run came to. `why` is empty unless the verdict is ERROR; `by_hand` is what somebody did to it while it went on."""

    slug: str
    variant: str
    toggles: dict[str, str]
    seed: int
    scale: float
    verdict: Status
    violations: Violations
    coverage: dict[str, bool]
    metrics: dict[str, int | float]
    duration_s: float
    run_dir: str
    why: str = ""
    by_hand: tuple[str, ...] = ()
