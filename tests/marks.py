"""Marks that several tests share."""

from __future__ import annotations

import pytest

from cluster import native

# For tests that put something else in the place of a part of a module: compiled code does not look it up.
interpreted = pytest.mark.skipif(native.STATE == native.USED, reason="replaces a part of a compiled module")
