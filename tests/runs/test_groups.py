"""A second recipe in the ledger neither enters the first one's tables nor breaks a lesson."""

import numpy as np
import pytest
from made_rows import CLASS_SIZES, made_confusion, made_row

from fercourse import FercourseError, plots
from fercourse.pages.results import report
from fercourse.plots.experiments.ablation_step import changes
from fercourse.runs.groups import group_by_config
from fercourse.runs.ledger import Ledger
from fercourse.runs.paper import paper_claims
from fercourse.runs.summaries import compare

LONG = {"train.epochs": 40, "loss.label_smoothing": 0.1}


def two_recipes():
    """Models 1 and 6: two seeds of 16 epochs, and in between one seed of 40."""
    short = [made_row(k, seed, 0.66 + 0.01 * k) for seed in (0, 1) for k in (1, 3, 6)]
    long = [made_row(k, 0, 0.60 + 0.01 * k, **LONG) for k in (1, 6)]
    return short[:3] + long + short[3:]


def test_runs_are_grouped_by_recipe_the_fullest_first():
    groups = group_by_config(two_recipes())
    assert [len(group) for group in groups] == [6, 2]
    assert {row.value("train.epochs") for row in groups[0]} == {16}
    assert groups[1][0].recipe.endswith("40 epochs, light augmentation, label smoothing 0.1")


def test_copies_of_ckplus_are_apart():
    """CK+48 has 927 faces, the original release others: told by their number, not by the cut."""
    small = made_row(6, 0, **{"data.name": "ckplus"})
    more = {"train": 28709, "val": 3589, "test": sum(CLASS_SIZES) + 7}
    large = made_row(
        6,
        1,
        confusion=made_confusion(0.7) + np.eye(7, dtype=int),
        splits=more,
        **{"data.name": "ckplus"},
    )
    assert len(group_by_config([small, large])) == 2


def test_of_as_many_models_the_one_with_most_effort_comes_first():
    cheap = [made_row(6, seed, label="cpu") for seed in (0, 1)]
    dear = [made_row(6, 0, label="full")]
    assert [group[0].label for group in group_by_config(cheap + dear)] == ["full", "cpu"]


def test_seeds_and_folds_of_ckplus_are_alike_but_not_other_cuts():
    place = {"data.name": "ckplus", "data.folds": 3}
    rows = [
        made_row(
            6,
            seed,
            fingerprint=f"{seed}{fold}" * 8,
            **place,
            **{"data.seed": seed, "data.fold": fold, "data.by": by},
        )
        for seed in (0, 1)
        for fold in range(3)
        for by in ("subject", "random")
    ]
    assert [len(group) for group in group_by_config(rows)] == [6, 6]


def test_other_faces_are_not_alike():
    assert len(group_by_config([made_row(6), made_row(6, fingerprint="e" * 16)])) == 2


def test_a_step_of_table_1_is_a_line_for_each_recipe():
    rows = two_recipes()
    with pytest.raises(FercourseError, match="two runs of seed 0"):
        compare(rows, "model1", "model6")
    found = changes([*rows, *paper_claims()], 1, 6)
    ours = [change for change in found if change.source != "paper"]
    assert [change.n for change in ours] == [2, 1]
    assert [round(change.mean) for change in ours] == [5, 5]
    assert {change.dataset for change in found if change.source == "paper"} == {"fer2013", "ckplus"}
    figure = plots.ablation_step(rows, 1, 6)
    labels = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert all(label.startswith("ours (cpu) on FER2013, n = ") for label in labels)
    assert ["40 epochs" in label for label in labels] == [False, True]


def test_readme_pairs_only_what_one_recipe_made(tmp_path):
    book = Ledger(tmp_path / "ledger.jsonl")
    for row in two_recipes():
        book.append(row)
    text = report(book)
    assert text.count("model6 minus model1") == 1
    table = [line for line in text.splitlines() if line.startswith("| model") and line[7].isdigit()]
    assert [line.split()[1] for line in table] == [f"model{k}" for k in (1, 3, 6, 1, 6)]
    assert "| 48 px, width 0.375, 40 epochs, light augmentation, label smoothing 0.1 |" in table[4]
