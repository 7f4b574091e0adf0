"""The tables of docs/results.md are the ledger's."""

from dataclasses import replace

import numpy as np
from made_rows import made_row

from fercourse.pages.lambda_sweeps import sweep_tables
from fercourse.pages.results import _cross_validated, report
from fercourse.runs.ledger import Ledger
from fercourse.runs.paper import LAMBDAS, PAIR_WEIGHTS
from fercourse.runs.statistics import wilson


def test_models_of_the_same_seeds_are_compared_in_pairs(tmp_path):
    book = Ledger(tmp_path / "ledger.jsonl")
    for model, accuracies in ((1, (0.66, 0.67)), (6, (0.67, 0.69))):
        for seed, accuracy in enumerate(accuracies):
            book.append(made_row(model, seed, accuracy))
    text = report(book)
    assert "Missing of the paper's 10 runs a model: model1 8, model2 10," in text
    assert "model6 minus model1 +1.49 points" in text  # 1 and 2 points, in whole faces
    assert "n = 2" in text


def test_single_runs_are_not_compared(tmp_path):
    book = Ledger(tmp_path / "ledger.jsonl")
    for model in (1, 6):
        book.append(made_row(model, 0, 0.66))
    assert "minus" not in report(book)


def test_one_model_is_not_compared_with_itself(tmp_path):
    book = Ledger(tmp_path / "ledger.jsonl")
    for seed in (0, 1):
        book.append(made_row(6, seed, 0.66))
    assert "minus" not in report(book)


def test_a_small_p_among_several_differences_comes_with_a_warning(tmp_path):
    def text(best: float) -> str:
        book = Ledger(tmp_path / f"{best}.jsonl")
        for seed in range(6):  # six is the least that can give the sign-flip test p = 2 / 2^6
            for model, accuracy in ((1, 0.60), (2, 0.60 + 0.01 * (-1) ** seed), (3, best)):
                book.append(made_row(model, seed, accuracy))
        return report(book)

    assert "Among 3 differences, luck alone brings a p below 0.05 about 14 %" in text(0.65)
    assert "luck" not in text(0.60)


def folds_of(model: int, seed: int, accuracies: list[float]) -> list:
    """A cross-validation on CK+: a seed cuts folds of its own, as in the plan ``table1``."""
    rows = []
    for fold, accuracy in enumerate(accuracies):
        counts = np.diag([round(100 * accuracy), 0, 0, 0, 0, 0, 0])
        counts[0, 1] = 100 - counts[0, 0]
        place = {"data.fold": fold, "data.folds": len(accuracies), "data.seed": seed}
        place |= {"data.name": "ckplus", "data.by": "subject"}
        rows.append(made_row(model, seed, confusion=counts, **place))
    return rows


def test_seeds_of_a_cross_validation_are_one_line_and_count_each_face_once(tmp_path):
    rows = [replace(row, plan="ckplus-subject") for row in folds_of(1, 0, [0.9, 0.8, 1.0])]
    rows += folds_of(1, 1, [0.8, 0.8, 0.8])  # the same run for another plan
    rows += folds_of(6, 0, [0.95, 0.85, 1.0]) + folds_of(6, 1, [0.9, 0.9, 0.9])[:1]
    text = _cross_validated(rows, {})
    lines = [line for line in text.splitlines() if line.startswith("| model1")]
    assert len(lines) == 1
    assert "| 2 | 85.00 of 300 |" in lines[0]  # 90 and 80 per cent; 300 faces, not 600
    assert "| 5.00 |" in lines[0]  # Sta over the two seeds
    (line,) = [line for line in text.splitlines() if line.startswith("| model6")]
    assert "| 1 | 93.33 of 300 |" in line  # the broken-off seed waits
    assert "allow for the training faces that folds share" in text


def test_a_sweep_of_fig_6_is_a_table_and_says_whether_its_values_differ():
    rows = [
        made_row(
            6,
            seed,
            0.6 + 0.01 * value + 0.001 * seed,
            plan="fig6b",
            **{"loss.weight": 0.01, "loss.pair_weight": float(value)},
        )
        for value in PAIR_WEIGHTS
        for seed in (0, 1)
    ]
    (table,) = sweep_tables(rows)
    assert "| lambda_1 | 1 | 2 | 3 |" in table
    assert "| runs | 2 | 2 |" in table
    assert "the values differ" in table
    assert "too few seeds to say whether" in sweep_tables(rows[::2])[0]
    assert "**Fig. 6(b)**" in table


def half_a(pair_weight, best):
    """Fig. 6(a), three seeds of which each lifts all values alike."""
    return [
        made_row(
            6,
            seed,
            (best if value == LAMBDAS[-1] else 0.6) + 0.02 * seed + 0.001 * (k + seed) % 0.003,
            plan="fig6a",
            note="lambda_1 by validation accuracy",
            **{"loss.weight": value, "loss.pair_weight": pair_weight},
        )
        for k, value in enumerate(LAMBDAS)
        for seed in (0, 1, 2)
    ]


