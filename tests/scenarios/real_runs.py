"""Real runs of incidents, each made once in a session of tests and shared by all that look at it, also between workers.

Law 1: what is shared is what the command line printed, and the run directory; nothing in here looks at either.
Law 2: a run whose card says `alone` has no other incident beside it: it takes the lock that all runs share for itself.
Law 3: a run that was asked for with a seed has that seed: what one test sees, the next one sees.
"""

from __future__ import annotations

import fcntl
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from scenarios.catalog import load
from scenarios.model import Metamorphic
from scenarios.outcome import Outcome
from scenarios.report import case, pair
from tests.scenarios.faultline_runs import faultline

SEED = 5


class RealRuns:
    """`root` is the same folder for all workers of a session."""

    def __init__(self, root: Path) -> None:
        self._root = root
        (root / "runs").mkdir(parents=True, exist_ok=True)

    def outcome(self, slug: str, variant: str, settings: tuple[str, ...] = (), without: tuple[str, ...] = ()) -> Outcome:
        """Of a run that was made before, or now."""
        options = [part for setting in settings for part in ("--set", setting)] + [part for what in without for part in ("--without", what)]
        command = ("run", slug, "--variant", variant, *options, "--seed", str(SEED), "--runs", str(self._root / "runs"))
        said = self._root / f"{slug}-{hashlib.sha256(' '.join(command).encode()).hexdigest()[:12]}.json"
        with _locked(said.with_suffix(".lock"), fcntl.LOCK_EX):
            if not said.exists():
                with _locked(self._root / "all.lock", fcntl.LOCK_EX if load(slug).card.scenario.alone else fcntl.LOCK_SH):
                    _, document = faultline(*command)
                said.write_bytes(msgspec.json.encode(document))
            return msgspec.json.decode(said.read_bytes(), type=Outcome)

    def pair(self, slug: str) -> Any:
        """Both variants, as the document of `faultline pair`."""
        return msgspec.to_builtins(pair(load(slug).card, self.outcome(slug, "broken"), self.outcome(slug, "canonical")))

    def cases(self, slug: str) -> dict[str, Any]:
        """All metamorphic cases by name, each as in the document of `faultline meta`."""
        return {wanted.name: msgspec.to_builtins(case(wanted, self.case(slug, wanted))) for wanted in load(slug).play.METAMORPHIC}

    def case(self, slug: str, case: Metamorphic) -> Outcome:
        """Of a metamorphic case."""
        return self.outcome(slug, case.base, tuple(f"{name}={value}" for name, value in case.overrides.items()))


@contextmanager
def _locked(path: Path, how: int) -> Iterator[None]:
    with path.open("a") as file:
        fcntl.flock(file, how)
        yield
