"""Figures show the numbers they are given, say what they show, and leave no trace."""

import io
import re
import subprocess
import sys
import warnings

import matplotlib
import numpy as np
import pytest
import torch
from made_rows import made_confusion, made_growth, made_history, made_row, made_weather
from matplotlib.figure import Figure
from readable import alike_but_for_colour, unsaid

from fercourse import plots
from fercourse.datasets.faces import FaceDataset, Faces, held_out
from fercourse.datasets.field import people
from fercourse.errors import FercourseError
from fercourse.experiments.speedrun import STEPS, Tried, kept
from fercourse.experiments.trials import Trial
from fercourse.plots import style
from fercourse.plots.alternative import alternative, describe
from fercourse.plots.digest import digest
from fercourse.runs.findings import Gain, findings
from fercourse.runs.paper import paper_claims
from fercourse.runs.statistics import paired
from fercourse.runs.summaries import compare
from fercourse.runs.table2 import standings


def faces(counts: list[int], size: int = 40) -> Faces:
    labels = torch.repeat_interleave(torch.arange(len(counts)), torch.tensor(counts))
    images = (labels * 20 + 10).to(torch.uint8)[:, None, None].expand(-1, size, size)
    return Faces(images.contiguous(), labels)


def dataset() -> FaceDataset:
    counts = [20, 4, 24, 40, 24, 16, 28]
    return FaceDataset(
        faces(counts),
        faces([5, 1, 6, 10, 6, 4, 7]),
        held_out(faces([5, 1, 6, 10, 6, 4, 7])),
        "made",
        "0",
    )


def slopes(models=(1, 3, 6), seeds=4):
    level = {1: 0.68, 2: 0.685, 3: 0.70, 4: 0.70, 5: 0.702, 6: 0.701}
    return [
        made_row(m, seed=s, accuracy=level[m] + 0.002 * s + 0.001 * ((m * s) % 3))
        for m in models
        for s in range(seeds)
    ]


def swept(values=(0.001, 0.005, 0.01), peak=0.01, seeds=3):
    return [
        made_row(
            6, seed=s, accuracy=0.7 - (0 if w == peak else 0.01) + 0.001 * s, **{"loss.weight": w}
        )
        for w in values
        for s in range(seeds)
    ]


def headline(figure: Figure) -> str:
    return figure.get_suptitle().replace("\n", " ")


BASE_SEEDS = (0.650, 0.653, 0.656)
TRIALS = [
    Trial({"train.mixup": 0.2}, 4.7, 0.66, paired([0.65], [0.66]), 1),
    Trial({"model.width": 0.125}, 0.6, 0.62, paired([0.65, 0.653], [0.62, 0.63]), 2),
    Trial({"train.lr": 0.1, "train.epochs": 9}, 4.7, 0.5, paired([0.65], [0.5]), 1),
    Trial({}, 4.7, 0.653, None, 3),
]


def raced():
    """Two steps that are kept, and one that is not."""
    steps = [step for step in STEPS if step.name in (*kept()[:3], "lion")]
    values = {step.name: [0.50 + 0.02 * k, 0.51 + 0.02 * k, 0.52] for k, step in enumerate(steps)}
    values["lion"] = [0.45]
    return [
        Tried(
            step,
            values[step.name],
            paired(values[step.of][:1], values[step.name][:1]) if step.of in values else None,
        )
        for step in steps
    ]


def field(rows=3):
    entries = paper_claims() + [
        made_row(k, seed=s, plan="table2") for k in (1, 6) for s in range(rows)
    ]
    fields = {name: standings(entries, name.lower()) for name in ("FER2013", "CKplus")}
    return fields, "Where each stands, claimed and measured"


def grey(k=0):
    return torch.full((24, 24), 20 * k + 10, dtype=torch.uint8)


def marked():
    points = [[5, 6], [20, 5], [12, 14], [7, 20], [18, 21]]
    return np.zeros((28, 28), np.uint8), points, [[0, 1, 2], [2, 3, 4]]


