"""One test and one threshold for every sweep."""

from made_rows import made_row

from fercourse.runs.statistics import blocked
from fercourse.runs.sweeps import LEVEL, at_chance, judge_sweep, verdict


def sweep(*accuracies: tuple[float, ...]):
    """A row a seed, a column a value."""
    return [
        made_row(6, seed=seed, val_accuracy=accuracy, **{"loss.weight": weight})
        for seed, row in enumerate(accuracies)
        for weight, accuracy in zip((0.001, 0.005, 0.01), row, strict=True)
    ]


def test_seeds_are_blocks_and_only_whole_ones_count() -> None:
    table = ((0.60, 0.62, 0.64), (0.70, 0.71, 0.75))
    rows = sweep(*table, (0.9, 0.1, 0.1))
    broken = [row for row in rows if not (row.seed == 2 and row.run.loss.weight == 0.001)]
    assert judge_sweep(broken, "loss.weight") == blocked(table)
    assert judge_sweep(broken[:3], "loss.weight") is None
    assert judge_sweep([], "loss.weight") is None


def test_the_verdict_is_held_to_one_level() -> None:
    assert LEVEL == 0.05 / 4
    clear = judge_sweep(
        sweep((0.6, 0.65, 0.7), (0.61, 0.66, 0.71), (0.6, 0.651, 0.7)), "loss.weight"
    )
    assert verdict(clear).startswith("the values differ (p = ")
    level = judge_sweep(
        sweep((0.6, 0.65, 0.7), (0.7, 0.65, 0.6), (0.65, 0.65, 0.66)), "loss.weight"
    )
    assert verdict(level).startswith("no difference shown (p = ")
    assert "below 0.0125" in verdict(level)
    assert verdict(None) == "too few seeds to say whether the values differ"


def test_guessing_among_seven_is_no_learning() -> None:
    assert at_chance(made_row(6, val_accuracy=0.15))
    assert not at_chance(made_row(6, val_accuracy=0.4))
