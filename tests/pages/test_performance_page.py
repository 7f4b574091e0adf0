"""The page about performance, and its figure, are what the record says."""

from dataclasses import replace

import pytest
from conftest import ROOT
from made_rows import made_growth

from fercourse.pages.performance import PARTS, PICTURE, report, write
from fercourse.pages.picture import stored_digest
from fercourse.plots import cost_growth
from fercourse.plots.digest import digest
from fercourse.runs.performance import Memory, Performance, Ratio, Spread

RECORD = ROOT / "results" / "bench.json"
ABOUT = {
    "created": "2026-11-30T12:00:00+00:00",
    "device": "cpu x 2",
    "processor": "A processor",
    "instructions": "AVX512",
    "cores": 2,
    "precision": "bf16",
    "versions": {"torch": "2", "torchvision": "0", "python": "3"},
    "minutes": 6.0,
    "size": 48,
    "width": 1.0,
    "batch": 64,
    "nothing_mb": 400.0,
}


@pytest.fixture
def made() -> Performance:
    """Every part with one ratio, the first with an aim."""

    def ratio(part, aim=None):
        faster = Spread(4.0, 3.5, 4.5, 9)
        return Ratio(part, f"ours, {part}", "other", "faces", 1234.0, faster, aim)

    first, *others = PARTS
    return Performance(
        ABOUT,
        (ratio(first, aim=0.8), *map(ratio, others)),
        (Memory("training", 32, 1000.0, 700.0), Memory("training", 128, 1960.0, 1000.0)),
        tuple(made_growth()),
    )


def test_the_page_and_the_figure_are_made_from_the_record():
    found = Performance.read(RECORD)
    page = (ROOT / "docs" / "performance.md").read_text(encoding="utf-8")
    assert page == report(found), "run: python benchmarks/bench.py --page-only"
    assert stored_digest(ROOT / "docs" / PICTURE) == digest(cost_growth(found.growth))
    assert not found.about["quick"], "a quick run says nothing about speed"
    assert {ratio.part for ratio in found.ratios} == set(PARTS)


def test_every_number_on_it_is_reckoned_from_the_record(made):
    page = report(made)
    assert "4.00 times as fast; aim 0.80: **met**" in " ".join(page.split())
    assert "| ours, maps | other | 4.00 | 3.50 to 4.50 | 1,234 faces |" in page
    assert "batches would be 2.0 to 2.0 times as fast" in " ".join(page.split())  # 4 / 2 cores
    assert "| training | 128 | 1,960 | 1,000 | 2.60 |" in page  # 400 MB without a model
    assert "takes 10.0 MB in training" in " ".join(page.split())  # 960 MB for 96 faces
    assert "to the power 2.00 in training and 2.00 in prediction" in " ".join(page.split())
    assert "Each further face adds 5 %" in page
    assert "it takes 8.7 times the least in steps of 1, and at most a tenth more" in " ".join(
        page.split()
    )


def test_an_aim_that_was_missed_and_a_package_that_is_absent_are_said(made):
    first, *others = made.ratios
    missed = replace(first, faster=Spread(0.6, 0.5, 0.7, 9))
    absent = replace(others[-1], faster=None, lacking="not installed")
    page = report(replace(made, ratios=(missed, *others[:-1], absent)))
    assert "aim 0.80: **not met**" in " ".join(page.split())
    assert "| other | not installed |  | 1,234 faces |" in page


def test_it_is_written_once(made, tmp_path):
    record = tmp_path / "bench.json"
    record.write_text(made.to_json(), encoding="utf-8")
    assert write(tmp_path, record)
    assert (tmp_path / PICTURE).is_file()
    assert not write(tmp_path, record)
