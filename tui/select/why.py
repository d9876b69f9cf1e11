"""Computed answers: why there is no leader, why an entry is not committed, who is left behind, why a vote was refused.

Law 1: every sentence is arithmetic on what nodes and supervisor reported; where they reported nothing, it says so.
Law 2: when all is well the pane says that in one line, and is never empty.
"""

from __future__ import annotations

import re

from cluster.core.types import NodeId
from cluster.telemetry.events import NodeState, PeerProgress, VoteGiven
from cluster.telemetry.view import ClusterView
from tui.select.causes import disk_cause, process_cause, why_silent
from tui.select.spans import count, duration, fit, listed, wrapped
from tui.select.standing import (
    best_reach,
    cut_links,
    faulty_links,
    has_quorum_contact,
    highest_term,
    present_leader,
    quorum_of,
    reach,
    running,
    side_letter,
    split,
    voters_of,
)
from tui.state import Row, UiState

# A refusal older than this explains nothing that is on the screen now.
REFUSAL_AGE_MAX_US = 60_000_000
REFUSALS_MAX = 6
Line = tuple[str, str]  # text, style
# A measure within a reason: the same refusal a moment later.
_AGO = re.compile(r"\d+(?:\.\d+)? m?s ago")


def rows(view: ClusterView, ui: UiState, width: int, height: int) -> list[Row]:
    """The pane: a question per block, its answer below; each block folded to the width."""
    if not voters_of(view):
        return fit([[("Nothing to explain yet: the cluster is starting.", "dim")]], width, height, ascii=ui.ascii)
    troubles = [block for block in (leadership(view), pretenders(view), commitment(view) or left_behind(view)) if block]
    blocks = [*troubles, *([block] if (block := refusals(view)) else [])]
    drawn: list[Row] = [] if troubles else wrapped(_all_well(view, refused=bool(blocks)), width, "good")
    for question, *answers in blocks:
        if drawn and height > 12:
            drawn.append((("", ""),))
        drawn += wrapped(question[0], width, question[1], lines_max=2)
        for text, style in answers:
            drawn += wrapped(text, width, style, lead="  ")
    return fit(drawn, width, height, ascii=ui.ascii)


def _all_well(view: ClusterView, *, refused: bool) -> str:
    leader = present_leader(view)
    assert leader is not None, "without a leader there is a block to show"
    voters = voters_of(view)
    fine = [v for v in voters if not process_cause(view, v)]
    waiting = leader.last_index - leader.commit
    coming = f" ({waiting} more on the way)" if waiting > 0 else ""
    ending = "." if refused else ", and no vote was refused in the last minute."
    return (
        f"Nothing stands in the way: {leader.node} leads term {leader.term}, {len(fine)} of {len(voters)} voters run, "
        f"everything up to entry {leader.commit} is committed{coming}{ending}"
    )


# ---- why is there no leader ---------------------------------------------------------------------------------------


def leadership(view: ClusterView) -> list[Line]:
    """Empty when a leader leads and hears a quorum."""
    leader = present_leader(view)
    cuts = cut_links(view)
    if leader is not None and has_quorum_contact(view, leader):
        return []
    lines: list[Line] = [(_question(view, leader), "bad")]
    lines += [(text, "") for text in _absences(view)]
    best, quorum = best_reach(view, cuts), quorum_of(view)
    total = len(voters_of(view))
    if len(best) < quorum:
        lines.append((_short_of_quorum(view, best, quorum, total), "bad"))
        return lines
    names = listed(best)
    if leader is not None and leader.node not in best:
        lines.append((f"{names} reach each other: {len(best)} of {total}, a quorum. They elect a leader once a timer fires.", ""))
    else:
        lines.append((f"{names} could elect one: {len(best)} of {total} voters reach each other and {quorum} are needed.", ""))
    lines += _campaign(view, best)
    return lines


def _question(view: ClusterView, leader: NodeState | None) -> str:
    if leader is None and not view.reigns:
        since = view.now_us - (view.lab.at_us if view.lab else view.now_us)
        return f"Why is there no leader yet? The lab opened {duration(since)} ago."
    if leader is None:
        ended = view.reigns[-1].ended_us
        told = f"Nobody has led for {duration(view.now_us - ended)}." if ended else "Right now no node says that it leads."
        return f"Why is there no leader? {told}"
    process = view.nodes[leader.node].process
    state = "is frozen" if process == "paused" else "hears no quorum"
    return f"Why is there no working leader? {leader.node} leads term {leader.term}, but {state}."


