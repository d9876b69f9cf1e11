"""Judges by the stock's ledger, the dump of the lock server's keys, and the parent's word on who was alive.

Bad is: a unit that at the end is still held by somebody long dead; a shopper who was refused while a unit was so stranded; a unit that
was sold twice, or in the hands of two living owners at once; a sale that only one side knows of, the stock or the shopper. Long is three
seconds: until then the holds of the dead may take to expire.

It was a trial only if w1 died with exactly five units in its hands, one checkout took longer than two lives of a hold, and many asked for
what w1 had held.
"""

from __future__ import annotations

from cluster.check.once import repeats
from scenarios.records import Evidence, Judgement, Line, Params, Records

VICTIM, SKU, UNITS = "w1", "sku3", 5
LIMIT_NS = 3_000_000_000
TTL_NS = 2_000_000_000
ASKED_AFTERWARDS = 10
_ENDS = ("sold", "released", "lost", "reaped")
_NEVER = 2**63


def judge(records: Records, params: Params) -> Judgement:
    ledger, dump = records.ledger("inventory"), records.ledger("dump")
    limit_ns = round(LIMIT_NS * params.scale)
    deaths = _deaths(records)
    spans = _spans(ledger)
    violations = (
        *_stranded(dump, deaths, limit_ns), *_refused(ledger, spans, deaths, limit_ns), *_sold_twice(ledger),
        *_held_twice(spans, deaths), *_known_to_one(records.history("shopper"), ledger),
    )  # fmt: skip
    died_ns = _first_death(records)
    late = [line for line in records.history("shopper") if line["type"] == "invoke" and line["time"] > died_ns + limit_ns]
    coverage = {
        "w1 died with exactly the five units of sku3 in its hands": _in_hand(records, died_ns) == _units(),
        "a checkout took longer than two lives of a hold": any(span.length_ns > 2 * TTL_NS * params.scale for span in spans),
        "sku3 was asked for long after the crash": sum(line["value"]["sku"] == SKU for line in late) >= ASKED_AFTERWARDS,
        "the lock server's keys were written down": any(line["kind"] == "dumped" for line in dump),
    }
    metrics = {
        "sold": sum(line["kind"] == "sold" for line in ledger), "refused": sum(line["kind"] == "refused" for line in ledger),
        "keys_at_end": sum(line["kind"] == "key" for line in dump),
    }  # fmt: skip
    wanted = {purchase["id"] for purchase in records.truth()["workload"]}
    finished = {"every shopper had an answer, or knows that there is none": wanted <= _outcomes(records.history("shopper")).keys()}
    return Judgement(violations, coverage, metrics, finished=finished)


class _Span:
    """One hold, as the ledger has it: from the line `held` to the line that ended it, or for ever."""

    def __init__(self, held: Line) -> None:
        self.held = held
        self.unit, self.owner, self.from_ns = held["unit"], held["owner"], held["mono_ns"]
        self.until_ns = _NEVER

    @property
    def length_ns(self) -> int:
        return 0 if self.until_ns == _NEVER else self.until_ns - self.from_ns


def _spans(ledger: list[Line]) -> list[_Span]:
    spans: list[_Span] = []
    standing: dict[tuple[str, str], _Span] = {}
    for line in ledger:
        if line["kind"] == "held":
            spans.append(_Span(line))
            standing[line["unit"], line["owner"]] = spans[-1]
        elif line["kind"] in _ENDS and (line["unit"], line["owner"]) in standing:
            standing.pop((line["unit"], line["owner"])).until_ns = line["mono_ns"]
    return spans


def _deaths(records: Records) -> dict[str, int]:
    """A life (`w1/4711`) -> when its parent reaped it."""
    return {f"{line['process']}/{line['pid']}": line["mono_ns"] for line in records.supervisor() if line["event"] == "exited"}


def _died_ns(owner: str, deaths: dict[str, int]) -> int:
    return deaths.get(owner.rpartition("/")[0], _NEVER)


def _first_death(records: Records) -> int:
    """Of the victim, by a fault that landed. `_NEVER` when none did."""
    hit = any(line["target"] == VICTIM and line["phase"] == "landed" for line in records.faults())
    ends = records.deaths(VICTIM)
    return ends[0] if hit and ends else _NEVER


