"""A correct cluster's telemetry, written by hand: two terms, a crash, a deposed leader's leftovers overwritten."""

from __future__ import annotations

from cluster.core.raft.membership import Membership
from cluster.telemetry.control import HistoryLine
from cluster.telemetry.events import (
    AppliedMark,
    Event,
    FaultBegan,
    GroupChanged,
    LabOpened,
    LeaderCommit,
    LogTruncated,
    NodeReady,
    NodeState,
    ProcessChanged,
    RoleTaken,
    TermRun,
    VoteGiven,
)


def state(
    node: str,
    at_us: int,
    term: int,
    commit: int,
    last: int,
    *,
    role: str = "follower",
    vote: str | None = None,
    applied: int | None = None,
    epoch: int = 1,
    runs: tuple[tuple[int, int], ...] = ((1, 1),),
    disk_busy_us: int = 0,
    quorum_age_us: int = -1,
) -> NodeState:
    """A node's report; `applied` follows `commit` unless given; `runs` are (first index, term)."""
    return NodeState(
        node=node,
        at_us=at_us,
        epoch=epoch,
        role=role,
        term=term,
        vote=vote,
        leader=None,
        commit=commit,
        applied=commit if applied is None else applied,
        last_index=last,
        log=tuple(TermRun(*run) for run in runs),
        progress=(),
        quorum_age_us=quorum_age_us,
        election_in_us=-1,
        reads_waiting=0,
        proposals_waiting=0,
        disk_busy_us=disk_busy_us,
        fsync_us=100,
        beliefs=(),
        gossip_rounds=0,
        membership_digest=0,
        sent=0,
        received=0,
        dropped=(),
        rtt=(),
        cpu_us=0,
        telemetry_lost=0,
        skew_us=0,
    )


def role(node: str, at_us: int, name: str, term: int, why: str = "") -> RoleTaken:
    return RoleTaken(node, at_us, name, term, None, why)


def group(node: str, at_us: int, index: int, term: int, voters: str, outgoing: str = "", *, committed: bool = True) -> GroupChanged:
    """A leader's newest configuration; voters as a text: "n1 n2 n3"."""
    membership = Membership(tuple(voters.split()), tuple(outgoing.split()))
    return GroupChanged(node, at_us, index, term, membership, committed)


def opened(quorum: int = 2) -> LabOpened:
    """A lab of three with election timeouts of 5 µs and more."""
    nodes = ("n1", "n2", "n3")
    return LabOpened(0, "run", 1, nodes, nodes, "demo", quorum, 8.0, "akka", 1, 5, 1, 3, 0.0, "", ())


def line(process: int, at_us: int, kind: str, f: str, value: str | None = None, node: str = "n2") -> HistoryLine:
    """One line of a client's history of key `k`; a read has no value until it is answered."""
    return HistoryLine(process, kind, f, "k", () if f == "read" and kind == "invoke" else (value,), at_us, node)


def vote(node: str, at_us: int, candidate: str, term: int, granted: bool = True, pre: bool = False) -> VoteGiven:
    return VoteGiven(node, at_us, candidate, term, pre, granted, "")


def mark(node: str, at_us: int, index: int, term: int, digest: int) -> AppliedMark:
    return AppliedMark(node, at_us, index, term, digest)


def commit(node: str, at_us: int, index: int, term: int) -> LeaderCommit:
    return LeaderCommit(node, at_us, index, term)


def cut(node: str, at_us: int, from_index: int, to_index: int, term: int) -> LogTruncated:
    return LogTruncated(node, at_us, from_index, to_index, term)


def ready(node: str, at_us: int, epoch: int, term: int) -> NodeReady:
    return NodeReady(node, at_us, epoch, 4_000 + epoch, term, 0)


def wiped(node: str, at_us: int) -> FaultBegan:
    return FaultBegan(at_us, 1, "wipe", f"wipe {node}", f"wipe {node}", (node,), 0, "operator")


def correct() -> list[Event | HistoryLine]:
    """n1 leads term 1 and commits 16; cut off, it appends 17–20 that nobody gets; n2 leads term 2; n1 returns and gives way."""
    return [
        opened(),
        *(ready(node, 1, 1, 0) for node in ("n1", "n2", "n3")),
        vote("n2", 10, "n1", 1, pre=True),
        vote("n2", 12, "n3", 1, pre=True),  # a pre-vote binds nobody
        role("n1", 13, "candidate", 1),
        vote("n2", 14, "n1", 1),
        vote("n3", 15, "n1", 1),
        vote("n3", 15, "n2", 1, granted=False),
        role("n1", 16, "leader", 1),
        commit("n1", 20, 8, 1),
        commit("n1", 30, 16, 1),
        *(mark(node, 31 + number, 16, 1, 0xABC) for number, node in enumerate(("n1", "n2", "n3"))),
        state("n1", 40, 1, 16, 20, role="leader", vote="n1"),
        state("n2", 40, 1, 16, 16, vote="n1"),
        state("n3", 40, 1, 12, 16, vote="n1"),
        ProcessChanged(45, "n3", "down", 0, 1, "SIGKILL"),
        ready("n3", 50, 2, 1),
        state("n3", 51, 1, 0, 16, vote="n1", applied=0, epoch=2),  # commit is not on disk
        vote("n3", 59, "n2", 2, pre=True),
        role("n2", 60, "candidate", 2),
        vote("n3", 61, "n2", 2),
        role("n2", 62, "leader", 2),
        state("n2", 63, 2, 16, 17, role="leader", vote="n2", runs=((1, 1), (17, 2))),
        group("n2", 63, 0, 2, "n1 n2 n3"),
        commit("n2", 64, 18, 2),
        commit("n2", 64, 32, 2),
        state("n1", 65, 1, 16, 20, role="leader", vote="n1"),  # it has not heard
        role("n1", 70, "follower", 2),
        cut("n1", 71, 17, 20, 2),
        *(mark(node, 80, 32, 2, 0xDEF) for node in ("n1", "n2", "n3")),
        mark("n3", 81, 16, 1, 0xABC),  # replayed after its restart
        state("n1", 90, 2, 32, 32, runs=((1, 1), (17, 2))),
        state("n1", 91, 2, 32, 33, vote=None, runs=((1, 1), (17, 2))),
        line(1, 91, "invoke", "write", "old"),
        line(1, 92, "ok", "write", "old"),
        line(2, 92, "invoke", "read"),
        line(1, 93, "invoke", "write", "new"),
        line(1, 94, "ok", "write", "new"),
        line(2, 95, "ok", "read", "old"),  # it had begun before
    ]
