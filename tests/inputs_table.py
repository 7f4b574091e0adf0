"""``python tests/inputs_table.py``: every copy of a data set that is tried, and what is answered.

Markdown, a line an input: what it is, the command, its exit code and the last thing it says. With
``PYTHONPATH`` on an earlier checkout it says what was answered then.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

import campaign
import made_sets as made


def main() -> None:
    os.environ["COLUMNS"] = "250"
    print("| input | options | exit code | says |\n| --- | --- | ---: | --- |")
    with tempfile.TemporaryDirectory() as folder:
        os.environ["FERCOURSE_CACHE"] = str(Path(folder) / "cache")
        cases = [(name, make, "") for name, make in made.ALIKE.items()]
        cases += [(name, make, options) for name, (make, options, *_) in made.ODD.items()]
        for number, (name, make, options) in enumerate(cases):
            files = make()
            root = made.write(Path(folder) / str(number), files)
            alone = len(files) == 1 and "/" not in next(iter(files))
            path = root / next(iter(files)) if alone else root
            words = ["data", "check", str(path), *options.split()]
            code, out, err = campaign.typed(words, Path(folder))
            print(f"| {name} | {options} | {code} | {said(out, err, str(root))} |", flush=True)


def said(out: str, err: str, root: str) -> str:
    """The sentence of an error; else how many were read, and the last note."""
    lines = [" ".join(line.split()) for line in (err or out).strip().splitlines()]
    if not err:
        read = [line for line in lines if line.startswith("read ")]
        notes = [line for line in lines if line.startswith(("note", "Skipped"))]
        ours = [n for n in notes if not n.startswith(("note Blurred", "note Sharp", "note Hist"))]
        lines = read + ours[:1]
    return "; ".join(lines[-2:]).replace(root, "...").replace("|", "/")[-300:]


if __name__ == "__main__":
    sys.exit(main())
