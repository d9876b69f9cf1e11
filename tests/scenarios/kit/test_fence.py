"""The gate refuses the past, lets the present write twice, and keeps resources apart."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import hypothesis
import hypothesis.strategies as st

from scenarios.kit import fence


@hypothesis.given(st.lists(st.tuples(st.sampled_from(["a", "b"]), st.integers(1, 5))))
def test_a_token_passes_unless_a_newer_one_did(asked: list[tuple[str, int]]) -> None:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as db:
        db.execute(fence.SCHEMA)
        newest = {"a": 0, "b": 0}
        for resource, token in asked:
            expected = newest[resource] if token < newest[resource] else None
            assert fence.admit(db, resource, token) == expected
            newest[resource] = max(newest[resource], token)
