"""Recordings played: cut anywhere, damaged anywhere, sought anywhere, and always the fold of exactly what was told."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cluster.core.errors import UsageError
from cluster.core.raft.membership import Membership
from cluster.faults import FaultPlan
from cluster.framing import HEADER_BYTES
from cluster.supervisor.journal import MAGIC
from cluster.supervisor.playback import Playback, Recording
from cluster.telemetry.control import Heard, History, HistoryLine, SetRate
from cluster.telemetry.events import Event, Heartbeat, NodeEnlisted, PlanChanged
from cluster.telemetry.fold import fold_all
from cluster.telemetry.group_events import GroupChanged
from cluster.telemetry.view import EMPTY
from cluster.wire import CONTROL
from tests.cluster.telemetry.happened import opened, process, role, state

EVENTS: list[Event] = [
    opened(1_000_000),
    process("n1", "up", 1_100_000),
    process("n2", "up", 1_200_000),
    role("n1", "leader", 1, 1_300_000),
    Heartbeat(1_500_000, 1),
    process("n2", "paused", 1_400_000),  # what a node said may come after what the supervisor said later
    Heartbeat(2_000_000, 2),
    process("n2", "up", 2_000_000),
    Heartbeat(1_900_000, 3),
]
FRAMES = [EVENTS[0:2], EVENTS[2:5], EVENTS[5:7], EVENTS[7:9]]


def _frames(batches: list[list[Event]] = FRAMES) -> list[bytes]:
    return [CONTROL.encode(Heard(tuple(batch))) for batch in batches]


def _file(tmp_path: Path, *parts: bytes) -> str:
    path = tmp_path / "a.flt"
    path.write_bytes(MAGIC + b"".join(parts))
    return str(path)


@pytest.fixture
def tape(tmp_path: Path) -> Iterator[Playback]:
    opened_tape = Playback.open(_file(tmp_path, *_frames()))
    yield opened_tape
    opened_tape.recording.close()


def _all(recording: Recording) -> list[Event]:
    found = list(recording.events(0, recording.count))
    recording.close()
    return found


def test_a_whole_file_has_no_note(tmp_path: Path) -> None:
    recording = Recording(_file(tmp_path, *_frames()))
    assert (recording.note, recording.count, recording.began_us, recording.ended_us) == ("", 9, 1_000_000, 2_000_000)
    assert _all(recording) == EVENTS


def test_a_file_cut_anywhere_is_read_up_to_its_last_whole_frame(tmp_path: Path) -> None:
    """Law 1, byte by byte."""
    whole = b"".join(_frames())
    ends = [sum(len(frame) for frame in _frames()[:count]) for count in range(5)]
    counts = [sum(len(batch) for batch in FRAMES[:count]) for count in range(5)]
    for size in range(ends[1], len(whole) + 1):
        frames = max(count for count in range(5) if ends[count] <= size)
        recording = Recording(_file(tmp_path, whole[:size]))
        cut = "" if size == ends[frames] else f"at offset {len(MAGIC) + ends[frames]}: played up to there ({counts[frames]} events)"
        assert recording.note.endswith(cut)
        assert bool(recording.note) == bool(cut)
        assert _all(recording) == EVENTS[: counts[frames]]


@pytest.mark.parametrize("size", [0, 1, HEADER_BYTES, HEADER_BYTES + 3])
def test_a_file_cut_before_its_first_frame_is_refused(tmp_path: Path, size: int) -> None:
    with pytest.raises(UsageError, match="holds no events" if size == 0 else "cut .* at offset 22"):
        Recording(_file(tmp_path, _frames()[0][:size]))


def test_a_damaged_frame_is_left_out_and_what_follows_is_played(tmp_path: Path) -> None:
    first, second, third, fourth = _frames()
    rotten = second[:HEADER_BYTES] + b"\xc1" * (len(second) - HEADER_BYTES)
    path = _file(tmp_path, first, rotten, third, rotten, fourth)
    recording = Recording(path)
    offset = len(MAGIC) + len(first)
    assert recording.note == f"{path}: damaged frames left out: 2, the first at offset {offset} (6 events)"
    assert _all(recording) == FRAMES[0] + FRAMES[2] + FRAMES[3]


def test_a_frame_without_a_believable_length_ends_the_recording(tmp_path: Path) -> None:
    first, second, third, _ = _frames()
    recording = Recording(_file(tmp_path, first, second, b"\xff\xff\xff\xff" + third))
    assert recording.note.endswith(f"damaged at offset {len(MAGIC + first + second)}: played up to there (5 events)")
    assert _all(recording) == EVENTS[:5]


def test_client_histories_in_a_recording_are_not_for_the_screen(tmp_path: Path) -> None:
    history = CONTROL.encode(History((HistoryLine(1, "invoke", "read", "k", (), 5, "n1"),), ()))
    recording = Recording(_file(tmp_path, _frames()[0], history, _frames()[1], history))
    assert recording.note == ""
    assert _all(recording) == EVENTS[:5]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "is not a recording"),
        (b"PK\x03\x04 something else altogether", "is not a recording"),
        (b"FAULTLINE-RECORDING 9\n", "is a recording of another version"),
        (MAGIC, "holds no events"),
        (MAGIC + _frames()[1], "does not begin with the opening of a lab: nothing can be shown"),
        (MAGIC + CONTROL.encode(SetRate(3.0)) + _frames()[1], "(damaged frames left out: 1, the first at offset 22)"),
    ],
)
def test_what_cannot_be_shown_is_refused_in_one_line(tmp_path: Path, content: bytes, reason: str) -> None:
    path = tmp_path / "a.flt"
    path.write_bytes(content)
    with pytest.raises(UsageError) as refused:
        Recording(str(path))
    assert str(refused.value).startswith(str(path))
    assert reason in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_file_that_is_not_there_is_refused_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"^cannot read .*: No such file or directory$"):
        Recording(str(tmp_path / "nothing"))


@given(st.binary(max_size=300))
def test_any_bytes_are_a_recording_or_refused(tmp_path_factory: pytest.TempPathFactory, noise: bytes) -> None:
    path = tmp_path_factory.mktemp("noise") / "a.flt"
    path.write_bytes(MAGIC + _frames()[0] + noise)
    recording = Recording(str(path))
    assert _all(recording)[:2] == EVENTS[:2]


# ---- by time ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("at_us", "number"),
    [(0, 0), (999_999, 0), (1_000_000, 1), (1_199_999, 2), (1_450_000, 4), (1_500_000, 6), (1_999_999, 6), (2_000_000, 9), (9_000_000, 9)],
)
def test_how_many_events_had_been_told_by_a_time(tmp_path: Path, at_us: int, number: int) -> None:
    """What came late in the file had not been told before what stands above it."""
    recording = Recording(_file(tmp_path, *_frames()))
    assert recording.number_at(at_us) == number
    recording.close()


# ---- the tape -----------------------------------------------------------------------------------------------------


def test_a_playback_begins_paused_at_the_opening_of_the_lab(tape: Playback) -> None:
    assert tape.initial == fold_all(EMPTY, EVENTS[:1])
    assert (tape.playing, tape.position_us, tape.length_us, tape.at_end) == (False, 0, 1_000_000, False)
    assert tape.observer


async def test_a_recording_takes_no_orders(tape: Playback) -> None:
    with pytest.raises(UsageError, match="what happened cannot be changed"):
        await tape.submit("heal")
    await tape.close()


def test_a_step_goes_by_events_and_stands_still_there(tape: Playback) -> None:
    tape.resume()
    assert tape.step(3) == fold_all(EMPTY, EVENTS[:4])
    assert not tape.playing
    assert tape.step(-2) == fold_all(EMPTY, EVENTS[:2])
    assert tape.step(-99) == fold_all(EMPTY, EVENTS[:1])  # never before the opening
    assert tape.step(99) == fold_all(EMPTY, EVENTS)
    assert tape.at_end


def test_a_line_step_goes_to_the_next_event_that_tells_one_and_back(tape: Playback) -> None:
    lines = [tape.step_line().log_total]
    while not tape.at_end:
        lines.append(tape.step_line().log_total)
    # The opening is told before; of the nine events, three heartbeats tell nothing, and the last one stands at the end.
    assert lines == [2, 3, 4, 5, 6, 6]
    back = []
    while tape.told != "event 1 of 9: lab opened":
        back.append(tape.step_line(-1).log_total)
    assert back == [6, 5, 4, 3, 2, 1]
    assert tape.step_line(-1).log_total == 1


@given(place=st.integers(1, 400))
def test_back_over_many_events_finds_the_line_before(tmp_path_factory: pytest.TempPathFactory, place: int) -> None:
    """However far from a view that was kept."""
    beats: list[Event] = [Heartbeat(1_200_000 + number, number) for number in range(1_400)]
    events = [*EVENTS[:2], *beats[:1_000], process("n2", "up", 1_300_000), *beats[1_000:]]
    tape = Playback.open(_file(tmp_path_factory.mktemp("tape"), *_frames([events])))
    tape.step(1_002 + place)
    assert tape.step_line(-1).log[-1].node == "n2"
    assert tape.told == "event 1003 of 1403: process changed, n2"
    assert tape.step_line(-1).log[-1].node == "n1"
    tape.recording.close()


def test_seeking_to_the_end_shows_everything(tape: Playback) -> None:
    assert tape.seek(tape.length_us) == fold_all(EMPTY, EVENTS)
    assert tape.at_end
    assert tape.seek(-5) == fold_all(EMPTY, EVENTS[:1])
    assert tape.seek(10**12) == fold_all(EMPTY, EVENTS)
    assert tape.position_us == tape.length_us


@given(st.lists(st.one_of(st.integers(-3, 3).map(lambda n: ("step", n)), st.integers(0, 1_100_000).map(lambda us: ("seek", us)))))
def test_wherever_the_tape_is_the_view_is_the_fold_of_what_came_before(
    tmp_path_factory: pytest.TempPathFactory, moves: list[tuple[str, int]]
) -> None:
    """Law 2, with views kept at every other event so that both ways of getting there are taken."""
    tape = Playback.open(_file(tmp_path_factory.mktemp("tape"), *_frames()))
    tape._stride = 2
    for kind, amount in moves:
        view = tape.step(amount) if kind == "step" else tape.seek(amount)
        assert view == fold_all(EMPTY, EVENTS[: tape._next])
    tape.recording.close()


async def test_playing_tells_every_event_once_in_order(tape: Playback) -> None:
    tape.set_speed(10.0)
    tape.seek(tape.length_us - 1)
    tape.step(-99)
    tape.seek(100_000)
    tape.resume()
    told: list[Event] = []
    async for batch in tape.events():
        told += batch
        if tape.at_end:
            break
    assert told == EVENTS[2:]
    await tape.close()


async def test_closing_ends_the_events_of_a_paused_tape(tape: Playback) -> None:
    events = tape.events()
    await tape.close()
    assert [batch async for batch in events] == []


def test_the_speed_has_limits(tape: Playback) -> None:
    for wanted, got in ((0.0, 0.1), (3.0, 3.0), (99.0, 10.0)):
        tape.set_speed(wanted)
        assert tape.speed == got


def test_views_are_kept_at_a_bounded_number_of_places(tmp_path: Path) -> None:
    beats: list[Event] = [opened(), *(Heartbeat(at, 0) for at in range(1, 6_000))]
    tape = Playback.open(_file(tmp_path, *_frames([beats[at : at + 256] for at in range(0, len(beats), 256)])))
    tape.seek(tape.length_us)
    assert len(tape._views) <= 1 + 6_000 // 500
    assert tape.seek(3_000).now_us == 3_000
    tape.recording.close()


# ---- what is of the right shape and cannot have happened ------------------------------------------------------------


@pytest.mark.parametrize(
    "impossible",
    [
        role("n1", "leader".replace("d", "e"), 1, 1_150_000),  # one bit of it flipped in the file
        state("n1", 1_150_000, role="king"),
        process("n1", "upp", 1_150_000),
        PlanChanged(1_150_000, FaultPlan(), (("n1", "n1", "n3"),)),
        PlanChanged(1_150_000, FaultPlan(), (("n1", "n2"),)),
        PlanChanged(1_150_000, FaultPlan(), (("n1", "n2", "n3", "n4"),)),
        GroupChanged("n1", 1_150_000, 1, 1, Membership(("n1", "n9")), committed=True),
        NodeEnlisted(1_150_000, "\x1b[31m"),
    ],
    ids=lambda event: type(event).__name__,
)
def test_events_that_cannot_have_happened_are_damage(tmp_path: Path, impossible: Event) -> None:
    recording = Recording(_file(tmp_path, *_frames([EVENTS[0:2], [impossible], EVENTS[2:]])))
    assert recording.damaged == 1
    assert _all(recording) == EVENTS


@pytest.mark.parametrize("nodes", [(), ("n1", "n1"), ("n1", "\n"), ("n1", "n02")])
def test_a_lab_of_nodes_that_cannot_be_is_refused(tmp_path: Path, nodes: tuple[str, ...]) -> None:
    with pytest.raises(UsageError, match=r"damaged frames left out: 1"):
        Recording(_file(tmp_path, *_frames([[opened(1_000_000, nodes)]])))


def test_a_node_that_joined_is_known_from_then_on(tmp_path: Path) -> None:
    later: list[Event] = [
        NodeEnlisted(2_100_000, "n4"),
        PlanChanged(2_200_000, FaultPlan(), (("n1", "n2"), ("n3", "n4"))),
        GroupChanged("n1", 2_300_000, 1, 1, Membership(("n1", "n2", "n3", "n4")), committed=True),
    ]
    recording = Recording(_file(tmp_path, *_frames([EVENTS, later])))
    assert recording.note == ""
    assert _all(recording) == EVENTS + later
