"""The language of `tests/transcripts/*.txt`: one command a line, `#` comments, real machines behind it.

Links are written `n1>n2`. Election timers fire after 150 ms at n1, 165 at n2, 180 at n3 … unless `luck` says otherwise.

  cluster N [of M] [field=value …]   N voters (and M - N nodes without a vote); fields of RaftPolicy (true, false, or 50ms)
  luck n1 0.5                    n1 draws this fraction of the election window from now on
  tick n1 [150ms]                time passes, and n1 alone looks at its clock
  run 1s                         all nodes live for a while; messages arrive at once
  deliver [n1>n2 [COUNT]]        messages arrive, with all that follows; or only that link's, or so many of them
  drop n1>n2 · dup n1>n2 · reverse n1>n2     do that to what is under way on the link
  cut n1>n2 … · isolate n1 · heal            links lose everything from now on · healed
  propose n1 a b c               commands; the answer is checked with `=> accepted 2` or `=> refused TEXT`
  read n1 1 [lease] · read? n1 1 ready 3 | refused | waiting
  change n1 +n4 -n2 ~n5 [=> accepted 3]      asked of n1: n4 to vote, n2 to leave, n5 to learn
  group n1 n1 n2 n3, leaving …   the configuration that is in force at n1
  transfer n1 n2 · freeze n1 500ms · crash n1 · wipe n1 · restart n1
  hold n1 · persist n1 [COUNT] · release n1  writes wait · finish · finish at once again
  expect n1 leader term 2 vote n1 leader? n1 commit 3 last 4      any subset, in any order
  log n1 1 1 2 · log n1 4: 2 2   the terms of all entries (from index 4 on: what lies before is in the snapshot)
  applied n1 a b                 the commands applied since the start, in order
  state n1 a b                   what the state machine holds: all commands, those in a snapshot included
  disk n1 term 2 vote n3 [snapshot 3] log 1 1
  compact n1                     n1 makes a snapshot of what it has applied
  said n1 TEXT · unsaid n1 TEXT  n1 reported (did not report) an event with this text since the last `said`
  under-way n1>n2 [Kind …]       what is in flight on the link
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import msgspec

from cluster.core.policy import RaftPolicy
from cluster.core.raft.messages import Entry, EntryKind
from cluster.core.raft.ready import AskRead, Change, Froze, Propose, RaftInput, ReadReady, Transfer
from cluster.core.types import MS, SECOND, Micros, NodeId
from tests.cluster.core.raft.world import Disk, Link, World


class Luck:
    """Dice that always fall on the same side: `fraction` of the range."""

    def __init__(self, fraction: float) -> None:
        self.fraction = fraction

    def random(self) -> float:
        return self.fraction

    def randrange(self, stop: int, /) -> int:
        return min(stop - 1, int(self.fraction * stop))

    def sample(self, population: list[NodeId], k: int) -> list[NodeId]:
        return population[:k]


class Script:
    """Runs one transcript; every failed expectation names its file and line."""

    def __init__(self) -> None:
        self.world: World | None = None
        self.luck: dict[NodeId, Luck] = {}
        self.seen: dict[NodeId, int] = {}  # events of each node already looked through

    def play(self, path: Path) -> None:
        for number, line in enumerate(path.read_text().splitlines(), 1):
            words = line.split("#")[0].split()
            if words:
                try:
                    self.command(words)
                except AssertionError as error:
                    raise AssertionError(f"{path.name}:{number}: {' '.join(words)}\n  {error}") from error

    def command(self, words: list[str]) -> None:
        verb, *rest = words
        if verb == "cluster":
            self.cluster(rest)
        else:
            COMMANDS[verb](self, rest)

    def cluster(self, words: list[str]) -> None:
        founders = count = int(words.pop(0))
        if words[:1] == ["of"]:
            count = int(words[1])
            del words[:2]
        fields = dict(word.split("=") for word in words)
        policy = msgspec.convert({name: value_of(text) for name, text in fields.items()}, RaftPolicy)
        self.luck = {f"n{number}": Luck((number - 1) / 10) for number in range(1, count + 1)}
        self.seen = {}
        self.world = World(count, policy, dict(self.luck), founders=founders)

    @property
    def w(self) -> World:
        assert self.world is not None, "the transcript must begin with `cluster`"
        return self.world

    # ---- commands --------------------------------------------------------------------------------------------

    def tick(self, words: list[str]) -> None:
        self.w.tick(words[0], time_of(words[1]) if len(words) > 1 else 0)

    def deliver(self, words: list[str]) -> None:
        if not words:
            self.w.deliver()
        elif len(words) == 1:
            self.w.deliver(link_of(words[0]))
        else:
            for _ in range(int(words[1])):
                self.w.deliver_one(link_of(words[0]))

    def isolate(self, words: list[str]) -> None:
        self.w.cut |= {link for link in self.w.links if words[0] in link}

    def propose(self, words: list[str]) -> None:
        node, rest = words[0], " ".join(words[1:])
        commands, _, wanted = rest.partition(" => ")
        ready = self.w.step(node, Propose(tuple(word.encode() for word in commands.split())))
        got = f"accepted {ready.accepted[0]}" if ready.accepted else f"refused {ready.refused}"
        assert not wanted or wanted == got, f"wanted {wanted!r}, got {got!r}"

    def change(self, words: list[str]) -> None:
        node, rest = words[0], " ".join(words[1:])
        asked, _, wanted = rest.partition(" => ")
        by_sign = {sign: tuple(word[1:] for word in asked.split() if word[0] == sign) for sign in "+-~"}
        ready = self.w.step(node, Change(by_sign["+"], by_sign["-"], by_sign["~"]))
        got = f"accepted {ready.accepted[0]}" if ready.accepted else f"refused {ready.refused}"
        assert not wanted or wanted == got, f"wanted {wanted!r}, got {got!r}"

    def group(self, words: list[str]) -> None:
        got = str(self.w.raft(words[0]).config)
        assert got == " ".join(words[1:]), f"in force at {words[0]}: {got}"

    def was_read(self, words: list[str]) -> None:
        node, context, *wanted = words
        outcome = self.w.members[node].reads.get(int(context))
        if outcome is None:
            got = "waiting"
        else:
            got = f"ready {outcome.index}" if isinstance(outcome, ReadReady) else "refused"
        assert got == " ".join(wanted), f"read {context} is {got}"

    def hold(self, words: list[str], auto: bool = False) -> None:
        disk = self.w.members[words[0]].disk
        disk.auto = auto
        if auto:
            self.w.persist(words[0], len(disk.waiting))

    def expect(self, words: list[str]) -> None:
        node, raft = words[0], self.w.raft(words[0])
        facts = {
            "term": raft.term,
            "vote": raft.vote or "none",
            "leader?": raft.leader or "none",
            "commit": raft.commit,
            "last": raft.last_index,
            "durable": raft.durable_index,
        }
        rest = words[1:]
        if rest and rest[0] not in facts:
            assert raft.role == rest[0], f"{node} is a {raft.role}"
            rest = rest[1:]
        for name, wanted in zip(rest[::2], rest[1::2], strict=True):
            assert str(facts[name]) == wanted, f"{node}: {name} is {facts[name]}"

    def log(self, words: list[str]) -> None:
        raft = self.w.raft(words[0])
        first = raft.log.first_index
        terms = [f"{first}:"] if first > 1 else []
        terms += terms_of(raft.log.slice(first, raft.last_index))
        assert terms == words[1:], f"{words[0]} holds {' '.join(terms)}"

    def applied(self, words: list[str]) -> None:
        entries = [entry for _, entry in self.w.members[words[0]].applied if entry.kind == EntryKind.COMMAND]
        got = [entry.data.decode() for entry in entries]
        assert got == words[1:], f"{words[0]} applied {' '.join(got) or 'nothing'}"

    def state(self, words: list[str]) -> None:
        got = self.w.members[words[0]].state.decode().split()
        assert got == words[1:], f"{words[0]} holds {' '.join(got) or 'nothing'}"

    def disk(self, words: list[str]) -> None:
        disk = self.w.members[words[0]].disk
        snapshot = ["snapshot", str(disk.snapshot.index)] if disk.snapshot else []
        got = ["term", str(disk.hard.term), "vote", disk.hard.vote or "none", *snapshot, "log", *terms_of(disk.entries)]
        assert got == words[1:], " ".join(got)

    def said(self, words: list[str], wanted: bool = True) -> None:
        node, text = words[0], " ".join(words[1:])
        events = self.w.members[node].events[self.seen.get(node, 0) :]
        spoken = [" ".join(str(part) for part in (type(e).__name__, *msgspec.structs.astuple(e))) for e in events]
        found = any(text in line for line in spoken)
        assert found is wanted, f"{node} said:\n    " + "\n    ".join(spoken or ["nothing"])
        self.seen[node] = len(self.w.members[node].events)

    def under_way(self, words: list[str]) -> None:
        got = [type(message).__name__ for message in self.w.links[link_of(words[0])]]
        assert got == words[1:], f"under way: {' '.join(got) or 'nothing'}"


def terms_of(entries: list[Entry]) -> list[str]:
    return [str(entry.term) for entry in entries]


def link_of(word: str) -> Link:
    source, target = word.split(">")
    return source, target


def time_of(word: str) -> Micros:
    number, unit = re.fullmatch(r"(\d+)(ms|s)", word).groups()  # type: ignore[union-attr]
    return int(number) * (MS if unit == "ms" else SECOND)


def value_of(text: str) -> bool | Micros:
    if text in ("true", "false"):
        return text == "true"
    return int(text) if text.isdigit() else time_of(text)


def _queue(change: Callable[[World, Link], None]) -> Callable[[Script, list[str]], None]:
    def run(script: Script, words: list[str]) -> None:
        for word in words:
            change(script.w, link_of(word))

    return run


def _step(script: Script, node: NodeId, input: RaftInput) -> None:
    script.w.step(node, input)


COMMANDS: dict[str, Callable[[Script, list[str]], None]] = {
    "luck": lambda s, w: setattr(s.luck[w[0]], "fraction", float(w[1])),
    "tick": Script.tick,
    "run": lambda s, w: s.w.run(time_of(w[0])),
    "deliver": Script.deliver,
    "drop": _queue(lambda world, link: world.links[link].clear()),
    "dup": _queue(lambda world, link: world.links[link].extend(list(world.links[link]))),
    "reverse": _queue(lambda world, link: world.links[link].reverse()),
    "cut": _queue(lambda world, link: world.cut.add(link)),
    "isolate": Script.isolate,
    "heal": lambda s, w: s.w.cut.clear(),
    "propose": Script.propose,
    "change": Script.change,
    "group": Script.group,
    "read": lambda s, w: _step(s, w[0], AskRead(int(w[1]), w[2:] == ["lease"])),
    "read?": Script.was_read,
    "transfer": lambda s, w: _step(s, w[0], Transfer(w[1])),
    "freeze": lambda s, w: freeze(s.w, w[0], time_of(w[1])),
    "crash": lambda s, w: s.w.crash(w[0]),
    "restart": lambda s, w: s.w.start(w[0]),
    "wipe": lambda s, w: setattr(s.w.members[w[0]], "disk", Disk()),
    "hold": Script.hold,
    "release": lambda s, w: s.hold(w, auto=True),
    "persist": lambda s, w: s.w.persist(w[0], int(w[1]) if len(w) > 1 else 1),
    "expect": Script.expect,
    "log": Script.log,
    "applied": Script.applied,
    "state": Script.state,
    "compact": lambda s, w: s.w.compact(w[0]) and None,
    "disk": Script.disk,
    "said": Script.said,
    "unsaid": lambda s, w: s.said(w, wanted=False),
    "under-way": Script.under_way,
}


def freeze(world: World, node: NodeId, gap_us: Micros) -> None:
    """The node stood still while `gap_us` passed, and notices."""
    world.now += gap_us
    world.step(node, Froze(gap_us))
