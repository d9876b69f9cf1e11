"""One plain sentence or two: what is happening, and why.

Law 1: the most important thing that is true now is said, and nothing else: the rules stand in the order of what matters.
Law 2: a rule computes its reason from the view; it never repeats what a command promised.
"""

from __future__ import annotations

from collections.abc import Callable

from cluster.telemetry.events import NodeState
from cluster.telemetry.view import ClusterView
from tui.select.signs import states_of
from tui.select.spans import fit, listed, wrapped
from tui.select.standing import (
    best_reach,
    cut_links,
    present_leader,
    quorum_of,
    reach,
    running,
    side_letter,
    split,
    voters_of,
)
from tui.state import Row, UiState

# (what is said, how loud it is)
Sentence = tuple[str, str]
DISK_STUCK_US = 300_000
CATCHING_UP_ENTRIES = 10

VIOLATED = {
    "linearizable": "The clients' history is not linearizable",
    "acked": "Writes that were acknowledged are lost",
}

# What a fault that only spoils does to the protocols, by its kind: what to watch while it lasts.
SPOILS = {
    "slow": "every write waits for the nearer majority, and below the election timeout the leader stays",
    "loss": "Raft sends again until it is answered, and gossip finds another way",
    "dup": "whoever has seen a message already must not count it again",
    "reorder": "an older message that comes late must change nothing",
    "throttle": "what does not fit through the link waits, and the follower behind it lags",
    "skew": "Raft and φ measure spans of time, not the hour, so only the jump is felt",
    "drift": "its timeouts are shorter or longer than everyone else's",
    "disk": "nothing is promised before it is durable, so that node answers late or not at all",
}


def rows(view: ClusterView, ui: UiState, width: int, height: int) -> list[Row]:
    """At most two rows."""
    text, style = sentence(view)
    return fit(wrapped(text, width - 1, style, " ", lines_max=max(1, min(2, height))), width, height)


def sentence(view: ClusterView) -> Sentence:
    """The most important thing that is true now, and how loud it is."""
    for rule in RULES:
        said = rule(view)
        if said is not None:
            return said
    raise AssertionError("the last rule always speaks")


# ---- rules, the most important first ---------------------------------------------------------------------------------


def _violated(view: ClusterView) -> Sentence | None:
    red = [light for light in view.lights.values() if light.state == "violated"]
    return (f"{VIOLATED.get(red[0].light, f'Violated: {red[0].light}')}: {red[0].evidence}", "bad") if red else None


def _over(view: ClusterView) -> Sentence | None:
    return (f"The lab has ended: {view.closed}.", "dim") if view.closed else None


def _frozen(view: ClusterView) -> Sentence | None:
    return ("The whole world stands still: look around, f lets it go on.", "warn") if view.frozen else None


def _starting(view: ClusterView) -> Sentence | None:
    begun = view.lab is not None and any(node.state for node in view.nodes.values())
    return None if begun else ("The nodes are starting.", "dim")


def _too_few(view: ClusterView) -> Sentence | None:
    voters, needed = voters_of(view), quorum_of(view)
    up = sum(1 for voter in voters if running(view.nodes[voter]))
    if up >= needed:
        return None
    missing = needed - up
    more = "one more is" if missing == 1 else f"{missing} more are"
    return f"Only {up} of {len(voters)} voters run and {needed} are needed: nothing can commit until {more} back.", "bad"


def _leaderless(view: ClusterView) -> Sentence | None:
    if present_leader(view) is not None:
        return None
    together, needed = len(best_reach(view, cut_links(view))), quorum_of(view)
    if together < needed:
        return f"Nobody can lead: at most {together} voters reach each other, and {needed} votes are needed.", "bad"
    return "Nobody leads: the voters wait out their election timeouts, then one of them asks for votes.", "warn"


def _stale(view: ClusterView) -> Sentence | None:
    """A deposed leader that does not know it yet."""
    stale = [node for node, state in states_of(view).items() if state == "stale"]
    if not stale:
        return None
    node = view.nodes[stale[0]]
    assert node.state is not None
    met = len(reach(view, cut_links(view), node.node))
    where = f" (side {side_letter(node.side)})" if split(view) else ""
    return (
        f"{node.node}{where} still believes it leads term {node.state.term}. It reaches {met} of {len(voters_of(view))} voters and "
        f"needs {quorum_of(view)}: writes there hang, none can commit.",
        "warn",
    )


