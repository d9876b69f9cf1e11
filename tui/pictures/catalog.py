"""What is photographed: the runs of a real cluster, and the pictures that come of each.

Law 1: a run is a script in the operators' own grammar; nodes are named by role, for nobody knows beforehand who will lead.
Law 2: a picture names its run, its screen, its size, and the moment that it is about.
"""

from __future__ import annotations

from typing import NamedTuple

from cluster.core.types import SECOND, Micros
from tui.pictures import moments
from tui.pictures.moments import Wanted
from tui.pictures.reel import Act

MEDIUM, SMALL, LARGE = (120, 36), (80, 24), (200, 50)


class Run(NamedTuple):
    """A lab that is recorded for `seconds`."""

    name: str
    nodes: int
    voters: int
    seconds: int
    script: str = ""


class Shot(NamedTuple):
    """`keys`: what the person has pressed by then; `later_us`: how long after the moment it is taken."""

    name: str
    run: str
    size: tuple[int, int]
    wanted: Wanted
    later_us: Micros = 0
    keys: tuple[str, ...] = ()


RUNS = (
    Run("calm", 5, 5, 14, "at 1 workload 80"),
    Run(
        "cut", 7, 7, 14,
        "at 1 workload 120\n"
        "at 8 cut leader,followers.1 | rest for 6s\n"
        "at 8 pause followers.1 5s",
    ),
    Run(
        "drill", 12, 7, 16,
        "at 1 workload 60\n"
        "at 2 pause followers.2 2s\n"
        "at 3 slow leader>followers.1 60ms for 2s\n"
        "at 7 disk followers.3 slow 40ms for 9s\n"
        "at 7.2 loss followers.4 10% for 8s\n"
        "at 8 cut leader,followers.1,followers.2,followers.3,n8,n9,n10 | rest for 7s\n"
        "at 8.1 crash n12\n"
        "at 9 rumour the bridge is out",
    ),
    Run(
        "crowd", 50, 5, 14,
        "at 1 workload 120\n"
        "at 6 rumour the bridge is out\n"
        "at 7 cut leader,followers.1,n10,n11,n12,n13,n14,n15,n16,n17,n18,n19,n20 | rest for 6s\n"
        "at 7.1 pause n30,n31 5s\n"
        "at 7.2 crash n40",
    ),
)  # fmt: skip

SHOTS = (
    Shot("healthy", "calm", MEDIUM, moments.healthy),
    Shot("cut", "cut", MEDIUM, moments.stale_leader),
    Shot("raft", "cut", MEDIUM, moments.doomed_entries, SECOND // 2, ("2",)),
    Shot("gossip", "drill", MEDIUM, moments.rumour_at_the_cut, SECOND // 2, ("3",)),
    Shot("faults", "drill", MEDIUM, moments.many_faults, SECOND, ("6",)),
    Shot("small", "cut", SMALL, moments.stale_leader),
    Shot("large", "crowd", LARGE, moments.split_view, 3 * SECOND // 2),
)


class ActShot(NamedTuple):
    """Both sides of an incident, run for real under one seed, photographed when they are judged."""

    name: str
    slug: str
    size: tuple[int, int]
    seed: int
    screen: str = "run"
    keys: tuple[str, ...] = ()


ACT_SHOTS = (ActShot("incident", "stale-lock-holder", MEDIUM, 7),)


class Film(NamedTuple):
    """A lab that is started as `faultline ARGUMENTS` in a terminal and filmed for `seconds` from its first leader on."""

    name: str
    arguments: tuple[str, ...]
    size: tuple[int, int]
    acts: tuple[Act, ...]
    seconds: float


FILM = Film(
    "live",
    ("live", "-n", "5", "--rate", "80"),
    MEDIUM,
    (Act(1.5, ":cut leader,followers.1 | rest"), Act(4.4, "\r"), Act(9.5, "H")),
    13.0,
)
