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
