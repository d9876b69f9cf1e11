"""What no import contract can see: banned builtins, iteration in the order of hashes, loose tasks, sleeping tests.

Each check is `(Source) -> list[Finding]`, reads syntax only, and errs on the side of silence: what it reports is wrong.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from pathlib import PurePosixPath

from tests.architecture.source import Finding, Source

# Code that is `(input, now, rng) -> work`: the same inputs give the same bytes on every machine.
PURE = (
    "cluster/core/",
    "cluster/faults.py",
    "cluster/commands/",
    "cluster/telemetry/",
    "cluster/wire.py",
    "cluster/wal.py",
    "cluster/leases.py",
    "cluster/check/",
    "tui/state.py",
    "tui/reduce.py",
    "tui/select",
)
# The simulator's trace must be the same for the same seed, too; it may read and write files.
REPEATABLE = (*PURE, "cluster/sim/")

# Where a task may live outside a TaskGroup, and why.
LOOSE_TASKS: dict[str, str] = {}
# Where a test may look again after a moment, always under a deadline, and why nothing can be awaited instead.
POLLS = {
    "tests/cluster/node/lab.py": "what another connection's callbacks bring about is announced to nobody",
    "tests/e2e/terminal.py": "a terminal is looked at: it announces nothing",
    "tests/e2e/fronts.py": "another process makes its run directory without telling this one",
}

_WORLDLY = {
    "open": "files belong to the runtimes",
    "print": "return the text or emit telemetry",
    "input": "inputs are arguments",
    "eval": "never",
    "exec": "never",
    "compile": "never",
    "breakpoint": "left over",
    "__import__": "import at the head of the file",
}
_HASH_ORDERED = {
    "hash": "differs between processes; use crc32 or a field",
    "id": "differs between runs; use the thing's own number",
}
_CLOCKS_AND_DICE = {"time", "random", "datetime", "secrets", "uuid"}
_UNSAFE = {"pickle", "cPickle", "marshal", "shelve", "dill", "cloudpickle"}
_VAGUE = {"utils", "util", "helpers", "helper", "common", "manager", "managers", "misc", "stuff"}
# Functions whose result does not depend on the order in which they are fed.
_ORDERLESS = {"sorted", "set", "frozenset", "len", "sum", "min", "max", "any", "all", "Counter"}
_ORDERING = {"list", "tuple", "iter", "enumerate", "dict", "deque", "zip", "map", "filter"}
_SET_METHODS = {"union", "intersection", "difference", "symmetric_difference"}


def builtins(source: Source) -> list[Finding]:
    """Builtins that reach into the world, called or passed on, in pure code."""
    return _names(source, _WORLDLY)


def hash_values(source: Source) -> list[Finding]:
    """`hash` and `id`, whose values differ from run to run."""
    return _names(source, _HASH_ORDERED)


def _names(source: Source, banned: dict[str, str]) -> list[Finding]:
    nodes = list(ast.walk(source.tree))
    called = [node.func for node in nodes if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)]
    ours = {node.id for node in nodes if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load)}
    ours |= {node.arg for node in nodes if isinstance(node, ast.arg)}
    passed = [node for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and node.id not in ours]
    found = {(node.lineno, node.id) for node in (*called, *passed) if node.id in banned}
    return [Finding(source.path, line, f"{name} in pure code: {banned[name]}") for line, name in sorted(found)]


def clocks_and_dice(source: Source) -> list[Finding]:
    """Imports of what the caller must pass in instead, also inside functions."""
    return [
        Finding(source.path, line, f"import of {name} in pure code: take now and rng as arguments")
        for line, name in _imports(source)
        if name in _CLOCKS_AND_DICE
    ]


def _imports(source: Source) -> Iterator[tuple[int, str]]:
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name.split(".")[0]) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.lineno, node.module.split(".")[0]


# -------------------------------------------------------------------------------------------------- iteration over sets


def set_order(source: Source) -> list[Finding]:
    """Loops whose order is that of a set, which differs between processes wherever strings are hashed."""
    known = _set_names(source.tree)
    safe = _fed_to_orderless(source.tree)
    return [
        Finding(source.path, node.lineno, f"iterates over a set ({ast.unparse(node)}): wrap it in sorted(...)")
        for node in _iterated(source.tree, safe)
        if _is_set(node, known)
    ]


def _iterated(tree: ast.Module, safe: set[ast.AST]) -> Iterator[ast.expr]:
    """The expressions whose order of iteration is seen by someone."""
    for node in ast.walk(tree):
        if isinstance(node, ast.For | ast.AsyncFor):
            yield node.iter
        elif isinstance(node, ast.ListComp | ast.GeneratorExp | ast.DictComp) and node not in safe:
            yield from (generator.iter for generator in node.generators)
        elif isinstance(node, ast.Starred) and node not in safe:
            yield node.value
        elif isinstance(node, ast.Call) and node not in safe and _keeps_order(node.func):
            yield from node.args


def _keeps_order(function: ast.expr) -> bool:
    match function:
        case ast.Name(id=name):
            return name in _ORDERING
        case ast.Attribute(attr=name):
            return name == "join"
    return False


def _fed_to_orderless(tree: ast.Module) -> set[ast.AST]:
    """Expressions consumed at once by something that does not care for order."""
    safe: set[ast.AST] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in _ORDERLESS:
            safe.update(node.args)
        elif isinstance(node, ast.Set):
            safe.update(node.elts)
        elif isinstance(node, ast.If | ast.IfExp) and (single := re.search(r"\blen\((.+?)\) == 1\b", ast.unparse(node.test))):
            # A set of one has one order.
            safe.update(inner for inner in ast.walk(node) if isinstance(inner, ast.Call) and ast.unparse(inner) == f"iter({single[1]})")
    return safe


def _set_names(tree: ast.Module) -> set[str]:
    """Names and attributes that this file declares or first assigns as sets, and never as anything else."""
    sets: set[str] = set()
    others: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.arg):
            (sets if _is_set_type(node.annotation) else others).add(node.arg)
        elif isinstance(node, ast.AnnAssign):
            (sets if _is_set_type(node.annotation) else others).update(_target_names(node.target))
        elif isinstance(node, ast.Assign):
            for target in node.targets:
                (sets if _is_set(node.value, set()) else others).update(_target_names(target))
        elif isinstance(node, ast.For | ast.AsyncFor | ast.comprehension):
            others.update(_target_names(node.target))
    return sets - others


def _target_names(target: ast.expr) -> Iterator[str]:
    for node in ast.walk(target):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield node.attr


def _is_set_type(annotation: ast.expr | None) -> bool:
    return annotation is not None and re.match(r"['\"]?(set|frozenset|AbstractSet|MutableSet)\b", ast.unparse(annotation)) is not None


def _is_set(node: ast.expr, known: set[str]) -> bool:
    match node:
        case ast.Set() | ast.SetComp():
            return True
        case ast.Call(func=ast.Name(id="set" | "frozenset")):
            return True
        case ast.Call(func=ast.Attribute(attr=method, value=value)) if method in _SET_METHODS:
            return _is_set(value, known)
        case ast.BinOp(op=ast.BitOr() | ast.BitAnd() | ast.Sub() | ast.BitXor(), left=left, right=right):
            return _is_set(left, known) or _is_set(right, known)
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name in known
    return False


# --------------------------------------------------------------------------------------------------------- everywhere


def swallowed(source: Source) -> list[Finding]:
    """Handlers that hide errors: a bare `except:`, or a broad one that only passes."""
    findings = []
    for node in ast.walk(source.tree):
        if not isinstance(node, ast.ExceptHandler):
            continue
        if node.type is None:
            findings.append(Finding(source.path, node.lineno, "bare except: name what you handle"))
        elif _is_broad(node.type) and all(_says_nothing(statement) for statement in node.body):
            findings.append(Finding(source.path, node.lineno, "swallows every error: name what you handle, or report it"))
    return findings


def _is_broad(kind: ast.expr) -> bool:
    kinds = kind.elts if isinstance(kind, ast.Tuple) else [kind]
    return any(isinstance(one, ast.Name) and one.id in {"Exception", "BaseException"} for one in kinds)


def _says_nothing(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Pass | ast.Continue) or (isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant))


def unsafe(source: Source) -> list[Finding]:
    """Modules and builtins that turn bytes into code."""
    findings = [Finding(source.path, line, f"{name} runs what it reads: use msgspec") for line, name in _imports(source) if name in _UNSAFE]
    return findings + [
        Finding(source.path, node.lineno, f"{ast.unparse(node.func)} runs what it reads: write a parser")
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in {"eval", "exec"}
    ]


def half_caught(source: Source) -> list[Finding]:
    """Handlers of what msgspec raises that forget what it lets pass: bytes that are no text raise Python's own error."""
    return [
        Finding(source.path, node.lineno, "bytes that are no text raise UnicodeDecodeError: catch errors.UNDECODABLE")
        for node in ast.walk(source.tree)
        if isinstance(node, ast.ExceptHandler) and node.type is not None and "DecodeError" in _caught(node.type)
    ]


