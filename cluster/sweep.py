"""Many seeds, on many cores: played in any order, counted in the order of seeds.

Law 1: the totals and the trace hash depend on the seeds alone, not on how many processes played them or which came first.
Law 2: memory is bounded: what waits for its turn is a window of chunks; of good runs only their counts are kept.
Law 3: a sweep that exercised nothing, or could not judge, says so; it has not passed.
Law 4: an interrupt ends the playing, or the shrinking, and loses nothing of what was found until then.
Law 5: no player outlives its sweep, however that ends.
Law 6: a player that is lost ends the sweep, which says so and keeps what was found: seeds that nobody played are not good ones.
"""

from __future__ import annotations

import hashlib
import multiprocessing
import os
import signal
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from itertools import chain
from threading import Thread
from typing import Protocol

import msgspec

from cluster.core.errors import EnvironmentFailed
from cluster.core.types import SECOND, Micros
from cluster.sim.exercised import Exercised
from cluster.sim.run import Outcome, run
from cluster.sim.setup import Setup
from cluster.sim.shrink import RUNS_MAX, shrink

# Seeds that one process plays before it reports: enough to hide the hand-over, few enough for a steady progress line.
CHUNK = 4
# Chunks given out ahead, per player.
_AHEAD = 4
# Failing seeds that are kept; more only repeat what these say.
FAILURES_MAX = 100
# Shrinking takes as long as some hundred runs: the first failures of each monitor are worth it.
SHRUNK_PER_MONITOR = 1

Chunk = tuple[Setup, int, int]
# Gives chunks out and brings their outcomes back, in order. A pool of processes here; many machines in `farm`.
Engine = Callable[[Iterator[Chunk]], Iterator[list[Outcome]]]


class Failure(msgspec.Struct, frozen=True):
    """`outcome` as it was found, `smallest` as far as it could be shrunk."""

    outcome: Outcome
    smallest: Outcome


class Totals(msgspec.Struct):
    """A sweep so far."""

    seeds: int = 0
    steps: int = 0
    messages: int = 0
    heartbeats: int = 0
    gossip: int = 0
    virtual_us: Micros = 0
    wall_s: float = 0.0
    violating: int = 0
    unjudged: int = 0
    exercised: Exercised = msgspec.field(default_factory=Exercised)
    failures: list[Failure] = msgspec.field(default_factory=list)
    trace_hash: str = ""
    interrupted: bool = False
    trouble: str = ""  # why it was interrupted, if nobody asked for it

    @property
    def verdict(self) -> str:
        """ "violated" outranks "unknown" outranks "vacuous" outranks "good"."""
        if self.violating:
            return "violated"
        if self.unjudged:
            return "unknown"
        return "vacuous" if self.vacuous else "good"

    @property
    def vacuous(self) -> bool:
        """Law 3: nobody was elected, or nothing was promised to any client."""
        return not (self.exercised.leader_changes and self.exercised.acked)

    def add(self, outcome: Outcome) -> None:
        self.seeds += 1
        self.steps += outcome.steps
        self.messages += outcome.messages
        self.heartbeats += outcome.heartbeats
        self.gossip += outcome.gossip
        self.virtual_us += outcome.virtual_us
        self.exercised.add(outcome.exercised)
        self.violating += outcome.violation is not None
        self.unjudged += bool(outcome.unjudged)


def play(chunk: Chunk) -> list[Outcome]:
    """The seeds of one chunk, one after the other. Runs in a process of its own."""
    template, first, last = chunk
    return [run(msgspec.structs.replace(template, seed=seed)) for seed in range(first, last + 1)]


def in_turn(chunks: Iterator[Chunk]) -> Iterator[list[Outcome]]:
    """The engine of one process."""
    return map(play, chunks)


def processes(jobs: int) -> Engine:
    """The engine of `jobs` processes on this machine."""

    def engine(chunks: Iterator[Chunk]) -> Iterator[list[Outcome]]:
        # Started anew rather than forked: whoever calls may have threads.
        context = multiprocessing.get_context("spawn")
        others = set(multiprocessing.active_children())
        with ProcessPoolExecutor(jobs, context, _begin_player) as pool:
            try:
                yield from in_order(chunks, lambda chunk: pool.submit(play, chunk), lambda: jobs)
            except (KeyboardInterrupt, GeneratorExit):
                # Nobody wants what is still played: a pool that waited for it could be interrupted while it does, and leave its players.
                pool.shutdown(wait=False, cancel_futures=True)
                for player in set(multiprocessing.active_children()) - others:
                    player.terminate()
                raise
            except BrokenProcessPool as error:
                raise EnvironmentFailed("a process that played seeds was ended from outside") from error

    return engine


