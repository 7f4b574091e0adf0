"""The slides: what is on them, what the speaker sees, and no network."""

import re
from base64 import b64encode

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from fercourse.course import slides
from fercourse.course.build import read, sources
from fercourse.errors import FercourseError

PNG = {"image/png": b64encode(b"a picture").decode(), "text/plain": "<Figure>"}
SHOWN = {"tags": ["slide"]}


def lesson(*cells):
    """A built notebook around these cells."""
    opening = "# 03 · Turning\n\n**You will learn**\n\n- to turn\n\n**Before this:** nothing"
    start = new_code_cell("course.begin(3)", outputs=[new_output("display_data", PNG)])
    end = new_markdown_cell("## Summary\n\n- It turns.\n- It [stops](04_stop.ipynb).")
    about = {"fercourse": {"number": 3, "title": "Turning"}}
    return new_notebook(cells=[new_markdown_cell(opening), start, *cells, end], metadata=about)


def printed(text, source="print(1)", **metadata):
    halves = [new_output("stream", name="stdout", text=part) for part in text.partition(" ")]
    return new_code_cell(source, outputs=halves, metadata=metadata or SHOWN)


def test_a_deck_opens_with_the_promise_and_the_map_and_ends_with_the_summary():
    first, where, last = slides.slides(lesson())
    assert (first.body, where.picture) == ("- to turn", b"a picture")
    assert (last.title, last.body) == ("Summary", "- It turns.\n- It stops.")


def test_a_summary_that_is_too_long_goes_on_upon_the_next_slide():
    items = [f"- {number} " + "many words " * 20 for number in range(6)]
    text = "\n".join(items)
    cell = new_markdown_cell(f"So far so good.\n\n## Summary\n\n{text}\n\n## Tasks\n\nDo.")
    pages = [s for s in slides.slides(lesson(cell)) if s.title == "Summary"][:-1]
    assert len(pages) > 1
    assert [line[:3] for p in pages for line in p.body.split("\n")] == [i[:3] for i in items]


def test_a_tagged_cell_is_below_its_sections_title_with_the_prose_around_it_as_notes():
    made = slides.slides(
        lesson(
            new_markdown_cell("## Corners\n\nLook at the corners."),
            new_code_cell("draw()", outputs=[new_output("execute_result", PNG)], metadata=SHOWN),
            new_markdown_cell("They repeat.\n\n## Edges\n\nAnother matter."),
            new_code_cell("hidden()"),
            new_markdown_cell("$$x = 1$$", metadata=SHOWN),
        )
    )
    corners, edges = made[2:4]
    assert (corners.title, corners.body, corners.picture) == ("Corners", "", b"a picture")
    assert corners.notes == "Look at the corners.\n\nThey repeat."
    assert (edges.title, edges.body) == ("Edges", "$$x = 1$$")


def test_what_was_printed_is_one_piece_below_the_sentence_that_leads_to_it():
    cells = new_markdown_cell("## Count\n\nHow many?"), printed("a < b")
    (slide,) = slides.slides(lesson(*cells))[2:3]
    size = slides.LARGEST
    assert (
        slide.body == f'How many?\n\n<pre style="font-size: {size}px"><code>a &lt; b</code></pre>'
    )
    assert slide.notes == ""


@pytest.mark.parametrize("columns", [10, 40, 74, 200])
def test_printed_lines_are_as_large_as_they_fit_and_never_small(columns):
    size = int(re.search(r"font-size: (\d+)px", slides._literal("x" * columns))[1])
    assert slides.SMALLEST <= size <= slides.LARGEST
    assert columns > 74 or size * columns * slides.LETTER <= slides.WIDTH


def test_code_is_shown_where_it_is_asked_for_and_short():
    tags = {"tags": ["slide", "slide-code"]}
    (slide,) = slides.slides(lesson(new_code_cell("x = 1", metadata=tags)))[2:3]
    assert "x = 1" in slide.body
    assert "print" not in slides.slides(lesson(printed("1")))[2].body
    long = new_code_cell("\n".join(["x = 1"] * (slides.CODE_LINES + 1)), metadata=tags)
    with pytest.raises(FercourseError, match=r"Lesson 03.*slide-code.*more than 8 lines"):
        slides.slides(lesson(long))


def test_a_tagged_cell_without_output_is_refused():
    with pytest.raises(FercourseError, match=r"Lesson 03.*'quiet\(\)'.*no output"):
        slides.slides(lesson(new_code_cell("quiet()", metadata=SHOWN)))


@pytest.mark.parametrize("path", sources(), ids=lambda p: p.stem)
def test_each_lesson_has_five_to_ten_tagged_cells(path):
    tagged = [c for c in read(path).cells if "slide" in c.metadata.get("tags", [])]
    assert 5 <= len(tagged) <= 10
    assert not any("exercise" in cell.metadata for cell in tagged)


@pytest.mark.slow
def test_a_deck_loads_nothing_from_elsewhere(tmp_path):
    import nbformat

    notebook = lesson(new_markdown_cell("## Sum\n\n$$x = 1$$", metadata=SHOWN))
    nbformat.write(notebook, tmp_path / "03_turning.ipynb")
    out = tmp_path / "slides"
    slides.write_slides(out, [tmp_path / "03_turning.ipynb"])
    assert 'href="03_turning.html"' in (out / "index.html").read_text(encoding="utf-8")
    page = (out / "03_turning.html").read_text(encoding="utf-8")
    assert "<math" in page
    assert "RevealNotes" in page
    loaded = re.findall(r'<(?:script|link|img)[^>]+(?:src|href)="([^"?]+)', page)
    assert {name.rpartition("/")[2] for name in loaded} >= {"reveal.js", "slides.css", "notes.js"}
    for name in loaded:
        assert (out / name).is_file(), name
        if name.endswith(".css"):
            text = (out / name).read_text(encoding="utf-8")
            assert not re.search(r"(@import|url\()[^;)]*//", text), name
    scripts = "".join(re.findall(r"<script>(.*?)</script>", page, re.DOTALL))
    assert "//" not in re.sub(r"// .*", "", scripts)
