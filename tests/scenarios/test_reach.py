"""A fault of somebody else's servers is refused in one line; one of the way to them is not."""

from __future__ import annotations

import msgspec
import pytest

from cluster.core.errors import UsageError
from scenarios.backends import Backend
from scenarios.catalog import load
from scenarios.faults import Fault
from scenarios.model import Card
from scenarios.reach import check_reach

URLS = {"kv": ("etcd://127.0.0.1:2379",)}


def card_with(fault: Fault) -> Card:
    card = load("stale-lock-holder").card
    return msgspec.structs.replace(card, backend={"kv": Backend(use="x", kind="etcd", count=3)}, fault=(*card.fault, fault))


@pytest.mark.parametrize(
    "fault",
    [
        Fault(do="kill", target="kv.leader", at_ms=1),
        Fault(do="pause", target="kv2", at_ms=1, ms=1),
        Fault(do="cut", target="kv1 w1 | kv2 kv3", at_ms=1),
        Fault(do="slow", target="kv.leader > kv.followers", at_ms=1, delay_ms=1),
    ],
)
def test_a_fault_within_somebody_elses_servers_is_refused(fault: Fault) -> None:
    with pytest.raises(UsageError) as caught:
        check_reach(card_with(fault), URLS)
    said = f"--backend kv: fault[1] of stale-lock-holder ({fault.do}) is done to its servers, which must be the run's own"
    assert str(caught.value) == said
    check_reach(card_with(fault), {})


@pytest.mark.parametrize(
    ("fault", "refused"),
    [
        (Fault(do="kill", target="kv2", at_ms=1), False),
        (Fault(do="pause", target="kv1", at_ms=1, ms=1), False),
        (Fault(do="cut", target="w1 | kv", at_ms=1), False),
        (Fault(do="kill", target="kv.leader", at_ms=1), True),
        (Fault(do="cut", target="kv1 | kv2 kv3", at_ms=1), True),
    ],
)
def test_a_program_that_stands_in_has_processes_and_neither_roles_nor_links_of_ours(fault: Fault, refused: bool) -> None:
    if refused:
        with pytest.raises(UsageError, match="which must be the Raft group that the incident brings"):
            check_reach(card_with(fault), {"kv": ("etcd",)})
    else:
        check_reach(card_with(fault), {"kv": ("etcd",)})


@pytest.mark.parametrize(
    "fault",
    [
        Fault(do="cut", target="w1 w2 | kv", at_ms=1),
        Fault(do="cut", target="w1 > kv2", at_ms=1),
        Fault(do="kill", target="w2", at_ms=1),
    ],
)
def test_the_way_to_them_may_be_broken_and_so_may_what_is_ours(fault: Fault) -> None:
    check_reach(card_with(fault), URLS)