def moved():
    rest = np.random.default_rng(0).integers(0, 255, (24, 24)).astype(np.uint8)
    flow = np.zeros((2, 24, 24))
    flow[0, 18:] = 2.0
    return rest, np.roll(rest, 1, 0), flow


ANSWERS = [0.05, 0.05, 0.1, 0.6, 0.1, 0.05, 0.05], [0.3, 0.1, 0.1, 0.2, 0.1, 0.1, 0.1]


PARTS = {"block 1": 0.006, "embed": 0.003}
STRIPS = [0.9, 0.8, 0.5, 0.7, 0.6, 0.4, 0.7]
LOOKS = np.linspace(0, 0.2, 121).reshape(11, 11)

FIGURES = {
    "cost_growth": lambda: plots.cost_growth(made_growth()),
    "prediction, held": lambda: plots.prediction("answers changed, %", 10, 30, 27.1, 20.0),
    "prediction, missed": lambda: plots.prediction("answers changed, %", 5, 5, 4.0, 10.0),
    "face_to_label": lambda: plots.face_to_label(grey().numpy(), 3, 20),
    "labelling_sheet": lambda: plots.labelling_sheet(
        faces([1, 1, 2, 3]), [0, 1, 2, 2, 3, 3, 6], [2.0] * 7, people()
    ),
    "unit_field": lambda: plots.unit_field(
        grey(), torch.eye(24), (10.0, 6.0), 14, 5, "C2, unit in row 5 and column 3 of 12"
    ),
    "silence": lambda: plots.silence(grey(), 3, *ANSWERS, ["C5", "edge"], (0.9, 0.4), 105),
    "silence, nothing quiet": lambda: plots.silence(
        grey(), 3, ANSWERS[0], ANSWERS[0], [], (0.9, 0.9), 105
    ),
    "decoder_map": lambda: plots.decoder_map(
        grey(), 3, torch.linspace(-1, 1, 36).view(6, 6), *ANSWERS
    ),
    "patient_chart": lambda: plots.patient_chart(
        made_history(), made_confusion(0.7), LOOKS, (0.7, 0.6), "Patient A"
    ),
    "patient_accuracy": lambda: plots.patient_accuracy(made_history(), "Patient A"),
    "patient_losses": lambda: plots.patient_losses(made_history(), "Patient A", made_history()),
    "patient_losses, one epoch": lambda: plots.patient_losses(made_history(epochs=1), "Patient A"),
    "patient_matrix": lambda: plots.patient_matrix(made_confusion(0.7), "Patient A"),
    "patient_map": lambda: plots.patient_map(LOOKS, "Patient A"),
    "patient_map, flat": lambda: plots.patient_map(0 * LOOKS, "Patient A"),
    "patient_twice": lambda: plots.patient_twice([[0.9, 0.8], [0.4, 0.4]], (0.5, 0.6), "Patient A"),
    "patient_one_batch": lambda: plots.patient_one_batch([2, 1000], "Patient A", [2, 1, 1e-5]),
    "patient_gradients": lambda: plots.patient_gradients(
        {"block 1": 1e-6, "embed": 4.0}, {"block 1": 900, "embed": 1}, "Patient A", (PARTS, PARTS)
    ),
    "patient_strips": lambda: plots.patient_strips(STRIPS, "Patient A", STRIPS[::-1]),
    "patient_batch": lambda: plots.patient_batch(
        np.zeros((96, 96), np.uint8), [0, 1, 2, 3], "Patient A"
    ),
    "patient_worst": lambda: plots.patient_worst(
        np.zeros((144, 96), np.uint8), [0, 1, 2, 3], [0, 2, 2, 3], [0.5] * 4, [0, 9], "Patient A"
    ),
    "patient_prices": lambda: plots.patient_prices({"losses": 1, "map": 5}, ["map"], "Patient A"),
    "one_field": lambda: plots.one_field(*field()),
    "one_field, claims alone": lambda: plots.one_field(*field(rows=0)),
    "landmark_triangles": lambda: plots.landmark_triangles(*marked()),
    "motion_arrows": lambda: plots.motion_arrows(*moved()),
    "weather_sheet": lambda: plots.weather_sheet(
        grey(), {"fog": [grey(k) for k in range(5)]}, "One face in fog"
    ),
    "weather_answers": lambda: plots.weather_answers(
        torch.stack([grey(k) for k in range(3)]),
        ["clear", "fog", "gamma"],
        {"model 1": torch.eye(7)[:3], "model 6": torch.full((3, 7), 1 / 7)},
        "Happy",
    ),
    "weather_curves": lambda: plots.weather_curves(
        {
            "model 1": [made_weather(), made_weather(seed=1)],
            "HOG": [made_weather(variant="hog", fog=(9, 9, 9, 9, 9))],
        },
        {"fog": "fog", "noise": "noise"},
        "Fog costs most",
    ),
    "weather_gains": lambda: plots.weather_gains(
        {
            "FER2013": {"a": Gain(0.02, 0.01, 0.03), "b": Gain(-0.02, -0.03, 0.01)},
            "drawn": {"a": Gain(0.01), "b": Gain(-0.1, -0.2, -0.05)},
        },
        "points",
        "One helps, one does not",
    ),
    "reliability_bins": lambda: plots.reliability_bins(
        {"softmax": ([[0.5, 0.3, 0.4], [0.5, 0.9, 1.0]], 100)}, "Too modest by a little"
    ),
    "sample_grid": lambda: plots.sample_grid(faces([9, 2, 9, 9, 9, 9, 9, 3])),
    "learning_curves": lambda: plots.learning_curves(made_history()),
    "learning_curves, no joint loss": lambda: plots.learning_curves(made_history(joint=False)),
    "learning_curves, one epoch": lambda: plots.learning_curves(made_history(epochs=1)),
    "confusion": lambda: plots.confusion(made_confusion(0.7)),
    "confusion, counts": lambda: plots.confusion(made_confusion(0.7), counts=True),
    "table1_figure": lambda: plots.table1_figure(slopes() + paper_claims()),
    "table1_figure, claims alone": lambda: plots.table1_figure(paper_claims()),
    "sweep": lambda: plots.sweep(swept(), "loss.weight"),
    "sweep, one seed": lambda: plots.sweep(swept(seeds=1), "loss.weight"),
    "ablation_slopes": lambda: plots.ablation_slopes(slopes() + paper_claims()),
    "ablation_slopes, one seed": lambda: plots.ablation_slopes(slopes(seeds=1)),
    "accuracy_spread": lambda: plots.accuracy_spread(slopes() + paper_claims()),
    "accuracy_spread, one seed": lambda: plots.accuracy_spread(slopes(seeds=1)),
    "recipe_gains": lambda: plots.recipe_gains(TRIALS, BASE_SEEDS),
    "speedrun": lambda: plots.speedrun(raced()),
    "claimed_against_measured": lambda: plots.claimed_against_measured(
        findings(slopes() + paper_claims())
    ),
    "component_credits": lambda: plots.component_credits(
        {"fusion": [0.01, 0.02, 0.015], "reverse": [0.001, -0.002, 0.0]}
    ),
    "component_credits, one seed": lambda: plots.component_credits({"gcca": [0.01]}),
    "confusion beside claims": lambda: plots.confusion(
        made_confusion(0.7), claimed=[None, None, 0.61, None, 0.56, None, None]
    ),
}