def _absences(view: ClusterView) -> list[str]:
    """Voters that cannot take part at all."""
    voters = voters_of(view)
    if all(view.nodes[v].process == "starting" for v in voters):
        return ["All voters are still starting."]
    gone = [(v, process_cause(view, v)) for v in voters]
    texts = [f"{v} has been {cause}" for v, cause in gone if cause]
    texts += [f"{v}'s {cause}" for v, cause in ((v, disk_cause(view, v)) for v in voters) if cause]
    return [listed(texts, 8) + "."] if texts else []


def _short_of_quorum(view: ClusterView, best: list[NodeId], quorum: int, total: int) -> str:
    needed = f"{quorum} of {total} are needed"
    if not best:
        return f"No voter runs yet; {needed}." if not view.reigns else f"No voter runs; {needed}."
    if split(view):
        sides = []
        for side, members in enumerate(view.sides):
            here = [v for v in voters_of(view) if v in members and running(view.nodes[v])]
            sides.append(f"{len(here)} on side {side_letter(side)}")
        return f"No side can elect one: {listed(sides)} run, {needed}."
    if len(best) == 1:
        return f"{best[0]} reaches no other running voter, and {needed}: nobody can win."
    return f"At most {count(len(best), 'voter')} reach each other ({listed(best)}), and {needed}: nobody can win."


def _campaign(view: ClusterView, best: list[NodeId]) -> list[Line]:
    """Who asks for votes now, what was answered, and whose timer fires next."""
    states = [view.nodes[v].state for v in best]
    asking = [s for s in states if s is not None and s.role in ("candidate", "precandidate")]
    lines: list[Line] = []
    for state in asking:
        term = state.term + (state.role == "precandidate")
        asks = "asks whether it would be elected" if state.role == "precandidate" else "is a candidate"
        lines.append((f"{state.node} {asks} for term {term}{_answers(view, state.node, term, state.role == 'precandidate')}.", "candidate"))
    waiting = [s for s in states if s is not None and s.role == "follower" and s.election_in_us >= 0]
    if not asking and waiting:
        first = min(waiting, key=lambda s: s.election_in_us)
        lines.append((f"Nobody campaigns yet: the first timer, of {first.node}, fires in {duration(first.election_in_us)}.", "dim"))
    return lines


def _answers(view: ClusterView, candidate: NodeId, term: int, pre: bool) -> str:
    votes = {v.node: v.granted for v in view.votes if v.candidate == candidate and v.term == term and v.pre == pre}
    yes = [node for node, granted in votes.items() if granted and node != candidate]
    no = [node for node, granted in votes.items() if not granted]
    if not votes:
        return ": no answer reported yet"
    parts = [f"{listed(yes)} would say yes" if pre else f"{listed(yes)} said yes"] if yes else []
    parts += [f"{listed(no)} refused"] if no else []
    return ": " + ", ".join(parts) + f" ({quorum_of(view)} needed, itself counted)"


def pretenders(view: ClusterView) -> list[Line]:
    """Running nodes that believe they lead while a newer term has a leader."""
    leader = present_leader(view)
    states = [node.state for node in view.nodes.values() if node.state is not None and node.process == "up"]
    stale = [s for s in states if s.role == "leader" and leader is not None and s.term < leader.term]
    if not stale:
        return []
    cuts, quorum = cut_links(view), quorum_of(view)
    lines: list[Line] = [("Who else believes it leads?", "stale")]
    for state in stale:
        reached = len(reach(view, cuts, state.node))
        text = f"{state.node}, of term {state.term}: it reaches {reached} of the {quorum} voters it needs, itself counted"
        lines.append((f"{text}. It can commit nothing." if reached < quorum else f"{text}, so it will soon learn better.", ""))
    return lines


# ---- why is entry N not committed ---------------------------------------------------------------------------------


def commitment(view: ClusterView) -> list[Line]:
    """Of every leader with entries beyond its commit index: who holds the next one and who does not. Empty when none waits."""
    leaders = [
        node.state for node in view.nodes.values() if node.state is not None and node.state.role == "leader" and node.process != "down"
    ]
    lines: list[Line] = []
    for leader in sorted(leaders, key=lambda state: -state.term):
        lines += _stuck(view, leader)
    return lines


