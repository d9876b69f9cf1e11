"""Three explanations, each computed from what was reported; every sentence here is one that a person reads."""

from __future__ import annotations

from cluster.faults import FaultPlan, NodeFault
from cluster.telemetry.fold import fold, fold_all
from cluster.telemetry.view import ClusterView
from tests.tui import sample_raft_gossip as sample
from tests.tui.select.reading import lines, whole
from tui.select import why
from tui.state import UiState

SECOND, MS = sample.SECOND, sample.MS


def told(view: ClusterView, height: int = 60) -> str:
    return whole(why.rows(view, UiState(), 100, height))


def test_when_all_is_well_it_says_so() -> None:
    rows = why.rows(sample.healthy(), UiState(), 200, 10)
    assert lines(rows) == [
        "Nothing stands in the way: n3 leads term 8, 5 of 5 voters run, everything up to entry 1204 is committed, and no vote was refused "
        "in the last minute."
    ]


def test_entries_on_their_way_are_no_trouble() -> None:
    view = sample.healthy()
    state = view.nodes["n3"].state
    assert state is not None
    assert "up to entry 1204 is committed (2 more on the way)" in told(fold(view, sample.replace(state, last_index=1206)))


# ---- no leader ----------------------------------------------------------------------------------------------------


def test_too_few_voters_run() -> None:
    text = told(sample.no_leader())
    assert "Why is there no leader? Nobody has led for 2.4 s." in text
    assert "n3 has been dead for 2.4 s, n4 has been dead for 2.4 s and n5 has been frozen for 2.4 s." in text
    assert "At most 2 voters reach each other (n1 and n2), and 3 of 5 are needed: nobody can win." in text


def test_no_side_of_a_cut_has_a_quorum() -> None:
    view = sample.healthy()
    now = view.now_us
    sides = (("n1", "n2"), ("n3", "n4"), ("n5",))
    state = view.nodes["n3"].state
    assert state is not None
    resigned = sample.replace(state, role="follower", leader=None, progress=(), quorum_age_us=-1)
    resigns = sample.e.RoleTaken("n3", now, "follower", 8, None, "hears no quorum")
    text = told(fold_all(view, [*sample.cut(now, 1, *sides), resigned, resigns, sample.e.Heartbeat(now + SECOND, 1)]))
    assert "No side can elect one: 2 on side A, 2 on side B and 1 on side C run, 3 of 5 are needed." in text


def test_an_election_under_way_names_who_asks_and_who_refused() -> None:
    view = sample.healthy()
    now = view.now_us
    events = [
        sample.e.ProcessChanged(now, "n3", "down", 1, 1, "SIGKILL"),
        sample.state("n1", now + SECOND, 5, role="candidate", term=9, vote="n1", leader=None),
        sample.e.VoteGiven("n2", now + SECOND, "n1", 9, False, True, "fine"),
        sample.e.VoteGiven("n4", now + SECOND, "n1", 9, False, False, "my log is newer"),
    ]
    text = told(fold_all(view, events))
    assert "n1, n2, n4 and n5 could elect one: 4 of 5 voters reach each other and 3 are needed." in text
    assert "n1 is a candidate for term 9: n2 said yes, n4 refused (3 needed, itself counted)." in text


def test_before_anyone_campaigns_the_next_timer_is_named() -> None:
    view = sample.healthy()
    now = view.now_us
    events: list[sample.e.Event] = [sample.e.ProcessChanged(now, "n3", "down", 1, 1, "SIGKILL")]
    events += [sample.state(node, now, 5, election_in_us=200 * MS) for node in ("n1", "n2", "n4")]
    events.append(sample.state("n5", now, 5, election_in_us=90 * MS))
    assert "Nobody campaigns yet: the first timer, of n5, fires in 90 ms." in told(fold_all(view, events))


def test_a_frozen_leader_is_no_working_leader() -> None:
    view = sample.healthy()
    frozen = fold(view, sample.e.ProcessChanged(view.now_us, "n3", "paused", 1, 1, "SIGSTOP"))
    text = told(frozen)
    assert "Why is there no working leader? n3 leads term 8, but is frozen." in text
    assert "n1, n2, n4 and n5 reach each other: 4 of 5, a quorum. They elect a leader once a timer fires." in text


def test_before_the_first_election() -> None:
    text = told(sample.fresh())
    assert "Why is there no leader yet? The lab opened 0 ms ago." in text
    assert "All voters are still starting." in text


# ---- not committed ------------------------------------------------------------------------------------------------


def test_a_stale_leaders_entry_lacks_the_other_side() -> None:
    text = told(sample.mock_up())
    assert "Why is entry 1162 of n4, term 7, not committed (and 4 more behind it)?" in text
    assert "It needs 5 of 9 voters; only n4 and n9 have it." in text
    assert "n1, n2, n3, n5, n6 and 2 more: cut off (#17)." in text
    assert "n4 reaches 2. n3 leads term 8 by now: what it cannot commit will be overwritten." in text


