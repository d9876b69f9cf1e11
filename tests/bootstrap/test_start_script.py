"""`./faultline` with fakes on the path: what it starts, when it builds, and the one line it says when it cannot.

Law: nothing here builds an environment or needs a network; the interpreters are shell scripts that tell how they were called.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]
NOBODY = 65534
# Says how it was called, as an interpreter that suits or as the environment's own.
SUITABLE = """#!/bin/sh
case "$*" in -c*) exit 0 ;; esac
echo "$0 $*"
echo "cwd=$PWD path=$PYTHONPATH"
"""
OLD = """#!/bin/sh
case "$*" in *print*) echo 'found only 3.9' ;; *) exit 1 ;; esac
"""


@dataclass(frozen=True)
class Place:
    """A copy of what the start needs of a checkout, a folder of programs that is all of the path, and somebody's folder."""

    checkout: Path
    programs: Path
    elsewhere: Path

    @property
    def venv(self) -> Path:
        return self.checkout / ".venv"

    def program(self, name: str, text: str) -> None:
        write_program(self.programs / name, text)

    def make_ready(self, *kinds: str, venv: Path | None = None) -> None:
        """An environment whose interpreter and stamps are as after a good build."""
        venv = venv or self.venv
        write_program(venv / "bin" / "python", SUITABLE)
        for kind in kinds:
            shutil.copy(self.checkout / "requirements" / f"{kind}.txt", venv / f"faultline-{kind}.txt")

    def start(self, *args: str, script: str | Path | None = None, cwd: Path | None = None, user: int | None = None, **environ: str) -> Said:
        done = subprocess.run(
            [script or self.checkout / "faultline", *args],
            cwd=cwd or self.elsewhere,
            env={"PATH": str(self.programs), "HOME": str(self.elsewhere), **environ},
            capture_output=True,
            text=True,
            check=False,
            user=user,
        )
        return Said(done.returncode, done.stdout, done.stderr)


@dataclass(frozen=True)
class Said:
    code: int
    out: str
    err: str


def write_program(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)


@pytest.fixture
def place() -> Iterator[Place]:
    with tempfile.TemporaryDirectory() as made:
        root = Path(made).resolve()
        root.chmod(0o755)  # one test looks at it as somebody else
        place = Place(root / "checkout", root / "programs", root / "else where")
        for folder in (place.checkout / "requirements", place.programs, place.elsewhere):
            folder.mkdir(parents=True)
        shutil.copy(CHECKOUT / "faultline", place.checkout)
        for name in ("runtime.txt", "dev.txt"):
            (place.checkout / "requirements" / name).write_text(f"# {name}\n")
        for name in ("cmp", "readlink", "uname"):
            (place.programs / name).symlink_to(str(shutil.which(name)))
        yield place


# ---------------------------------------------------------------------------------------------------- the usual start


def test_a_ready_environment_is_started_without_any_other_python(place: Place) -> None:
    place.make_ready("runtime")
    said = place.start("live", "-n", "3 4")
    assert said == Said(0, f"{place.venv}/bin/python -P -m tui live -n 3 4\ncwd={place.elsewhere} path={place.checkout}\n", "")


def test_the_callers_import_path_is_kept_behind_ours(place: Place) -> None:
    place.make_ready("runtime")
    assert f"path={place.checkout}:/theirs\n" in place.start(PYTHONPATH="/theirs").out


def test_it_starts_through_symbolic_links(place: Place) -> None:
    place.make_ready("runtime")
    (place.elsewhere / "first").symlink_to(place.checkout / "faultline")
    (place.elsewhere / "second").symlink_to("first")
    for script in (place.elsewhere / "second", "./second"):
        assert place.start(script=script).out.endswith(f"cwd={place.elsewhere} path={place.checkout}\n")


def test_the_tests_run_from_the_checkout(place: Place) -> None:
    place.make_ready("runtime", "dev")
    said = place.start("test", "--all", "-k", "quorum")
    assert said.out.startswith(f"{place.venv}/bin/python -P -m pytest -n 2 --dist loadgroup --all -k quorum\n")
    assert f"cwd={place.checkout} " in said.out


def test_the_exit_code_is_that_of_what_was_started(place: Place) -> None:
    place.make_ready("runtime")
    write_program(place.venv / "bin" / "python", "#!/bin/sh\nexit 3\n")
    assert place.start().code == 3


def test_another_place_for_the_environment_can_be_named(place: Place) -> None:
    place.make_ready("runtime", venv=place.elsewhere / "env")
    assert place.start(FAULTLINE_VENV="env").out.startswith(f"{place.elsewhere}/env/bin/python ")


# ------------------------------------------------------------------------------------------------------ when it builds


