"""Judges by the two banks' ledgers, the customers' histories, and the parent's word on when the coordinator died.

In doubt: a transfer that a bank promised, and had not heard the outcome of two seconds (at scale 1) later. Torn: committed at one bank
and not at the other. Sum: whenever no transfer is open, or none but those that are too late, the balances add up to what they were. Word:
what a customer was told is what happened. Strange: nothing happened that nobody asked for, and nothing twice. What was open for less than
the two seconds when the run ended is none of these yet.

It was a trial only if five transfers (or the one that was asked for) were open at the moment at which the coordinator died, and transfers
went on when it was back.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from scenarios.records import Evidence, Judgement, Line, Params, Records

BANKS = ("banka", "bankb")
COORDINATOR = "c1"
LIMIT_MS = 2_000
WANTED = {"one_in_doubt": 1}
WANTED_ELSE = 5
_CHANGES = ("committed", "stepped")


class _Part:
    """What one bank's ledger says of one transfer."""

    def __init__(self) -> None:
        self.prepared: Line | None = None
        self.end: Line | None = None  # the first of: committed, aborted, refused
        self.steps: list[Line] = []  # of a saga, those that were taken

    def add(self, line: Line) -> None:
        if line["kind"] == "prepared":
            self.prepared = line
        elif line["kind"] == "stepped":
            self.steps.append(line)
        elif self.end is None:
            self.end = line

    @property
    def cents(self) -> int:
        """What it came to here."""
        ends = [self.end] if self.end is not None and self.end["kind"] == "committed" else []
        return sum(line["cents"] for line in (*ends, *self.steps))


Book = dict[str, _Part]


def judge(records: Records, params: Params) -> Judgement:
    ledgers = {bank: records.ledger(bank) for bank in BANKS}
    lines = sorted((line for ledger in ledgers.values() for line in ledger), key=lambda line: line["at_ns"])
    books = {bank: _book(ledger) for bank, ledger in ledgers.items()}
    wanted = {item["id"]: item for item in records.truth()["workload"]}
    outcomes = [line for line in records.history("payer") if line["type"] in ("ok", "fail")]
    limit_ns = LIMIT_MS * 1_000_000 * params.scale
    young_ns = records.ended_ns() - limit_ns  # what began later may still end in time
    violations = (
        *_in_doubt(books, limit_ns, young_ns),
        *_torn(books),
        *_sum(lines, young_ns),
        *_broken_words(books, lines, outcomes, young_ns),
        *_strange(lines, wanted),
    )
    died, back = _death(records)
    wanted_open = WANTED.get(params.toggles["kill_point"], WANTED_ELSE)
    coverage = {
        f"{wanted_open} or more were open when the coordinator died": len(_open_at(books, died)) >= wanted_open,
        "transfers went well before": any(line["kind"] in _CHANGES and died and line["at_ns"] < died for line in lines),
        "it came back, and transfers went on": any(line["kind"] in _CHANGES and back and line["at_ns"] > back for line in lines),
        "somebody was refused": any(line["kind"] == "refused" and line["reason"] != "lock" for line in lines),
    }
    finished = {"no transfer was cut short by the end": max(_left_open(lines).values(), default=0) <= young_ns}
    return Judgement(violations, coverage, _metrics(books, lines, outcomes), finished=finished)


def _book(ledger: Iterable[Line]) -> Book:
    book: Book = {}
    for line in ledger:
        if line["kind"] in ("prepared", "committed", "aborted", "refused", "stepped"):
            book.setdefault(line["txn"], _Part()).add(line)
    return book


def _death(records: Records) -> tuple[int | None, int | None]:
    """When the coordinator was killed and when it was there again, in nanoseconds."""
    lives = [line for line in records.supervisor() if line["process"] == COORDINATOR and line["event"] in ("started", "exited")]
    died = next((line["mono_ns"] for line in lives if line["event"] == "exited" and line["status"] < 0), None)
    back = next((line["mono_ns"] for line in lives if line["event"] == "started" and died and line["mono_ns"] > died), None)
    return died, back


def _open_at(books: dict[str, Book], moment_ns: int | None) -> set[str]:
    """Transfers that both banks had promised, or the first step of which was taken, and that were not over at both."""

    def before(line: Line | None) -> bool:
        return line is not None and moment_ns is not None and line["at_ns"] < moment_ns

    source, target = (books[bank] for bank in BANKS)
    promised = {txn for txn in source.keys() & target.keys() if before(source[txn].prepared) and before(target[txn].prepared)}
    half = {txn for txn in promised if not (before(source[txn].end) and before(target[txn].end))}
    taken = {txn for txn, part in source.items() if sum(map(before, part.steps)) == 1}
    given = {txn for txn, part in target.items() if any(map(before, part.steps))}
    return half | (taken - given)


# ---------------------------------------------------------------------------------------------------------- violations


def _in_doubt(books: dict[str, Book], limit_ns: float, young_ns: float) -> Iterator[Evidence]:
    """One for each transfer, with every bank that waited too long."""
    waited: dict[str, list[tuple[str, _Part]]] = {}
    for bank, book in books.items():
        for txn, part in book.items():
            if part.prepared is not None and (part.prepared["at_ns"] <= young_ns if part.end is None else _wait_ns(part) > limit_ns):
                waited.setdefault(txn, []).append((bank, part))
    for txn, parts in waited.items():
        said = [f"{bank} for {_wait_ns(part) / 1e9:.1f} s" if part.end is not None else f"{bank} to the end" for bank, part in parts]
        yield Evidence("in_doubt", _where(line for _, part in parts for line in (part.prepared, part.end)), f"{txn}: {', '.join(said)}")


