"""A wrong fault or link is told in one line that begins with its key; what is right is left alone."""

from __future__ import annotations

from pathlib import Path

import pytest

import scenarios
from cluster.core.errors import UsageError
from scenarios.model import read_card

FILE = Path(scenarios.__file__).parent / "election" / "stale_lock_holder" / "incident.toml"
BEFORE, _, _REST = FILE.read_text(encoding="utf-8").partition("[[fault]]")
AFTER = _REST[_REST.index("[verdict]") :]
LINKS = """
[[link]]
src = "w1"
dst = "payd"

[[link]]
src = "w1"
dst = "redis"
"""


AT_LINE = 'target = "w1"\non = "failpoint:a@w1"\nms = 1\n'


def read(text: str) -> None:
    read_card(f"{BEFORE}{LINKS}{text}\n{AFTER}", "f")


@pytest.mark.parametrize(
    "fault",
    [
        'do = "pause"\ntarget = "w1"\non = "failpoint:pay.before_charge@w1"\nms = "ttl_ms * 2.5"\nnth = 10\nhold = true',
        'do = "pause"\ntarget = "redis"\nat_ms = 3000\nms = 500',
        'do = "kill"\ntarget = "redlock3"\non = "trace:lock.acquired@w1"\nafter_ms = "ttl_ms"',
        'do = "term"\ntarget = "w2"\nat_ms = 0\nms = 10',
        'do = "restart"\ntarget = "w2"\nat_ms = 100',
        'do = "delay"\ntarget = "payd"\non = "failpoint:payd.in_flight@payd"\nms = 900\nwhere = { order = ["o-1"] }',
        'do = "cut"\ntarget = "w1 w2 | payd fraud"\nat_ms = 3000',
        'do = "cut"\ntarget = "redis > w1"\nat_ms = 3000\nms = 500',
        'do = "slow"\ntarget = "w1>redis"\nat_ms = 3000\ndelay_ms = 80\njitter_ms = 20',
        'do = "loss"\ntarget = "w1>payd"\nat_ms = 3000\npercent = 20',
        'do = "reset"\ntarget = "w1 | redis"\nat_ms = 3000',
        'do = "drop_response"\ntarget = "w1>payd"\nat_ms = 0\nwhere = { order = ["o-1", "o-2"] }\nhits = 2\nmethod = "charge"',
        'do = "hold_response"\ntarget = "w1>payd"\nat_ms = 0\nwhere = { order = ["o-1"] }\nms = 1500',
        'do = "kill"\ntarget = "w2"\nat_ms = 100\nwhen = "watchdog=on"',
    ],
)
def test_what_is_right_is_read(fault: str) -> None:
    read(f"[[fault]]\n{fault}\n")


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ('do = "kill"\ntarget = "w1"', ": expected either `on` or `at_ms`"),
        ('do = "kill"\ntarget = "w1"\nat_ms = 1\non = "trace:a@w1"', ": expected either `on` or `at_ms`"),
        ('do = "kill"\ntarget = "w1"\nat_ms = "soon"', ".at_ms: expected a number, a toggle named _ms, or"),
        ('do = "kill"\ntarget = "w1"\nat_ms = -1', ".at_ms: expected a number"),
        ('do = "kill"\ntarget = "w9"\nat_ms = 1', ".target: there is no process 'w9'"),
        ('do = "kill"\ntarget = "w1.leader"\nat_ms = 1', ".target: there is no process 'w1.leader'"),
        ('do = "pause"\ntarget = "w1"\nat_ms = 1', ".ms: pause needs it: expected a number"),
        ('do = "restart"\ntarget = "w1"\nat_ms = 1\nms = 5', ".ms: restart has no use for it"),
        ('do = "delay"\ntarget = "w1"\nat_ms = 1\nms = 5', ".on: only a failpoint can delay"),
        ('do = "kill"\ntarget = "w1"\nat_ms = 1\nhold = true', ".hold: only a failpoint can hold"),
        ('do = "kill"\ntarget = "w1"\non = "failpoint:a@w1"\nnth = 2\nhold = 2', ".hold: expected true, or fewer than the 2 of nth"),
        ('do = "kill"\ntarget = "w1"\non = "failpoint:a@w1"\nafter_ms = 5', ".after_ms: at a failpoint there is no later"),
        ('do = "kill"\ntarget = "w1"\non = "trace:a@w1"\nwhere = { a = ["b"] }', ".where: only a failpoint, or a call, carries fields"),
        ('do = "cut"\ntarget = "w1 | redis"\non = "failpoint:a@w1"', ".on: no process does cut to itself"),
        ('do = "cut"\ntarget = "w1 redis"\nat_ms = 1', ".target: expected links, 'A B | C D' or 'A > B', not 'w1 redis'"),
        ('do = "cut"\ntarget = "w1 > redis > w2"\nat_ms = 1', ".target: expected links"),
        ('do = "cut"\ntarget = "w1 | w1"\nat_ms = 1', ".target: expected links"),
        ('do = "cut"\ntarget = "w1 | radis"\nat_ms = 1', ".target: there is no process 'radis' (did you mean 'redis'?)"),
        ('do = "cut"\ntarget = "w1 | w2"\nat_ms = 1', ".target: nothing that can be broken runs there"),
        ('do = "cut"\ntarget = "w1 | redis"\nat_ms = 1\ndelay_ms = 5', ".delay_ms: cut has no use for it"),
        ('do = "slow"\ntarget = "w1 | redis"\nat_ms = 1', ".delay_ms: slow needs it"),
        ('do = "loss"\ntarget = "w1 | payd"\nat_ms = 1', ".percent: loss needs it"),
        ('do = "loss"\ntarget = "w1 | payd"\nat_ms = 1\npercent = 101', ".percent: expected 0 to 100"),
        ('do = "loss"\ntarget = "w1 | redis"\nat_ms = 1\npercent = 1', ".target: a stream of bytes loses nothing"),
        ('do = "drop_response"\ntarget = "w1 > payd"\nat_ms = 0', ".where: drop_response needs it: expected { FIELD = [VALUES] }"),
        ('do = "drop_response"\ntarget = "w1 > payd"\nat_ms = 0\nwhere = { a = [] }', ".where: expected one field with at least one value"),
        ('do = "drop_response"\ntarget = "w1 > payd"\nat_ms = 0\nwhere = { a = ["b"] }\nhits = 0', ".hits: expected 1 or more"),
        ('do = "drop_response"\ntarget = "w1 | payd"\nat_ms = 0\nwhere = { a = ["b"] }', ".target: drop_response wants a [[link]]"),
        ('do = "drop_response"\ntarget = "w1 > redis"\nat_ms = 0\nwhere = { a = ["b"] }', ".target: drop_response wants a [[link]]"),
        ('do = "hold_response"\ntarget = "w1 > payd"\nat_ms = 0\nwhere = { a = ["b"] }', ".ms: hold_response needs it"),
        ('do = "kill"\ntarget = "w1"\nat_ms = 1\nwhen = "watchdog=yes"', ".when: 'watchdog=yes' is not TOGGLE=VALUE of this file"),
        ('do = "kill"\ntarget = "w1"\nat_ms = 1\nwhen = "fencing=on"', ".when: 'fencing' differs between the variants"),
        (f'{AT_LINE}do = "pause"\nwhere = {{ a = ["b", "c"] }}', ".where: expected one value: pause happens once"),
        (f'{AT_LINE}do = "delay"\nwhere = {{ a = ["b"] }}\nnth = 2', ".nth: the values of `where` say which"),
    ],
)
def test_a_wrong_fault_names_its_key_and_what_was_expected(fault: str, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        read(f"[[fault]]\n{fault}\n")
    assert f"f: fault[0]{said}" in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize(
    ("link", "said"),
    [
        ('src = "w9"\ndst = "payd"', "link[2].src: there is no process 'w9'"),
        ('src = "w1"\ndst = "w1"', "link[2].dst: expected another process, a backend or a server of this file, not 'w1'"),
        ('src = "w1"\ndst = "radis"', "link[2].dst: expected another process, a backend or a server of this file, not 'radis'"),
        ('src = "w1"\ndst = "payd"', "link[2].name: 'w1 > payd' is the name of link[0] already"),
        ('src = "w2"\ndst = "payd"\ndelay_ms = "long"', "link[2].delay_ms: expected a number"),
    ],
)
def test_a_wrong_link_names_its_key_and_what_was_expected(link: str, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        read(f"[[link]]\n{link}\n")
    assert str(caught.value).startswith(f"f: {said}")


def test_no_process_takes_the_name_of_a_proxy() -> None:
    with pytest.raises(UsageError, match=r"proc\[0\]\.name: 'x1' is the name of a proxy"):
        read_card(f"{BEFORE}{LINKS}{AFTER}".replace('name = "fraud"', 'name = "x1"'), "f")