@pytest.mark.parametrize("name", FIGURES)
def test_every_figure_is_drawn_labelled_and_leaves_no_trace(name: str) -> None:
    before = dict(matplotlib.rcParams)
    figure = FIGURES[name]()
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # a layout or font warning is a fault of the figure
        figure.savefig(io.BytesIO(), format="png", dpi=60)
    assert isinstance(figure, Figure)
    assert len(headline(figure)) > 10
    assert figure.get_size_inches()[0] <= 7
    data_axes = [axes for axes in figure.axes if axes.lines or axes.patches or axes.collections]
    for axes in data_axes:
        if axes.get_label() != "<colorbar>" and axes.get_xlabel() == "":
            ticks = [text.get_text() for text in axes.get_xticklabels()]
            shared = axes.get_label() in ("accuracy", "loss")  # the epochs stand below
            assert shared or not all(re.fullmatch(r"[\d.−]*", tick) for tick in ticks)
    assert digest(figure) == digest(figure), "drawing once more changes nothing"
    assert dict(matplotlib.rcParams) == before
    if "matplotlib.pyplot" in sys.modules:
        assert sys.modules["matplotlib.pyplot"].get_fignums() == []
    shown = figure._repr_png_()[1]
    assert shown["width"] == int(figure.get_size_inches()[0] * 96)
    assert shown["alt"] == alternative(figure)


