"""How fast a rumour should spread: the expected curve of push-pull gossip, and the floor of pushing alone.

Law 1: rounds are intervals; a node's own timer decides where in the interval it speaks, so a measured round is a bucket of time.
Source: Demers et al. 1987 (simple epidemics), in the mean-field form; the floor is the fastest growth by a factor of 1 + f per round.
"""

from __future__ import annotations

from functools import lru_cache

ROUNDS_MAX = 64
# Expected to know: all but a fraction of one node. The mean-field curve approaches everyone without ever arriving.
NEARLY_ALL = 0.5


@lru_cache(maxsize=64)
def expected(nodes: int, fanout: int) -> tuple[float, ...]:
    """Nodes expected to know after round 0, 1, 2 …, until nearly all do.

    A node stays ignorant through a round if none of the `fanout` peers it asks knows (pull) and none of those who know asks it (push).
    """
    known = [1.0]
    others = max(1, nodes - 1)
    spoken_to = min(1.0, fanout / others)
    while known[-1] < nodes - NEARLY_ALL and len(known) < ROUNDS_MAX:
        informed = known[-1]
        stays = max(0.0, 1 - informed / others) ** fanout * (1 - spoken_to) ** informed
        known.append(informed + (nodes - informed) * (1 - stays))
    return tuple(known)


def floor_rounds(nodes: int, fanout: int) -> int:
    """⌈log₁₊f N⌉: with pushing alone, those who know multiply by at most 1 + f per round."""
    rounds, reached = 0, 1
    while reached < nodes and rounds < ROUNDS_MAX:
        reached *= 1 + max(1, fanout)
        rounds += 1
    return rounds
