"""Builds the environment that `./faultline` runs in: a virtual environment holding exactly the locked wheels.

Called by the start script when its stamp does not match; never on the usual start. Standard library only.

Laws:
1. Nothing is installed whose SHA-256 is not in `requirements/*.txt` or `uv.lock`, and no source distribution is built.
2. One builder at a time: the lock is held for as long as any installer lives, also one orphaned by a killed start.
3. A mark of work in progress is written first and removed last, so a half-made environment is known and remade.
4. A directory that is not a virtual environment is never removed.
5. What goes wrong is one line for a person, and exit code 4.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import shutil
import ssl
import subprocess
import sys
import tomllib
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

CHECKOUT = Path(__file__).resolve().parent.parent
EXIT_ENVIRONMENT = 4
EXIT_INTERRUPTED = 130
DOWNLOAD_TIMEOUT_S = 60
PIP_WHEEL_BYTES_MAX = 16 * 2**20

# Settings that would send an installer elsewhere, or let it take packages that are not in the environment for installed.
_MISLEADING = (
    "PYTHONPATH", "PYTHONHOME", "PIP_USER", "PIP_TARGET", "PIP_PREFIX", "PIP_ROOT", "PIP_PYTHON", "PIP_REQUIRE_VIRTUALENV",
    "UV_SYSTEM_PYTHON", "UV_TARGET", "UV_PREFIX", "UV_PYTHON",
)  # fmt: skip

_DEBIAN_HINT = "(Debian, Ubuntu: apt-get install python3-venv)"

# What an installer's output means to a person, the first match counts; and whether it failed before it changed anything:
# installers download all they need first.
_DIAGNOSES = (
    (r"do not match the hashes|hash mismatch", True, "a downloaded file is not the one that was locked; check the mirror or proxy in use"),
    (r"no space left", False, "the disk is full; free about 150 MB"),
    (
        r"failed to establish|connection|timed? ?out|unreachable|network|dns error|proxy|certificate|error sending request",
        True,
        "the package index cannot be reached; connect to the internet, or set PIP_INDEX_URL to a mirror",
    ),
    (
        r"no matching distribution|no wheels|no usable wheels|no compatible",
        True,
        "a locked package has no wheel for this Python and platform; try FAULTLINE_PYTHON=python3.12",
    ),
)


class Trouble(Exception):
    """What is missing and how to get it, in one line."""


@dataclass(frozen=True)
class Environment:
    """One virtual environment and the requirements it must hold (`kind`: runtime, dev for the tests, native for `compile`)."""

    kind: str
    venv: Path

    @property
    def requirements(self) -> Path:
        return CHECKOUT / "requirements" / f"{self.kind}.txt"

    @property
    def python(self) -> Path:
        return self.venv / "bin" / "python"

    @property
    def unfinished(self) -> Path:
        """Exists from before the first change until after the last one; with it, no stamp counts."""
        return self.venv / "faultline-unfinished"

    @property
    def log(self) -> Path:
        return self.venv / "faultline-install.log"

    @property
    def made_with(self) -> Path:
        """Holds the FAULTLINE_PYTHON that was asked for, empty when none was."""
        return self.venv / "faultline-python.txt"

    def stamp(self, kind: str) -> Path:
        return self.venv / f"faultline-{kind}.txt"


def say(line: str) -> None:
    sys.stderr.write(f"faultline: {line}\n")
    sys.stderr.flush()


# ------------------------------------------------------------------------------------------------------------- the state


def is_ready(env: Environment, asked_python: str) -> bool:
    """The same question as the start script's `ready`."""
    stamp = env.stamp(env.kind)
    if env.unfinished.exists() or not os.access(env.python, os.X_OK):
        return False
    if not stamp.is_file() or stamp.read_bytes() != env.requirements.read_bytes():
        return False
    return not asked_python or (env.made_with.is_file() and env.made_with.read_text().rstrip("\n") == asked_python)


def is_usable(env: Environment, asked_python: str) -> bool:
    """Whether the environment on disk can be brought up to date rather than made anew."""
    if env.unfinished.exists() or not os.access(env.python, os.X_OK):
        return False
    if asked_python and env.python.resolve() != Path(sys.executable).resolve():
        return False
    # A machine whose python3 was upgraded has an interpreter here that looks for its packages in a folder of another name.
    probe = "import os, sys, sysconfig; sys.exit(sys.version_info < (3, 11) or not os.path.isdir(sysconfig.get_path('purelib')))"
    return runs([env.python, "-I", "-c", probe])