@pytest.mark.parametrize("name", FIGURES)
def test_every_figure_says_its_finding_in_words(name: str) -> None:
    assert unsaid(FIGURES[name]()) == []


@pytest.mark.parametrize("name", FIGURES)
def test_colour_is_never_the_only_sign(name: str) -> None:
    assert alike_but_for_colour(FIGURES[name]()) == []


def test_a_first_look_counts_what_was_answered_as_meant() -> None:
    given = faces([1, 1, 1])
    answers = torch.eye(7)[[0, 1, 6]]  # the last one is fear, and called neutral
    figure = plots.first_look(given, answers, torch.rand(3, 40, 40))
    assert headline(figure) == "2 of 3 faces are answered as they were meant"
    assert [axes.get_xlabel()[0] for axes in figure.axes[6:]] == ["✓", "✓", "✗"]
    assert unsaid(figure) == []
    with pytest.raises(FercourseError, match="3 faces, 2 answers, 3 maps"):
        plots.first_look(given, answers[:2], torch.rand(3, 40, 40))


def test_a_prediction_says_by_how_much_it_missed() -> None:
    held = plots.prediction("answers changed, %", 10, 30, 27.1, 20.0)
    assert headline(held) == "Measured 27.1: inside the interval, score 20 (low is good)"
    missed = plots.prediction("answers changed, %", 10, 30, 34.0, 60.0)
    assert headline(missed) == "Measured 34: 4 above the interval, score 60 (low is good)"


def test_lines_that_differ_in_colour_alone_are_noticed() -> None:
    figure = style.new_figure(2.0)
    axes = figure.add_subplot()
    for colour, line in (("red", "-"), ("green", "-"), ("blue", "--")):
        axes.plot([0, 1], line, color=colour, label=colour)
    axes.bar([0, 1], [1, 1], color="red", label="red bars")
    axes.bar([0, 1], [1, 1], color="green", label="green bars")
    axes.legend()
    assert alike_but_for_colour(figure) == ["'red' and 'green'", "'red bars' and 'green bars'"]


def test_a_text_of_axis_names_alone_is_noticed() -> None:
    figure = style.new_figure(2.0)
    figure.add_subplot(xlabel="epoch", ylabel="$L_S$")
    assert alternative(figure) == "A chart of LS against epoch."
    assert len(unsaid(figure)) > 1
    style.headline(figure, "The loss falls by half in three epochs")
    describe(figure, "A line that falls")
    assert alternative(figure) == "The loss falls by half in three epochs. A line that falls."
    assert unsaid(figure) == []


def test_the_package_is_light_until_a_figure_is_asked_for() -> None:
    code = "import sys, fercourse.plots as p; assert 'matplotlib' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_without_matplotlib_one_sentence_says_what_to_install() -> None:
    code = (
        "import sys; sys.modules['matplotlib'] = None\n"
        "import fercourse.plots as p\n"
        "try: p.confusion\n"
        "except Exception as e: print(type(e).__name__, e)"
    )
    told = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert told.stdout.startswith("FercourseError figures need matplotlib")
    assert "fercourse[plots]" in told.stdout


