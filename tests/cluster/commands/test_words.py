"""Words keep their columns, so that an error can point at them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cluster.commands.words import WORDS_MAX, LineEnds, Word, did_you_mean, missing, split, wrong
from cluster.core.errors import UsageError


def test_signs_stand_alone_unless_they_are_letters() -> None:
    assert split("a|b > c") == [Word("a", 1), Word("|", 2), Word("b", 3), Word(">", 5), Word("c", 7)]
    assert split("a|b > c", signs=False) == [Word("a|b", 1), Word(">", 5), Word("c", 7)]


@given(st.text(max_size=50), st.booleans())
def test_a_word_stands_where_its_column_says(text: str, signs: bool) -> None:
    try:
        words = split(text, signs=signs)
    except UsageError:
        assert not text.replace("\t", "").isprintable()
        return
    assert all(text[word.column - 1 :].startswith(word.text) for word in words)
    assert "".join(word.text for word in words) == "".join(text.split())


def test_a_tab_is_white_space_and_other_controls_are_refused() -> None:
    assert [word.text for word in split("a\tb")] == ["a", "b"]
    for control in "\x00\n\r\x0b\x0c\x1b\x7f\x85\u2028\ud800":
        with pytest.raises(UsageError, match=r"column 2: .* is no printable character"):
            split(f"a{control}b")


def test_words_are_bounded() -> None:
    assert len(split("a " * WORDS_MAX)) == WORDS_MAX
    with pytest.raises(UsageError, match="a line of 401 words"):
        split("a " * (WORDS_MAX + 1))


def test_errors_name_the_column_and_what_was_expected() -> None:
    assert str(wrong(Word("ringg", 5), "a shape", ("ring",))) == "column 5: 'ringg' is not a shape (did you mean 'ring'?)"
    assert str(missing("cut n1  ", "'|'")) == "column 7: the line ends where '|' is expected"
    assert isinstance(missing("", ""), LineEnds)


def test_a_guess_is_made_only_when_it_is_close() -> None:
    assert did_you_mean("LEADR", ("leader", "rest")) == " (did you mean 'leader'?)"
    assert did_you_mean("xyz", ("leader", "rest")) == ""