def _wait_ns(part: _Part) -> int:
    assert part.prepared is not None
    return int(part.end["at_ns"] - part.prepared["at_ns"]) if part.end is not None else 0


def _torn(books: dict[str, Book]) -> Iterator[Evidence]:
    source, target = (books[bank] for bank in BANKS)
    for txn in source:
        ends = [part.end for part in (source[txn], target.get(txn, _Part())) if part.end is not None]
        if len(ends) == len(BANKS) and len({line["kind"] == "committed" for line in ends}) == len(BANKS):
            said = [f"{line['kind']} at {bank} by {line.get('by')}" for bank, line in zip(BANKS, ends, strict=True)]
            yield Evidence("torn", _where(ends), f"{txn}: {', '.join(said)}")


def _sum(lines: list[Line], young_ns: float) -> Iterator[Evidence]:
    """The first moment at which nothing is open and the sum is wrong, or else the end."""
    total = sum(sum(line["accounts"].values()) for line in lines if line["kind"] == "opened")
    change, open_now = 0, dict[tuple[str, str], int]()
    for number, line in enumerate(lines):
        change += line["cents"] if line["kind"] in _CHANGES else 0
        _track(open_now, line)
        at_end = number == len(lines) - 1 and all(since_ns <= young_ns for since_ns in open_now.values())
        if change and (at_end or not open_now):
            what = f"{abs(change)} cents {'missing' if change < 0 else 'too many'} of {total}"
            yield Evidence("sum", (line.where,), f"{what}, {'at the end' if at_end else 'with nothing open'}")
            return


def _left_open(lines: list[Line]) -> dict[tuple[str, str], int]:
    """What was never closed, and since when."""
    open_now: dict[tuple[str, str], int] = {}
    for line in lines:
        _track(open_now, line)
    return open_now


def _track(open_now: dict[tuple[str, str], int], line: Line) -> None:
    """A promise is open until its outcome at the same bank, a saga from its first step to its second."""
    match line["kind"]:
        case "prepared":
            open_now[line["txn"], line.where.partition(":")[0]] = line["at_ns"]
        case "committed" | "aborted":
            open_now.pop((line["txn"], line.where.partition(":")[0]), None)
        case "stepped" if line["step"] == "take":
            open_now[line["txn"], ""] = line["at_ns"]
        case "stepped":
            open_now.pop((line["txn"], ""), None)


def _broken_words(books: dict[str, Book], lines: list[Line], outcomes: list[Line], young_ns: float) -> Iterator[Evidence]:
    """A customer was told yes and it did not happen at both ends, or no and something is left of it."""
    open_now = {txn for (txn, _), since_ns in _left_open(lines).items() if since_ns > young_ns}
    moved = {line["txn"] for line in lines if line["kind"] == "moved"}
    for line in outcomes:
        transfer, told = line["value"], line["type"] == "ok"
        if transfer["id"] in open_now:  # the decision is on its way
            continue
        if line["f"] == "move":
            kept = (transfer["id"] in moved) == told
        else:
            cents = transfer["cents"] if told else 0
            kept = [books[bank].get(transfer["id"], _Part()).cents for bank in BANKS] == [-cents, cents]
        if not kept:
            yield Evidence("word", (line.where,), f"{transfer['id']}: the customer was told {line['type']}, the banks' books say otherwise")


def _strange(lines: list[Line], wanted: dict[str, dict[str, object]]) -> Iterator[Evidence]:
    """What nobody asked for, with other amounts or accounts than asked for, or twice."""
    seen: Counter[tuple[str, ...]] = Counter()
    for line in lines:
        if line["kind"] not in (*_CHANGES, "moved"):
            continue
        asked = wanted.get(line["txn"])
        seen[line["txn"], line["kind"], str(line.get("step")), line.where.partition(":")[0]] += 1
        if asked is None or not _as_asked(line, asked):
            yield Evidence("strange", (line.where,), f"{line['txn']}: {line['kind']} as nobody asked for it")
        elif seen[line["txn"], line["kind"], str(line.get("step")), line.where.partition(":")[0]] > 1:
            yield Evidence("strange", (line.where,), f"{line['txn']}: {line['kind']} twice")


def _as_asked(line: Line, asked: dict[str, object]) -> bool:
    if line["kind"] == "moved":
        return all(line[name] == asked[name] for name in ("source", "target", "cents"))
    here = "source" if line["cents"] < 0 or line.get("step") == "give_back" else "target"
    return (line["account"], abs(line["cents"])) == (asked[here], asked["cents"])


def _where(lines: Iterable[Line | None]) -> tuple[str, ...]:
    return tuple(line.where for line in lines if line is not None)


def _metrics(books: dict[str, Book], lines: list[Line], outcomes: list[Line]) -> dict[str, int | float]:
    waits = [_wait_ns(part) for book in books.values() for part in book.values() if part.prepared is not None]
    kinds = Counter(line["kind"] for line in lines)
    return {
        "committed": sum(part.cents < 0 for part in books[BANKS[0]].values()),
        "moved": kinds["moved"],
        "gave_up_waiting": kinds["blocked"] + sum(line["kind"] == "refused" and line["reason"] == "lock" for line in lines),
        "turned_away": sum(line["type"] == "fail" and line["value"]["status"] is None for line in outcomes),
        "longest_in_doubt_ms": round(max(waits, default=0) / 1e6, 1),
    }
