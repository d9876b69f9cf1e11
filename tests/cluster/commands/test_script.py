"""Scripts: commands in time, and every bad line named by file, line, column and reason, all together."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cluster.commands import model as m
from cluster.commands.script import SCRIPT_LINES_MAX, parse_script
from cluster.core.errors import UsageError


def _refused(text: str, name: str = "drill.txt") -> list[str]:
    with pytest.raises(UsageError) as refused:
        parse_script(text, name)
    return str(refused.value).splitlines()


def test_commands_come_in_the_order_of_their_times() -> None:
    script = "\n# first a pause\nat 3.0 pause leader 2s  # like a GC\n\n  at 1500ms heal\nat 3 thaw\nat 0 crash n1\n"
    assert parse_script(script) == [
        (0, m.Crash(targets=("n1",))),
        (1_500_000, m.Heal()),
        (3_000_000, m.Pause(targets=("leader",), for_us=2_000_000)),
        (3_000_000, m.Thaw()),  # at one time: as they stand in the file
    ]


def test_an_empty_script_does_nothing() -> None:
    assert parse_script("") == parse_script("# nothing\n\n   \n") == []


@pytest.mark.parametrize(
    ("line", "command"),
    [
        ("at 1 heal #3 # and a comment", m.Heal(ids=(3,))),
        ("at 1 heal#", None),
        ("#1 a comment may begin with a number", ...),
        ("  #2 and be indented", ...),
        ("at 1 put k a#b", m.Put("k", "a#b")),
        ("\ufeffat 1 undo", m.Undo()),
        ("at 1 undo\r", m.Undo()),
    ],
)
def test_where_a_comment_begins(line: str, command: m.Command | None) -> None:
    if command is None:
        assert _refused(line)
    else:
        assert parse_script(line + "\n") == ([] if command is ... else [(1_000_000, command)])


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("pause leader 2s", "1: a line begins with a time, such as 'at 3.0 pause leader 2s'"),
        ("   crash n1", "4: a line begins with a time, such as 'at 3.0 pause leader 2s'"),
        ("at", "1: a line begins with a time, such as 'at 3.0 pause leader 2s'"),
        ("at 3", "5: the line ends where a command is expected"),
        ("at soon crash n1", "4: 'soon' is not a time in seconds, such as 3 or 3.5, up to a day"),
        ("at -1 crash n1", "4: '-1' is not a time in seconds, such as 3 or 3.5, up to a day"),
        ("at +1s crash n1", "4: '+1s' is not a time in seconds, such as 3 or 3.5, up to a day"),
        ("at 25h crash n1", "4: '25h' is not a time in seconds, such as 3 or 3.5, up to a day"),
        (f"at {'9' * 400} crash n1", f"4: '{'9' * 400}' is not a time in seconds, such as 3 or 3.5, up to a day"),
        ("at 3 pause ledaer", "12: 'ledaer' is not a node (n1, n2 …) or a role (leader, followers, rest …) (did you mean 'leader'?)"),
        ("at 3.0   kill n1", "10: there is no verb 'kill' (did you mean 'crash'?)"),
        ("at 3 loss n1", "13: the line ends where a share such as 20% is expected"),
        ("at 3 crash n1 #1 of two", "15: '#1' is too much: 'crash' has all it takes, but for 'for 3s'"),
        ("at 3 rumour \x07", "13: '\\x07' is no printable character"),
    ],
    ids=lambda text: text[:16].encode("unicode_escape").decode(),
)
def test_a_bad_line_is_named_by_file_line_column_and_reason(line: str, reason: str) -> None:
    assert _refused(f"# a drill\nat 1 undo\n{line}\nat 9 heal\n") == [f"drill.txt:3:{reason}"]


def test_every_bad_line_is_told_and_nothing_runs() -> None:
    told = _refused("at 1 undoo\nat 2 crash n1\nat x heal\n")
    assert [line.split(": ")[0] for line in told] == ["drill.txt:1:6", "drill.txt:3:4"]


def test_a_form_feed_is_no_line() -> None:
    """The number must be the one that an editor shows."""
    assert [line.split(": ")[0] for line in _refused("# one\x0cstill one\nat 1 undoo\n")] == ["drill.txt:2:6"]


def test_bad_lines_beyond_fifty_are_counted() -> None:
    told = _refused("nonsense\n" * 60)
    assert len(told) == 51
    assert told[-1] == "… and 10 more bad lines"


def test_a_script_has_a_bounded_number_of_lines() -> None:
    assert _refused("\n" * (SCRIPT_LINES_MAX + 5), "big") == [f"big: {SCRIPT_LINES_MAX + 5} lines are more than the limit of 10000"]


@given(st.text(max_size=200))
def test_any_text_is_a_script_or_refused_with_a_place_in_every_line(text: str) -> None:
    try:
        steps, told = parse_script(f"at 1 {text}", "f"), []
    except UsageError as refused:
        steps, told = [], str(refused).splitlines()
    assert all(line.startswith("f:") for line in told)
    assert steps == sorted(steps, key=lambda step: step[0])


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("at 1 pause n9 2s", "s.txt:1:1: there is no n9 here"),
        ("at 1 cut n1,n7 | rest", "s.txt:1:1: there is no n7 here"),
        ("at 1 crash followers.9", "s.txt:1:1: there is no followers.9"),
    ],
)
def test_a_node_that_the_lab_does_not_have_is_a_fault_of_the_script(line: str, reason: str) -> None:
    with pytest.raises(UsageError, match=reason.replace(".", r"\.")):
        parse_script(line, "s.txt", ("n1", "n2", "n3"))
    assert len(parse_script(line, "s.txt")) == 1, "for whom the lab is not known, any node may be"


def test_what_a_script_adds_it_may_name() -> None:
    assert len(parse_script("at 1 crash n4\nat 2 add n4\nat 3 replace n1 n5\nat 4 pause n5 1s", "s.txt", ("n1", "n2", "n3"))) == 4


def test_roles_that_mean_nothing_yet_are_no_fault() -> None:
    assert len(parse_script("at 1 crash leader\nat 2 restart all\nat 3 cut minority | rest", "s.txt", ("n1", "n2", "n3"))) == 3
