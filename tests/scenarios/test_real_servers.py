"""Every incident that names a backend, against somebody else's server of that kind: the same verdicts as with the run's own.

Where an incident's faults are done to the servers themselves, somebody else's are refused, in one line and before anything starts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path

import pytest

from cluster.core.errors import UsageError
from scenarios.backends import needed
from scenarios.catalog import cards, load
from scenarios.commission import Asked
from scenarios.model import Card, present
from scenarios.reach import check_reach
from scenarios.records import Records
from scenarios.runner import run
from tests.cluster.backends.etcd.real import ETCD, etcd_running
from tests.cluster.backends.servers import MOSQUITTO, REDIS, mosquitto, redis_server
from tests.scenarios.faultline_runs import faultline

pytestmark = [pytest.mark.processes, pytest.mark.slow, pytest.mark.timeout(300)]

PROGRAMS = {"etcd": ETCD, "mosquitto": MOSQUITTO, "redis-server": REDIS}
VERDICTS = {"broken": "FAIL", "canonical": "PASS"}


@contextmanager
def etcd(folder: Path) -> Iterator[str]:
    if ETCD is None:
        pytest.skip("etcd is not installed")
    with etcd_running(folder) as url:
        yield url


REAL: dict[str, Callable[[Path], AbstractContextManager[str]]] = {"redis": redis_server, "mqtt": mosquitto, "etcd": etcd}


def _reachable(card: Card, variant: str) -> bool:
    toggles = card.toggles(variant)
    try:
        check_reach(present(card, toggles), dict.fromkeys(needed(card.backend, toggles), ()))
    except UsageError:
        return False
    return True


def _trials(*, reachable: bool) -> Iterator[object]:
    for card in cards():
        for variant in VERDICTS:
            if needed(card.backend, card.toggles(variant)) and _reachable(card, variant) is reachable:
                yield pytest.param(card, variant, id=f"{card.slug}-{variant}")


@pytest.mark.parametrize(("card", "variant"), [*_trials(reachable=True)])
def test_the_verdict_is_the_same_on_somebody_elses_server(card: Card, variant: str, tmp_path: Path) -> None:
    with ExitStack() as stack:
        options = []
        for name, backend in needed(card.backend, card.toggles(variant)).items():
            # Of a group one address is enough; servers that share nothing are named one by one.
            count = 1 if backend.kind == "etcd" else backend.count
            folders = [tmp_path / f"{name}{i}" for i in range(count)]
            for folder in folders:
                folder.mkdir()
            options += ["--backend", f"{name}={','.join(stack.enter_context(REAL[backend.kind](folder)) for folder in folders)}"]
        _, outcome = faultline("run", card.slug, "--variant", variant, "--seed", "5", *options, "--runs", tmp_path / "runs")
    assert outcome["verdict"] == VERDICTS[variant], outcome
    assert outcome["violations"]["count"] >= (card.verdict.at_least if variant == "broken" else 0)
    assert all(outcome["coverage"].values())


@pytest.mark.parametrize(
    ("slug", "backend", "servers"),
    [
        ("stale-lock-holder", "kv=etcd", {"kv1", "kv2", "kv3"}),
        ("2pc-in-doubt", "kv=etcd", {"kv1", "kv2", "kv3"}),
        ("outbox-double-publish", "mqtt=mosquitto", {"mqtt"}),
        ("lock-leak-crash", "redis=redis-server", {"redis"}),
    ],
)
def test_a_program_stands_in_for_the_runs_own_server(slug: str, backend: str, servers: set[str], tmp_path: Path) -> None:
    if PROGRAMS[backend.partition("=")[2]] is None:
        pytest.skip(f"{backend.partition('=')[2]} is not installed")
    code, outcome = faultline("run", slug, "--variant", "canonical", "--backend", backend, "--runs", tmp_path)
    assert (code, outcome["verdict"]) == (0, "PASS"), outcome
    assert servers <= {line["process"] for line in Records(Path(outcome["run_dir"])).supervisor() if line["event"] == "started"}


def test_a_primary_and_its_replica_that_stand_in_part_as_the_runs_own_do(tmp_path: Path) -> None:
    if REDIS is None:
        pytest.skip("redis-server is not installed")
    code, outcome = faultline("run", "split-brain-scheduler", "--backend", "redis=redis-server", "--runs", tmp_path)
    assert (code, outcome["verdict"]) == (1, "FAIL"), outcome
    assert all(outcome["coverage"].values())


@pytest.mark.parametrize(("card", "variant"), [*_trials(reachable=False)])
def test_servers_that_faults_are_done_to_must_be_the_runs_own(card: Card, variant: str, tmp_path: Path) -> None:
    wanted = needed(card.backend, card.toggles(variant))
    urls = {name: (f"{backend.kind}://127.0.0.1:1",) * backend.count for name, backend in wanted.items()}
    with pytest.raises(UsageError, match="which must be the run's own"):
        run(load(card.slug), Asked(variant, backends=urls), tmp_path)
    assert list(tmp_path.iterdir()) == []
