"""Whatever a person types or hands over: one clear line that says what and where, and the right exit code."""

from __future__ import annotations

import contextlib
import json
import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from cluster.supervisor.journal import MAGIC, Journal
from cluster.telemetry.events import Heartbeat
from scenarios.catalog import load
from scenarios.judging import judge, seal
from tests.e2e.fronts import environment, faultline
from tests.scenarios.run_dirs import ORDERS, charged, stale_lock_run
from tests.tui.sample_raft_gossip import ZERO, lab

VIOLATION, USAGE, UNKNOWN, ENVIRONMENT = 1, 2, 3, 4
LIVE = ("live", "--headless", "-n", "1", "--for", "0.1s")


def refused(done: subprocess.CompletedProcess[str], code: int, *said: str) -> None:
    """One line on standard error, nothing on standard output, and this exit code."""
    assert done.returncode == code, done.stderr
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1, done.stderr
    for words in said:
        assert words in done.stderr


def nothing_ran(runtime: Path) -> bool:
    """No run directory is left."""
    return not list((runtime / "faultline").iterdir())


# ---- the command line -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["lvie"], "there is no command 'lvie' (did you mean 'live'?)"),
        (["live", "--nods", "3"], "Did you mean '--nodes'?"),
        (["live", "-n", "x"], "'x' is not a valid integer"),
        (["live", "-n", "101"], "101 is not in the range 1<=x<=100"),
        (["live", "--profile", "lann"], "there is no profile 'lann' (did you mean 'lan'?)"),
        (["live", "--break", "ack_before_fsnc"], "there is no mistake 'ack_before_fsnc' (did you mean 'ack_before_fsync'?)"),
        (["sim", "--break", "?"], "there are: ack_before_fsync, append_without_prev_check, "),
        (["sim", "--seeds", "9..3"], "'9..3' is not a range of seeds"),
        (["sim", "--jobs", "0"], "0 is not in the range 1<=x<=1024"),
        (["sim", "--faults", "crsh"], "there is no kind of fault 'crsh' (did you mean 'crash'?)"),
        (["live", "--for", "10s"], "--for and --json belong to --headless"),
        (["live", "--headless", "--for", "-1s"], "'-1s' is not a duration such as 10s or 500ms"),
        (["live", "--headless", "--voters", "9", "-n", "3"], "9 of 3 nodes cannot vote"),
        (["live", "--rate", "nan", "--headless"], "at most 100000 operations per second"),
        (["live", "--seed", str(2**64)], f"{2**64} is not in the range"),
        (["live", "here"], "unexpected extra argument (here)"),
        (["attach"], "no lab is running"),
        (["attach", "nowhere"], "no lab is running"),
        (["export"], "Missing argument 'FILE'"),
        (["completion", "nosh"], "'nosh' is not one of"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_wrong_command_line_is_refused_in_one_line(runtime: Path, arguments: list[str], said: str) -> None:
    refused(faultline(runtime, *arguments), USAGE, said)


@pytest.mark.parametrize("descriptor", [1, 2])
def test_closed_standard_descriptors_are_no_trouble(runtime: Path, descriptor: int) -> None:
    done = subprocess.run(
        [sys.executable, "-P", "-m", "tui", "doctor"],
        capture_output=True, env=environment(runtime), check=False, preexec_fn=lambda: os.close(descriptor),
    )  # fmt: skip
    assert done.returncode in (0, ENVIRONMENT)
    assert b"Traceback" not in done.stderr


def test_an_output_that_takes_no_more_is_said_once(runtime: Path) -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-P", "-m", "tui", "doctor"], stdout=full, stderr=subprocess.PIPE, env=environment(runtime), check=False
        )
    assert done.returncode == ENVIRONMENT
    assert done.stderr.decode().splitlines() == ["faultline: No space left on device"]


# ---- scripts --------------------------------------------------------------------------------------------------------


def test_every_bad_line_of_a_script_is_told_with_its_place(runtime: Path) -> None:
    script = runtime / "drill.txt"
    script.write_text("at 1 crash leadr\nat 2 pause n1 2s\nat 3 paus n1\nat x heal\n")
    done = faultline(runtime, *LIVE, "--script", str(script))
    assert done.returncode == USAGE
    places = [line.split(": ")[1] for line in done.stderr.splitlines()]
    assert places == [f"{script}:1:12", f"{script}:3:6", f"{script}:4:4"]
    assert "did you mean 'leader'?" in done.stderr
    assert "did you mean 'pause'?" in done.stderr


