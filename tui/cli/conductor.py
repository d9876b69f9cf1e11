"""Plays a script into a session: waits until the cluster stands, then submits each line at its time.

Law 1: time zero is the moment all nodes are up and a leader is known, by what the session's events say.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from cluster.commands import model
from cluster.commands.canonical import canonical
from cluster.core.types import SECOND, Micros
from cluster.telemetry.roster import leader_of
from cluster.telemetry.session import Session
from cluster.telemetry.view import ClusterView

Steps = Sequence[tuple[Micros, model.Command]]


def stands_up(view: ClusterView) -> bool:
    """Time zero of a script: every node runs and has spoken, and one of them leads."""
    known = view.nodes.values()
    return bool(known) and all(node.process == "up" and node.state is not None for node in known) and leader_of(view) is not None


async def play(session: Session, steps: Steps, zero_s: float) -> None:
    """Submit every step at its time after `zero_s` (the running loop's clock). Ends when the last one is submitted."""
    loop = asyncio.get_running_loop()
    for at_us, command in steps:
        await asyncio.sleep(max(0.0, zero_s + at_us / SECOND - loop.time()))
        await session.submit(canonical(command))