def _stuck(view: ClusterView, leader: NodeState) -> list[Line]:
    entry = leader.commit + 1
    if leader.last_index < entry:
        return []
    cuts, quorum = cut_links(view), quorum_of(view)
    own_disk = disk_cause(view, leader.node)
    have = [leader.node] if not own_disk else []
    lacking: list[PeerProgress] = []
    for peer in leader.progress:
        if peer.match_index >= entry:
            have.append(peer.node)
        else:
            lacking.append(peer)
    links = faulty_links(view)
    blamed = [(peer.node, why_silent(view, links, leader, peer)) for peer in lacking]
    healthy = [node for node, cause in blamed if not cause]
    if len(have) + len(healthy) >= quorum and has_quorum_contact(view, leader):
        return []  # on its way: the next answers commit it
    waiting = leader.last_index - leader.commit
    more = f" (and {count(waiting - 1, 'more')} behind it)".replace("mores", "more") if waiting > 1 else ""
    lines: list[Line] = [(f"Why is entry {entry} of {leader.node}, term {leader.term}, not committed{more}?", "warn")]
    held = f"only {listed(have)} {'has' if len(have) == 1 else 'have'} it" if have else "nobody is known to have it durably"
    lines.append((f"It needs {quorum} of {len(voters_of(view))} voters; {held}.", ""))
    if own_disk:
        lines.append((f"{leader.node}'s own {own_disk}: it cannot count itself.", "bad"))
    for cause, nodes in _grouped(blamed).items():
        lines.append((f"{listed(nodes)}: {cause or 'sent, not yet answered'}.", ""))
    if len(reach(view, cuts, leader.node)) < quorum:
        lines.append((_verdict(view, leader, cuts), "bad"))
    return lines


def left_behind(view: ClusterView) -> list[Line]:
    """The followers that a working leader cannot keep up to date, by cause. Empty when there are none."""
    leader = present_leader(view)
    if leader is None or not has_quorum_contact(view, leader):
        return []
    links = faulty_links(view)
    causes = _grouped([(peer.node, why_silent(view, links, leader, peer)) for peer in leader.progress])
    lines = [(f"{listed(nodes)}: {cause}.", "") for cause, nodes in causes.items() if cause]
    if not lines:
        return []
    ends = {peer.node: leader.last_index - peer.match_index for peer in leader.progress}
    behind = sum(1 for cause, nodes in causes.items() for node in nodes if cause and ends[node])
    kept = f"{leader.node} leads term {leader.term} and commits, up to entry {leader.commit}."
    question = "Who is left behind, and why?" if behind else "Who could fall behind, and why?"
    return [(question, "warn"), *lines, (kept, "good")]


def _grouped(blamed: list[tuple[NodeId, str]]) -> dict[str, list[NodeId]]:
    """cause -> nodes: seven nodes behind one cut are one line."""
    groups: dict[str, list[NodeId]] = {}
    for node, cause in blamed:
        groups.setdefault(cause, []).append(node)
    return groups


def _verdict(view: ClusterView, leader: NodeState, cuts: dict[tuple[NodeId, NodeId], int]) -> str:
    can = len(reach(view, cuts, leader.node))
    if leader.term < highest_term(view):
        newer = present_leader(view)
        by = f" {newer.node} leads term {newer.term} by now:" if newer is not None and newer.term > leader.term else ""
        return f"{leader.node} reaches {can}.{by} what it cannot commit will be overwritten."
    return f"{leader.node} reaches {can} of the {quorum_of(view)} it needs: the entry waits, it is not lost."


# ---- why was this vote refused ------------------------------------------------------------------------------------


def refusals(view: ClusterView) -> list[Line]:
    """The newest refusals; those of one candidate for one reason are one line."""
    told: dict[tuple[NodeId, int, bool, str], list[VoteGiven]] = {}
    for vote in view.votes:
        if not vote.granted and view.now_us - vote.at_us <= REFUSAL_AGE_MAX_US:
            reason = _AGO.sub("… ago", vote.reason)
            told.setdefault((vote.candidate, vote.term, vote.pre, reason), []).append(vote)
    if not told:
        return []
    newest = sorted(told.values(), key=lambda votes: -votes[-1].at_us)
    lines: list[Line] = [("Why were votes refused?", "title")]
    return lines + [(_refusal(view, votes), "") for votes in newest[:REFUSALS_MAX]]


def _refusal(view: ClusterView, votes: list[VoteGiven]) -> str:
    vote = votes[-1]
    asked = "pre-vote" if vote.pre else "vote"
    voters = list(dict.fromkeys(other.node for other in votes))
    again = f", {len(votes)} times" if len(votes) > len(voters) else ""
    age = duration(view.now_us - vote.at_us)
    reason = vote.reason or "no reason given"
    return f"{age} ago{again}: {listed(voters)} refused {vote.candidate} its {asked} for term {vote.term}: “{reason}”"
