"""Runs of incidents are shared by all tests of a session."""

from __future__ import annotations

import os

import pytest

from tests.scenarios.real_runs import RealRuns


@pytest.fixture(scope="session")
def real_runs(tmp_path_factory: pytest.TempPathFactory) -> RealRuns:
    base = tmp_path_factory.getbasetemp()
    # Workers have a folder each, below one of the session's.
    return RealRuns((base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "incidents")
