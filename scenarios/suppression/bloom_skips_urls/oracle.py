"""Judges by the site's access log, against the generator's list of new pages: one of high value that was never asked for, more of all of
them than the budget of one in a hundred, and a page that was asked for though it was known.

It was a trial only if the filter was full of what came before, and every page that was missed is one that the filter had taken for seen.
"""

from __future__ import annotations

from cluster.check.once import exactly_once
from scenarios.records import Evidence, Judgement, Line, Params, Records

CRAWLERS = ("c1", "c2")
HISTORY = 5_800
BUDGET = 0.01
ALARM_AT = 0.02


def judge(records: Records, params: Params) -> Judgement:
    new = {page["url"]: bool(page["high_value"]) for page in records.truth()["workload"]}
    served = [line for line in records.ledger("site") if not line["hub"]]
    answers = [line for crawler in CRAWLERS for line in records.history(crawler) if line["type"] == "ok"]
    skipped = exactly_once(new, (line["url"] for line in served)).missing
    taken = _first_answers(answers, "seen")
    fresh = _first_answers(answers, "fresh")
    cured: dict[str, bool] = {}
    coverage = {
        "the filter held the pages of before when the first new one came": _was_full(records, answers, new),
        "every new page was offered": bool(new) and new.keys() <= taken.keys() | fresh.keys(),
        "every skipped page was taken for seen, and never for fresh": all(url in taken and url not in fresh for url in skipped),
        "pages of before were offered again": bool(taken.keys() - new.keys()),
    }
    if params.toggles["fpr_monitor"] == "on":
        cured["the alarm came as soon as the error had passed two in a hundred"] = _alarmed_in_time(records)
    # What was not offered yet, or said to be new and not fetched yet, is late: coverage says so.
    lost = tuple(url for url in skipped if url in taken and url not in fresh)
    violations = (*_dear_ones(lost, new, taken), *_beyond_budget(lost, new, taken), *_again(served, new))
    return Judgement(violations, coverage, _metrics(records, new, skipped, answers), cured)


def _first_answers(answers: list[Line], kind: str) -> dict[str, Line]:
    """Address -> where the filter first said so of it."""
    return {url: line for line in reversed(answers) if line["f"] == "offer" for url in line["value"][kind]}


def _where(url: str, taken: dict[str, Line]) -> tuple[str, ...]:
    return ("truth.json", taken[url].where) if url in taken else ("truth.json",)


def _dear_ones(skipped: tuple[str, ...], new: dict[str, bool], taken: dict[str, Line]) -> list[Evidence]:
    return [Evidence("high_value_missed", _where(url, taken), f"{url}: of high value, and never asked for") for url in skipped if new[url]]


def _beyond_budget(skipped: tuple[str, ...], new: dict[str, bool], taken: dict[str, Line]) -> list[Evidence]:
    budget = int(len(new) * BUDGET)
    text = f"never asked for, beyond the {budget} that one in a hundred allows"
    return [Evidence("skipped_beyond_budget", _where(url, taken), f"{url}: {text}") for url in skipped[budget:]]


def _again(served: list[Line], new: dict[str, bool]) -> list[Evidence]:
    """The filter's own purpose: what is known is left alone."""
    found, asked_for = [], set()
    for line in served:
        if line["url"] in asked_for or line["url"] not in new:
            text = f"{line['url']}: {line['caller']} asked for what had been fetched before"
            found.append(Evidence("fetched_again", (line.where,), text))
        asked_for.add(line["url"])
    return found


def _was_full(records: Records, answers: list[Line], new: dict[str, bool]) -> bool:
    """Of its trace: full is what it was loaded with, additions that set no bit included."""
    loaded = records.trace("filter", "filter.loaded")
    offers = [line["time"] for line in answers if line["f"] == "offer" and any(url in new for url in line["value"]["fresh"])]
    return bool(loaded and offers) and loaded[0]["offered"] >= HISTORY and loaded[0]["mono_ns"] < min(offers)


def _alarmed_in_time(records: Records) -> bool:
    """No alarm while there is no cause; with a cause, not one level later."""
    high = [line["entries"] for line in records.trace("filter", "filter.level") if line["error"] > ALARM_AT]
    alarms = [line["entries"] for line in records.trace("filter", "filter.alarm")]
    return len(alarms) == 1 and alarms[0] <= high[0] if high else not alarms


def _metrics(records: Records, new: dict[str, bool], skipped: tuple[str, ...], answers: list[Line]) -> dict[str, int | float]:
    metrics: dict[str, int | float] = {
        "offered": len(new), "skipped": len(skipped), "skipped_percent": round(100 * len(skipped) / max(1, len(new)), 2),
        "high_value_missed": sum(new[url] for url in skipped),
        "exact_lookups": sum(len(line["value"]["urls"]) for crawler in CRAWLERS for line in _confirms(records, crawler)),
    }  # fmt: skip
    for line in records.trace("filter", "filter.loaded"):
        metrics["error_at_start_percent"] = round(100 * line["error"], 2)
    for line in records.trace("filter", "filter.level")[-1:]:
        metrics |= {"error_at_end_percent": round(100 * line["error"], 2), "fill_at_end_percent": round(100 * line["fill"], 1)}
        metrics |= {"bits": line["bits"]}
    for line in records.trace("filter", "filter.alarm"):
        metrics["alarm_at_entries"] = line["entries"]
    return metrics


def _confirms(records: Records, crawler: str) -> list[Line]:
    return [line for line in records.history(crawler) if line["type"] == "invoke" and line["f"] == "confirm"]
