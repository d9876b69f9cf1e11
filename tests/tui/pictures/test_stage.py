"""The real dashboard before one view."""

from __future__ import annotations

import pytest

from cluster.core.errors import UsageError
from tests.tui import sample_raft_gossip as sample
from tui.pictures.stage import StillSession, pictured
from tui.state import UiState


async def test_what_is_pictured_is_the_screen_at_that_size_after_those_keys() -> None:
    picture = await pictured(sample.mock_up(), (120, 36), ("2",))
    lines = picture.text.splitlines()
    assert len(lines) == 36
    assert max(len(line) for line in lines) <= 120
    assert "RAFT  log lanes" in picture.text
    assert "QUORUM" in picture.svg


async def test_the_same_view_makes_the_same_picture() -> None:
    first, second = [await pictured(sample.mock_up(), (80, 24), ui=UiState(cursor="n4")) for _ in range(2)]
    assert first == second


async def test_a_still_session_takes_no_commands_and_ends() -> None:
    session = StillSession()
    with pytest.raises(UsageError, match="this is a picture"):
        await session.submit("heal")
    await session.close()
    assert [batch async for batch in session.events()] == []
