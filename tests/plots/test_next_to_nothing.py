"""Figures of next to nothing: one row is drawn, none is told in a sentence."""

import io

import numpy as np
import pytest
import torch
from made_rows import made_history, made_row

from fercourse import plots
from fercourse.datasets.faces import Faces
from fercourse.detection.stages import Stage
from fercourse.errors import FercourseError
from fercourse.plots.data.mtcnn_stages import mtcnn
from fercourse.runs.paper import paper_claims
from fercourse.runs.score_book import ScoreRow


def scored(kind="cam", name="gradcam", variant="model6", **scores) -> ScoreRow:
    scores = scores or {"pr_auc": {"all": [0.4, 0.3, 0.5, 9], "sad": [0.2, 0.1, 0.3, 9]}}
    return ScoreRow(
        kind=kind,
        name=name,
        variant=variant,
        fingerprint="f",
        split="test",
        n=9,
        scores=scores,
        run="0123456789ab-0",
    )


STEP = {"0.0": [0.9, 0.8, 1.0, 9], "1.0": [0.1, 0.0, 0.2, 9]}
FAITHFUL = scored("faithful", deletion=STEP, insertion=STEP, road={"all": [0.1, 0.0, 0.2, 9]})
SANE = scored("sanity", randomised=STEP, flip={"all": [0.5, 0.4, 0.6, 9]})
BLIND = scored("baseline", "centre", "baseline")
ONE, TABLE_2 = [made_row(6)], [row for row in paper_claims() if row.plan == "table2"]
FACE = np.full((48, 48), 90, dtype=np.uint8)


def faces(n: int) -> Faces:
    return Faces(torch.zeros(n, 40, 40, dtype=torch.uint8), torch.arange(n))


def nothing_found() -> list[Stage]:
    boxes, none = np.zeros((0, 4)), np.zeros(0)
    values = {"boxes": boxes, "dropped": boxes, "landmarks": np.zeros((0, 5, 2)), "looked_at": 9}
    return [Stage(**{name: values.get(name, none) for name in Stage.__annotations__})] * 3


DRAWN = {
    "accuracy_spread": lambda: plots.accuracy_spread(ONE),
    "table1_figure": lambda: plots.table1_figure(ONE),
    "ablation_step": lambda: plots.ablation_step([made_row(5), *ONE], 5, 6),
    "learning_curves": lambda: plots.learning_curves(made_history(epochs=1)),
    "score_models": lambda: plots.score_models([scored()]),
    "score_expressions": lambda: plots.score_expressions([scored()]),
    "faithfulness": lambda: plots.faithfulness([FAITHFUL]),
    "sanity": lambda: plots.sanity([SANE]),
    "sta_beside_error": lambda: plots.sta_beside_error(TABLE_2[:1], {TABLE_2[0].dataset: 3589}),
    "receptive_fields": lambda: plots.receptive_fields({48: FACE}, {"C1": 5}),
    "poolings": lambda: plots.poolings({"spot": np.eye(4)}),
    "mtcnn": lambda: mtcnn(FACE, nothing_found(), np.zeros((0, 4))),
}


@pytest.mark.parametrize("name", DRAWN)
def test_one_is_drawn(name):
    figure = DRAWN[name]()
    figure.savefig(io.BytesIO(), format="png", dpi=50)
    assert "nan" not in figure.get_suptitle()


def test_a_headline_names_a_map_that_is_shown():
    better = scored("map", "edge", pr_auc={"all": [0.9, 0.8, 1.0, 9]})
    assert "Grad-CAM finds what changed" in plots.score_models([scored(), better]).get_suptitle()


def test_a_legend_of_blind_maps_needs_one():
    assert not plots.score_models([scored()]).legends
    assert len(plots.score_models([scored(), BLIND]).legends) == 1
    assert "has to beat" not in plots.score_expressions([scored()]).get_suptitle()
    assert "has to beat" in " ".join(
        plots.score_expressions([scored(), BLIND]).get_suptitle().split()
    )


