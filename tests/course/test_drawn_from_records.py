"""A figure of recorded numbers is compared with what today's code draws from today's records.

nbval runs every notebook and compares the outputs of cells tagged nbval-check-output; what a figure
leaves there is its digest (:mod:`fercourse.plots.digest`), so that a stored picture which is older
than its code or its data fails. Here: every such cell has the tag.
"""

import re

import jupytext
import nbformat
import pytest

from fercourse.course.build import COMPARED, NOTEBOOKS, sources

RECORDED = re.compile(
    r"plots\.(ablation_step|recipe_gains|speedrun|accuracy_spread|fold_protocols|sweep|table1_figure"
    r"|ablation_slopes|component_credits|claimed_against_measured|score_models|score_expressions"
    r"|sanity|faithfulness|supervision|gcca_mends|relatives|claimed_counts|sta_beside_error|one_field|weather_curves|weather_gains|reliability_bins)\(|plots\.confusion\("
    r"(ours\.|pool_folds)|clinic\.whole\(|\.order\(\""
)


@pytest.mark.parametrize("path", sources(), ids=lambda p: p.stem)
def test_cells_that_draw_records_are_compared(path):
    cells = jupytext.read(path, fmt="py:percent").cells
    drawing = [c for c in cells if c.cell_type == "code" and RECORDED.search(c.source)]
    untagged = [c.source for c in drawing if COMPARED not in c.metadata.get("tags", [])]
    assert untagged == [], f"tag these cells {COMPARED}"


@pytest.mark.parametrize("path", sources(), ids=lambda p: p.stem)
def test_stored_figures_carry_their_digest(path):
    notebook = nbformat.read(NOTEBOOKS / f"{path.stem}.ipynb", as_version=4)
    figures = [
        output.data.get("text/plain", "")
        for cell in notebook.cells
        if cell.cell_type == "code" and RECORDED.search(cell.source)
        for output in cell.outputs
        if "image/png" in output.get("data", {})
    ]
    assert [words for words in figures if not re.match(r"Figure [0-9a-f]{8}: ", words)] == []
