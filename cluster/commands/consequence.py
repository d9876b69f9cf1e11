"""What a command would cost, computed before it is done: the sentence of the dashboard's dialog.

Law 1: None means: reversible, and the quorum stays (or was lost already). It is arithmetic on the roster, never a guess.
"""

from __future__ import annotations

from cluster.commands import model
from cluster.commands.meaning import cuts, pairs_of, resolved
from cluster.commands.roster import Pair, Roster
from cluster.core.types import NodeId


def consequence(command: model.Command, roster: Roster) -> str | None:
    """One sentence when the command would lose the quorum or data, None otherwise. Raises `UsageError` like `resolve`."""
    concrete = resolved(command, roster)
    match concrete:
        case model.Wipe(targets=targets):
            return _wiped(targets, roster)
        case model.Reset():
            return "Everything stored is deleted, on every node, and all processes start anew. This cannot be undone."
        case model.Freeze():
            return None
        case model.Remove(targets=targets):
            return _removed(targets, roster)
    before = _best(roster, (), ())
    after = _best(roster, _silenced(concrete), pairs_of(concrete, roster) if cuts(concrete) else ())
    if before < roster.quorum or after >= roster.quorum:
        return None
    back = "the fault ends" if not isinstance(concrete, model.Crash) else "enough of them are back"
    return (
        f"No side keeps a quorum: at most {after} of {len(roster.voters)} voters still reach each other and "
        f"{roster.quorum} are needed. No write can commit until {back}."
    )


def _removed(targets: tuple[NodeId, ...], roster: Roster) -> str | None:
    """The group that stays must be able to decide without those who leave."""
    stay = [node for node in roster.voters if node not in targets]
    running = [node for node in stay if node in roster.running]
    needed = len(stay) // 2 + 1
    if not stay or len(running) >= needed:
        return None  # nobody staying at all is refused by the leader
    return f"{len(running)} of the {len(stay)} voters that stay are running and {needed} are needed: the group could not decide any more."


def _silenced(command: model.Command) -> tuple[NodeId, ...]:
    """Nodes that cannot vote or store while the fault lasts."""
    match command:
        case model.Crash(targets=targets) | model.Pause(targets=targets):
            return targets
        case model.Disk(targets=targets, mode="hang" | "fail"):
            return targets
    return ()


def _best(roster: Roster, silenced: tuple[NodeId, ...], severed: tuple[Pair, ...]) -> int:
    """Voters on the best side: the most that one working voter still reaches in both directions, itself included."""
    gone = {*roster.severed, *severed}
    working = [node for node in roster.voters if node in roster.running and node not in silenced]
    reach = (sum(other == node or ((node, other) not in gone and (other, node) not in gone) for other in working) for node in working)
    return max(reach, default=0)


def _wiped(targets: tuple[NodeId, ...], roster: Roster) -> str:
    voters = [node for node in targets if node in roster.voters]
    who = ", ".join(targets)
    if not voters:
        return f"{f'The disk of {who} is' if len(targets) == 1 else f'The disks of {who} are'} deleted. This cannot be undone."
    if len(voters) >= roster.quorum:
        return (
            f"The disks of {who} are deleted: {len(voters)} of {len(roster.voters)} copies, a quorum. "
            "Acknowledged writes will be lost, and this cannot be undone."
        )
    what = f"The disk of {who} is deleted with its log, its term and its vote: back again, it"
    if len(targets) > 1:
        what = f"The disks of {who} are deleted with their logs, terms and votes: back again, a node"
    return f"{what} may vote twice in one term, so acknowledged writes can be lost. This cannot be undone."
