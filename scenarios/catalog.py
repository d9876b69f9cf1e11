"""Which incidents there are: a folder with an `incident.toml` is one, and nothing else has to know of it. The report has all 24.

Law 1: `play` and `oracle` are loaded by the folder's name; this file names no incident.
Law 2: a card that is wrong costs its own incident and no other.
"""

from __future__ import annotations

import importlib
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol, cast

import msgspec

from cluster.commands.words import did_you_mean
from cluster.core.errors import UsageError
from scenarios.model import Card, Metamorphic, choose, read_card
from scenarios.records import Judgement, Params, Records
from scenarios.seed_rows import Reported, rows

_HERE = Path(__file__).parent
FILE = "incident.toml"


class Play(Protocol):
    """`play.py`: the workload, drawn from the run's seed, and the cases that follow from the mechanism."""

    METAMORPHIC: tuple[Metamorphic, ...]

    def workload(self, rng: random.Random) -> list[dict[str, Any]]: ...


class Oracle(Protocol):
    """`oracle.py`: records and what was asked for -> what is wrong with them, and whether the run was a trial at all."""

    def judge(self, records: Records, params: Params) -> Judgement: ...


class Incident(msgspec.Struct, frozen=True):
    card: Card
    play: Play
    oracle: Oracle


class Entry(msgspec.Struct, frozen=True):
    """A line of the list of all incidents. `card` is None while only the report has it, or while it cannot be used: `wrong` says why."""

    row: Reported
    card: Card | None
    wrong: str = ""

    @property
    def title(self) -> str:
        return self.card.scenario.title if self.card is not None else self.row.seed.issue


class Shelf(msgspec.Struct, frozen=True):
    """All folders that hold a card. `wrong`: folder -> what is wrong with its card, in one line."""

    cards: tuple[Card, ...]
    wrong: dict[str, str]


def entries(shelf: Shelf | None = None) -> list[Entry]:
    """All that were reported, built or not, in the report's order."""
    shelf = shelf or read_all()
    built = {card.slug: card for card in shelf.cards}
    return [Entry(row, built.get(row.slug), shelf.wrong.get(_folder(row.slug), "")) for row in rows()]


def strangers(shelf: Shelf) -> list[str]:
    """What is wrong with cards of which nobody can say whose they are: no line of the list is theirs."""
    reported = {_folder(row.slug) for row in rows()}
    return [why for folder, why in shelf.wrong.items() if folder not in reported]


def entry(slug: str) -> Entry:
    """Raises `UsageError` when nobody ever heard of it."""
    known = {one.row.slug: one for one in entries()}
    if slug not in known:
        raise UsageError(f"there is no incident {slug!r}{did_you_mean(slug, known)} (faultline incidents lists them)")
    return known[slug]


def cards() -> list[Card]:
    """Every incident's card, by number. Raises `UsageError` for a file that is wrong."""
    shelf = read_all()
    for why in shelf.wrong.values():
        raise UsageError(why)
    return list(shelf.cards)


def read_all() -> Shelf:
    """Law 2: what can be used, by number, beside what cannot."""
    found: list[Card] = []
    wrong: dict[str, str] = {}
    for file in _files():
        try:
            found.append(_read(file))
        except UsageError as error:
            first, *more = str(error).splitlines()
            wrong[file.parent.name] = first + (f" (and {len(more)} more)" if more else "")
    return Shelf(tuple(sorted(found, key=lambda card: card.scenario.n)), wrong)


def _read(file: Path) -> Card:
    try:
        text = file.read_text(encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{_shown(file)}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise UsageError(f"{_shown(file)}: is not UTF-8 at byte {error.start}") from None
    card = read_card(text, _shown(file))
    if _folder(card.slug) != file.parent.name:
        raise UsageError(f"{_shown(file)}: scenario.slug: {card.slug!r} does not belong in a folder named {file.parent.name}")
    return card


def load(slug: str) -> Incident:
    """Raises `UsageError` when there is no such incident, or a part of it is wrong."""
    found = entry(slug)
    if found.wrong:
        raise UsageError(found.wrong)
    if (card := found.card) is None:
        raise UsageError(f"{slug} is not built yet (faultline show {slug} says what was reported)")
    module = _module(slug)
    play = cast(Play, importlib.import_module(f"{module}.play"))
    oracle = cast(Oracle, importlib.import_module(f"{module}.oracle"))
    for case in play.METAMORPHIC:
        choose(card, case.base, (f"{name}={value}" for name, value in case.overrides.items()))
    return Incident(card, play, oracle)


def _files() -> Iterator[Path]:
    return (file for file in sorted(_HERE.glob(f"*/*/{FILE}")) if file.is_file())


def _folder(slug: str) -> str:
    """`2pc-in-doubt` is in `_2pc_in_doubt`: a package's name is an identifier."""
    name = slug.replace("-", "_")
    return f"_{name}" if name[0].isdigit() else name


def _module(slug: str) -> str:
    folder = next(file.parent for file in _files() if file.parent.name == _folder(slug))
    return f"scenarios.{folder.parent.name}.{folder.name}"


def _shown(file: Path) -> str:
    return file.relative_to(_HERE.parent).as_posix()
