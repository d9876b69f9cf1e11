"""Every verb, declared once: help, palette, completion and the dashboard's dialogs are derived from this table.

Law 1: a verb that is not here does not exist, and every verb here parses its own example.
"""

from __future__ import annotations

import msgspec

from cluster.core.kv.ops import MODES

ROLES = ("leader", "followers", "any", "minority", "majority", "rest", "all")
CUT_SHAPES = ("ring", "bridge")
DISK_MODES = ("slow", "hang", "fail")
READ_MODES = MODES


class Verb(msgspec.Struct, frozen=True, kw_only=True):
    """`danger`: "none" | "reversible" (undo brings all of it back) | "residue" (undo cannot bring memory back) | "data".

    `words`: what may follow, for completion: "T" stands for targets, "N" for nodes outside the group and the next new one, "ID" for
    faults in force, the rest for themselves.
    """

    verb: str
    usage: str
    help: str
    group: str
    danger: str = "reversible"
    undo: str = ""
    example: str
    words: tuple[str, ...] = ()
    lasts: bool = False  # takes `for 3s`


_TARGETS = ("T",)

VERBS: tuple[Verb, ...] = (
    Verb(
        verb="cut", usage="cut A B | C D · cut A > B · cut ring · cut bridge", group="network", lasts=True,
        help="Separate sides that cannot reach each other, or lose only what goes from A to B.",
        undo="the links carry messages again", example="cut leader | rest", words=("T", *CUT_SHAPES, "|", ">"),
    ),
    Verb(
        verb="isolate", usage="isolate T", group="network", lasts=True, words=_TARGETS,
        help="Cut each target off from every other node.",
        undo="the links carry messages again", example="isolate leader for 5s",
    ),
    Verb(
        verb="slow", usage="slow A>B 80ms [±20ms] · slow T 80ms", group="network", lasts=True, words=_TARGETS,
        help="Delay messages on these links; with T alone, all from and to it.",
        undo="messages travel at their own speed", example="slow n1>n2 80ms ±20ms",
    ),
    Verb(
        verb="loss", usage="loss T 20% · loss A>B 20%", group="network", lasts=True, words=_TARGETS,
        help="Lose this share of the messages.", undo="no message is lost on purpose", example="loss all 20%",
    ),
    Verb(
        verb="dup", usage="dup T 5% · dup A>B 5%", group="network", lasts=True, words=_TARGETS,
        help="Deliver this share of the messages twice.", undo="messages arrive once", example="dup all 5%",
    ),
    Verb(
        verb="reorder", usage="reorder T 10% · reorder A>B 10%", group="network", lasts=True, words=_TARGETS,
        help="Hold this share of the messages back behind later ones.",
        undo="messages arrive in order", example="reorder followers 10%",
    ),
    Verb(
        verb="throttle", usage="throttle A>B 64kB/s · throttle T 64kB/s", group="network", lasts=True, words=_TARGETS,
        help="Let at most this many bytes per second through.",
        undo="the links are as wide as they were", example="throttle leader 64kB/s",
    ),
    Verb(
        verb="pause", usage="pause T [2s]", group="process", lasts=True, words=_TARGETS,
        help="Stop the processes (SIGSTOP), as a long GC or a stalled VM does.",
        undo="the processes go on where they stood (SIGCONT)", example="pause leader 2s",
    ),
    Verb(
        verb="crash", usage="crash T", group="process", lasts=True, words=_TARGETS, danger="residue",
        help="Kill the processes (SIGKILL); only what is on disk is left.",
        undo="the processes start again from their disks", example="crash leader",
    ),
    Verb(
        verb="restart", usage="restart T", group="process", words=_TARGETS, danger="none",
        help="Start processes that are down, from what their disks hold.", example="restart n3",
    ),
    Verb(
        verb="wipe", usage="wipe T", group="process", words=_TARGETS, danger="data",
        help="Delete the disk of nodes that are down: log, term and vote.", example="wipe n3",
    ),
    Verb(
        verb="skew", usage="skew T +500ms", group="clock", lasts=True, words=_TARGETS,
        help="Set the nodes' clocks forward or back.", undo="the clocks are right again", example="skew n2 +500ms",
    ),
    Verb(
        verb="drift", usage="drift T 1.02", group="clock", lasts=True, words=_TARGETS,
        help="Let the nodes' clocks run faster (above 1) or slower.",
        undo="the clocks run at one second per second", example="drift n2 1.02",
    ),
    Verb(
        verb="disk", usage="disk T slow 200ms | hang | fail", group="disk", lasts=True, words=("T", *DISK_MODES),
        help="Make the nodes' disks slow, hang or fail.", undo="the disks work again", example="disk leader hang",
    ),
    Verb(
        verb="heal", usage="heal [ID … | T]", group="repair", words=("ID", "T"), danger="none",
        help="End these faults, those that touch T, or all of them.", example="heal",
    ),
    Verb(verb="undo", usage="undo", group="repair", danger="none", help="End the fault you began last.", example="undo"),
    Verb(
        verb="reset", usage="reset", group="repair", danger="data",
        help="A clean cluster in a few seconds: no faults, empty disks, new processes.", example="reset",
    ),
    Verb(
        verb="freeze", usage="freeze", group="world", danger="reversible", undo="thaw: everything goes on where it stood",
        help="Stop every node and client, and every fault's clock, to look around.", example="freeze",
    ),
    Verb(verb="thaw", usage="thaw", group="world", danger="none", help="Let the frozen world go on.", example="thaw"),
    Verb(
        verb="transfer", usage="transfer T", group="protocol", words=_TARGETS, danger="none",
        help="Ask the leader to hand leadership to T.", example="transfer followers.1",
    ),
    Verb(
        verb="add", usage="add N [learner]", group="protocol", words=("N", "learner"),
        help="Let a node join the Raft group: it learns, then votes (a learner only learns). A new one is started.",
        undo="remove it again", example="add n6",
    ),
    Verb(
        verb="remove", usage="remove T", group="protocol", words=_TARGETS,
        help="Let nodes leave the Raft group; their processes go on outside it.", undo="add them again", example="remove n3",
    ),
    Verb(
        verb="replace", usage="replace T N", group="protocol", words=("T", "N"),
        help="Put N in T's place, in one change that both majorities decide.", undo="replace it back", example="replace n3 n6",
    ),
    Verb(
        verb="rumour", usage="rumour [TEXT]", group="protocol", danger="none",
        help="Tell one node something and watch it spread by gossip.", example="rumour the tea is ready",
    ),
    Verb(
        verb="put", usage="put K V", group="data", danger="none",
        help="Write a key as a client would.", example="put colour blue",
    ),
    Verb(
        verb="get", usage="get K [linearizable|lease|serializable]", group="data", danger="none", words=READ_MODES,
        help="Read a key as a client would.", example="get colour",
    ),
    Verb(
        verb="workload", usage="workload on|off|RATE", group="data", danger="none", words=("on", "off"),
        help="Start, stop or pace the clients (operations per second, all together).", example="workload 40",
    ),
    Verb(
        verb="set", usage="set FIELD VALUE", group="protocol", danger="reversible",
        help="Change a field of the policy for processes that start from now on.", example="set pre_vote off",
        undo="set it back, and restart",
    ),
)  # fmt: skip

BY_NAME: dict[str, Verb] = {verb.verb: verb for verb in VERBS}
