"""How a lab ends: faults first, then processes, then the zygote, then the sockets, then the directory.

Law 1: every step has a deadline; what does not end when asked is killed; nothing waits for ever.
Law 2: `clean` is what was found afterwards, not what was attempted: all children reaped, none stopped, the socket gone.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable

from cluster.monotonic import now_us
from cluster.supervisor.brood import Brood
from cluster.supervisor.chronicle import Chronicle
from cluster.supervisor.lab import Lab
from cluster.supervisor.seats import Seats
from cluster.telemetry.events import FreezeChanged, LabClosed

_ASKED_S = 0.4
_KILLED_S = 2.0
_ZYGOTE_S = 1.0
_SEATS_S = 0.5


async def end_lab(lab: Lab, brood: Brood, seats: Seats, chronicle: Chronicle, why: str) -> bool:
    """Returns whether it was clean. The seats have heard `LabClosed` then, and are closed."""
    lab.stop_clocks()
    for lease in lab.leases.active():
        lab.finish(lease, "the lab ended")
    if lab.leases.frozen:
        chronicle.tell(FreezeChanged(now_us(), False))
    names = (*lab.fleet.clients, *lab.fleet.nodes)
    for name in names:
        lab.fleet.terminate(name)
    if not await _within(brood.all_gone(), _ASKED_S):
        for name in names:
            lab.fleet.want(name, False, "the lab ended")
        await _within(brood.all_gone(), _KILLED_S)
    reaped = not brood.names and lab.fleet.none_stopped
    # It left by itself: one that was killed could not say what became of its children.
    zygote_gone = await brood.close(_ZYGOTE_S) == 0
    socket_gone = lab.collector.close()
    clean = reaped and zygote_gone and socket_gone
    chronicle.tell(LabClosed(now_us(), clean, why))
    if not await _within(seats.close(), _SEATS_S):
        seats.abort()
    return clean


async def _within(what: Awaitable[object], seconds: float) -> bool:
    try:
        await asyncio.wait_for(what, seconds)
    except TimeoutError:
        return False
    return True
