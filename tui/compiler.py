"""Makes machine code of the hot path's typed sources, with mypyc, and proves that it does what they do.

Law 1: the checkout is not touched. The compiler works on a copy, with tools in an environment of their own, from locked requirements.
Law 2: what was compiled is used only after it has played seeds of the simulator to the same traces as the sources.
Law 3: it is in place whole or not at all; whoever stops the work half-way leaves what was there before.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import sysconfig
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import psutil

from cluster import native
from cluster.core.errors import EnvironmentFailed

Tell = Callable[[str], None]

PROOF_SEEDS = 8
_COMPILE_S_MAX = 1_200
_PROOF_S_MAX = 300
# Given to the tools' Python; the working directory is the copy.
_COMPILE = """\
import ctypes, json, os, signal, sys
# Nobody waits for this any more (PR_SET_PDEATHSIG): it ends with the C compilers that it started.
signal.signal(signal.SIGTERM, lambda *_: os.killpg(0, signal.SIGKILL))
if sys.platform == "linux":
    ctypes.CDLL(None).prctl(1, signal.SIGTERM)
os.nice(10)  # a lab beside it goes first
from mypyc.build import mypycify
from setuptools import setup
files, python = json.loads(sys.argv[1])
options = ["--config-file=", "--cache-dir=/dev/null", "--ignore-missing-imports", f"--python-executable={python}"]
extensions = mypycify([*options, *files], opt_level="2")
setup(name="native", packages=[], ext_modules=extensions, script_args=["-q", "build_ext", "--inplace", f"-j{os.cpu_count() or 1}"])
"""
# Plays seeds, the first of them twice (code that runs for the first time is slow), and says what came of them.
_PROOF = """\
import json, sys, time
from cluster import native
from cluster.sim.run import run
from cluster.sim.setup import Setup
run(Setup(seed=0, steps=2_000))
began = time.process_time()
played = [run(Setup(seed=seed, steps=6_000)) for seed in range(int(sys.argv[1]))]
print(json.dumps({"state": native.STATE, "cpu_s": time.process_time() - began, "played": [repr(outcome) for outcome in played]}))
"""


class Compiled(msgspec.Struct, frozen=True):
    """`speedup`: CPU time of the sources, for the same seeds, over that of the compiled modules."""

    modules: int
    seeds: int
    speedup: float
    path: str


def compile_modules(tell: Tell) -> Compiled:
    """Compile, prove, put in place. Raises `EnvironmentFailed`."""
    _expect_compiler()
    target = native.place()
    with _workshop(target) as shop:
        tell("preparing the compiler ...")
        tools = _tools(target.with_name("tools"))
        tell(f"compiling {len(native.MODULES)} modules, about a minute ...")
        _compile(tools, shop)
        made = shop / "made"
        _gather(shop / "copy", made)
        tell(f"playing {PROOF_SEEDS} seeds with it and without ...")
        speedup = _prove(made)
        remove(target)
        made.rename(target)
    return Compiled(len(native.MODULES), PROOF_SEEDS, speedup, str(target))


def remove(target: Path) -> bool:
    """Take compiled modules away; whether there were any."""
    _sweep_up(target)
    if not target.exists():
        return False
    (target / native.MANIFEST).unlink(missing_ok=True)  # first: from now on they are not used
    shutil.rmtree(target)
    return True


def _expect_compiler() -> None:
    command = str(sysconfig.get_config_var("CC") or "cc").split()[0]
    if shutil.which(command) is None and shutil.which("cc") is None:
        raise EnvironmentFailed(f"no C compiler here ({command}): install one (Debian, Ubuntu: apt-get install gcc python3-dev)")
    header = Path(sysconfig.get_path("include")) / "Python.h"
    if not header.is_file():
        raise EnvironmentFailed(f"{header} is missing: install Python's headers (Debian, Ubuntu: apt-get install python3-dev)")
    if not (native.ROOT / "requirements" / "native.txt").is_file():
        raise EnvironmentFailed("an installed package cannot compile itself: start ./faultline compile in a checkout")


@contextmanager
def _workshop(target: Path) -> Iterator[Path]:
    """An empty folder beside `target`, gone afterwards."""
    shop = target.with_name(f"{target.name}.{os.getpid()}")
    try:
        _sweep_up(target)
        shop.mkdir(parents=True)
        yield shop
    except OSError as error:
        raise EnvironmentFailed(f"cannot write {error.filename or target.parent}: {error.strerror}") from error
    finally:
        shutil.rmtree(shop, ignore_errors=True)


def _sweep_up(target: Path) -> None:
    """Remove the folders of compilers that were killed."""
    for left in target.parent.glob(f"{target.name}.*"):
        if left.suffix[1:].isdecimal() and not psutil.pid_exists(int(left.suffix[1:])):
            shutil.rmtree(left)


def _tools(venv: Path) -> Path:
    """The Python of an environment that holds the compiler."""
    bootstrap = [sys.executable, "-I", str(native.ROOT / "requirements" / "bootstrap.py"), "native", str(venv)]
    if _ready(venv):
        return venv / "bin" / "python"
    if subprocess.run(bootstrap, stdin=subprocess.DEVNULL, check=False).returncode != 0:
        raise EnvironmentFailed("without its tools nothing can be compiled (the line above says why)")
    return venv / "bin" / "python"


def _ready(venv: Path) -> bool:
    stamp, wanted = venv / "faultline-native.txt", native.ROOT / "requirements" / "native.txt"
    return not (venv / "faultline-unfinished").exists() and stamp.is_file() and stamp.read_bytes() == wanted.read_bytes()


def _compile(tools: Path, shop: Path) -> None:
    copy = shop / "copy"
    shutil.copytree(native.ROOT / "cluster", copy / "cluster", ignore=shutil.ignore_patterns("__pycache__", "*.so"))
    files = [str(native.source_of(module)) for module in native.MODULES]
    command = [str(tools), "-I", "-c", _COMPILE, json.dumps([files, sys.executable])]
    done = _run(command, copy, _COMPILE_S_MAX, {**os.environ, "TMPDIR": str(shop)})  # what a killed compiler leaves goes with the rest
    if done.returncode != 0:
        log = native.place().with_name("compile.log")
        log.write_text(done.stdout + done.stderr, encoding="utf-8")
        raise EnvironmentFailed(f"the sources could not be compiled: {_last_line(done.stderr or done.stdout)} (details: {log})")


def _gather(copy: Path, made: Path) -> None:
    """The compiled files in one flat folder, and the manifest."""
    made.mkdir()
    files: dict[str, str] = {}
    for path in sorted(copy.rglob("*.so")):
        if "build" in path.relative_to(copy).parts:
            continue
        module = ".".join((*path.relative_to(copy).parts[:-1], path.name.partition(".")[0]))
        files[module] = f"{module}.so"
        shutil.copyfile(path, made / files[module])
    (made / native.MANIFEST).write_text(native.manifest_of(files, copy), encoding="utf-8")


def _prove(made: Path) -> float:
    """Law 2."""
    compiled, sources = _play(str(made)), _play("0")
    if (compiled["state"], sources["state"]) != (native.USED, native.OFF):
        raise EnvironmentFailed(f"the compiled modules are not taken up (they are {compiled['state']}): the sources stay in use")
    if compiled["played"] != sources["played"]:
        raise EnvironmentFailed("compiled, the simulator plays something else: the sources stay in use. Please report this")
    return round(float(sources["cpu_s"]) / max(1e-9, float(compiled["cpu_s"])), 2)


def _play(switch: str) -> dict[str, Any]:
    environ = {**os.environ, native.SWITCH: switch, "PYTHONPATH": str(native.ROOT)}
    done = _run([sys.executable, "-P", "-c", _PROOF, str(PROOF_SEEDS)], native.ROOT, _PROOF_S_MAX, environ)
    if done.returncode != 0:
        raise EnvironmentFailed(f"the simulator does not run with {native.SWITCH}={switch}: {_last_line(done.stderr)}")
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _run(command: list[str], folder: Path, seconds: float, environ: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """To its end, or with all that it started when there is no time or no wish to wait."""
    pipe = subprocess.PIPE
    with subprocess.Popen(
        command, cwd=folder, env=environ, stdin=subprocess.DEVNULL, stdout=pipe, stderr=pipe, text=True, start_new_session=True
    ) as process:
        try:
            stdout, stderr = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired as error:
            raise EnvironmentFailed(f"the work was not done after {seconds:.0f} s: given up") from error
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
    return subprocess.CompletedProcess(command, process.returncode, stdout, stderr)


def _last_line(text: str) -> str:
    lines = [line for line in text.splitlines() if line.strip()]
    return lines[-1].strip() if lines else "no reason was given"
