"""The report that all incidents come from, row by row: what was told of each, whether or not it is built here yet.

Law 1: the words are the report's. A card repeats its row, and a test compares the two.
"""

from __future__ import annotations

import tomllib
from pathlib import Path

import msgspec

from scenarios.model import Mechanism, SeedRow

FILE = Path(__file__).with_name("seed.toml")
_ALTERNATIVE = "Or: "


class Reported(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One row. `family` is the table that it stands in, `seed.issue` its title; `n`, `slug` and `mechanism` are ours."""

    n: int
    slug: str
    family: str
    mechanism: Mechanism
    seed: SeedRow


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    incident: tuple[Reported, ...]


def rows() -> tuple[Reported, ...]:
    """All of them, in the report's order, which is that of `n`."""
    return msgspec.convert(tomllib.loads(FILE.read_text(encoding="utf-8")), _File).incident


def is_alternative(cure: str) -> bool:
    """ "Or: use a saga": the report has two cures, and this is not the one that the canonical variant takes."""
    return cure.startswith(_ALTERNATIVE)
