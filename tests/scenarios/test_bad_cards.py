"""A card that is wrong costs its own incident and no other."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest

from cluster.core.errors import UsageError
from scenarios import catalog
from tui.cli import run
from tui.cli.exits import GOOD, USAGE

SPOILT = "election/stale_lock_holder/incident.toml"
HERE = Path(catalog.__file__).parent


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """All cards, where they may be spoilt."""
    for file in HERE.glob("*/*/incident.toml"):
        copy = tmp_path / "scenarios" / file.relative_to(HERE)
        copy.parent.mkdir(parents=True)
        shutil.copyfile(file, copy)
    monkeypatch.setattr(catalog, "_HERE", tmp_path / "scenarios")
    return tmp_path / "scenarios"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"[scenario\n", f"scenarios/{SPOILT}: Expected ']' at the end of a table declaration (at line 1, column 10)"),
        (b"", f"scenarios/{SPOILT}: "),
        (b"\xff", f"scenarios/{SPOILT}: is not UTF-8 at byte 0"),
    ],
)
def test_the_list_shows_the_others_and_one_line_for_it(
    text: bytes, said: str, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    built = len(catalog.cards())
    (folder / SPOILT).write_bytes(text)
    assert run(["incidents", "--runs", str(tmp_path / "runs")]) == USAGE
    out, err = capsys.readouterr()
    assert [line for line in out.splitlines() if line.startswith(f"     ! {said}")]
    assert "02 stale-lock-holder          selection    its card cannot be used" in out
    assert out.count("broken –  canonical –") == built - 1
    assert err == ""
    assert run(["incidents", "--json", "--runs", str(tmp_path / "runs")]) == USAGE
    listed = {entry["slug"]: entry for entry in json.loads(capsys.readouterr().out)}
    assert len(listed) == 24
    assert listed["stale-lock-holder"]["wrong"].startswith(said)
    assert (listed["stale-lock-holder"]["built"], listed["double-refund"]["built"], listed["double-refund"]["wrong"]) == (False, True, None)


def test_a_card_of_nobody_is_told_beside_the_list(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "election" / "unheard_of").mkdir()
    (folder / "election" / "unheard_of" / "incident.toml").write_text("oops")
    assert run(["incidents", "--runs", str(tmp_path / "runs")]) == USAGE
    out, err = capsys.readouterr()
    assert "cannot be used" not in out
    assert len(err.splitlines()) == 1
    assert "scenarios/election/unheard_of/incident.toml: " in err


def test_only_its_own_incident_cannot_be_had(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / SPOILT).write_text("oops")
    for command in ("show", "run"):
        assert run([command, "stale-lock-holder"]) == USAGE
        assert capsys.readouterr().err.startswith(f"faultline: scenarios/{SPOILT}: ")
    assert catalog.load("double-refund").card.slug == "double-refund"
    assert run(["show", "double-refund"]) == GOOD


def test_many_faults_of_a_card_are_one_line_of_the_list(folder: Path) -> None:
    text = (folder / SPOILT).read_text()
    (folder / SPOILT).write_text(text.replace("duration_s = ", "duration_s = 99").replace("nth = 10", "nth = 0"))
    (entry,) = [one for one in catalog.entries() if one.row.slug == "stale-lock-holder"]
    assert entry.card is None
    assert re.fullmatch(rf"scenarios/{SPOILT}: scenario.duration_s: [^\n]+ \(and \d more\)", entry.wrong)
    with pytest.raises(UsageError, match="duration_s"):
        catalog.cards()