def test_seeds_are_blocks_so_that_what_they_share_hides_no_difference():
    (clear,) = sweep_tables(half_a(1.0, best=0.63))
    assert "the values differ (p = " in clear
    assert "From the worst value's mean to the best one's: " in clear
    assert "partial eta squared" in clear
    assert "which flatters them" in clear
    (flat,) = sweep_tables(half_a(1.0, best=0.6))
    assert "no difference shown (p = " in flat
    assert "one would need p below 0.0125" in flat


def test_a_half_a_whose_lambda_1_more_seeds_replaced_is_dropped():
    tables = sweep_tables([*half_a(2.0, best=0.6), *half_a(1.0, best=0.63)])
    assert len(tables) == 1
    assert "the values differ" in tables[0]


def test_runs_of_a_sweep_stand_in_its_table_alone(tmp_path):
    book = Ledger(tmp_path / "ledger.jsonl")
    book.append(made_row(6, 0, 0.66))
    book.append(made_row(6, 1, 0.61, plan="fig6a", variant="x", **{"loss.weight": LAMBDAS[0]}))
    text = report(book)
    assert "| x |" not in text
    assert "**Fig. 6(a)**" in text


def test_a_run_that_never_learned_is_counted_and_named():
    rows = [made_row(6, 0, 0.6, plan="fig6a", **{"loss.weight": w}) for w in LAMBDAS]
    assert "never left chance" not in sweep_tables(rows)[0]
    rows += [made_row(6, 1, 0.2, plan="fig6a", **{"loss.weight": LAMBDAS[0]})]
    assert "never left chance, and count in the means: 1 of 6." in sweep_tables(rows)[0]


def test_a_recipe_names_every_unusual_setting():
    usual = "48 px, width 0.375, 16 epochs, light augmentation"
    assert made_row(6, **{"loss.weight": 0.05}).recipe == usual  # a sweep's own column
    odd = made_row(6, **{"train.ema": 0.0, "model.dropout": 0.5, "model.gcca": False})
    assert odd.recipe == f"{usual}, dropout=0.5, ema=0.0"
    wide = {"model.width": 1.0, "model.imagenet": True, "data.crop": True}
    assert made_row(6, **wide).recipe.endswith("light augmentation, ImageNet weights, MTCNN crops")
    mixed = {"data.drawn": 4000, "data.drawn_first": 2}
    ending = "light augmentation, 4000 drawn faces added, alone for 2 epochs"
    assert made_row(5, **mixed).recipe.endswith(ending)


def test_a_copy_of_cross_validated_is_called_what_it_is(tmp_path):
    book = Ledger(tmp_path / "ledger.jsonl")
    for row in folds_of(1, 0, [0.9, 0.8, 0.7]):
        book.append(row)
    assert "**CK+48** (peak frames, no neutral class, without contempt)" in report(book)
    neutral = np.diag([80, 0, 0, 0, 0, 0, 50])
    place = {"data.name": "ckplus", "data.by": "subject"}
    book.append(made_row(1, confusion=neutral, **place))
    text = report(book)
    assert "**CK+** (neutral and peak frames, without contempt)" in text
    assert "**CK+48** (peak" in text


def test_three_frames_of_a_sequence_count_as_one(tmp_path):
    (line,) = [
        line
        for line in _cross_validated(folds_of(1, 0, [0.9, 0.9, 0.9]), {}).splitlines()
        if line.startswith("| model1")
    ]
    low, high = (100 * end for end in wilson(90, 100))
    assert f"90.00 of 300 | {low:.1f} to {high:.1f} |" in line


def test_sweeps_on_two_copies_are_two_tables():
    rows = [
        made_row(6, 0, 0.6, plan="fig6a", fingerprint=copy * 16, **{"loss.weight": w})
        for w in LAMBDAS
        for copy in "ab"
    ]
    assert len(sweep_tables(rows)) == 2


def test_runs_of_another_recipe_are_no_part_of_a_sweep():
    sweep = [made_row(6, 0, 0.6, plan="fig6a", **{"loss.weight": w}) for w in LAMBDAS]
    other = made_row(6, 1, 0.9, **{"loss.weight": LAMBDAS[0], "train.epochs": 30})
    assert "| runs | 1 | 1 | 1 | 1 | 1 |" in sweep_tables([*sweep, other])[0]


def test_a_model_of_one_run_is_passed_over(tmp_path):
    book = Ledger(tmp_path / "ledger.jsonl")
    for model, seeds in ((1, 2), (2, 1), (3, 2)):
        for seed in range(seeds):
            book.append(made_row(model, seed, 0.66 + 0.01 * model))
    text = report(book)
    assert "model3 minus model1" in text
    assert "model2 minus" not in text
    assert "minus model2" not in text
