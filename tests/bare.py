"""A Python that has some packages only, though more are installed: as on another machine."""

import importlib.metadata as installed
from collections.abc import Iterable
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

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
    todo = [Requirement(name) for name in names]
    while todo:
        name = canonicalize_name(todo.pop().name)
        if name not in found:
            found.add(name)
            needs = map(Requirement, installed.requires(name) or [])
            todo += [n for n in needs if n.marker is None or n.marker.evaluate({"extra": ""})]
    return found


def only(packages: Iterable[str], folder: Path) -> None:
    """Write into a folder what makes a Python that has it on its PYTHONPATH a bare one."""
    wanted = {canonicalize_name(Requirement(name).name) for name in packages}
    tops = installed.packages_distributions()
    known = [top for top, owners in tops.items() if wanted & set(map(canonicalize_name, owners))]
    text = CODE.replace("{known!r}", repr(sorted(known)))
    (folder / "sitecustomize.py").write_text(text, encoding="utf-8")
