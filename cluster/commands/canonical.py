"""A `Command` -> the one text that stands for it.

Law 1: `parse(canonical(command)) == command`, for every command there is.
"""

from __future__ import annotations

from cluster.commands import model
from cluster.commands.quantities import write_duration, write_number, write_percent, write_rate
from cluster.commands.run_grammar import run_text

_BARE: tuple[tuple[type, str], ...] = (
    (model.Undo, "undo"),
    (model.Freeze, "freeze"),
    (model.Thaw, "thaw"),
    (model.Reset, "reset"),
)


def canonical(command: model.Command) -> str:
    """One line of the grammar."""
    text = _text(command)
    if isinstance(command, model.RunCommand):
        return text  # how long it lasts is part of it
    for_us = getattr(command, "for_us", 0)
    return f"{text} for {write_duration(for_us)}" if for_us else text


def verb_of(command: model.Command) -> str:
    """The verb, as it stands in `VERBS`."""
    return _text(command).split(" ", 1)[0]


def _list(targets: model.Targets) -> str:
    return ",".join(targets)


def _links(links: model.Links) -> str:
    return f"{_list(links.source)} > {_list(links.target)}" if links.target else _list(links.source)


def _text(command: model.Command) -> str:
    match command:
        case model.Cut(sides=sides, one_way=one_way):
            return "cut " + (" > " if one_way else " | ").join(_list(side) for side in sides)
        case model.CutShape(shape=shape):
            return f"cut {shape}"
        case model.Isolate(targets=targets):
            return f"isolate {_list(targets)}"
        case model.Pause(targets=targets):
            return f"pause {_list(targets)}"
        case model.Crash(targets=targets):
            return f"crash {_list(targets)}"
        case model.Restart(targets=targets):
            return f"restart {_list(targets)}"
        case model.Wipe(targets=targets):
            return f"wipe {_list(targets)}"
        case model.Transfer(targets=targets):
            return f"transfer {_list(targets)}"
        case model.Add(nodes=nodes, learner=learner):
            return f"add {_list(nodes)}" + (" learner" if learner else "")
        case model.Remove(targets=targets):
            return f"remove {_list(targets)}"
        case model.Replace(targets=targets, node=node):
            return f"replace {_list(targets)} {node}"
        case _:
            return _text_with_amount(command)


def _text_with_amount(command: model.Command) -> str:
    match command:
        case model.Slow(links=links, delay_us=delay, jitter_us=jitter):
            return f"slow {_links(links)} {write_duration(delay)}" + (f" ±{write_duration(jitter)}" if jitter else "")
        case model.Spoil(verb=verb, links=links, chance=chance):
            return f"{verb} {_links(links)} {write_percent(chance)}"
        case model.Throttle(links=links, bytes_per_s=rate):
            return f"throttle {_links(links)} {write_rate(rate)}"
        case model.Skew(targets=targets, skew_us=skew):
            return f"skew {_list(targets)} {'+' if skew > 0 else ''}{write_duration(skew)}"
        case model.Drift(targets=targets, factor=factor):
            return f"drift {_list(targets)} {write_number(factor)}"
        case model.Disk(targets=targets, mode=mode, delay_us=delay):
            return f"disk {_list(targets)} {mode}" + (f" {write_duration(delay)}" if delay else "")
        case _:
            return _text_without_fault(command)


def _text_without_fault(command: model.Command) -> str:
    match command:
        case model.Heal(ids=ids, targets=targets):
            return " ".join(("heal", *map(str, ids), *((_list(targets),) if targets else ())))
        case model.Put(key=key, value=value):
            return f"put {key} {value}"
        case model.Get(key=key, mode=mode):
            return f"get {key}" + ("" if mode == "linearizable" else f" {mode}")
        case model.Workload(rate=rate):
            return "workload " + ("on" if rate is None else str(rate) if rate else "off")
        case model.Rumour(text=text):
            return f"rumour {text}".rstrip()
        case model.SetToggle(toggle=toggle, value=value):
            return f"set {toggle} {value}"
        case model.DropResponse() | model.HoldResponse() | model.Arm():
            return run_text(command)
    for kind, text in _BARE:
        if isinstance(command, kind):
            return text
    raise AssertionError(f"no text for {command!r}")
