"""Tables and marked places of Markdown pages."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence

from fercourse.errors import FercourseError

_RULES = {"l": "---", "r": "---:"}


def table(head: Sequence[str], rows: Iterable[Sequence[object]], align: str = "") -> str:
    """A table, one line a row.

    Args:
        head: The columns' names.
        rows: Cells; a bar in one is escaped.
        align: "l" or "r" for each column, as in "llrr"; left where nothing is said.

    Raises:
        FercourseError: A cell holds a line break.
    """
    rules = [_RULES[letter] for letter in align or "l" * len(head)]
    return "\n".join(map(_line, (head, rules, *rows)))


def fill(text: str, begin: str, end: str, content: str, page: object) -> str:
    """A page with other content between two markers.

    Raises:
        FercourseError: The markers are not there.
    """
    before, found, rest = text.partition(begin)
    _, closed, after = rest.partition(end)
    if not (found and closed):
        raise FercourseError(f"{page} has no place for results: put {begin} and {end} into it.")
    return f"{before}{begin}\n\n{content}\n\n{end}{after}"


def fill_tables(text: str, tables: dict[str, Callable[[], str]], page: object) -> str:
    """A page with every ``<!-- table: NAME -->`` ... ``<!-- end -->`` filled.

    Raises:
        FercourseError: The page asks for a table there is none of.
    """

    def filled(found: re.Match[str]) -> str:
        name = found[1]
        if name not in tables:
            raise FercourseError(f"{page} asks for table {name!r}; there are {', '.join(tables)}.")
        return f"<!-- table: {name} -->\n\n{tables[name]()}\n\n<!-- end -->"

    return re.sub(r"<!-- table: (\w+) -->.*?<!-- end -->", filled, text, flags=re.DOTALL)


def _line(cells: Sequence[object]) -> str:
    texts = [str(cell).replace("|", "\\|") for cell in cells]
    if any("\n" in text for text in texts):
        raise FercourseError(f"{texts[0]}: a table's cell cannot hold a line break.")
    return f"| {' | '.join(texts)} |"
