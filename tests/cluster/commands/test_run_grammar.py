"""The verbs that only a run has: what they read, what they refuse in one line, and what they say will come of them."""

from __future__ import annotations

import pytest

from cluster.commands import parse
from cluster.commands.canonical import canonical
from cluster.commands.dialect import of_run
from cluster.commands.model import Arm, DropResponse, HoldResponse, RunCommand
from cluster.commands.run_grammar import RUN_VERBS, foretold
from cluster.commands.verbs import Verb
from cluster.core.errors import UsageError

RUN = of_run(("checkout", "payd", "w1"), {}, ("pay.before_charge@w1", "txn.all_votes_yes@c1"))


@pytest.mark.parametrize(
    ("text", "command", "said"),
    [
        (
            "drop-response checkout > payd",
            DropResponse("checkout", "payd"),
            "payd does what checkout asks, and checkout never hears of it: the next call.",
        ),
        (
            "drop-response checkout>payd 3 payment=p-01,p-02",
            DropResponse("checkout", "payd", 3, "payment", ("p-01", "p-02")),
            "payd does what checkout asks, and checkout never hears of it: the next 3 calls each with payment=p-01,p-02.",
        ),
        (
            "hold-response checkout > payd 800ms 2",
            HoldResponse("checkout", "payd", 800_000, 2),
            "payd does what checkout asks, and checkout hears of it 800ms late: the next 2 calls.",
        ),
        (
            "arm pay.before_charge@w1 pause 2s",
            Arm("pay.before_charge", "w1", "pause", 2_000_000),
            "When w1 next comes to pay.before_charge, it stops itself on that very line (SIGSTOP) for 2s.",
        ),
        (
            "arm txn.all_votes_yes@c1 crash",
            Arm("txn.all_votes_yes", "c1", "crash"),
            "When c1 next comes to txn.all_votes_yes, it kills itself on that very line (SIGKILL), and stays down.",
        ),
        (
            "arm txn.all_votes_yes@c1 term 8s",
            Arm("txn.all_votes_yes", "c1", "term", 8_000_000),
            "When c1 next comes to txn.all_votes_yes, it is asked to leave on that very line (SIGTERM), and is started again after 8s.",
        ),
        (
            "arm pay.before_charge@w1 delay 80ms",
            Arm("pay.before_charge", "w1", "delay", 80_000),
            "When w1 next comes to pay.before_charge, it is held up there for 80ms; its other tasks go on.",
        ),
    ],
)
def test_what_is_read_and_what_will_come_of_it(text: str, command: RunCommand, said: str) -> None:
    assert parse(text, RUN) == command
    assert parse(canonical(command), RUN) == command
    assert foretold(command) == said


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("drop-response", "column 14: the line ends where a process is expected"),
        ("drop-response checkout", "column 23: the line ends where '>' and the process that is called is expected"),
        ("drop-response checkout | payd", "column 24: '|' is not '>' and the process that is called"),
        ("drop-response checkout,w1 > payd", "column 15: 'checkout,w1' is not a process: one that calls, and one that is called"),
        ("drop-response checkout > paid", "(did you mean 'payd'?)"),
        ("drop-response checkout > payd 0", "column 31: '0' is not a number of calls, 1 to 1000"),
        ("drop-response checkout > payd 1001", "column 31: '1001' is not a number of calls, 1 to 1000"),
        ("drop-response checkout > payd soon", "column 31: 'soon' is not a number of calls, or FIELD=VALUE such as payment=p-01"),
        ("drop-response checkout > payd payment=,", "column 31: 'payment=,' is not a number of calls, or FIELD=VALUE"),
        ("drop-response checkout > payd 2 a=b c", "column 37: 'c' is too much: 'drop-response' has all it takes"),
        ("hold-response checkout > payd", "column 30: the line ends where how much later, such as 800ms is expected"),
        ("hold-response checkout > payd -1s", "column 31: '-1s' is not how much later, such as 800ms"),
        ("hold-response checkout > payd 2h", "column 31: '2h' is not how much later, such as 800ms"),
        ("arm", "column 4: the line ends where a failpoint of the card is expected"),
        ("arm pay.before@w1 pause 2s", "(did you mean 'pay.before_charge@w1'?)"),
        ("arm pay.before_charge@w1", "column 25: the line ends where pause or crash or term or delay is expected"),
        ("arm pay.before_charge@w1 kill", "column 26: 'kill' is not pause, crash, term, delay"),
        ("arm pay.before_charge@w1 pause", "column 31: the line ends where a duration such as 2s is expected"),
        ("arm pay.before_charge@w1 crash soon", "column 32: 'soon' is not a duration such as 2s"),
        ("arm pay.before_charge@w1 crash 2s 3s", "column 35: '3s' is too much: 'arm' has all it takes"),
        ("drop-respond checkout > payd", "there is no verb 'drop-respond' (did you mean 'drop-response'?)"),
    ],
)
def test_what_is_wrong_is_one_line_with_its_column(text: str, reason: str) -> None:
    with pytest.raises(UsageError) as refused:
        parse(text, RUN)
    assert reason in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("verb", RUN_VERBS, ids=lambda verb: verb.verb)
def test_a_lab_has_none_of_them_and_says_who_has(verb: Verb) -> None:
    assert verb.help.endswith(".")
    assert parse(verb.example, RUN)
    with pytest.raises(UsageError, match=f"there is no verb '{verb.verb}' in a lab: only the runs of incidents have it"):
        parse(verb.example)


def test_a_card_without_failpoints_says_so() -> None:
    with pytest.raises(UsageError, match=r"is not a failpoint of this card \(it has none\)"):
        parse("arm a.b@w1 crash", of_run(("w1",), {}))
