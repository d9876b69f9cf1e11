"""What a leader may conclude from a follower's answers, also from late ones."""

from __future__ import annotations

from cluster.core.raft.progress import PROBE, REPLICATE, Progress


def replicating(next_index: int = 11, match: int = 10, inflight_max: int = 2) -> Progress:
    progress = Progress(next_index, inflight_max, 0)
    progress.accepted(match)
    progress.heard(1, 0)
    return progress


def test_a_probe_is_sent_once_and_an_answer_opens_the_pipeline() -> None:
    progress = Progress(11, 2, now=0)
    assert progress.state == PROBE
    assert progress.may_send()
    progress.sent(12)
    assert not progress.may_send()
    assert progress.next_index == 11  # a probe promises nothing
    assert progress.accepted(12)
    assert (progress.state, progress.match_index, progress.next_index) == (REPLICATE, 12, 13)


def test_the_window_bounds_unanswered_messages() -> None:
    progress = replicating()
    progress.sent(11)
    progress.sent(12)
    assert not progress.may_send()
    assert not progress.accepted(10)
    assert not progress.may_send()
    assert progress.accepted(11)
    assert progress.may_send()
    assert progress.next_index == 13


def test_a_late_acceptance_never_lowers_anything() -> None:
    progress = replicating(match=10)
    assert not progress.accepted(4)
    assert (progress.match_index, progress.next_index) == (10, 11)


def test_a_refusal_in_the_pipeline_returns_to_probing() -> None:
    progress = replicating()
    progress.sent(15)
    assert progress.refused(prev_index=15, seek_index=12, seq=2)
    assert (progress.state, progress.next_index) == (PROBE, 12)
    assert progress.may_send()


def test_while_probing_only_the_present_question_counts() -> None:
    progress = Progress(11, 2, now=0)
    assert not progress.refused(prev_index=7, seek_index=3, seq=1)
    assert progress.next_index == 11
    assert progress.refused(prev_index=10, seek_index=5, seq=1)
    assert progress.next_index == 5
    # A hint beyond what was refused would go round in circles.
    assert progress.refused(prev_index=4, seek_index=9, seq=1)
    assert progress.next_index == 4


def test_a_late_refusal_of_what_is_known_to_match_is_ignored() -> None:
    progress = replicating(match=10)
    assert not progress.refused(prev_index=8, seek_index=2, seq=1)
    assert (progress.match_index, progress.next_index) == (10, 11)


def test_a_fresh_refusal_of_what_once_matched_means_a_wiped_disk() -> None:
    progress = replicating(match=10)
    assert progress.refused(prev_index=10, seek_index=1, seq=5)
    assert (progress.match_index, progress.next_index, progress.state) == (0, 1, PROBE)
