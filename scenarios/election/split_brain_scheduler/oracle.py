"""Judges by the mailer's ledger: somebody who got one mailing of one job and slot more than once, or never, though
the schedulers' day is over.

It was a trial only if s1 stood still for longer than its lock lived, cut off with the smaller side, another was on duty meanwhile, and
what s1 had in its hand was sent to the mailer afterwards. On Redis two must have been at work at the same time (unless the replica must
confirm the lock: then it can be nobody's on either side); with a consensus store and a fence the late one must have been turned away.
"""

from __future__ import annotations

from cluster.check.once import exactly_once, repeats
from scenarios.records import Evidence, Judgement, Line, Params, Records

OLD = "s1"


def judge(records: Records, params: Params) -> Judgement:
    jobs = records.truth()["workload"]
    ledger = records.ledger("mailer")
    delivered = [line for line in ledger if line["kind"] == "delivered"]
    rejected = [line for line in ledger if line["kind"] == "rejected"]
    cured: dict[str, bool] = {}
    coverage = {
        "s1 stood still for longer than its lock lives": _longest_ms(records) > float(params.toggles["ttl_ms"]) * params.scale,
        "the network was parted": any(line["do"] == "cut" and line["phase"] == "landed" for line in records.faults()),
    }
    if params.toggles["lock"] == "raft" or params.toggles["replication"] == "async":
        coverage["another was at work while s1 stood still"] = bool(_meanwhile(records, delivered))
    if params.toggles["stop"] == "before_execute":
        coverage["s1 acted when it woke"] = bool(records.sent_after_pause(OLD))
    if params.toggles["lock"] == "redis" and params.toggles["replication"] == "async":
        coverage["two were at work at the same time"] = _interleaved(delivered)
    if (params.toggles["lock"], params.toggles["fencing"], params.toggles["stop"]) == ("raft", "on", "before_execute"):
        cured["what s1 sent when it woke was turned away"] = any(line["caller"] == OLD for line in rejected)
    over = records.all_done()
    violations = (*_twice(delivered), *_missed(jobs, delivered, over=over))
    callers = {line["caller"] for line in delivered}
    metrics: dict[str, int | float] = {
        "mails": sum(line["last"] - line["first"] + 1 for line in delivered), "rejections": len(rejected), "callers": len(callers),
        "pause_ms": round(_longest_ms(records), 1),
    }  # fmt: skip
    return Judgement(violations, coverage, metrics, cured, {"the schedulers' day was over": over})


def _twice(delivered: list[Line]) -> list[Evidence]:
    """One for every mail beyond the first to the same recipient."""
    mails = ((key, line) for line in delivered for key in _mails(line))
    return [
        Evidence(
            "mailed_twice", (first.where, again.where),
            f"{key}: sent by {first['caller']} with token {first['token']}, and again by {again['caller']} with {again['token']}",
        )
        for (key, first), (_, again) in repeats(mails, lambda mail: mail[0])
    ]  # fmt: skip


def _mails(line: Line) -> list[str]:
    return [f"{line['job']}@{line['slot']} to {recipient}" for recipient in range(line["first"], line["last"] + 1)]


def _missed(jobs: list[dict[str, object]], delivered: list[Line], *, over: bool) -> list[Evidence]:
    """Before the day is over, what is missing may still come."""
    wanted = [
        f"{job['job']}@{job['slot']} to {recipient}"
        for job in jobs
        for recipient in range(1, int(str(job["batches"])) * int(str(job["recipients"])) + 1)
    ]
    count = exactly_once(wanted, (key for line in delivered for key in _mails(line)))
    missed = [Evidence("never_mailed", ("truth.json",), f"{key}: never sent") for key in count.missing if over]
    strange = [Evidence("strange_mail", ("ledger/mailer.jsonl",), f"{key}: nobody wanted it") for key in count.strange]
    return [*missed, *strange]


def _stops(records: Records) -> list[tuple[int, int]]:
    return [(pause.from_ns, pause.until_ns) for pause in records.pauses(OLD) if pause.until_ns is not None]


def _longest_ms(records: Records) -> float:
    return max(((until - since) / 1e6 for since, until in _stops(records)), default=0.0)


def _meanwhile(records: Records, delivered: list[Line]) -> list[Line]:
    return [line for line in delivered if line["caller"] != OLD and any(a < line["mono_ns"] < b for a, b in _stops(records))]


def _interleaved(delivered: list[Line]) -> bool:
    """Whether one worked, then another, then the first again: no two terms of office that follow each other look like that."""
    callers = [line["caller"] for line in delivered if line["caller"] != OLD]  # s1 wakes and acts once, whoever is on duty
    changes = [caller for i, caller in enumerate(callers) if i == 0 or callers[i - 1] != caller]
    return len(changes) > len(set(changes))