def _begin_player() -> None:
    """In a player's process. An interrupt at the keyboard reaches it as well, and is for the sweep to hear."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    Thread(target=_end_with_the_sweep, daemon=True).start()


def _end_with_the_sweep() -> None:
    """Law 5, when the sweep's process was killed: nobody tells the players then."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)


class Given(Protocol):
    """A chunk that somebody plays."""

    def result(self) -> list[Outcome]: ...


def in_order(chunks: Iterator[Chunk], give: Callable[[Chunk], Given], players: Callable[[], int]) -> Iterator[list[Outcome]]:
    """Outcomes in the order of their chunks, whoever is done first; a few chunks per player are given out ahead (Law 2)."""
    given: deque[Given] = deque()
    for chunk in chunks:
        given.append(give(chunk))
        if len(given) >= players() * _AHEAD:
            yield given.popleft().result()
    while given:
        yield given.popleft().result()


def sweep(
    template: Setup,
    first: int,
    last: int,
    engine: Engine = in_turn,
    *,
    stop_after: int = 0,
    shrink_runs: int = RUNS_MAX,
    progress: Callable[[Totals], None] = lambda _: None,
) -> Totals:
    """Play seeds `first`…`last`, both included; `stop_after` so many failing ones (0: never). Failures are shrunk

    in at most `shrink_runs` runs each. A `KeyboardInterrupt` is kept as `interrupted` (Law 4), `EnvironmentFailed` as `trouble` (Law 6)
    unless nothing was played before it."""
    began_s = time.monotonic()
    totals, hashes, failing = Totals(), hashlib.blake2b(digest_size=16), list[Outcome]()
    outcomes = chain.from_iterable(engine(_chunks(template, first, last)))
    try:
        for outcome in outcomes:
            totals.add(outcome)
            hashes.update(outcome.trace_hash.encode())
            if outcome.violation is not None and len(failing) < FAILURES_MAX:
                failing.append(outcome)
            totals.wall_s = time.monotonic() - began_s
            progress(totals)
            if stop_after and totals.violating >= stop_after:
                break
    except KeyboardInterrupt:
        totals.interrupted = True
    except EnvironmentFailed as error:
        if not totals.seeds:
            raise
        totals.interrupted, totals.trouble = True, str(error)
    totals.trace_hash = hashes.hexdigest()
    totals.failures = [Failure(outcome, outcome) for outcome in failing]
    if not totals.interrupted:
        _shrink_some(totals, shrink_runs)
    return totals


def _chunks(template: Setup, first: int, last: int) -> Iterator[Chunk]:
    for start in range(first, last + 1, CHUNK):
        yield template, start, min(start + CHUNK - 1, last)


def _shrink_some(totals: Totals, runs_max: int) -> None:
    """The first failures of each monitor become smaller."""
    done: dict[str, int] = {}
    try:
        for at, failure in enumerate(totals.failures):
            assert failure.outcome.violation is not None
            light = failure.outcome.violation.light
            done[light] = done.get(light, 0) + 1
            if done[light] <= SHRUNK_PER_MONITOR:
                totals.failures[at] = Failure(failure.outcome, shrink(failure.outcome, runs_max))
    except KeyboardInterrupt:
        totals.interrupted = True


def document(totals: Totals, repros: dict[int, str]) -> dict[str, object]:
    """The report of a sweep as one JSON document. `repros`: seed -> the file that plays its failure again."""
    done = totals.exercised
    wall_s = max(totals.wall_s, 1e-9)
    return {
        "verdict": totals.verdict,
        "interrupted": totals.interrupted,
        "seeds": totals.seeds,
        "steps": totals.steps,
        "messages": totals.messages,
        "messages_per_s": round(totals.messages / wall_s),
        "heartbeats": totals.heartbeats,
        "gossip": totals.gossip,
        "virtual_s": round(totals.virtual_us / SECOND, 3),
        "virtual_s_per_s": round(totals.virtual_us / SECOND / wall_s, 1),
        "wall_s": round(totals.wall_s, 3),
        "violating_seeds": totals.violating,
        "violations": [_violation(failure, repros) for failure in totals.failures],
        "exercised": msgspec.structs.asdict(done),
        "trace_hash": totals.trace_hash,
    }


def _violation(failure: Failure, repros: dict[int, str]) -> dict[str, object]:
    found, smallest = failure.outcome, failure.smallest
    assert found.violation is not None
    return {
        "seed": found.setup.seed,
        "monitor": found.violation.light,
        "evidence": found.violation.evidence,
        "at_step": found.at_step,
        "faults": len(found.schedule),
        "repro": repros.get(found.setup.seed, ""),
        "repro_faults": len(smallest.schedule),
        "repro_steps": smallest.at_step,
    }
