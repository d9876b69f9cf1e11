"""The dashboard over a real lab: how soon it is there, what it costs, and how long a key takes to be seen.

Three parts, each on the screen that a user would see (a pseudo-terminal of the given size): the time from the command to the first
picture, the first leader and the last node; the CPU time of every process on each screen; and, for at least fifty presses of
each sort, the time from writing a key to the arrival of the bytes that show what came of it. "screen" keys change only what is
shown; "cluster" keys ask for a fault, whose effect comes back as telemetry.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import click
import msgspec

from cluster.core.errors import EnvironmentFailed, UsageError
from cluster.core.types import NODES_MAX, SECOND, Micros
from tui.bench.family import ROLES, Family, percent
from tui.bench.parameters import Duration, Size
from tui.bench.pilot import EFFECT_WITHIN_S, Pilot, Start, cursor, pulse
from tui.bench.report import Report, Summary, Target, Tell, summarise, table
from tui.bench.screen import Screen
from tui.bench.terminal import Sight

PARAMETERS: list[click.Parameter] = [
    click.Option(["-n", "--nodes"], type=click.IntRange(1, NODES_MAX), default=50, show_default=True, help="Processes to start."),
    click.Option(["--voters"], type=click.IntRange(1, NODES_MAX), default=5, show_default=True, help="How many of them vote."),
    click.Option(["--size"], type=Size(), default="200x50", show_default=True, help="Columns and lines of the terminal."),
    click.Option(["--for", "for_us"], type=Duration(), default="20s", show_default=True, help="CPU is measured so long per screen."),
    click.Option(["--starts"], type=click.IntRange(1, 100), default=5, show_default=True, help="How often it is started."),
    click.Option(["--presses"], type=click.IntRange(0, 1_000), default=50, show_default=True, help="Presses of each sort."),
]

SCREENS = {"1": "live", "2": "raft", "3": "gossip", "6": "faults"}
# A heading far down on each: when it stands there, so does most of the screen.
HEADINGS = {"1": "METRICS", "2": "PROGRESS", "3": "BELIEFS", "6": "JOURNAL"}
SETTLE_S = 2.0
# Between two presses, so that they fall anywhere between two frames.
THINK_S = (0.15, 0.45)
# Targets: for five nodes or fewer, and for more.
LEADER_MS, READY_MS = 1_500.0, 3_000.0
FRONT_PERCENT_FEW, FRONT_PERCENT_MANY = 10.0, 25.0
KEY_P50_MS, KEY_P99_MS = 60.0, 150.0
FEW_NODES = 5

Latencies = dict[str, list[float | None]]


def measure(
    tell: Tell, *, nodes: int, voters: int, size: tuple[int, int], for_us: Micros, starts: int, presses: int
) -> Report:
    """Start it `starts` times; the last one stays for everything else."""
    if voters > nodes:
        raise UsageError(f"{voters} of {nodes} nodes cannot vote")
    begun: list[Start] = []
    for number in range(1, starts):
        pilot, start = _started(tell, number, nodes, voters, size)
        begun.append(start)
        pilot.leave()
    pilot, start = _started(tell, starts, nodes, voters, size)
    begun.append(start)
    try:
        family = Family(pilot.terminal.pid)
        cpu = _cpu(tell, pilot, family, for_us / SECOND)
        before = family.usage()
        keys = _keys(tell, pilot, nodes, presses)
        if keys:
            cpu["keys"] = percent(before, family.usage())
    finally:
        pilot.leave()
    return _report(nodes, voters, size, begun, cpu, keys)


def _started(tell: Tell, number: int, nodes: int, voters: int, size: tuple[int, int]) -> tuple[Pilot, Start]:
    tell(f"start {number}: {nodes} nodes, {voters} voters, {size[0]}x{size[1]}")
    pilot = Pilot(nodes, voters, *size)
    return pilot, pilot.start()


# ---- CPU ----------------------------------------------------------------------------------------------------------


def _cpu(tell: Tell, pilot: Pilot, family: Family, for_s: float) -> dict[str, dict[str, float]]:
    """Percent of a core by screen and role; and how much was written to the terminal."""
    found: dict[str, dict[str, float]] = {}
    for digit, name in (*list(SCREENS.items())[1:], ("1", "live")):
        tell(f"CPU on screen {digit} for {for_s:g} s")
        if pilot.press(digit, _on_screen(digit)) is None:
            raise EnvironmentFailed(f"screen {digit} did not come within {EFFECT_WITHIN_S:g} s")
        pilot.terminal.rest(SETTLE_S)
        before, bytes_before = family.usage(), pilot.terminal.received_bytes
        pilot.terminal.rest(for_s)
        after = family.usage()
        written = (pilot.terminal.received_bytes - bytes_before) / 1_000 / (after.at_s - before.at_s)
        found[f"{digit} {name}"] = {**percent(before, after), "kB_per_s": round(written, 1)}
    return {name: found[name] for name in sorted(found)}


def _on_screen(digit: str) -> Sight:
    heading = HEADINGS[digit]
    return lambda screen: f"{digit} {SCREENS[digit]}  " in screen.row(0) and any(heading in row for row in screen.rows)


# ---- keys ---------------------------------------------------------------------------------------------------------


def _keys(tell: Tell, pilot: Pilot, nodes: int, presses: int) -> Latencies:
    """By what was pressed, in milliseconds; None: not seen in time. The live screen is up."""
    found: Latencies = {}
    dice = random.Random(presses)
    for number in range(presses):
        if number % 10 == 0:
            tell(f"keys: round {number + 1} of {presses}")
        for name, keys, sight in _round(cursor(pilot.terminal.look()), nodes, number):
            found.setdefault(name, []).append(pilot.press(keys, sight))
            pilot.terminal.rest(dice.uniform(*THINK_S))
    return found


def _round(here: str, nodes: int, number: int) -> Iterator[tuple[str, str, Sight]]:
    """(what, keys, what should be seen), from the node under the cursor. Every fault is taken back by the press that follows it."""
    down = number // max(1, nodes - 1) % 2 == 0  # along the table and back
    if nodes > 1:
        yield "screen: cursor", "j" if down else "J", lambda now: cursor(now) not in ("", here)
    yield "screen: raft", "2", _on_screen("2")
    yield "screen: live", "1", _on_screen("1")
    yield "screen: prompt", "g", lambda now: "for how long?" in _below(now)
    yield "cluster: pause", "9", lambda now: "‖" in pulse(now)
    yield "cluster: undo pause", "u", lambda now: "‖" not in pulse(now)
    if nodes > 1:
        yield "cluster: isolate", "i", lambda now: "╳╳" in now.row(1)
        yield "cluster: undo isolate", "u", lambda now: "╳╳" not in now.row(1)
    rumour = f"round{number}."
    yield "cluster: rumour", f":rumour {rumour}\r", lambda now: any("RUMOUR" in row and rumour in row for row in now.rows)


def _below(screen: Screen) -> str:
    """The last rows, where prompts stand."""
    return " ".join(screen.rows[-5:])


# ---- what is said of it ---------------------------------------------------------------------------------------------


def _report(
    nodes: int, voters: int, size: tuple[int, int], begun: list[Start], cpu: dict[str, dict[str, float]], keys: Latencies
) -> Report:
    start = {name: summarise([getattr(each, name) for each in begun]) for name in Start.__struct_fields__}
    latencies = {name: _summary(values) for name, values in keys.items()}
    for group in ("screen", "cluster"):
        together = [value for name, values in keys.items() if name.startswith(group) for value in values]
        if together:
            latencies[f"all {group} keys"] = _summary(together)
    document: dict[str, Any] = {
        "nodes": nodes,
        "voters": voters,
        "size": "x".join(map(str, size)),
        "start_ms": msgspec.to_builtins(start),
        "cpu_percent_of_a_core": cpu,
        "key_ms": msgspec.to_builtins(latencies),
    }
    return Report(document, tuple(_lines(start, cpu, latencies)), tuple(_targets(nodes, start, cpu, latencies)))


def _summary(values: list[float | None]) -> Summary:
    late = sum(value is None for value in values)
    return summarise([1_000 * EFFECT_WITHIN_S if value is None else value for value in values], late)


def _lines(start: dict[str, Summary], cpu: dict[str, dict[str, float]], latencies: dict[str, Summary]) -> Iterator[str]:
    heading = ("", "n", "p50", "p90", "p99", "max", "late")
    yield "From the command to the screen, ms"
    yield from table(heading, [_cells(name.removesuffix("_ms"), each) for name, each in start.items()])
    yield "CPU, % of a core"
    columns = (*ROLES, "bench", "others", "kB_per_s")
    yield from table(("while on", *columns), [(name, *(_shown(of.get(column)) for column in columns)) for name, of in cpu.items()])
    if latencies:
        yield "From the key to what is seen, ms"
        yield from table(heading, [_cells(name, each) for name, each in latencies.items()])


def _shown(value: float | None) -> str:
    return "" if value is None else f"{value:.1f}"


def _cells(name: str, each: Summary) -> tuple[str, ...]:
    return (name, str(each.count), f"{each.p50:.1f}", f"{each.p90:.1f}", f"{each.p99:.1f}", f"{each.max:.1f}", str(each.late))


def _targets(nodes: int, start: dict[str, Summary], cpu: dict[str, dict[str, float]], latencies: dict[str, Summary]) -> Iterator[Target]:
    few = nodes <= FEW_NODES
    if few:
        yield Target("first leader on screen, median", LEADER_MS, start["leader_ms"].p50, "ms")
    yield Target("all nodes up and a leader on screen, median", READY_MS, start["ready_ms"].p50, "ms")
    limit = FRONT_PERCENT_FEW if few else FRONT_PERCENT_MANY
    for screen, of in cpu.items():
        if screen != "keys":
            yield Target(f"dashboard process on screen {screen}", limit, of["front"], "%")
    for name in (name for name in latencies if name.startswith("all ")):
        yield Target(f"key to visible effect, {name}, median", KEY_P50_MS, latencies[name].p50, "ms")
        yield Target(f"key to visible effect, {name}, p99", KEY_P99_MS, latencies[name].p99, "ms")
