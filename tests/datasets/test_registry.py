"""A new data set, component or experiment is a record: nothing else has to know its name."""

from pathlib import Path

import numpy as np
import pytest
from made_faces import bars
from made_rows import made_row

import fercourse
from fercourse import FercourseError, config, plots
from fercourse.config import Component, ModelConfig, RunConfig, preset
from fercourse.datasets import registry
from fercourse.datasets.archive import Archive
from fercourse.datasets.faces import ReadReport
from fercourse.datasets.load import load, load_config
from fercourse.datasets.registry import DataSet
from fercourse.datasets.table import Table
from fercourse.experiments import board, plans
from fercourse.experiments.plans import Plan, plan
from fercourse.experiments.train_and_judge import measure
from fercourse.pages.results import report
from fercourse.runs import groups
from fercourse.runs.ledger import Ledger


def read_toy(archive: Archive) -> Table | None:
    if archive.path.name != "toy":
        return None
    faces = bars(90)
    return Table(
        "toy",
        faces.images.numpy(),
        faces.labels.numpy(),
        np.repeat(["train", "val", "test"], 30),
        None,
        faces.ids,
        ReadReport(str(archive.path), "bars", 90),
    )


@pytest.fixture
def toy(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    made = DataSet(
        "toy", "Toy bars", files=("toy",), reader=read_toy, splits=("A", "B", "C"), by_hand="draw"
    )
    monkeypatch.setitem(registry.REGISTRY, "toy", made)
    monkeypatch.setenv("FERCOURSE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("FERCOURSE_DATA", str(tmp_path))
    (tmp_path / "toy").mkdir()
    (tmp_path / "toy" / "bars.txt").write_text("bars")
    return tmp_path


def test_a_registered_data_set_is_found_trained_on_and_reported(toy: Path) -> None:
    assert load("toy").name == "toy"
    assert load(toy / "toy").name == "toy"
    changes = {"model.width": 0.125, "train.epochs": 1, "train.batch_size": 16, "data.size": 32}
    (planned,) = plan("table1", "toy", "smoke", seeds=1, models=(1,), changes=changes)
    data = load_config(planned.config.data)
    done = measure(planned.config, data, plan="table1", label="smoke", device="cpu", progress=False)
    ledger = Ledger(toy / "ledger.jsonl")
    ledger.append(done.row)
    (row,) = ledger.rows()
    assert row.selection == "epoch of the highest accuracy on B"
    assert "**Toy bars**, trained on A, the epoch selected on B, judged once on C" in report(ledger)


def test_a_data_set_that_is_not_there_says_how_to_get_it(toy: Path) -> None:
    (toy / "toy" / "bars.txt").unlink()
    (toy / "toy").rmdir()
    with pytest.raises(FercourseError, match="No toy was found: looked for toy in"):
        load("toy")
    from fercourse.datasets.download import get

    with pytest.raises(FercourseError, match=r"Toy bars may not be passed on.*draw"):
        get("toy", toy)


@pytest.fixture
def sixth(monkeypatch: pytest.MonkeyPatch) -> Component:
    """GCCA's batch norm as a component of its own: a switch that the paper's table lacks."""
    made = Component("gcca_norm", "normalised squeeze")
    table = (*config.PARTS, made)
    for module in (config, groups, board):
        for name, value in (
            ("PARTS", table),
            ("COMPONENTS", tuple(part.switch for part in table)),
            ("SWITCHES", tuple(f"model.{part.switch}" for part in table)),
        ):
            if hasattr(module, name):
                monkeypatch.setattr(module, name, value)
    return made


def test_a_component_in_the_table_is_on_the_board_and_in_names(sixth: Component) -> None:
    on = board.switches(ModelConfig(gcca_norm=True))
    assert len(on) == 6
    assert on[-1]
    assert ModelConfig(gcca_norm=True).name.endswith("+gcca_norm")
    assert ModelConfig.table1(6).name == "model6"
    base = board.shared_config([], "synthetic", "smoke")
    rows = [made_row(6, seed, label="cpu") for seed in (0, 1)]
    assert len(groups.group_by_config([*rows, made_row(6, 2, **{"model.gcca_norm": True})])) == 1
    planned = board.next_run([], base, on, "smoke")
    assert planned is not None
    assert planned.config.model.gcca_norm
    assert "gcca_norm" in planned.variant


def test_an_experiment_in_the_registry_is_planned(monkeypatch: pytest.MonkeyPatch) -> None:
    def widths(request: plans.Request) -> plans.Variants:
        base = request.base()
        return {f"model6-{w:g}": base.change(**{"model.width": w}) for w in (0.125, 0.25)}, "toy"

    monkeypatch.setitem(plans.PLANS, "widths", Plan("widths", "two widths", widths))
    runs = plan("widths", "synthetic", "smoke", seeds=2)
    assert [(r.variant, r.config.seed) for r in runs] == [
        ("model6-0.125", 0),
        ("model6-0.25", 0),
        ("model6-0.125", 1),
        ("model6-0.25", 1),
    ]


def test_two_configs_differ_in_what_diff_says() -> None:
    one, other = preset("cpu"), preset("cpu", **{"train.epochs": 3}, seed=2)
    assert other.diff(one) == {"train.epochs": 3, "seed": 2}
    assert one.diff(one) == {}
    assert one.without("train.epochs", "seed") == other.without("train.epochs", "seed")
    assert one.without("loss", "model").model == ModelConfig()
    with pytest.raises(AttributeError):
        one.without("train.nonsense")


def folds(seed: int, value: float, accuracy: float, count: int = 3) -> list:
    """One cross-validation of a sweep on CK+: a row a fold, each with a cut of its own."""
    return [
        made_row(
            6,
            seed,
            accuracy + 0.01 * fold,
            fingerprint=f"{seed}{fold}" * 8,
            plan="fig6a",
            **{
                "data.name": "ckplus",
                "data.folds": 3,
                "data.fold": fold,
                "data.seed": seed,
                "loss.weight": value,
            },
        )
        for fold in range(count)
    ]


def swept_on_ckplus(seeds: int = 3) -> list:
    return [
        row
        for seed in range(seeds)
        for value in (0.0005, 0.001, 0.005, 0.01, 0.05)
        for row in folds(seed, value, 0.7 + 0.01 * seed)
    ]


def test_a_sweep_on_ckplus_takes_several_seeds_and_counts_them_not_folds() -> None:
    figure = plots.sweep(swept_on_ckplus(), "loss.weight")
    (axes,) = figure.axes
    seeds = next(line for line in axes.lines if line.get_marker() == "o")
    assert len(seeds.get_xdata()) == 3 * 5, "a point a seed and value"
    with pytest.raises(FercourseError, match="fewer than two values have a seed with all its"):
        plots.sweep([*folds(0, 0.01, 0.7, 2), *folds(0, 0.005, 0.7, 2)], "loss.weight")


def test_a_sweeps_p_is_over_seeds() -> None:
    from fercourse.pages.lambda_sweeps import sweep_tables

    (one,) = sweep_tables(swept_on_ckplus(seeds=1))
    assert "| runs | 1 | 1 | 1 | 1 | 1 |" in one
    assert "too few seeds to say whether the values differ" in one
    (three,) = sweep_tables(swept_on_ckplus())
    assert "| runs | 3 | 3 | 3 | 3 | 3 |" in three
    assert "3 seeds" in three


def test_the_paper_map_gives_one_difference_a_value_on_ckplus() -> None:
    from fercourse.pages.paper_to_code import effect

    one = effect("loss.weight", swept_on_ckplus(seeds=1))
    assert one.count("one seed: no interval") == 4, "one a value, not one a fold"
    assert effect("loss.weight", swept_on_ckplus(seeds=3)).count("n = 3") == 4


def test_training_leaves_the_callers_random_numbers_and_tf32_alone() -> None:
    import torch
    from made_faces import bar_dataset

    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    before = torch.backends.cudnn.allow_tf32
    run: RunConfig = preset("smoke").change(
        **{"train.epochs": 1, "train.precision": "float32", "train.batch_size": 16}
    )
    fercourse.train(run, bar_dataset(), device="cpu", progress=False)
    assert torch.equal(torch.rand(3), expected)
    assert torch.backends.cudnn.allow_tf32 == before


def test_the_validation_of_a_run_can_be_replaced() -> None:
    import torch
    from made_faces import bar_dataset

    seen = []

    def always_happy(model, images, **_):
        seen.append(len(images))
        return torch.eye(7)[[3]].expand(len(images), 7)

    data = bar_dataset()
    run = preset("smoke").change(**{"train.epochs": 1, "train.batch_size": 16})
    fit = fercourse.train(run, data, device="cpu", progress=False, validate=always_happy)
    assert seen == [len(data.val)]
    assert fit.val_accuracy == pytest.approx((data.val.labels == 3).float().mean().item())


def test_the_options_everyone_types_first() -> None:
    from fercourse.cli.options import changes

    assert changes(["loss.weight=0.1"], 5, None, 64) == {
        "train.epochs": 5,
        "train.batch_size": 64,
        "loss.weight": 0.1,
    }
    with pytest.raises(FercourseError, match=r"train\.lr is given twice: by --lr and by --set"):
        changes(["train.lr=0.1"], None, 0.2, None)
