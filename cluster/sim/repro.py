"""A failing run as a file: what to play again, what must come of it, and for people what went wrong.

Law 1: the file alone decides the run: no seed range, no option, no state of the machine comes in.
Law 2: a file that is not one is refused with one line that says why.
"""

from __future__ import annotations

import msgspec

from cluster.check.violation import Violation
from cluster.core.errors import UNDECODABLE, UsageError
from cluster.sim.judge import Onlooker
from cluster.sim.run import Outcome, run
from cluster.sim.schedule import schedule_of
from cluster.sim.setup import Setup, check_setup, surroundings_of

FORMAT = "faultline repro 1"


class Repro(msgspec.Struct, frozen=True, kw_only=True):
    """`violation` is found at step `at_step`; `trace_hash` is that of the run up to there."""

    format: str
    monitor: str
    evidence: str
    witness: tuple[str, ...]
    at_step: int
    trace_hash: str
    setup: Setup


def repro_of(outcome: Outcome) -> Repro:
    """A failing outcome. Its setup is kept as it is: one with a drawn schedule is drawn again, one that was written out is read."""
    violation = outcome.violation
    assert violation is not None, "this run did not fail"
    setup = outcome.setup if outcome.setup.schedule is None else msgspec.structs.replace(outcome.setup, faults=())
    return Repro(
        format=FORMAT,
        monitor=violation.light,
        evidence=violation.evidence,
        witness=violation.witness,
        at_step=outcome.at_step,
        trace_hash=outcome.trace_hash,
        setup=setup,
    )


def written(repro: Repro) -> bytes:
    """The file: JSON that a person can read and edit."""
    return msgspec.json.format(msgspec.json.encode(repro), indent=2) + b"\n"


def read(data: bytes, name: str) -> Repro:
    """Raises `UsageError` for what is no repro."""
    try:
        repro = msgspec.json.decode(data, type=Repro)
    except UNDECODABLE as error:
        raise UsageError(f"{name}: not a repro of faultline: {error}") from error
    if repro.format != FORMAT:
        raise UsageError(f"{name}: its format is {repro.format!r}, this program reads {FORMAT!r}")
    try:
        check_setup(repro.setup)
        if repro.setup.schedule is not None:
            list(schedule_of(repro.setup, surroundings_of(repro.setup)))  # every line of it can be understood
    except UsageError as error:
        raise UsageError(f"{name}: {error}") from error
    return repro


def replay(repro: Repro, onlooker: Onlooker | None = None) -> tuple[Outcome, bool]:
    """Play it again; whether the same violation was found at the same step, byte for byte."""
    outcome = run(repro.setup, onlooker)
    return outcome, (_told(outcome.violation), outcome.at_step, outcome.trace_hash) == (
        (repro.monitor, repro.evidence),
        repro.at_step,
        repro.trace_hash,
    )


def _told(violation: Violation | None) -> tuple[str, str] | None:
    return None if violation is None else (violation.light, violation.evidence)