def test_a_bad_byte_on_standard_input_is_told_with_its_line(runtime: Path) -> None:
    done = faultline(runtime, *LIVE, "--script", "-", stdin=b"at 1 heal\n\xff\xfe\n")
    refused(done, USAGE, "standard input:2: byte 0xff is not UTF-8 text")


@pytest.mark.parametrize(
    ("name", "said"),
    [("/dev/zero", "more than 1048576 bytes are no script"), ("/tmp", "Is a directory"), ("/no", "No such file")],
)
def test_what_is_no_script_is_refused(runtime: Path, name: str, said: str) -> None:
    refused(faultline(runtime, *LIVE, "--script", name), USAGE, name, said)


@pytest.mark.processes
def test_a_line_that_cannot_be_carried_out_is_in_the_report_and_the_run_goes_on(runtime: Path) -> None:
    done = faultline(runtime, *LIVE, "--script", "-", stdin=b"at 0 restart n1\nat 0 put a b\n")
    assert done.returncode == UNKNOWN
    assert "refused    restart n1: n1 is not down" in done.stdout
    assert "exit       clean" in done.stdout


# ---- recordings -----------------------------------------------------------------------------------------------------


@pytest.fixture
def recording(runtime: Path) -> Path:
    """Four frames, each of one event."""
    path = runtime / "whole.flt"
    journal = Journal(str(path), print)
    for event in (lab(3, 3), *(Heartbeat(ZERO + beat, 0) for beat in range(3))):
        journal.write(event)
        journal.flush()
    journal.close()
    return path


def test_a_recording_that_was_cut_is_good_up_to_there(runtime: Path, recording: Path) -> None:
    recording.write_bytes(recording.read_bytes()[:-3])
    done = faultline(runtime, "export", str(recording))
    assert done.returncode == 0
    assert len(done.stdout.splitlines()) == 3
    assert f"{recording}: cut within a frame at offset" in done.stderr


def test_what_is_damaged_in_a_recording_is_left_out(runtime: Path, recording: Path) -> None:
    recording.write_bytes(recording.read_bytes() + b"\x00\x00\x00\x05hello" + b"\xffgarbage")
    done = faultline(runtime, "export", str(recording))
    assert done.returncode == 0
    assert len(done.stdout.splitlines()) == 4
    end = recording.stat().st_size - 8
    assert f"{recording}: damaged frames left out: 1, the first at offset {end - 9}; damaged at offset {end}" in done.stderr


@pytest.mark.parametrize("command", ["export", "replay"])
@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is not a recording"),
        (b"\x7fELF", "is not a recording"),
        (MAGIC.replace(b"1", b"7"), "is a recording of another version"),
        (MAGIC, "holds no events"),
        (MAGIC + b"\xff\xff\xff\xff", "damaged at offset"),
    ],
    ids=["empty", "program", "version", "head", "length"],
)
def test_what_is_no_recording_is_refused(runtime: Path, command: str, content: bytes, said: str) -> None:
    path = runtime / "x.flt"
    path.write_bytes(content)
    refused(faultline(runtime, command, str(path)), USAGE, str(path), said)


@pytest.mark.parametrize(("command", "said"), [("export", "is a directory"), ("replay", "is not the directory of a run")])
def test_a_directory_is_no_recording(runtime: Path, command: str, said: str) -> None:
    """That of an incident's run can be replayed, but this is none."""
    refused(faultline(runtime, command, str(runtime)), USAGE, str(runtime), said)


# ---- the machine ----------------------------------------------------------------------------------------------------


def test_a_port_in_use_is_named(runtime: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        refused(faultline(runtime, *LIVE, "--port", str(port)), ENVIRONMENT, f"port {port} is in use")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--data", "/proc/x"], "cannot use /proc/x for data"),
        (["--record", "/proc/x"], "cannot write /proc/x"),
        (["--record", "/dev/null/x"], "cannot write /dev/null/x: Not a directory"),
    ],
)
def test_a_place_that_cannot_be_written_is_named(runtime: Path, arguments: list[str], said: str) -> None:
    refused(faultline(runtime, *LIVE, *arguments), ENVIRONMENT, said)
    assert nothing_ran(runtime)


