"""Text files of rows: csv, with whatever separator, coding and quotes they have."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from typing import BinaryIO

from fercourse.errors import FercourseError

_LONGEST = 2**18
"""Characters of a row at most; 2,304 pixels of a Python list are 12,000."""

_SEPARATORS = (",", ";", "\t", "|")
_GOES_ON = re.compile(r"[\s\d.]*(\][^\[]*)?", re.DOTALL)
"""A line of a print of numpy's that is not its first: numbers, until the bracket closes."""
_BRACKETS = re.compile(r"\[[^\]]*\]")


def coding(head: bytes) -> str:
    """The coding of a text that begins so: UTF-16 by its mark or its zeros, else UTF-8."""
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    pairs = max(1, len(head) // 2)
    if head[1::2].count(0) > 0.4 * pairs:
        return "utf-16-le"
    if head[::2].count(0) > 0.4 * pairs:
        return "utf-16-be"
    return "utf-8-sig"


def lines(stream: BinaryIO, head: bytes) -> Iterator[tuple[int, str]]:
    """Rows that are not empty, each with the number of its line, from 1.

    A row ends with its line, so that a stray quote costs its own row only; but brackets that stay
    open, as numpy's print leaves them, go on to where they close.

    Args:
        stream: At its start.
        head: What it begins with.
    """
    text = io.TextIOWrapper(stream, encoding=coding(head), errors="replace")
    held, started, number = "", 0, 0
    while line := text.readline(_LONGEST):
        number += 1
        if held:
            if _GOES_ON.fullmatch(line) and number - started < 500:
                held = f"{held} {line.rstrip()}"
                if "]" in line:
                    yield started, held
                    held = ""
                continue
            yield started, held  # what stayed open was no print of numpy's: a row of its own
            held = ""
        if line.count("[") > line.count("]"):
            held, started = line.rstrip(), number
        elif line.strip():
            yield number, line.rstrip("\r\n")
    if held:
        yield started, held
    text.detach()


def separator(line: str) -> str:
    """What parts the fields of a line: the first of the usual ones that is most frequent."""
    outside = re.sub(r'"[^"]*"', "", _BRACKETS.sub("", line))
    return max(_SEPARATORS, key=outside.count)


def fields(line: str, sep: str) -> list[str]:
    """The fields of a line, without spaces and quotes around them; brackets hold together.

    Raises:
        FercourseError: No csv is written so.
    """
    if "[" not in line and '"' not in line:
        return [field.strip() for field in line.split(sep)]
    held: list[str] = []

    def hold(match: re.Match[str]) -> str:
        held.append(match[0])
        return f"[{len(held) - 1}]"

    short = _BRACKETS.sub(hold, line)
    try:
        row = next(csv.reader([short], delimiter=sep, skipinitialspace=True))
    except (csv.Error, StopIteration) as error:
        raise FercourseError(f"a line that is no csv ({error})") from None
    return [
        re.sub(r"\[(\d+)\]", lambda m: held[int(m[1])], field).strip().strip('"').strip()
        for field in row
    ]
