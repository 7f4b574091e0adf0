"""One click into the course: badges, and the cell that Colab needs, for a published repository.

The address is said once, as ``Repository`` in pyproject.toml's ``[project.urls]``. Where it is not,
there are no badges and no such cell.
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from fercourse.errors import FercourseError
from fercourse.settings import ROOT

BRANCH = "main"


def address(project: Path = ROOT / "pyproject.toml") -> str:
    """Where the repository is published; empty where that is not said.

    Raises:
        FercourseError: It is no address of a GitHub repository, which Colab and Binder open.
    """
    if not project.is_file():  # installed without its checkout
        return ""
    urls = tomllib.loads(project.read_text(encoding="utf-8"))["project"].get("urls", {})
    url = urls.get("Repository", "").removesuffix("/").removesuffix(".git")
    if url and not re.fullmatch(r"https://github\.com/[\w.-]+/[\w.-]+", url):
        raise FercourseError(
            f"{project.name}: Repository is {url!r}; Colab and Binder open "
            "https://github.com/OWNER/NAME, so write that, or leave the line out."
        )
    return url


def badges(url: str, path: str) -> str:
    """Links that open a notebook on Colab and on Binder; empty without an address.

    The badges' pictures lie in the repository: pages must not need a network.

    Args:
        url: "https://github.com/OWNER/NAME", or empty.
        path: Of the notebook, from the repository's root.
    """
    if not url:
        return ""
    name = url.removeprefix("https://github.com/")
    colab = f"https://colab.research.google.com/github/{name}/blob/{BRANCH}/{path}"
    binder = f"https://mybinder.org/v2/gh/{name}/{BRANCH}?urlpath=lab/tree/{path}"
    return " ".join(_badge(*row) for row in (("Colab", colab), ("Binder", binder)))


def page_badges(url: str, path: str) -> str:
    """The same on a page that lies in ``notebooks/`` itself."""
    return badges(url, path).replace("(docs/", "(../docs/")


def colab_cell(url: str) -> str:
    """A first cell that fetches the course where Colab runs the notebook; empty without address."""
    if not url:
        return ""
    return f"""\
import sys

if "google.colab" in sys.modules:  # the course beside Colab's torch, which stays as it is
    import subprocess

    clone = ["git", "clone", "--quiet", "--depth", "1"]
    subprocess.run([*clone, "{url}", "fercourse-course"])
    sys.path.insert(0, "fercourse-course")
    import install

    install.beside()
"""


def _badge(place: str, link: str) -> str:
    return f"[![Open in {place}](docs/pictures/open-in-{place.lower()}.svg)]({link})"
