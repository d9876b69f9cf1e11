"""The processes of one dashboard, by what they are for, and the CPU time that each of them has used.

Law 1: CPU time is the kernel's count, user and system, of all threads; it is the same however busy the machine is with others.
Law 2: how busy it was with others stands beside every figure: moments, unlike CPU time, depend on it.
"""

from __future__ import annotations

import time

import msgspec
import psutil

ROLES = ("front", "supervisor", "zygote", "cluster")


class Usage(msgspec.Struct, frozen=True):
    """CPU seconds used so far, by role.

    "cluster": nodes and workload clients together. "bench": the measurer itself. "others": the machine's count less all of these.
    """

    at_s: float
    cpu_s: dict[str, float]


class Family:
    """Found once, from the front downwards: a supervisor has one child, its zygote, whose children are nodes and clients."""

    def __init__(self, front_pid: int) -> None:
        front = psutil.Process(front_pid)
        supervisors = front.children()
        zygotes = [child for supervisor in supervisors for child in supervisor.children()]
        cluster = [child for zygote in zygotes for child in zygote.children()]
        self._members = {"front": [front], "supervisor": supervisors, "zygote": zygotes, "cluster": cluster, "bench": [psutil.Process()]}

    def usage(self) -> Usage:
        """So far; whoever has ended since is left out."""
        at_s, busy_s = time.monotonic(), _machine_s()
        cpu_s = {role: sum(_cpu_s(process) for process in members) for role, members in self._members.items()}
        return Usage(at_s, {**cpu_s, "others": busy_s - sum(cpu_s.values())})


def percent(before: Usage, after: Usage) -> dict[str, float]:
    """Of one core, by role, between two readings. Never below zero: the kernel counts in ticks, and "others" is a difference."""
    span_s = after.at_s - before.at_s
    return {role: max(0.0, round(100 * (after.cpu_s[role] - before.cpu_s[role]) / span_s, 1)) for role in after.cpu_s}


def _machine_s() -> float:
    """All cores' busy seconds since boot."""
    times = psutil.cpu_times()
    return float(sum(times) - times.idle - getattr(times, "iowait", 0.0) - getattr(times, "guest", 0.0))


def _cpu_s(process: psutil.Process) -> float:
    try:
        times = process.cpu_times()
    except psutil.NoSuchProcess:
        return 0.0
    return float(times.user + times.system)
