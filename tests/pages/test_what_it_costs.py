"""The page about costs is what the record says."""

import json

from conftest import ROOT

from fercourse.pages.what_it_costs import report


def test_the_page_is_made_from_the_record():
    names = ("cost", "throughput")
    record, gpu = (
        json.loads((ROOT / "results" / f"{name}.json").read_text(encoding="utf-8"))
        for name in names
    )
    assert (ROOT / "docs" / "what-it-costs.md").read_text(encoding="utf-8") == report(record, gpu)
    for part in record:
        sizes = [row["parameters"] for row in part["rows"]]
        assert len(sizes) == 6
        assert sizes == sorted(sizes)


def test_a_gpu_that_was_taken_away_early_has_gaps_in_its_table():
    record = json.loads((ROOT / "results" / "cost.json").read_text(encoding="utf-8"))
    rates = ((1, "eager", 1000), (1, "recorded", 4000), (1, "compiled", 2000), (6, "eager", 500))
    rows = [{"model": m, "batch": 128, "way": w, "images_per_second": r} for m, w, r in rates]
    about = {"device": "a card", "precision": "bf16", "width": 1.0, "size": 48}
    page = report(record, about | {"rows": rows})
    assert "| model | batch | eager | recorded | compiled | ratio |" in page
    assert "| 1 | 128 | 1,000 | 4,000 | 2,000 | 4.0 |" in page
    assert "| 6 | 128 | 500 |  |  |  |" in page
