"""A Python that has some packages only, though more are installed: as on another machine."""

import importlib.metadata as installed
import re
import textwrap
from collections.abc import Iterable
from pathlib import Path

CODE = """\
import sys
from importlib.machinery import PathFinder

KNOWN = {known!r}


class Bare(PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        spec = super().find_spec(name, path, target)
        origin = (spec.origin or next(iter(spec.submodule_search_locations), "")) if spec else ""
        packaged = "site-packages" in origin or "dist-packages" in origin
        return None if packaged and name.partition(".")[0] not in KNOWN else spec


sys.meta_path[:] = [Bare if finder is PathFinder else finder for finder in sys.meta_path]
"""


def with_needs(names: Iterable[str]) -> set[str]:
    """These packages, and all that they cannot do without."""
    found: set[str] = set()
    todo = [*names]
    while todo:
        name = _plain(todo.pop())
        if name in found:
            continue
        found.add(name)
        try:
            needed = installed.requires(name) or []
        except installed.PackageNotFoundError:
            continue  # another system's
        todo += [need for need in needed if "extra ==" not in need]
    return found


def only(packages: Iterable[str], folder: Path) -> None:
    """Write into a folder what makes a Python that has it on its PYTHONPATH a bare one."""
    wanted = set(map(_plain, packages))
    tops = installed.packages_distributions()
    known = {top for top, owners in tops.items() if wanted & set(map(_plain, owners))}
    text = textwrap.dedent(CODE).replace("{known!r}", repr(sorted(known)))
    (folder / "sitecustomize.py").write_text(text, encoding="utf-8")


def _plain(requirement: str) -> str:
    name = re.match(r"[\w.-]+", requirement)
    assert name, requirement
    return re.sub(r"[-_.]+", "-", name[0]).lower()