def test_sample_grid_shows_each_class_in_its_column() -> None:
    figure = plots.sample_grid(faces([9, 2, 9, 9, 9, 9, 9]), per_class=3)
    axes = figure.axes[0]
    sheet, step = axes.images[0].get_array(), 40 + 2
    for column in range(7):
        for row in range(3):
            cell = sheet[row * step : row * step + 40, column * step : column * step + 40]
            expected = 255 if column == 1 and row == 2 else 20 * column + 10  # two of class 1
            assert (cell == expected).all()
    ticks = [text.get_text() for text in axes.get_xticklabels()]
    assert ticks[:2] == ["Angry\n9", "Disgust\n2"]
    with pytest.raises(FercourseError, match="no faces"):
        plots.sample_grid(faces([1])[:0])


def test_learning_curves_name_the_kept_epoch() -> None:
    history = [
        {
            "epoch": 1,
            "lr": 0.1,
            "train_ce": 1.5,
            "train_accuracy": 0.40,
            "val_loss": 1.2,
            "val_accuracy": 0.50,
        },
        {
            "epoch": 2,
            "lr": 0.1,
            "train_ce": 1.0,
            "train_accuracy": 0.70,
            "val_loss": 0.9,
            "val_accuracy": 0.60,
        },
        {
            "epoch": 3,
            "lr": 0.1,
            "train_ce": 0.5,
            "train_accuracy": 0.90,
            "val_loss": 1.3,
            "val_accuracy": 0.65,
        },
        {
            "epoch": 4,
            "lr": 0.1,
            "train_ce": 0.3,
            "train_accuracy": 0.95,
            "val_loss": None,
            "val_accuracy": 0.64,
        },
    ]
    figure = plots.learning_curves(history)
    assert headline(figure) == (
        "Best validation accuracy 65.0 % at epoch 3, where training accuracy is 25.0 points ahead; "
        "validation loss has risen since epoch 2"
    )
    assert [axes.get_label() for axes in figure.axes] == ["accuracy", "loss", "rate"]
    lines = {line.get_label(): line for line in figure.axes[0].lines}
    assert lines["validation"].get_ydata() == pytest.approx([50, 60, 65, 64])
    augmented = [epoch | {"train_accuracy": 0.5} for epoch in history]
    assert "on augmented faces, is 15.0 points lower" in headline(plots.learning_curves(augmented))
    with pytest.raises(FercourseError, match="no epoch"):
        plots.learning_curves([])


def test_confusion_rows_are_per_cent_of_the_truth() -> None:
    matrix = [[6, 2, 0], [1, 3, 0], [0, 0, 0]]
    figure = plots.confusion(matrix, classes=["a", "b", "c"])
    texts = [text.get_text() for text in figure.axes[0].texts]
    assert texts[:6] == ["75.0", "25.0", "0.0", "25.0", "75.0", "0.0"]
    assert figure.axes[0].get_yticklabels()[0].get_text() == "a (8)"
    assert headline(figure) == (  # Wilson: 6 of 8 is 0.41 to 0.93, 3 of 4 is 0.30 to 0.95
        "75.0 % right. Lowest recall: a, 75 % (41 to 93 by its 8 images), not clearly below b; "
        "most often taken for b"
    )
    clear = headline(plots.confusion([[90, 10], [60, 40]], classes=["a", "b"]))
    assert "Lowest recall: b, 40 % (31 to 50 by its 100 images); most often taken for a" in clear
    said = plots.confusion(matrix, classes=["a", "b", "c"], claimed=[0.5, None, None]).axes[0]
    assert [text.get_text() for text in said.texts][-3:] == ["50.0", "not given", "not given"]
    counts = plots.confusion(matrix, counts=True, classes=["a", "b", "c"])
    assert [text.get_text() for text in counts.axes[0].texts][:4] == ["6", "2", "0", "1"]
    assert headline(plots.confusion(np.eye(7, dtype=int))) == "100.0 % right"
    with pytest.raises(FercourseError, match="2 class names for 3"):
        plots.confusion(matrix, classes=["a", "b"])


