"""Badges and Colab's cell: only where the repository has an address, and then the right ones."""

import re

import pytest
from conftest import ROOT

from fercourse.course import build, door
from fercourse.errors import FercourseError

URL = "https://github.com/someone/fercourse"
LESSON = "notebooks/07_channel_attention.ipynb"


def project(folder, line):
    path = folder / "pyproject.toml"
    path.write_text(f'[project]\nname = "x"\n[project.urls]\n{line}\n', encoding="utf-8")
    return path


@pytest.mark.parametrize("written", [URL, f"{URL}/", f"{URL}.git"])
def test_the_address_is_said_once(tmp_path, written):
    assert door.address(project(tmp_path, f'Repository = "{written}"')) == URL


def test_without_an_address_nothing_is_written(tmp_path):
    assert door.address(project(tmp_path, 'Paper = "https://doi.org/1"')) == ""
    assert door.address(tmp_path / "none.toml") == ""
    assert (door.badges("", LESSON), door.page_badges("", LESSON), door.colab_cell("")) == ("",) * 3


@pytest.mark.parametrize("wrong", ["someone/fercourse", "https://example.org/a/b", f"{URL}/tree/x"])
def test_an_address_that_colab_cannot_open_is_refused(tmp_path, wrong):
    with pytest.raises(FercourseError, match=r"Repository is .*OWNER/NAME"):
        door.address(project(tmp_path, f'Repository = "{wrong}"'))


@pytest.mark.parametrize(
    ("shown", "page"), [(door.badges, ROOT), (door.page_badges, ROOT / "notebooks")]
)
def test_badges_open_the_notebook_and_show_pictures_of_the_repository(shown, page):
    found = re.findall(r"\[!\[Open in (\w+)\]\((.+?)\)\]\((.+?)\)", shown(URL, LESSON))
    assert [name for name, _, _ in found] == ["Colab", "Binder"]
    for _, picture, _ in found:
        assert (page / picture).is_file()
    colab, binder = (link for _, _, link in found)
    assert colab.endswith(f"/github/someone/fercourse/blob/main/{LESSON}")
    assert binder.endswith(f"/v2/gh/someone/fercourse/main?urlpath=lab/tree/{LESSON}")


def test_a_published_notebook_has_badges_and_a_first_cell_that_does_nothing_elsewhere(
    write, monkeypatch
):
    path = write("00_start", "Start")
    plain = build.assemble(build.read(path))
    monkeypatch.setattr(door, "address", lambda: URL)
    opening, first, *rest = build.assemble(build.read(path)).cells
    assert "Open in Colab" in opening.source
    assert [c.source for c in rest] == [c.source for c in plain.cells[1:]]
    monkeypatch.setattr("subprocess.run", lambda *a, **k: pytest.fail("cloned"))
    exec(first.source, {})


def test_on_colab_the_cell_fetches_the_course_and_hands_over_to_it(monkeypatch, tmp_path):
    import subprocess
    import sys

    def clone(command, **options):
        assert command[:2] == ["git", "clone"]
        assert command[-2] == URL
        (tmp_path / command[-1]).mkdir()
        text = "def beside():\n    print('beside')\n"
        (tmp_path / command[-1] / "install.py").write_text(text, encoding="utf-8")

    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(sys.modules, "google.colab", sys)
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.delitem(sys.modules, "install", raising=False)
    monkeypatch.setattr(subprocess, "run", clone)
    exec(door.colab_cell(URL), {})
    assert sys.modules.pop("install").__file__.startswith(("fercourse-course", str(tmp_path)))