def remove(env: Environment) -> None:
    """Clears the place for a new environment."""
    if not env.venv.exists():
        return
    if not env.venv.is_dir() or (any(env.venv.iterdir()) and not (env.unfinished.exists() or (env.venv / "pyvenv.cfg").is_file())):
        raise Trouble(f"{env.venv} exists and is not a virtual environment; move it away or set FAULTLINE_VENV")
    shutil.rmtree(env.venv)


@contextmanager
def exclusive(env: Environment) -> Iterator[int]:
    """Holds the builders' lock, beside the environment because the environment itself may be replaced."""
    path = env.venv.with_name(env.venv.name + ".lock")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = path.open("a")
    except OSError as error:
        raise Trouble(f"cannot write {path.parent} ({error.strerror}); set FAULTLINE_VENV to a folder that can be written") from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"waiting for another start that prepares {shown(env.venv)} ...")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield lock.fileno()


# -------------------------------------------------------------------------------------------------------- the installers


def installer_environ(environ: Mapping[str, str]) -> dict[str, str]:
    """The caller's environment without what misleads installers; pip's index, proxy and certificate serve uv as well."""
    clean = {name: value for name, value in environ.items() if name not in _MISLEADING}
    for pip_name, uv_name in (("PIP_INDEX_URL", "UV_DEFAULT_INDEX"), ("PIP_EXTRA_INDEX_URL", "UV_INDEX"), ("PIP_CERT", "SSL_CERT_FILE")):
        if clean.get(pip_name):
            clean.setdefault(uv_name, clean[pip_name])
    return clean


def runs(command: Sequence[str | Path]) -> bool:
    """Whether a command can be started and succeeds; its output is not wanted."""
    environ = installer_environ(os.environ)
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, env=environ, check=False)
    except OSError:
        return False
    return done.returncode == 0


def installers(env: Environment) -> Iterator[tuple[str, list[str]]]:
    """The installers at hand, the quickest first: a name, and the command before `-r FILE`."""
    locked = ["--no-deps", "--require-hashes", "--only-binary", ":all:"]
    uv = shutil.which("uv")
    if uv and runs([uv, "--version"]):
        yield "uv", [uv, "pip", "install", "--quiet", "--python", str(env.python), *locked]
    yield "pip", [*pip_command(env), "install", "--quiet", "--no-compile", "--disable-pip-version-check", "--no-input", *locked]


def pip_command(env: Environment) -> list[str]:
    """A pip that installs into the environment: this interpreter's, the environment's own, or the locked wheel run as it is."""
    into = ["--python", str(env.python)]
    if runs([sys.executable, "-m", "pip", "--version"]):
        return [sys.executable, "-m", "pip", *into]
    if runs([env.python, "-I", "-m", "ensurepip"]):
        return [str(env.python), "-m", "pip"]
    return [sys.executable, str(fetch_pip(env.venv) / "pip"), *into]


def locked_pip(lock_text: str) -> tuple[str, str]:
    """URL and SHA-256 (hex) of pip's wheel in `uv.lock`."""
    for package in tomllib.loads(lock_text)["package"]:
        if package["name"] == "pip":
            wheel = package["wheels"][0]
            return wheel["url"], wheel["hash"].removeprefix("sha256:")
    raise Trouble(f"this Python has no pip and uv.lock names none; install it {_DEBIAN_HINT}")


def fetch_pip(folder: Path) -> Path:
    """Downloads pip's wheel, checks it against the lock and returns its path; a wheel is a zip that Python runs."""
    url, sha256 = locked_pip((CHECKOUT / "uv.lock").read_text())
    name = url.rsplit("/", 1)[1]
    reasons = []
    for source in wheel_sources(url, name, os.environ.get("PIP_INDEX_URL", "")):
        try:
            body = download(source)
        except (OSError, ValueError) as error:
            reasons.append(str(error))
            continue
        if hashlib.sha256(body).hexdigest() != sha256:
            raise Trouble(f"{name} from {source} is not the file that was locked; check the mirror or proxy in use")
        path = folder / name
        path.write_bytes(body)
        return path
    raise Trouble(f"this Python has no pip and it cannot be downloaded ({reasons[-1]}); connect, or install it {_DEBIAN_HINT}")


def wheel_sources(url: str, name: str, index: str) -> Iterator[str]:
    """Where the wheel may be had: the caller's own index first, then the locked address."""
    if index:
        page_url = f"{index.rstrip('/')}/pip/"
        try:
            page = download(page_url).decode(errors="replace")
        except (OSError, ValueError) as error:
            say(f"{page_url} does not answer ({error})")
        else:
            for href in re.findall(r"""href=["']([^"'#]+)""", page):
                if href.rsplit("/", 1)[-1] == name:
                    yield urllib.parse.urljoin(page_url, href)
    yield url