def test_a_slow_disk_is_named_and_so_is_the_leaders_own() -> None:
    view = sample.healthy()
    now = view.now_us
    state = view.nodes["n3"].state
    assert state is not None
    table = sample.progress({"n1": 1204, "n2": 1204, "n4": 1205, "n5": 1204}, 1205)
    slow = tuple(NodeFault(node, disk="slow", disk_delay_us=200 * MS) for node in ("n1", "n2", "n5"))
    waiting = sample.replace(state, last_index=1205, progress=table)
    view = fold_all(view, [waiting, sample.e.PlanChanged(now, FaultPlan(nodes=slow), (sample.names(5),))])
    assert "It needs 3 of 5 voters; only n3 and n4 have it. n1, n2 and n5: disk slow by 200 ms." in told(view)
    hung = FaultPlan(nodes=(*slow, NodeFault("n3", disk="hang")))
    view = fold(view, sample.e.PlanChanged(now, hung, (sample.names(5),)))
    assert "only n4 has it. n3's own disk hangs: it cannot count itself." in told(view)


def test_a_leader_that_reaches_too_few_but_leads_the_newest_term_loses_nothing_yet() -> None:
    view = sample.healthy()
    now = view.now_us
    state = view.nodes["n3"].state
    assert state is not None
    alone = sample.replace(state, last_index=1207, quorum_age_us=700 * MS)
    text = told(fold_all(view, [*sample.cut(now, 1, ("n1", "n2", "n4", "n5"), ("n3",)), alone]))
    assert "n3 reaches 1 of the 3 it needs: the entry waits, it is not lost." in text


def test_who_else_believes_that_it_leads() -> None:
    text = told(sample.mock_up())
    assert "Who else believes it leads? n4, of term 7: it reaches 2 of the 5 voters it needs, itself counted." in text


# ---- refused ------------------------------------------------------------------------------------------------------


def test_refusals_are_told_once_each_newest_first_with_the_reason() -> None:
    view = sample.healthy()
    now = view.now_us
    events: list[sample.e.Event] = [
        sample.e.VoteGiven("n2", now - 2 * SECOND, "n1", 9, True, False, "n3 leads: heard 20 ms ago"),
        sample.e.VoteGiven("n2", now - SECOND, "n1", 9, True, False, "n3 leads: heard 30 ms ago"),
        sample.e.VoteGiven("n4", now - 500 * MS, "n1", 9, False, False, "I voted for n5 in term 9"),
        sample.e.VoteGiven("n5", now - 400 * MS, "n1", 9, False, True, "fine"),
    ]
    rows = lines(why.rows(fold_all(view, events), UiState(), 120, 9))
    assert rows[0].startswith("Nothing stands in the way: n3 leads term 8")
    assert rows[1:] == [
        "Why were votes refused?",
        "  500 ms ago: n4 refused n1 its vote for term 9: “I voted for n5 in term 9”",
        "  1.0 s ago, 2 times: n2 refused n1 its pre-vote for term 9: “n3 leads: heard 30 ms ago”",
    ]


def test_old_refusals_explain_nothing_any_more() -> None:
    view = sample.healthy()
    refused = sample.e.VoteGiven("n2", view.now_us - why.REFUSAL_AGE_MAX_US - 1, "n1", 9, True, False, "n3 leads")
    assert told(fold(view, refused)).startswith("Nothing stands in the way")


def test_voters_that_refuse_for_one_reason_are_one_line() -> None:
    view = sample.healthy()
    refused = [sample.e.VoteGiven(node, view.now_us, "n4", 9, False, False, "I voted for n1 in term 9") for node in ("n2", "n5", "n1")]
    assert "0 ms ago: n2, n5 and n1 refused n4 its vote for term 9: “I voted for n1 in term 9”" in told(fold_all(view, refused))


# ---- left behind --------------------------------------------------------------------------------------------------


def test_while_writes_go_on_those_left_behind_are_named_with_the_cause() -> None:
    view = sample.healthy()
    now = view.now_us
    state = view.nodes["n3"].state
    assert state is not None
    behind = sample.replace(state, progress=sample.progress({"n1": 1204, "n2": 1204, "n4": 1100, "n5": 1204}, 1204))
    events = [*sample.cut(now, 1, ("n1", "n2", "n3", "n5"), ("n4",)), behind]
    text = told(fold_all(view, events))
    assert "Who is left behind, and why? n4: cut off (#1)." in text
    assert "n3 leads term 8 and commits, up to entry 1204." in text
    assert "Nothing stands in the way" not in text


def test_an_entry_that_waits_says_already_who_lacks_it() -> None:
    assert "Who is left behind" not in told(sample.mock_up())
