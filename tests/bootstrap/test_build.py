"""The builder of the environment: its states, its lock, its installers and its one-line reasons; no network but loopback."""

from __future__ import annotations

import fcntl
import hashlib
import http.server
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from requirements import bootstrap
from requirements.bootstrap import Environment, Trouble

WHEEL = b"a wheel"
WHEEL_NAME = "pip-26.0-py3-none-any.whl"


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout with requirements and a lock of its own, and nothing of the caller's settings."""
    made = tmp_path / "checkout"
    (made / "requirements").mkdir(parents=True)
    for kind in ("runtime", "dev"):
        (made / "requirements" / f"{kind}.txt").write_text(f"# {kind}\n")
    monkeypatch.setattr(bootstrap, "CHECKOUT", made)
    for name in ("FAULTLINE_PYTHON", "PIP_INDEX_URL", "PIP_CERT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    return made


@pytest.fixture
def env(checkout: Path) -> Environment:
    return Environment("runtime", checkout / ".venv")


def installs_with(monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    """Makes every installer a Python that runs `code`."""
    monkeypatch.setattr(bootstrap, "installers", lambda _env: iter([("fake", [sys.executable, "-c", code])]))


def run(env: Environment) -> int:
    return bootstrap.main(["bootstrap.py", env.kind, str(env.venv)])


# ------------------------------------------------------------------------------------------------------------ building


def test_a_build_makes_an_environment_that_is_ready(env: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    installs_with(monkeypatch, "")
    assert run(env) == 0
    assert bootstrap.is_ready(env, "")
    assert not env.unfinished.exists()
    assert not bootstrap.is_ready(Environment("dev", env.venv), "")


def test_the_tests_environment_serves_the_product_too(env: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    installs_with(monkeypatch, "")
    assert run(Environment("dev", env.venv)) == 0
    assert bootstrap.is_ready(env, "")


def test_a_ready_environment_is_left_alone(env: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    installs_with(monkeypatch, "")
    run(env)
    installs_with(monkeypatch, "raise SystemExit(1)")
    assert run(env) == 0


def test_a_killed_build_is_made_anew(env: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    installs_with(monkeypatch, "")
    run(env)
    env.unfinished.touch()
    (env.venv / "half-a-package").touch()
    assert run(env) == 0
    assert not (env.venv / "half-a-package").exists()


def test_changed_requirements_are_installed_into_the_same_environment(env: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    installs_with(monkeypatch, "")
    run(env)
    (env.venv / "kept").touch()
    env.requirements.write_text("# another\n")
    assert not bootstrap.is_ready(env, "")
    assert run(env) == 0
    assert bootstrap.is_ready(env, "")
    assert (env.venv / "kept").exists()


def test_an_environment_of_another_interpreter_is_not_usable(env: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    installs_with(monkeypatch, "")
    run(env)
    monkeypatch.setattr(sys, "executable", "/another/python3.13")
    assert bootstrap.is_usable(env, "")
    assert not bootstrap.is_usable(env, "python3.13")


@pytest.mark.parametrize(("reason", "is_repaired"), [("Connection refused", False), ("No space left on device", True), ("???", True)])
def test_a_failed_build_is_one_line_and_is_remade_if_anything_changed(
    env: Environment, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], reason: str, is_repaired: bool
) -> None:
    installs_with(monkeypatch, f"raise SystemExit({reason!r})")
    assert run(env) == bootstrap.EXIT_ENVIRONMENT
    assert not bootstrap.is_ready(env, "")
    assert env.unfinished.exists() == is_repaired
    assert len(capsys.readouterr().err.splitlines()) == 2  # what it began, and why it failed


def test_the_second_installer_is_tried(env: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    commands = [("one", [sys.executable, "-c", "raise SystemExit(1)"]), ("two", [sys.executable, "-c", ""])]
    monkeypatch.setattr(bootstrap, "installers", lambda _env: iter(commands))
    assert run(env) == 0


def test_a_folder_that_is_something_else_is_never_removed(env: Environment, capsys: pytest.CaptureFixture[str]) -> None:
    env.venv.mkdir()
    (env.venv / "thesis.tex").touch()
    assert run(env) == bootstrap.EXIT_ENVIRONMENT
    assert "is not a virtual environment" in capsys.readouterr().err
    assert (env.venv / "thesis.tex").exists()


def test_a_place_that_cannot_be_written_is_named(checkout: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (checkout / "file").touch()
    assert run(Environment("runtime", checkout / "file" / "venv")) == bootstrap.EXIT_ENVIRONMENT
    assert "set FAULTLINE_VENV" in capsys.readouterr().err


# ------------------------------------------------------------------------------------------------------------- the lock


def test_a_second_start_waits_and_finds_the_work_done(env: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    installs_with(monkeypatch, "")
    run(env)
    env.requirements.write_text("# another\n")
    installs_with(monkeypatch, "raise SystemExit(1)")
    waits = threading.Event()
    monkeypatch.setattr(bootstrap, "say", lambda line: waits.set() if "waiting for another start" in line else None)
    codes: list[int] = []
    with bootstrap.exclusive(env):
        second = threading.Thread(target=lambda: codes.append(run(env)))
        second.start()
        assert waits.wait(10)
        env.stamp("runtime").write_text("# another\n")  # what the first start does last
    second.join(10)
    assert codes == [0]


def test_an_installer_that_outlives_its_start_keeps_the_lock(env: Environment) -> None:
    reading, writing = os.pipe()
    with bootstrap.exclusive(env) as lock:
        orphan = subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=reading, pass_fds=[lock])
    os.close(reading)
    with env.venv.with_name(".venv.lock").open() as another:
        with pytest.raises(BlockingIOError):
            fcntl.flock(another, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.close(writing)
        orphan.wait(10)
        fcntl.flock(another, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_installers_get_the_lock(env: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    installs_with(monkeypatch, "import os, sys; sys.exit(not any(os.path.exists(f'/dev/fd/{n}') for n in range(3, 64)))")
    assert run(env) == 0


# -------------------------------------------------------------------------------------------------------- the installers


def test_settings_of_pip_serve_uv_and_misleading_ones_are_dropped() -> None:
    clean = bootstrap.installer_environ({"PIP_INDEX_URL": "https://mirror/simple", "PIP_CERT": "/ca", "PIP_USER": "1", "PYTHONPATH": "/x"})
    assert clean["UV_DEFAULT_INDEX"] == "https://mirror/simple"
    assert clean["SSL_CERT_FILE"] == "/ca"
    assert not {"PIP_USER", "PYTHONPATH"} & clean.keys()


def test_settings_of_uv_are_kept() -> None:
    assert bootstrap.installer_environ({"PIP_INDEX_URL": "a", "UV_DEFAULT_INDEX": "b"})["UV_DEFAULT_INDEX"] == "b"


def test_every_installer_checks_hashes_and_builds_nothing(env: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bootstrap, "runs", lambda _command: True)
    for _name, command in bootstrap.installers(env):
        assert {"--require-hashes", "--only-binary"} <= set(command)


@pytest.mark.parametrize(
    ("working", "chosen"),
    [
        (["-m pip"], [sys.executable, "-m", "pip", "--python", "{venv}/bin/python"]),
        (["ensurepip"], ["{venv}/bin/python", "-m", "pip"]),
        ([], [sys.executable, "{venv}/wheel/pip", "--python", "{venv}/bin/python"]),
    ],
)
def test_pip_is_found_where_it_can_be(env: Environment, monkeypatch: pytest.MonkeyPatch, working: list[str], chosen: list[str]) -> None:
    monkeypatch.setattr(bootstrap, "runs", lambda command: any(words in " ".join(map(str, command)) for words in working))
    monkeypatch.setattr(bootstrap, "fetch_pip", lambda folder: folder / "wheel")
    assert bootstrap.pip_command(env) == [part.format(venv=env.venv) for part in chosen]


@pytest.mark.parametrize(
    ("output", "words"),
    [
        ("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE", "not the one that was locked"),
        ("× Failed to download\n╰─▶ dns error: failed to lookup address", "index cannot be reached"),
        ("ERROR: No matching distribution found for msgspec==0.22.0", "no wheel for this Python"),
        ("OSError: [Errno 28] No space left on device", "disk is full"),
        ("$ pip --proxy network\nsomething odd", "could not be installed: something odd"),
        ("", "no reason was given"),
    ],
)
def test_an_installers_output_becomes_one_line(output: str, words: str) -> None:
    _harmless, line = bootstrap.diagnose(output)
    assert words in line
    assert "\n" not in line


# -------------------------------------------------------------------------------------------------- pip where there is none


class Registry(http.server.BaseHTTPRequestHandler):
    """A mirror with one page and one wheel."""

    def do_GET(self) -> None:
        bodies = {"/simple/pip/": f'<a href="../../files/{WHEEL_NAME}#sha256=0">pip</a>'.encode(), f"/files/{WHEEL_NAME}": WHEEL}
        body = bodies.get(self.path)
        self.send_response(404 if body is None else 200)
        self.end_headers()
        self.wfile.write(body or b"")

    def log_message(self, format: str, *args: object) -> None:
        """Quiet."""


@pytest.fixture
def registry() -> Iterator[str]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Registry) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join(10)


def lock_pip(checkout: Path, url: str, body: bytes) -> None:
    sha256 = hashlib.sha256(body).hexdigest()
    (checkout / "uv.lock").write_text(f'[[package]]\nname = "pip"\nwheels = [{{ url = "{url}", hash = "sha256:{sha256}" }}]\n')


def test_pips_wheel_is_fetched_and_checked(checkout: Path, registry: str) -> None:
    lock_pip(checkout, f"{registry}/files/{WHEEL_NAME}", WHEEL)
    assert bootstrap.fetch_pip(checkout).read_bytes() == WHEEL


def test_a_wheel_that_was_not_locked_is_refused(checkout: Path, registry: str) -> None:
    lock_pip(checkout, f"{registry}/files/{WHEEL_NAME}", b"another wheel")
    with pytest.raises(Trouble, match="is not the file that was locked"):
        bootstrap.fetch_pip(checkout)
    assert not (checkout / WHEEL_NAME).exists()


def test_the_callers_index_is_asked_first(checkout: Path, registry: str, monkeypatch: pytest.MonkeyPatch) -> None:
    lock_pip(checkout, f"http://127.0.0.1:9/{WHEEL_NAME}", WHEEL)
    monkeypatch.setenv("PIP_INDEX_URL", f"{registry}/simple/")
    assert bootstrap.fetch_pip(checkout).read_bytes() == WHEEL


def test_an_unreachable_wheel_says_what_to_install(checkout: Path) -> None:
    lock_pip(checkout, f"http://127.0.0.1:9/{WHEEL_NAME}", WHEEL)
    with pytest.raises(Trouble, match=r"has no pip and it cannot be downloaded.*apt-get install python3-venv"):
        bootstrap.fetch_pip(checkout)