def test_table1_puts_the_paper_beside_ours() -> None:
    rows = slopes(seeds=3)
    styled = plots.table1(rows + paper_claims())
    frame = styled.data
    claimed = [69.79, 71.53, 73.85, 73.84, 73.97, 74.08]
    assert list(frame["FER2013", "paper Acc"]) == pytest.approx(claimed)
    assert list(frame["CK+", "paper Sta"]) == pytest.approx([0.31, 0.27, 0.24, 0.16, 0.13, 0.11])
    of_1 = [row.test_accuracy for row in rows if row.variant == "model1"]
    assert frame["FER2013", "ours Acc"][1] == pytest.approx(100 * np.mean(of_1))
    assert frame["FER2013", "ours Sta"][1] == pytest.approx(100 * np.std(of_1))
    assert np.isnan(frame["FER2013", "ours Acc"][2])
    assert ("CK+", "ours Acc") not in frame
    assert list(frame["", "GCCA"]) == ["×", "×", "✓", "✓", "✓", "✓"]
    html = styled.to_html()
    assert "–" in html
    assert "74.08" in html
    assert "+4.29 in the paper" in html
    mixed = [*rows, made_row(6, seed=9, label="full")]
    with pytest.raises(FercourseError, match="mix runs labelled cpu, full"):
        plots.table1(mixed)
    shorter = [*rows, made_row(6, seed=9, **{"train.epochs": 20})]
    with pytest.raises(FercourseError, match=r"mix recipes \(.*16 epochs.*; .*20 epochs"):
        plots.table1(shorter)
    with pytest.raises(FercourseError, match="no row"):
        plots.table1([])


def test_growth_of_cost_says_its_exponents_and_what_one_more_face_adds() -> None:
    figure = plots.cost_growth(made_growth())
    assert headline(figure) == (
        "Training a face takes time as its side to the power 2.0 and as the network's width to the "
        "power 1.5; each further face in a photograph adds 5 % to it"
    )
    size = figure.axes[0]
    assert (size.get_xscale(), size.get_yscale()) == ("log", "log")
    assert size.get_ylabel() == "a face's time, 48 pixels: 1"
    assert list(size.get_lines()[0].get_ydata()) == pytest.approx([4 / 9, 1, 4])
    with pytest.raises(FercourseError, match="not measured by faces"):
        plots.cost_growth(made_growth()[:-1])


def test_sweep_says_whether_the_values_differ_and_where_the_best_mean_lies() -> None:
    figure = plots.sweep(swept(peak=0.01), "loss.weight")
    (axes,) = figure.axes
    assert [text.get_text() for text in axes.get_xticklabels()] == ["0.001", "0.005", "0.01"]
    mean = next(c for c in axes.containers if hasattr(c, "has_yerr")).lines[0].get_ydata()
    assert mean == pytest.approx([68.1, 68.1, 69.1], abs=1e-6)  # validation: 0.01 lower
    assert headline(figure).startswith("λ: the values differ (p = ")
    assert headline(figure).endswith("best mean: 0.01, +1.00 points over the paper's 0.005")
    assert headline(plots.sweep(swept(peak=0.005), "loss.weight")).endswith("as in the paper")
    marks = [line.get_xdata()[0] for line in axes.lines if line.get_linestyle() == "--"]
    assert marks == [1], "the paper's choice stands over the second value"
    alone = [row for row in swept(peak=0.01) if row.seed == 0]
    assert "too few seeds to say" in headline(plots.sweep(alone, "loss.weight"))


def test_sweep_marks_a_run_at_chance_and_keeps_its_axis_to_the_others() -> None:
    rows = swept(peak=0.01)
    lost = made_row(6, seed=9, accuracy=0.15, **{"loss.weight": 0.005})
    (axes,) = plots.sweep([*rows, lost], "loss.weight").axes
    assert axes.get_ylim()[0] > 60
    (mark,) = [line for line in axes.lines if line.get_marker() == "v"]
    assert list(mark.get_xdata()) == [1]


