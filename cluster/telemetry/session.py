"""The only door to a lab: live cluster, recording, simulation and incident run all look like this.

Law 1: the screen changes because an event said so, never because a command was submitted.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Protocol

from cluster.telemetry.events import Event


class Session(Protocol):
    """What a seat may ask and hear."""

    @property
    def observer(self) -> bool:
        """True when commands are refused (a recording, or `attach --observe`)."""
        ...

    async def submit(self, text: str) -> int:
        """Send one line of the operators' grammar; returns the request number that its `CommandDone` will carry.

        Raises `UsageError` at once when the line does not parse or this seat may not give commands.
        """
        ...

    def events(self) -> AsyncIterator[tuple[Event, ...]]:
        """Batches of events in arrival order; ends when the lab is over."""
        ...

    async def close(self) -> None:
        """Leave the seat. An operator's leaving ends a lab that was not started with `--keep`."""
        ...
