"""The reader of EDN: what it must read, what it must refuse, and that nothing else can happen."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cluster.check.formats.edn import DEPTH_MAX, Bag, EdnError, Keyword, Symbol, Tagged, form, forms, written

READ = {
    "nil": None,
    "true": True,
    "-12": -12,
    "+7": 7,
    "12N": 12,
    "123456789012345678901234567890": 123456789012345678901234567890,
    "1.50": 1.5,
    "2.5e3": 2500.0,
    "1.50M": Symbol("1.50M"),
    '"a \\"b\\" \\\\ \\n \\u00e9"': 'a "b" \\ \n é',
    '"\\ud83d\\ude00"': "😀",
    '"over\ntwo lines"': "over\ntwo lines",
    ":invoke": Keyword("invoke"),
    ":jepsen/op": Keyword("jepsen/op"),
    "symbol-1?": Symbol("symbol-1?"),
    "1/2": Symbol("1/2"),
    "\\a": Symbol("\\a"),
    "\\newline": Symbol("\\newline"),
    "\\(": Symbol("\\("),
    "[]": (),
    "[1 2]": (1, 2),
    "(1,2)": (1, 2),
    "#{2 1}": Bag(("1", "2")),
    "{:f :read, :value nil}": {":f": Keyword("read"), ":value": None},
    "{[1 2] 3}": {"[1 2]": 3},
    '#inst "2020"': Tagged("inst", "2020"),
    "#jepsen.history.Op{:index 0}": Tagged("jepsen.history.Op", {":index": 0}),
    "#a #b 1": Tagged("a", Tagged("b", 1)),
    "[1 #_ 2 3]": (1, 3),
    "[1 #_ #_ 2 3 4]": (1, 4),
    "[1 #_ #tag {:a 2} 3]": (1, 3),
    "; a comment\n[1 ; and\n 2]": (1, 2),
}
REFUSED = {
    '"\\ud83d"': "line 1: half of a surrogate pair in a string",
    "1e400": "line 1: 1e400 is too large for a number",
    "[1 2": "line 1: [ is never closed",
    "\n\n{:a 1": "line 3: { is never closed",
    "[1\n2}": "line 2: } where ] is expected",
    ")": "line 1: )",
    "[1 #_]": "line 1: ] where a value after #_ is expected",
    "[#tag]": "line 1: ] where a value after #tag is expected",
    "#tag": "line 1: #tag is never closed",
    "{:a}": "line 1: a map with a key that has no value",
    "{:a 1 :a 2}": "line 1: a map with one key twice",
    '"no end': "line 1: a string that does not end, or a stray character",
    '"a\\qb"': "line 1: unknown escape \\q in a string",
    "9" * 2_000: "line 1: a number of more than 1000 digits",
    "[" * (DEPTH_MAX + 1): f"line 1: nested deeper than {DEPTH_MAX}",
    "#_" * (DEPTH_MAX + 1): f"line 1: nested deeper than {DEPTH_MAX}",
    "1 2": "line 1: 2 values where one is expected",
    "": "line 1: 0 values where one is expected",
}


@pytest.mark.parametrize("text", READ)
def test_read(text: str) -> None:
    value = form(text)
    assert value == READ[text]
    assert type(value) is type(READ[text])
    assert form(written(value)) == value


@pytest.mark.parametrize("text", REFUSED, ids=range(len(REFUSED)))
def test_refused_with_line_and_reason(text: str) -> None:
    with pytest.raises(EdnError) as refused:
        form(text)
    assert str(refused.value) == REFUSED[text]


def test_every_value_comes_with_its_line() -> None:
    text = '1 ; one\n{:a\n "x\ny"}\n\n [2]'
    assert [(written(value), line) for value, line in forms(text)] == [("1", 1), ('{:a "x\\ny"}', 2), ("[2]", 6)]


def test_values_of_different_types_are_written_differently() -> None:
    alike = [1, 1.0, True, "1", Keyword("1"), (1,), Bag(("1",)), Tagged("a", 1), Symbol("\\1"), None, "nil", {"1": 1}]
    assert len({written(value) for value in alike}) == len(alike)


_ATOMS = (
    st.none()
    | st.booleans()
    | st.integers(-(10**20), 10**20)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"]))
    | st.sampled_from("abc").map(Keyword)
)


def _nested(children: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return (
        st.lists(children, max_size=3).map(tuple)
        | st.dictionaries(_ATOMS.map(written), children, max_size=3)
        | st.builds(Tagged, st.sampled_from(["inst", "a/b"]), children)
    )


@settings(max_examples=300, deadline=None)
@given(st.recursive(_ATOMS, _nested, max_leaves=12))
def test_what_is_written_is_read_back(value: Any) -> None:
    again = form(written(value))
    assert again == value
    assert written(again) == written(value)


_PIECES = [*"[]{}()\"\\:;#\n 1-aé,\x00'", "#{", "#_", "#a ", "nil", "##NaN", "\\u", "e9"]


@settings(max_examples=1_500, deadline=None)
@given(st.lists(st.sampled_from(_PIECES), max_size=40).map("".join) | st.text(max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    values: list[tuple[Any, int]] = []
    try:
        values = list(forms(text))
    except EdnError as error:
        refused = error
    else:
        refused = None
    assert refused is None or 1 <= refused.line <= text.count("\n") + 1
    for value, line in values:
        assert form(written(value)) == value or "nan" in written(value).lower()
        assert 1 <= line <= text.count("\n") + 1


def test_a_long_text_of_brackets_or_quotes_is_refused_in_one_pass() -> None:
    for text in ("[" * 200_000, '"' + "\\\\" * 200_000, " " * 200_000 + ")", ", " * 200_000 + '"', ";" * 200_000 + "\n)"):
        with pytest.raises(EdnError):
            list(forms(text))