def test_sweep_of_two_seeds_shows_the_seeds_and_cuts_their_long_bars() -> None:
    rows = [
        made_row(6, seed=s, accuracy=0.6 + 0.02 * s, **{"loss.weight": w})
        for w in (0.005, 0.01)
        for s in (0, 1)
    ]
    (axes,) = plots.sweep(rows, "loss.weight").axes
    values = [100 * row.val_accuracy for row in rows]
    low, high = axes.get_ylim()
    assert min(values) - 3 < low < min(values)
    assert max(values) < high < max(values) + 3
    assert any("cut" in text.get_text() for text in axes.get_legend().get_texts())


def test_sweep_refuses_runs_that_differ_in_more() -> None:
    rows = [*swept(), made_row(6, seed=0, **{"loss.weight": 0.02, "train.epochs": 33})]
    with pytest.raises(FercourseError, match=r"differ in train\.epochs \(\d+, 33\)"):
        plots.sweep(rows, "loss.weight")
    with pytest.raises(FercourseError, match="no measured row"):
        plots.sweep(paper_claims(), "loss.weight")
    ck = made_row(6, **{"data.name": "ckplus"})
    with pytest.raises(FercourseError, match="mix dataset ckplus, fer2013"):
        plots.sweep([*swept(), ck], "loss.weight")


def test_slopes_print_the_paired_differences() -> None:
    rows = slopes()
    figure = plots.ablation_slopes(rows + paper_claims())
    written = [text.get_text() for text in figure.axes[0].texts]
    for text, (first, second) in zip(
        written, [("model1", "model3"), ("model3", "model6")], strict=True
    ):
        step = compare(rows, first, second)
        assert text.startswith(f"{100 * step.mean:+.2f}".replace("-", "−"))
    ticks = [label.get_text() for label in figure.axes[0].get_xticklabels()]
    assert ticks[:2] == ["1\nVGG16", "3\n+ fusion\n+ GCCA"]  # model 2 was not run
    theirs = next(line for line in figure.axes[0].lines if "paper" in line.get_label())
    assert np.diff(theirs.get_ydata()) == pytest.approx([73.85 - 69.79, 74.08 - 73.85])
    assert headline(figure).startswith("FER2013: model 1 to 3 changes most: +1.9")
    with pytest.raises(FercourseError, match="two of Table 1's models"):
        plots.ablation_slopes(slopes(models=(6,)))


def test_a_model_of_one_seed_is_a_dot_and_no_step() -> None:
    """As a budget or a failed run leaves them: the other steps are still worth drawing."""
    rows = [row for row in slopes() if row.variant != "model6" or row.seed == 3]
    figure = plots.ablation_slopes(rows)
    (step,) = [text for text in figure.axes[0].texts if "[" in text.get_text()]
    assert step.get_position()[0] == 2, "between models 1 and 3"
    assert headline(figure).startswith("FER2013: model 1 to 3 changes most")


def test_steps_between_models_that_share_no_seed_are_said_to_be_unknown() -> None:
    rows = [row for row in slopes() if (row.variant == "model6") == (row.seed > 1)]
    figure = plots.ablation_slopes(rows)
    assert [text.get_text().split()[:2] for text in figure.axes[0].texts][1] == ["no", "seed"]
    apart = [row for row in rows if row.variant != "model3"]
    assert headline(plots.ablation_slopes(apart)).endswith(
        "no two neighbouring models share a seed"
    )


def test_a_sweep_says_nothing_of_settings_that_share_no_seed() -> None:
    rows = [row for row in swept() if (row.run.loss.weight == 0.01) == (row.seed == 2)]
    assert headline(plots.sweep(rows, "loss.weight")).endswith("best mean: 0.01")


