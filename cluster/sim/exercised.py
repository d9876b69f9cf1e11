"""The count of what a run really did."""

from __future__ import annotations

import msgspec


class Exercised(msgspec.Struct):
    """What a run really did: one that exercised nothing proves nothing."""

    crashes: int = 0
    cuts: int = 0
    pauses: int = 0
    disk_faults: int = 0
    snapshots: int = 0
    config_changes: int = 0
    truncations: int = 0
    leader_changes: int = 0
    # Not in every report: the rest of what a run can do.
    link_faults: int = 0
    clock_faults: int = 0
    transfers: int = 0
    torn_writes: int = 0
    acked: int = 0
    reads: int = 0
    unknown: int = 0
    retried: int = 0  # asked again in a session

    @property
    def faults(self) -> int:
        """How many faults happened, of any kind."""
        happened = (
            self.crashes,
            self.cuts,
            self.pauses,
            self.disk_faults,
            self.link_faults,
            self.clock_faults,
            self.transfers,
            self.config_changes,
        )
        return sum(happened)

    def add(self, other: Exercised) -> None:
        for field in self.__struct_fields__:
            setattr(self, field, getattr(self, field) + getattr(other, field))
