"""The table of what class weights do: paired over seeds, the rarest class by name."""

import numpy as np
from made_rows import made_confusion, made_row

from fercourse.pages.rare import rare_tables


def row(seed: int, accuracy: float, disgust: float, **changes):
    confusion = np.array(made_confusion(accuracy, seed=seed))
    total = confusion[1].sum()
    confusion[1] = 0
    confusion[1, 1] = round(disgust * total)
    confusion[1, 0] = total - confusion[1, 1]
    confusion = confusion.tolist()
    return made_row(1, seed, confusion=confusion, plan="rare", **changes)


def test_the_table_pairs_by_seed_and_names_the_rarest_class():
    weighted = {"loss.class_weights": 0.5}
    rows = [
        *(row(seed, 0.6, 0.0) for seed in (0, 1)),
        *(row(seed, 0.6, 0.5, **weighted) for seed in (0, 1)),
        row(0, 0.6, 0.0, **{"loss.focal": 2.0}),
    ]
    (text,) = rare_tables(rows)
    lines = [line for line in text.splitlines() if line.startswith("|")]
    assert "disgust |" in lines[0]
    assert [line.split("|")[1].strip() for line in lines[2:]] == [
        "plain",
        "focal, exponent 2",
        "class weights, exponent 0.5",
    ]
    assert lines[2].split("|")[4].strip() == ""
    assert lines[4].split("|")[6].strip() == "50.9"  # 28 of 55
    assert "[" in lines[4]
    assert "[" not in lines[3], "one pair gives no interval"


def test_without_such_runs_there_is_no_table():
    assert rare_tables([made_row()]) == []
