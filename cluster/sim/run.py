"""One run from beginning to end, and what came of it.

Law 1: chaos first, then peace: everything heals, a leader must be found, and what clients were promised is looked for again.
Law 2: an outcome is a function of the setup; it can be played again from `setup` alone.
"""

from __future__ import annotations

import gc

import msgspec

from cluster.check.violation import Violation
from cluster.sim.auditor import Auditor
from cluster.sim.exercised import Exercised
from cluster.sim.judge import Onlooker, Violated
from cluster.sim.setup import Setup
from cluster.sim.world import World
from cluster.telemetry.events import LabClosed, LightChanged

# Until a healed cluster serves again. Elections take a few hundred milliseconds; this is half a minute of them.
PEACE_STEPS_MAX = 200_000
# Objects between two searches for cycles. Almost all that a run makes is values, which have none: a run is quicker with few searches.
COLLECT_AFTER = 50_000


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """`violation` is the first, at step `at_step`, and `schedule` what was played until then, in the operators' grammar.

    Delivered: `messages` are all but heartbeats and gossip, `client_messages` those of them that go to and from clients.
    """

    setup: Setup
    steps: int
    messages: int
    client_messages: int
    heartbeats: int
    gossip: int
    virtual_us: int
    exercised: Exercised
    trace_hash: str
    schedule: tuple[str, ...]
    violation: Violation | None = None
    at_step: int = 0
    unjudged: str = ""


def run(setup: Setup, onlooker: Onlooker | None = None) -> Outcome:
    """Play one seed. `onlooker` hears what a lab would tell of it, as it happens."""
    world = World(setup, onlooker)
    violation: Violation | None = None
    collects = gc.get_threshold()
    gc.set_threshold(COLLECT_AFTER, *collects[1:])
    try:
        world.begin()
        world.run(setup.steps)
        _make_peace(world)
        world.judge.finish()
    except Violated as found:
        violation = found.violation
        world.judge.tell(LightChanged(world.now, violation.light, "violated", violation.evidence, 1))
    finally:
        gc.set_threshold(*collects)
    world.judge.tell(LabClosed(world.now, True, "the run is over"))
    done = world.judge.done
    done.torn_writes = sum(host.disk.crashes_amid_write for host in world.hosts.values())
    return Outcome(
        setup=setup,
        steps=world.steps,
        messages=world.messages,
        client_messages=world.client_messages,
        heartbeats=world.heartbeats,
        gossip=world.gossip,
        virtual_us=world.now,
        exercised=done,
        trace_hash=world.trace.digest(),
        schedule=world.happened() if violation is not None else (),
        violation=violation,
        at_step=world.steps if violation is not None else 0,
        unjudged=world.judge.unjudged,
    )


def _make_peace(world: World) -> None:
    """Law 1. Raises `Violated`."""
    for client in (*world.clients, world.housekeeper):
        client.stopped = True
    world.heal()
    auditor = Auditor(world)
    auditor.begin()
    if not world.run_until(lambda: auditor.finished, PEACE_STEPS_MAX):
        evidence = f"{PEACE_STEPS_MAX} steps after every fault had ended, {auditor.waits_for}"
        raise Violated(Violation("a healed cluster serves", world.now, evidence))