def builds(said: Said, place: Place, kind: str = "runtime", python: str = "python3") -> bool:
    """Whether the builder was called, by the named interpreter."""
    return f"{place.programs}/{python} -I {place.checkout}/requirements/bootstrap.py {kind} " in said.out


@pytest.mark.parametrize("kind", ["runtime", "dev"])
def test_a_first_start_builds(place: Place, kind: str) -> None:
    place.program("python3", SUITABLE)
    assert builds(place.start(*["test"] * (kind == "dev")), place, kind)


def test_changed_requirements_are_installed(place: Place) -> None:
    place.program("python3", SUITABLE)
    place.make_ready("runtime")
    (place.checkout / "requirements" / "runtime.txt").write_text("# another\n")
    assert builds(place.start(), place)


def test_the_tests_need_more_than_the_product(place: Place) -> None:
    place.program("python3", SUITABLE)
    place.make_ready("runtime")
    assert builds(place.start("test"), place, "dev")


def test_a_half_made_environment_is_repaired(place: Place) -> None:
    place.program("python3", SUITABLE)
    place.make_ready("runtime")
    (place.venv / "faultline-unfinished").touch()
    assert builds(place.start(), place)


def test_an_environment_whose_interpreter_is_gone_is_remade(place: Place) -> None:
    place.program("python3", SUITABLE)
    place.make_ready("runtime")
    (place.venv / "bin" / "python").unlink()
    (place.venv / "bin" / "python").symlink_to("/nowhere/python3.11")
    assert builds(place.start(), place)


def test_a_newer_python_is_found_behind_an_old_one(place: Place) -> None:
    place.program("python3", OLD)
    place.program("python3.12", SUITABLE)
    assert builds(place.start(), place, python="python3.12")


def test_the_named_python_is_taken(place: Place) -> None:
    place.program("python3", SUITABLE)
    place.program("mine", SUITABLE)
    place.make_ready("runtime")
    assert builds(place.start(FAULTLINE_PYTHON="mine"), place, python="mine")


def test_an_environment_made_with_the_named_python_is_ready(place: Place) -> None:
    place.make_ready("runtime")
    (place.venv / "faultline-python.txt").write_text("mine\n")
    assert place.start(FAULTLINE_PYTHON="mine").out.startswith(f"{place.venv}/bin/python -P -m tui")


def test_a_failed_build_starts_nothing(place: Place) -> None:
    place.program("python3", '#!/bin/sh\ncase "$*" in -c*) exit 0 ;; esac\nexit 4\n')
    assert place.start() == Said(4, "", "")


def test_uv_brings_a_python_where_there_is_none(place: Place) -> None:
    write_program(place.elsewhere / "managed", SUITABLE)
    place.program("uv", f"#!/bin/sh\ncase \"$*\" in *find*) echo '{place.elsewhere}/managed' ;; esac\n")
    assert f"{place.elsewhere}/managed -I {place.checkout}/requirements/bootstrap.py runtime" in place.start().out


def test_a_read_only_checkout_has_its_environment_in_the_users_cache(place: Place) -> None:
    place.program("python3", SUITABLE)
    place.checkout.chmod(0o555)
    name = "venv" + str(place.checkout).replace("/", "-")
    # To root every folder is writable, so root looks as nobody.
    said = place.start(user=NOBODY if os.geteuid() == 0 else None, XDG_CACHE_HOME="/cache")
    assert f"requirements/bootstrap.py runtime /cache/faultline/{name}" in said.out
    assert said.err.startswith(f"faultline: the checkout is read-only; the environment goes to /cache/faultline/{name}\n")


# ----------------------------------------------------------------------------------------------------- when it cannot


def complains(said: Said, *words: str) -> bool:
    """One line, code 4, and nothing started."""
    return said.code == 4 and said.out == "" and said.err.count("\n") == 1 and all(word in said.err for word in ("faultline: ", *words))


def test_without_python_it_says_what_to_install(place: Place) -> None:
    assert complains(place.start(), "needs Python 3.11 or newer and found none", "apt-get install python3", "brew install")


def test_an_old_python_is_named(place: Place) -> None:
    place.program("python3", OLD)
    assert complains(place.start(), "needs Python 3.11 or newer and found only 3.9;")


def test_a_named_python_that_does_not_suit_is_refused(place: Place) -> None:
    place.program("python3", SUITABLE)
    assert complains(place.start(FAULTLINE_PYTHON="/nowhere/python"), "FAULTLINE_PYTHON=/nowhere/python is not")


def test_windows_is_sent_to_wsl(place: Place) -> None:
    (place.programs / "uname").unlink()
    place.program("uname", "#!/bin/sh\necho MINGW64_NT-10.0\n")
    assert complains(place.start(), "use WSL 2")