def _leader_troubled(view: ClusterView) -> Sentence | None:
    """The leader stands still, has lost its majority, or its disk does not answer."""
    leader = _leader(view)
    node, needed = view.nodes[leader.node], quorum_of(view)
    if node.process == "paused":
        return f"{leader.node} leads term {leader.term} but stands still: without its heartbeats the others elect another.", "warn"
    met = len(reach(view, cut_links(view), leader.node))
    if met < needed:
        return (
            f"{leader.node} leads term {leader.term} but reaches only {met} of {len(voters_of(view))} voters: it cannot commit, and steps "
            "down when no majority has answered for an election timeout.",
            "warn",
        )
    if leader.disk_busy_us > DISK_STUCK_US:
        return f"The disk of {leader.node}, the leader, does not answer: it can promise nothing, and gives its office up.", "warn"
    return None


def _cut(view: ClusterView) -> Sentence | None:
    cuts = cut_links(view)
    if not cuts:
        return None
    leader = _leader(view)
    if not split(view):
        return _cut_without_sides(view, leader, len(cuts))
    met = len(reach(view, cuts, leader.node))
    others = [node for node in voters_of(view) if view.nodes[node].side != view.nodes[leader.node].side]
    tail = f"{listed(others)} can elect nobody and commit nothing." if others else "No voter is on another side."
    return f"The network is cut. {leader.node} leads term {leader.term}: it reaches {met} voters, so writes commit there. {tail}", "warn"


def _cut_without_sides(view: ClusterView, leader: NodeState, links: int) -> Sentence:
    what = f"{links} directions between nodes are cut"
    if links == 1:
        (source, target), = cut_links(view)
        what = f"Nothing that {source} says reaches {target} directly"
    return f"{what}, and yet nobody is out of reach of all: {leader.node} leads term {leader.term}.", "warn"


def _still(view: ClusterView) -> Sentence | None:
    paused = [name for name, node in view.nodes.items() if node.process == "paused"]
    if not paused:
        return None
    one = len(paused) == 1
    return (
        f"{listed(paused)} {'stands' if one else 'stand'} still: to the others {'it is' if one else 'they are'} as good as dead. "
        f"{_spare(view)}",
        "warn",
    )


def _dead(view: ClusterView) -> Sentence | None:
    down = [name for name, node in view.nodes.items() if node.process == "down"]
    if not down:
        return None
    return f"{listed(down)} {'is' if len(down) == 1 else 'are'} down. {_spare(view)} r restarts from disk.", "warn"


def _spoilt(view: ClusterView) -> Sentence | None:
    newest = max(view.faults.values(), key=lambda fault: fault.fault.id, default=None)
    if newest is None:
        return None
    said = SPOILS.get(newest.fault.kind, "it lasts until it is healed")
    more = f" ({len(view.faults)} faults in all, H heals them.)" if len(view.faults) > 1 else ""
    return f"In force: {newest.fault.text}. {said[:1].upper()}{said[1:]}.{more}", "warn"


def _catching_up(view: ClusterView) -> Sentence | None:
    """Nothing is broken any more, and somebody still lacks what the others have."""
    leader = _leader(view)
    lags = {n.node: leader.commit - n.state.commit for n in view.nodes.values() if n.state is not None and n.node in voters_of(view)}
    worst = max(lags, key=lambda node: lags[node], default="")
    if not worst or lags[worst] < CATCHING_UP_ENTRIES:
        return None
    return f"Nothing is broken now. {worst} catches up: {lags[worst]} entries behind {leader.node}, which leads term {leader.term}.", "good"


def _well(view: ClusterView) -> Sentence | None:
    leader = _leader(view)
    if view.lab is not None and view.lab.mistakes:
        made = listed(view.lab.mistakes)
        return f"{leader.node} leads term {leader.term}. This lab makes a known mistake ({made}): break it, and watch the lights.", "warn"
    return f"All is well: {leader.node} leads term {leader.term}, and every write it acknowledges is on {quorum_of(view)} disks.", "good"


RULES: tuple[Callable[[ClusterView], Sentence | None], ...] = (
    _violated, _over, _frozen, _starting, _too_few, _leaderless, _stale, _leader_troubled, _cut, _still, _dead, _spoilt, _catching_up,
    _well,
)  # fmt: skip


# ---- words -----------------------------------------------------------------------------------------------------------


def _leader(view: ClusterView) -> NodeState:
    leader = present_leader(view)
    assert leader is not None, "the rules before have spoken when nobody leads"
    return leader


def _spare(view: ClusterView) -> str:
    """How many more voters may be lost."""
    voters = voters_of(view)
    up = sum(1 for voter in voters if running(view.nodes[voter]))
    spare = up - quorum_of(view)
    left = "one more loss stops all writes" if spare == 0 else f"{spare} more may be lost before writes stop"
    return f"{up} of {len(voters)} voters run: {left}."

