"""Lines are told once, whole, and in their order, however the file grows."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given
from hypothesis import strategies as st

from scenarios.feed import LINES_MAX
from scenarios.lines import encode
from scenarios.tailing import CHUNK_BYTES, Tail


def ledger(root: Path) -> Path:
    (root / "ledger").mkdir()
    return root / "ledger" / "payd.jsonl"


@given(st.lists(st.integers(0, 40), max_size=30), st.integers(1, 30))
def test_however_a_file_is_cut_each_line_is_told_once(cuts: list[int], count: int) -> None:
    content = b"".join(encode({"seq": i}) for i in range(count))
    with TemporaryDirectory() as folder:
        root = Path(folder)
        path = ledger(root)
        path.touch()
        tail, told, at = Tail(root), list[int](), 0
        for size in [*cuts, len(content)]:
            with path.open("ab") as file:
                file.write(content[at : at + size])
            at += size
            for news in tail.news():
                assert news.first == len(told) + 1
                told += [line["seq"] for line in news.lines]
        assert told == list(range(count))
        assert tail.behind() == 0


def test_what_is_too_much_for_once_waits_in_the_file(tmp_path: Path) -> None:
    ledger(tmp_path).write_bytes(b"".join(encode({"seq": i}) for i in range(LINES_MAX + 1)))
    tail = Tail(tmp_path)
    assert [len(news.lines) for news in tail.news()] == [LINES_MAX]
    assert tail.behind() == len(encode({"seq": LINES_MAX}))
    assert [news.first for news in tail.news()] == [LINES_MAX + 1]
    assert tail.news() == []


def test_large_lines_come_one_chunk_at_a_time(tmp_path: Path) -> None:
    line = encode({"text": "x" * (CHUNK_BYTES // 5)})
    ledger(tmp_path).write_bytes(line * 9)
    tail = Tail(tmp_path)
    sizes = []
    while news := tail.news():
        sizes.append(len(news[0].lines))
    assert sizes == [4, 4, 1]


def test_a_line_that_is_none_is_passed_over_and_counted(tmp_path: Path) -> None:
    ledger(tmp_path).write_bytes(b"no json\n" + encode({"seq": 1}))
    (news,) = Tail(tmp_path).news()
    assert news.lines == ({}, {"seq": 1})