def test_gains_are_held_against_what_a_seed_changes() -> None:
    """t with 2 degrees of freedom, 4.303, times sqrt(2), times 0.3 points: a band of 1.83."""
    figure = plots.recipe_gains(TRIALS, BASE_SEEDS)
    axes = figure.axes[0]
    names = [tick.get_text() for tick in axes.get_yticklabels()]
    assert names == ["model.width = 0.125, 2 seeds", "train.mixup = 0.2"], "one change each"
    band = axes.patches[0]
    assert band.get_x() + band.get_width() == pytest.approx(4.303 * 2**0.5 * 0.3, abs=0.001)
    assert [text.get_text() for text in axes.texts] == ["−2.65", "+1.00"]
    assert headline(figure).startswith("1 of 2 settings changes accuracy")


def test_the_speedrun_goes_down_the_kept_steps() -> None:
    steps = raced()
    axes = plots.speedrun(steps).axes[0]
    kept_line = axes.lines[0]
    assert kept_line.get_xdata() == pytest.approx([100 * one.accuracy for one in steps[:3]])
    assert list(kept_line.get_ydata()) == [0, 1, 2]
    names = [tick.get_text() for tick in axes.get_yticklabels()]
    assert names == [one.step.title for one in steps]
    low, high = axes.get_ylim()
    assert low > high, "the base is at the top"
    title = headline(plots.speedrun(steps))
    gained = 100 * (steps[2].accuracy - steps[0].accuracy)
    assert f"2 of 3 changes gain {gained:.2f} points" in title


def test_spread_draws_both_errors() -> None:
    rows = slopes(models=(1,), seeds=4)
    figure = plots.accuracy_spread(rows)
    values = np.array([100 * row.test_accuracy for row in rows])
    binomial = 100 * np.sqrt(values.mean() / 100 * (1 - values.mean() / 100) / 3589)
    reaches = [patch.get_height() / 2 for patch in figure.axes[0].patches]
    assert reaches == pytest.approx([binomial, values.std()])
    assert f"spread by {values.std():.2f} points" in headline(figure)
    assert f"error of {binomial:.2f}" in headline(figure)
    low, high = figure.axes[0].get_ylim()
    assert low < values.mean() - binomial
    assert high > values.mean() + binomial
    title = headline(plots.accuracy_spread(rows + slopes(models=(2,), seeds=1)))
    assert f"spread by {values.std():.2f} points" in title  # the single run's zero has no part
    assert "single ones aside" in title


def test_a_sheet_marks_what_differs_and_counts_it() -> None:
    shown, answers = faces([1, 1, 2, 3]), [0, 1, 2, 2, 3, 3, 6]
    figure = plots.labelling_sheet(shown, answers, [1.0, 2, 3, 4, 5, 6, 7], people())
    assert headline(figure).startswith("You: 6 of 7 labels (86%), Cohen's κ = ")
    assert "4.0 s a face" in headline(figure)
    wrong = [a for a in figure.findobj(matplotlib.axes.Axes) if a.get_title("center")[:1] == "✗"]
    assert [axes.get_title("center") for axes in wrong] == ["✗ Neutral"]
    assert wrong[0].get_xlabel() == "label: Happy"
    with pytest.raises(FercourseError, match="6 answers with 7 times for 7 faces"):
        plots.labelling_sheet(shown, answers[1:], [1.0] * 7, people())


def test_a_flattened_map_says_how_much_moves() -> None:
    figure = FIGURES["decoder_map"]()
    moved = 50 * np.abs(np.subtract(*ANSWERS)).sum()
    assert f"Happy 60 % → Angry 30 % ({moved:.1f} points" in headline(figure)
    ratio = float(torch.tensor(1.0).sigmoid() / torch.tensor(-1.0).sigmoid())
    assert f"{ratio:.2f} times its weakest" in headline(figure)


def test_silence_says_what_is_lost() -> None:
    told = headline(FIGURES["silence"]())
    assert told == "Without C5, edge: Happy 60 % → Angry 30 %; −50 points over 105 faces"
    told = headline(FIGURES["silence, nothing quiet"]())
    assert told == "With all parts: Happy 60 %; 90 % of 105 faces are right"