def download(url: str) -> bytes:
    """The body of an http(s) or file address, bounded in size and time; raises OSError or ValueError."""
    if not url.startswith(("https://", "http://", "file://")):
        raise ValueError(f"not an address to download from: {url}")
    context = ssl.create_default_context(cafile=os.environ.get("PIP_CERT") or None)
    with urllib.request.urlopen(url, timeout=DOWNLOAD_TIMEOUT_S, context=context) as answer:  # noqa: S310  # the scheme is checked above
        body: bytes = answer.read(PIP_WHEEL_BYTES_MAX + 1)
    if len(body) > PIP_WHEEL_BYTES_MAX:
        raise ValueError(f"more than {PIP_WHEEL_BYTES_MAX} bytes at {url}")
    return body


# ---------------------------------------------------------------------------------------------------------- the building


def create(env: Environment) -> None:
    """An empty environment without pip, which Debian's Python may lack the parts for."""
    env.venv.mkdir(parents=True, exist_ok=True)
    env.unfinished.touch()
    # The real path has the version in its name, so an upgrade of the machine's python3 cannot change it under the packages.
    base = Path(sys.executable).resolve()
    done = subprocess.run([base, "-I", "-m", "venv", "--without-pip", env.venv], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Trouble(f"{base} cannot make a virtual environment ({last_line(done.stderr)}); install what it lacks {_DEBIAN_HINT}")


def install(env: Environment, lock: int) -> None:
    """Installs the requirements with the first installer that manages it."""
    with env.log.open("w+") as log:
        for name, command in installers(env):
            say(f"preparing {shown(env.venv)} with {name} (first run, {'a few seconds' if name == 'uv' else 'up to 20 s'}) ...")
            if perform([*command, "-r", str(env.requirements)], log, lock):
                return
        log.seek(0)
        harmless, meaning = diagnose(log.read())
    if harmless:
        env.unfinished.unlink()
    raise Trouble(f"{meaning} (details: {env.log})")


def perform(command: Sequence[str], log: IO[str], lock: int) -> bool:
    log.write(f"$ {' '.join(command)}\n")
    log.flush()
    # Law 2: the installer inherits the lock, which is free only when the last holder of the file is gone.
    done = subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
        cwd=CHECKOUT,
        env=installer_environ(os.environ),
        pass_fds=[lock],
        check=False,
    )
    return done.returncode == 0


def prepare(env: Environment, asked_python: str) -> None:
    """Brings the environment to hold exactly what its requirements say, whatever it is now."""
    with exclusive(env) as lock:
        if is_ready(env, asked_python):
            return  # another start was faster
        if not is_usable(env, asked_python):
            remove(env)
            create(env)
        env.unfinished.touch()
        install(env, lock)
        env.made_with.write_text(f"{asked_python}\n")
        # The development requirements contain those of the product.
        for kind in ("runtime", "dev") if env.kind == "dev" else (env.kind,):
            shutil.copyfile(CHECKOUT / "requirements" / f"{kind}.txt", env.stamp(kind))
        env.unfinished.unlink()


def diagnose(output: str) -> tuple[bool, str]:
    """Whether the installer failed before it changed anything, and its output in one line for a person."""
    said = "\n".join(line for line in output.splitlines() if not line.startswith("$ "))  # the commands' paths prove nothing
    for pattern, harmless, meaning in _DIAGNOSES:
        if re.search(pattern, said, re.IGNORECASE):
            return harmless, meaning
    return False, f"the packages could not be installed: {last_line(said)}"


def last_line(text: str) -> str:
    lines = text.strip().splitlines()
    return lines[-1].strip() if lines else "no reason was given"


def shown(path: Path) -> str:
    return path.name if path.parent == CHECKOUT else str(path)


def main(argv: Sequence[str]) -> int:
    """`bootstrap.py runtime|dev|native VENV`; returns the exit code."""
    env = Environment(kind=argv[1], venv=Path(argv[2]))
    try:
        prepare(env, os.environ.get("FAULTLINE_PYTHON", ""))
    except Trouble as trouble:
        say(str(trouble))
        return EXIT_ENVIRONMENT
    except OSError as error:
        say(f"cannot prepare {env.venv}: {error}")
        return EXIT_ENVIRONMENT
    except KeyboardInterrupt:
        say(f"interrupted; the next start repairs {shown(env.venv)}")
        return EXIT_INTERRUPTED
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