def _caught(kind: ast.expr) -> set[str]:
    """Last parts of the names of what a handler catches."""
    kinds = kind.elts if isinstance(kind, ast.Tuple) else [kind]
    return {ast.unparse(one).rpartition(".")[2] for one in kinds}


def loose_tasks(source: Source) -> list[Finding]:
    """Tasks that no scope owns: `asyncio.create_task`, `loop.create_task`, `ensure_future`."""
    if source.path in LOOSE_TASKS:
        return []
    advice = "let a TaskGroup own the task, or list the file in LOOSE_TASKS with the reason"
    return [
        Finding(source.path, node.lineno, f"{ast.unparse(node.func)}: {advice}")
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Call) and _starts_loose_task(node.func)
    ]


def _starts_loose_task(function: ast.expr) -> bool:
    match function:
        case ast.Name(id="create_task" | "ensure_future") | ast.Attribute(attr="ensure_future"):
            return True
        case ast.Attribute(attr="create_task", value=owner):
            return re.search(r"(^|\W)asyncio$|loop(\(\))?$", ast.unparse(owner)) is not None
    return False


def sleeps(source: Source) -> list[Finding]:
    """Waiting by the clock in a test. `asyncio.sleep(0)`, which only yields, is fine."""
    if source.path in POLLS:
        return []
    return [
        Finding(source.path, node.lineno, f"{ast.unparse(node)}: wait for the event with a deadline, or use virtual time")
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Call) and _is_sleep(node)
    ]


def _is_sleep(call: ast.Call) -> bool:
    yields_only = len(call.args) == 1 and isinstance(call.args[0], ast.Constant) and call.args[0].value == 0
    match call.func:
        case ast.Attribute(attr="sleep", value=ast.Name(id="time" | "asyncio" | "anyio" | "trio")) | ast.Name(id="sleep"):
            return not yields_only
        case ast.Attribute(attr="pause", value=ast.Name(id="pilot")):
            return bool(call.args) and not yields_only
    return False


def vague_names(path: str) -> list[Finding]:
    """File and folder names that say nothing of what is inside."""
    parts = (part.removesuffix(".py") for part in PurePosixPath(path).parts)
    return [Finding(path, 1, f"'{part}' names no idea: call it what it holds") for part in parts if part.lower() in _VAGUE]


def unopened(source: Source) -> list[Finding]:
    """Files that do not open with what they are for."""
    if not source.tree.body or ast.get_docstring(source.tree):
        return []
    return [Finding(source.path, 1, "opens without a docstring: say what the file is for, and its laws")]


Check = Callable[[Source], list[Finding]]
