"""docs/architecture.md draws the house as the imports build it, and no arrow goes up."""

import ast
import re
from pathlib import Path

import fercourse

PACKAGE = Path(fercourse.__file__).parent
PAGE = (PACKAGE.parent / "docs" / "architecture.md").read_text(encoding="utf-8")


def imports() -> dict[str, set[str]]:
    """Room to the rooms it imports, wherever in a file."""
    found: dict[str, set[str]] = {}
    for path in PACKAGE.rglob("*.py"):
        room = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
        if room == "__init__":
            continue
        mine = found.setdefault(room, set())
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module == "fercourse":
                mine |= {entry.name for entry in node.names}
            elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("fercourse."):
                mine.add(node.module.split(".")[1])
        mine.discard(room)
    return found


def floors() -> list[set[str]]:
    """The drawing's rooms, from the top down."""
    drawing = PAGE.split("```")[1]
    return [
        set(re.split(r"\s{3,}", x.strip())[0].split(" · ")) for x in drawing.strip().split("\n")
    ]


def test_the_drawing_has_every_room_once() -> None:
    rooms = [room for floor in floors() for room in floor]
    assert sorted(rooms) == sorted(imports())


def test_no_arrow_goes_up_or_sideways() -> None:
    height = {room: -k for k, floor in enumerate(floors()) for room in floor}
    up = [(a, b) for a, others in imports().items() for b in others if height[b] >= height[a]]
    assert up == [], "these imports go up: move what is imported down"


def test_the_table_lists_what_each_room_imports() -> None:
    rows = re.findall(r"^\| `(\w+)` \| .+ \| (.+) \|$", PAGE, re.MULTILINE)
    told = {room: set(said.split(", ")) - {"nothing"} for room, said in rows}
    assert told == imports()
