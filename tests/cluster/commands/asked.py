"""Every command there can be, for hypothesis."""

from __future__ import annotations

from hypothesis import strategies as st

from cluster.commands import model
from cluster.commands.dialect import of_run
from cluster.commands.toggles import toggles
from cluster.commands.verbs import CUT_SHAPES, READ_MODES

ROLE_ATOMS = ("leader", "followers", "any", "minority", "majority", "rest", "all")

atoms = st.one_of(
    st.integers(1, 100).map(lambda number: f"n{number}"),
    st.sampled_from(ROLE_ATOMS),
    st.integers(0, 99).map(lambda ahead: f"leader+{ahead}"),
    st.integers(1, 99).map(lambda place: f"followers.{place}"),
)
targets = st.lists(atoms, min_size=1, max_size=5, unique=True).map(tuple)
for_us = st.one_of(st.just(0), st.integers(1, model.LEASE_MAX_US))
new_nodes = st.lists(st.integers(1, 100).map(lambda number: f"n{number}"), min_size=1, max_size=3, unique=True).map(tuple)
lengths_us = st.integers(1, model.LEASE_MAX_US)
links = st.builds(model.Links, targets, st.one_of(st.just(()), targets))
# What a person could type: no controls, no lone surrogates, no white space within a word.
letters = st.characters(exclude_categories=("Cc", "Cs", "Zs", "Zl", "Zp"))
words = st.text(letters, min_size=1, max_size=12)
texts = st.lists(words, min_size=1, max_size=4).map(" ".join)


@st.composite
def slows(draw: st.DrawFn) -> model.Slow:
    delay_us = draw(lengths_us)
    return model.Slow(links=draw(links), delay_us=delay_us, jitter_us=draw(st.integers(0, delay_us)), for_us=draw(for_us))


@st.composite
def toggle_settings(draw: st.DrawFn) -> model.SetToggle:
    field = draw(st.sampled_from(sorted(toggles())))
    value = draw(st.sampled_from(["on", "off", "150ms", "2s", "1", "3", "600", "8.5", "akka", "timeout"]))
    return model.SetToggle(field, value)


processes = st.sampled_from(["w1", "w2", "payd"])
RUN = of_run(("w1", "w2", "payd"), {}, ("pay.before@w1",))
COMMANDS: dict[type, st.SearchStrategy[model.Command]] = {
    model.Cut: st.one_of(
        st.builds(model.Cut, sides=st.lists(targets, min_size=2, max_size=16).map(tuple), for_us=for_us),
        st.builds(model.Cut, sides=st.tuples(targets, targets), one_way=st.just(True), for_us=for_us),
    ),
    model.CutShape: st.builds(model.CutShape, shape=st.sampled_from(CUT_SHAPES), for_us=for_us),
    model.Isolate: st.builds(model.Isolate, targets=targets, for_us=for_us),
    model.Pause: st.builds(model.Pause, targets=targets, for_us=for_us),
    model.Crash: st.builds(model.Crash, targets=targets, for_us=for_us),
    model.Restart: st.builds(model.Restart, targets),
    model.Wipe: st.builds(model.Wipe, targets),
    model.Slow: slows(),
    model.Spoil: st.builds(
        model.Spoil, verb=st.sampled_from(["loss", "dup", "reorder"]), links=links,
        chance=st.floats(0, 1, exclude_min=True), for_us=for_us,
    ),
    model.Throttle: st.builds(model.Throttle, links=links, bytes_per_s=st.integers(1, 10_000_000_000), for_us=for_us),
    model.Skew: st.builds(
        model.Skew, targets=targets, skew_us=st.integers(-3_600_000_000, 3_600_000_000).filter(bool), for_us=for_us
    ),
    model.Drift: st.builds(model.Drift, targets=targets, factor=st.floats(0.1, 10), for_us=for_us),
    model.Disk: st.one_of(
        st.builds(model.Disk, targets=targets, mode=st.just("slow"), delay_us=lengths_us, for_us=for_us),
        st.builds(model.Disk, targets=targets, mode=st.sampled_from(["hang", "fail"]), for_us=for_us),
    ),
    model.Heal: st.builds(
        model.Heal, st.lists(st.integers(0, 999_999_999), max_size=4, unique=True).map(tuple), st.one_of(st.just(()), targets)
    ),
    model.Undo: st.just(model.Undo()),
    model.Freeze: st.just(model.Freeze()),
    model.Thaw: st.just(model.Thaw()),
    model.Reset: st.just(model.Reset()),
    model.Transfer: st.builds(model.Transfer, targets),
    model.Add: st.builds(model.Add, new_nodes, st.booleans()),
    model.Remove: st.builds(model.Remove, targets),
    model.Replace: st.builds(model.Replace, targets, new_nodes.map(lambda nodes: nodes[0])),
    model.Put: st.builds(model.Put, words, texts),
    model.Get: st.builds(model.Get, words, st.sampled_from(READ_MODES)),
    model.Workload: st.builds(model.Workload, st.one_of(st.none(), st.integers(0, 100_000))),
    model.Rumour: st.builds(model.Rumour, st.one_of(st.just(""), texts)),
    model.SetToggle: toggle_settings(),
    model.DropResponse: st.builds(model.DropResponse, processes, processes, st.integers(1, 1_000)),
    model.HoldResponse: st.builds(
        model.HoldResponse, processes, processes, lengths_us, st.integers(1, 1_000), st.just("order"),
        st.lists(st.sampled_from(["o-1", "o-2", "7"]), min_size=1, max_size=3).map(tuple),
    ),
    model.Arm: st.one_of(
        st.builds(model.Arm, st.just("pay.before"), st.just("w1"), st.sampled_from(["pause", "delay"]), lengths_us),
        st.builds(model.Arm, st.just("pay.before"), st.just("w1"), st.sampled_from(["crash", "term"]), st.just(0) | lengths_us),
    ),
}  # fmt: skip
