"""Lesson 00's contents are made from the sources."""

from fercourse.course import build


def lesson(folder, name, title, needs, body):
    (folder / name).write_text(
        "# ---\n# jupyter:\n#   fercourse:\n"
        f"#     title: {title}\n#     learn: [do {title}, more]\n"
        f"#     needs: {needs}\n# ---\n\n{body}"
    )


def test_contents_are_made_from_the_sources(tmp_path):
    folder = tmp_path / "source"
    folder.mkdir()
    marked = "# %% [markdown] contents=true\n# Here it is\n"
    task = '# %% [markdown] exercise="start.accuracy"\n# A task\n'
    lesson(folder, "00_start.py", "Zero", [], marked)
    lesson(folder, "01_more.py", "One", [0], task + "\n" + task)
    source = build.read(folder / "00_start.py")
    for _ in range(2):  # assembling leaves the source as it was
        cells = build.assemble(source).cells
        (table,) = (c.source for c in cells if c.source.startswith("Here it is"))
        assert table.count("01_more.ipynb") == 1
        assert "| [01 · One](01_more.ipynb) | do One | 2 | 00 |" in table