@pytest.mark.parametrize("where", [{"XDG_RUNTIME_DIR": "/proc"}, {"XDG_RUNTIME_DIR": "", "TMPDIR": "/proc"}], ids=["xdg", "tmpdir"])
def test_run_directories_need_a_place(runtime: Path, where: dict[str, str]) -> None:
    refused(faultline(runtime, *LIVE, **where), ENVIRONMENT, "cannot make /proc/faultline")


@pytest.mark.processes
def test_a_recording_on_a_full_disk_ends_and_the_lab_goes_on(runtime: Path) -> None:
    done = faultline(runtime, *LIVE, "--record", "/dev/full")
    assert done.returncode == UNKNOWN
    assert "recording /dev/full ended: No space left on device" in done.stdout
    assert "exit       clean" in done.stdout


@pytest.fixture
def small_disk(runtime: Path) -> Iterator[Path]:
    place = runtime / "small"
    place.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=400k", "tmpfs", str(place)], capture_output=True, check=False)
    if mounted.returncode != 0:
        pytest.skip("mounting a small disk needs root")
    yield place
    subprocess.run(["umount", str(place)], check=True)


@pytest.mark.processes
def test_a_full_disk_is_named_by_the_node_that_met_it(runtime: Path, small_disk: Path) -> None:
    done = faultline(runtime, "live", "--headless", "-n", "3", "--for", "1s", "--data", str(small_disk / "data"))
    assert done.returncode == ENVIRONMENT
    assert re.fullmatch(rf"faultline: n\d ended: {small_disk}/data/n\d: No space left on device\n", done.stderr)
    assert nothing_ran(runtime)


def test_what_a_sweep_found_is_told_although_its_repro_cannot_be_written(runtime: Path, small_disk: Path) -> None:
    repro = small_disk / "repro-apply_before_commit-0.json"
    repro.write_text("of before")
    with (small_disk / "rest").open("wb", buffering=0) as rest, contextlib.suppress(OSError):
        while rest.write(bytes(4_096)):
            pass
    done = faultline(runtime, "sim", "--json", "--break", "apply_before_commit", "--seeds", "0", "--out", str(small_disk))
    assert done.returncode == VIOLATION
    assert done.stderr == f"faultline: {repro}: No space left on device\n"
    (found,) = json.loads(done.stdout)["violations"]
    assert (found["seed"], found["repro"]) == (0, "")
    assert repro.read_text() == "of before"
    assert {path.name for path in small_disk.iterdir()} == {"rest", repro.name}


@pytest.mark.parametrize("arguments", [["live"], []], ids=["live", "default"])
def test_the_dashboard_without_a_terminal_says_what_works_instead(runtime: Path, arguments: list[str]) -> None:
    refused(faultline(runtime, *arguments), ENVIRONMENT, "the dashboard needs a terminal (faultline live --headless does not)")


# ---- an output that lacks our signs ---------------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_what_an_encoding_lacks_is_escaped_and_nothing_is_lost(runtime: Path, encoding: str) -> None:
    plain, poor = (
        subprocess.run(
            [sys.executable, "-P", "-m", "tui", "incidents", "--json"],
            capture_output=True, env=environment(runtime) | {"PYTHONIOENCODING": by}, check=False,
        )
        for by in ("utf-8", encoding)
    )  # fmt: skip
    assert (plain.returncode, poor.returncode, poor.stderr) == (0, 0, b"")
    assert plain.stdout.decode() != poor.stdout.decode(encoding)
    assert json.loads(plain.stdout) == json.loads(poor.stdout.decode(encoding))


def test_a_name_that_is_no_text_is_told_in_one_line(runtime: Path) -> None:
    made = stale_lock_run(runtime / "even", [charged(order, "w2") for order in ORDERS])
    seal(made, judge(load("stale-lock-holder"), made, 1.0))
    odd = str(made.rename(runtime / "odd\udcff"))
    refused(faultline(runtime, "verify", odd, "--json"), USAGE, "odd\\udcff' is no UTF-8 text")
    assert faultline(runtime, "verify", odd).stdout.splitlines()[-1].endswith("odd\\udcff")