TOLD = {
    "sweep of no row": (lambda: plots.sweep([], "loss.weight"), "run the plan first"),
    "sweep of one value": (lambda: plots.sweep(ONE, "loss.weight"), "two numbers at least"),
    "sweep of words": (lambda: plots.sweep(ONE, "train.augment"), "these runs have light"),
    "slopes": (lambda: plots.ablation_slopes([]), "run the plan first"),
    "slopes of one model": (lambda: plots.ablation_slopes(ONE), "two of Table 1's models"),
    "gains without a trial": (lambda: plots.recipe_gains([], (0.6, 0.7)), "one trial at least"),
    "speedrun": (lambda: plots.speedrun([]), "no two steps to compare"),
    "spread": (lambda: plots.accuracy_spread([]), "run the plan first"),
    "table": (lambda: plots.table1_figure([]), "no row is one of Table 1's"),
    "step": (lambda: plots.ablation_step(ONE, 5, 6), "both model 5 and model 6"),
    "folds": (lambda: plots.fold_protocols([]), "no model was run under two cuts"),
    "scores": (lambda: plots.score_models([]), "no row has a score"),
    "scores of other maps": (lambda: plots.score_models([scored("map", "edge")]), "none of the"),
    "expressions": (lambda: plots.score_expressions([]), "of model 6"),
    "expressions, blind maps alone": (lambda: plots.score_expressions([BLIND]), "of model 6"),
    "faithfulness": (lambda: plots.faithfulness([]), "no row holds deletion"),
    "sanity": (lambda: plots.sanity([]), "no row holds a sanity check"),
    "Sta": (lambda: plots.sta_beside_error([], {"fer2013": 3589}), "Sta on fer2013"),
    "Sta of a run": (lambda: plots.sta_beside_error(ONE, {"fer2013": 3589}), "Sta on fer2013"),
    "claims": (lambda: plots.claimed_counts({}), "claims are about some of angry"),
    "a claim of no class": (lambda: plots.claimed_counts({"bored": 3}), "'bored'"),
    "no validation": (
        lambda: plots.learning_curves([e | {"val_accuracy": None} for e in made_history(2)]),
        "validation accuracy",
    ),
    "answers": (lambda: plots.claimed_against_measured([]), "no claim has been measured"),
    "credits": (lambda: plots.component_credits({}), "every combination"),
    "recalls": (lambda: plots.recalls([1] * 7, {}, [9] * 7), "one to three ways"),
    "recalls of four": (
        lambda: plots.recalls([1] * 7, {k: [1] * 7 for k in "abcd"}, [9] * 7),
        "not 4",
    ),
    "noise": (lambda: plots.label_noise([], [], []), "every share"),
    "folds of no model": (lambda: plots.fold_leak({}), "the same two or three ways"),
    "folds cut one way": (
        lambda: plots.fold_leak({"m": {"random": 0.5}}),
        "the same two or three ways",
    ),
    "groups": (lambda: plots.groups({"full": torch.eye(2)}), "a full and a grouped"),
    "histograms": (lambda: plots.accuracy_histograms({"a": []}, "x"), "one to four samples"),
    "angles": (lambda: plots.turned([], []), "no angle"),
    "reliability": (lambda: plots.reliability({}, torch.zeros(0)), "no probabilities"),
    "light": (
        lambda: plots.accuracy_by_group(
            {"m": torch.ones(3, dtype=torch.bool)}, torch.arange(3.0), faces(3).images
        ),
        "3 faces do not fill 5 groups",
    ),
}


@pytest.mark.parametrize("name", TOLD)
def test_too_little_is_told(name):
    draw, words = TOLD[name]
    with pytest.raises(FercourseError) as told:
        draw()
    assert words in str(told.value)
    assert str(told.value).endswith(".")


def test_a_sweep_takes_7_for_the_papers_7_0():
    rows = [
        made_row(6, seed=seed, accuracy=0.7 + 0.01 * value, **{"loss.pair_weight": value})
        for value in (6, 7, 8)
        for seed in (0, 1)
    ]
    title = plots.sweep(rows, "loss.pair_weight").get_suptitle().replace("\n", " ")
    assert "best mean: 8, +1.00 points over the paper's 7" in title
