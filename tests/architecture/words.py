"""What the product's text never says: where it was made, and which registry a package comes from.

The patterns are put together from pieces so that this file does not contain what it looks for.
"""

from __future__ import annotations

import re

from tests.architecture.source import Finding

# Locks and exports name the registry by their nature.
MAY_NAME_REGISTRIES = re.compile(r"uv\.lock|requirements/[\w-]+\.txt")


def _joined(*pieces: str) -> str:
    return "".join(re.escape(piece) for piece in pieces)


def _folder(*pieces: str) -> str:
    """A folder at the root of a machine, as opposed to a part of some longer path."""
    return r"(?<![\w.~$}-])" + _joined("/", *pieces, "/")


_ORIGIN = re.compile(
    "|".join(
        (
            _folder("wo", "rk"),
            _folder("ro", "ot"),
            r"/opt/" + _joined("py", "pi"),
            r"\.\./" + _joined("sha", "red"),
            r"\b" + _joined("sha", "red/") + r"[\w-]+\.(md|toml|txt)\b",
            r"\b" + _joined("develop", "ers.md"),
            r"\b" + _joined("seed-", "incidents"),
            r"\b" + _joined("sty", "le.md"),
            r"\b" + _joined("layers", ".toml"),
            r"\b" + _joined("proto", "cols.md"),
            r"\b" + _joined("screens", ".md"),
        )
    ),
    re.IGNORECASE,
)
_REGISTRY = re.compile(
    "|".join((_joined("py", "pi.org"), _joined("python", "hosted.org"), _joined("deb.", "debian.org"), _joined("npm", "js.org")))
)


def words(path: str, text: str) -> list[Finding]:
    """Lines of a file that speak of its making."""
    findings = []
    for number, line in enumerate(text.splitlines(), 1):
        if said := _ORIGIN.search(line):
            findings.append(Finding(path, number, f"'{said.group()}': the text speaks of the product only"))
        if (said := _REGISTRY.search(line)) and not MAY_NAME_REGISTRIES.fullmatch(path):
            findings.append(Finding(path, number, f"'{said.group()}': registries are named in locks only"))
    return findings
