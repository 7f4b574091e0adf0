"""A stored picture is told from today's by its digest."""

import numpy as np
import pytest
from conftest import ROOT

from fercourse.explain import ScoreBook
from fercourse.pages import where_it_looks
from fercourse.pages.front import pictures
from fercourse.pages.picture import stored_digest
from fercourse.plots.digest import digest
from fercourse.plots.style import course_style, headline, new_figure
from fercourse.runs.ledger import Ledger


@course_style()
def drawn(value=1.0, colour="#0072B2", fill=None, words="a finding", image=0.5):
    figure = new_figure(height=2)
    left, right = figure.subplots(1, 2)
    left.plot([0, 1], [0, value], "-o", color=colour, mfc=fill or colour)
    left.bar([0], [value])
    left.scatter([1], [value])
    right.imshow(np.full((2, 2), image), vmin=0, vmax=1)
    headline(figure, words)
    return figure


def test_equal_figures_have_one_digest_drawn_or_not():
    first, second = drawn(), drawn()
    first.draw_without_rendering()
    assert digest(first) == digest(second) == digest(first)
    assert repr(first) == f"Figure {digest(first)}: a finding"


@pytest.mark.parametrize(
    "change",
    [{"value": 1.01}, {"colour": "#D55E00"}, {"fill": "white"}, {"words": "other"}, {"image": 0.4}],
)
def test_a_number_a_colour_a_filling_a_word_or_a_pixel_changes_it(change):
    assert digest(drawn(**change)) != digest(drawn())


def test_the_last_digits_of_a_processor_do_not():
    assert digest(drawn(value=0.12345)) == digest(drawn(value=0.12345 * (1 + 1e-13)))


def test_stored_pictures_show_what_the_records_say():
    drawings = pictures(Ledger(ROOT / "results" / "ledger.jsonl"))
    drawings |= where_it_looks.pictures(ScoreBook(ROOT / "results" / "scores.jsonl").rows())
    for name, draw in drawings.items():
        path = ROOT / "docs" / "pictures" / f"{name}.png"
        assert stored_digest(path) == digest(draw()), (
            f"{name}: run fercourse ledger report, fercourse explain report"
        )


def test_a_picture_from_elsewhere_has_no_digest(tmp_path):
    drawn().savefig(tmp_path / "plain.png")
    assert stored_digest(tmp_path / "plain.png") == ""
    assert stored_digest(tmp_path / "none.png") == ""