def _in_hand(records: Records, died_ns: int) -> set[str]:
    """What the victim had taken in its first life, and not sold."""
    taken = {line["unit"] for line in records.trace(VICTIM, "hold.taken") if line["mono_ns"] < died_ns < _NEVER}
    sold = {line["unit"] for line in records.ledger("inventory") if line["kind"] == "sold" and line["mono_ns"] < died_ns}
    return taken - sold


def _units() -> set[str]:
    return {f"{SKU}.u{number}" for number in range(1, UNITS + 1)}


def _stranded(dump: list[Line], deaths: dict[str, int], limit_ns: int) -> list[Evidence]:
    """By the keys: whoever has them died too long ago."""
    return [
        Evidence("stranded_unit", (line.where,), f"{line['key']}: held by {line['value']}, who is dead; PTTL {line['left_ms']}")
        for line in dump
        if line["kind"] == "key" and line["key"].startswith("hold:") and line["mono_ns"] - _died_ns(line["value"], deaths) > limit_ns
    ]


def _refused(ledger: list[Line], spans: list[_Span], deaths: dict[str, int], limit_ns: int) -> list[Evidence]:
    found = []
    for line in ledger:
        if line["kind"] != "refused":
            continue
        span = next((span for span in spans if _strands(span, spans, line, _died_ns(span.owner, deaths) + limit_ns)), None)
        if span is not None:
            text = f"{line['purchase']}: refused {line['sku']} while {span.unit} was held by {span.owner}, who is dead"
            found.append(Evidence("refused_for_a_stranded_unit", (line.where, span.held.where), text))
    return found


def _strands(span: _Span, spans: list[_Span], refused: Line, from_ns: int) -> bool:
    """Whether this hold of somebody dead stood in the shopper's way: nobody had ended it, and nobody had taken the unit since."""
    now_ns = refused["mono_ns"]
    if not span.unit.startswith(f"{refused['sku']}.") or not from_ns < now_ns < span.until_ns:
        return False
    return not any(other.unit == span.unit and span.from_ns < other.from_ns < now_ns for other in spans)


def _sold_twice(ledger: list[Line]) -> list[Evidence]:
    sold = (line for line in ledger if line["kind"] == "sold")
    return [
        Evidence("sold_twice", (first.where, again.where), f"{first['unit']}: sold by {first['owner']}, and again by {again['owner']}")
        for first, again in repeats(sold, lambda line: line["unit"])
    ]


def _held_twice(spans: list[_Span], deaths: dict[str, int]) -> list[Evidence]:
    """Two who both lived and both had not let go."""
    found = []
    for i, span in enumerate(spans):
        until_ns = min(span.until_ns, _died_ns(span.owner, deaths))
        for other in spans[i + 1 :]:
            if other.unit == span.unit and other.from_ns < until_ns:
                text = f"{span.unit}: held by {other.owner} while {span.owner} lived and had not let go"
                found.append(Evidence("held_twice", (span.held.where, other.held.where), text))
    return found


def _outcomes(history: list[Line]) -> dict[str, Line]:
    """Purchase -> what its shopper heard, silence included. Each is asked for once."""
    asked = {line["index"]: line["value"]["purchase"] for line in history if line["type"] == "invoke"}
    return {asked[line["index"]]: line for line in history if line["type"] != "invoke" and line["index"] in asked}


def _known_to_one(history: list[Line], ledger: list[Line]) -> list[Evidence]:
    """What shoppers were told against what the stock wrote down. Who has not heard yet may still hear."""
    asked = {line["value"]["purchase"] for line in history if line["type"] == "invoke"}
    heard, sold = _outcomes(history), {line["purchase"]: line for line in ledger if line["kind"] == "sold"}
    found = [
        Evidence("sale_without_a_line", (line.where,), f"{purchase}: was sold, says its worker")
        for purchase, line in heard.items()
        if line["type"] == "ok" and purchase not in sold
    ]
    for purchase, line in sold.items():
        if purchase not in asked:
            found.append(Evidence("sale_without_a_buyer", (line.where,), f"{purchase}: sold, and nobody asked for it"))
        elif purchase in heard and heard[purchase]["type"] != "ok":
            text = f"{purchase}: sold, and its shopper heard {'no' if heard[purchase]['type'] == 'fail' else 'nothing'}"
            found.append(Evidence("sale_without_a_buyer", (line.where, heard[purchase].where), text))
    return found
