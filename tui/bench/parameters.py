"""Kinds of values on a bench's command line."""

from __future__ import annotations

import re

import click

from cluster.commands.quantities import read_duration
from cluster.core.types import Micros


class Duration(click.ParamType[Micros]):
    """`20s`, `500ms`, or a plain number of seconds; microseconds inside."""

    name = "duration"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> Micros:
        if isinstance(value, int):
            return value
        text = str(value)
        duration_us = read_duration(text if not text.replace(".", "", 1).isdigit() else f"{text}s")
        if duration_us is None or duration_us <= 0:
            self.fail(f"{text!r} is not a duration such as 20s or 500ms", param, ctx)
        return duration_us


class Size(click.ParamType[tuple[int, int]]):
    """`200x50`: (columns, lines)."""

    name = "size"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, int]:
        if isinstance(value, tuple):
            return value
        found = re.fullmatch(r"([1-9]\d{1,2})x([1-9]\d{1,2})", str(value))
        if found is None:
            self.fail(f"{value!r} is not a size such as 200x50", param, ctx)
        return int(found.group(1)), int(found.group(2))


class Numbers(click.ParamType[tuple[int, ...]]):
    """`1,16,64`: whole numbers above zero, in the order given."""

    name = "numbers"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, ...]:
        if isinstance(value, tuple):
            return value
        parts = str(value).split(",")
        if not all(re.fullmatch(r"[1-9]\d{0,4}", part) for part in parts):
            self.fail(f"{value!r} is not a list of numbers such as 1,16,64", param, ctx)
        return tuple(int(part) for part in parts)
