"""The search for a recipe: one setting at a time, judged by validation accuracy."""

import pytest
from conftest import ROOT
from made_rows import made_row

from fercourse.config import preset
from fercourse.errors import FercourseError
from fercourse.experiments.plans import plan
from fercourse.experiments.trials import WIDEST, compare_recipes, trials
from fercourse.models import FERNet
from fercourse.pages.recipes import report, write
from fercourse.runs.ledger import Ledger

BASE = preset("cpu")


def recipe_row(seed, val, test=0.6, **changes):
    return made_row(6, seed, test, plan="recipe", variant="model6-x", val_accuracy=val, **changes)


@pytest.mark.parametrize("name", ["smoke", "cpu", "course"])
def test_a_trial_differs_from_its_base_in_the_one_setting_its_name_says(name):
    base = preset(name)
    found = trials(base)
    assert found.pop("model6") == base
    for variant, config in found.items():
        setting, value = variant.removeprefix("model6-").split("=")
        part, field = setting.split(".")
        assert str(getattr(getattr(config, part), field)) == value
        before = getattr(getattr(base, part), field)
        assert config.change(**{setting: before}) == base
        assert config != base
        assert config.model.width <= WIDEST * base.model.width
    assert len({config.hash for config in found.values()}) == len(found) > 12


def test_the_plan_shares_its_base_with_table_1():
    runs = plan("recipe", "fer2013", "cpu", seeds=2)
    table = {r.config for r in plan("table1", "fer2013", "cpu", seeds=2)}
    assert [r.config.seed for r in runs if r.config in table] == [0, 1]
    assert [r.config.seed for r in runs] == sorted(r.config.seed for r in runs)  # breadth first
    assert {r.plan for r in runs} == {"recipe"}


def test_a_search_may_be_narrowed_to_some_settings():
    runs = plan("recipe", "fer2013", "cpu", seeds=1, settings=["model.width"])
    widths = [run.config.model.width for run in runs]
    assert widths == [0.375, 0.125, 0.25, 0.5, 0.75]
    with pytest.raises(FercourseError, match=r"'model.depth' is not tried; of train.augment"):
        plan("recipe", "fer2013", "cpu", settings=["model.depth"])


def test_gains_are_paired_over_shared_seeds_and_by_validation():
    rows = [made_row(6, seed, 0.7, val_accuracy=0.60 + 0.01 * seed) for seed in (0, 1, 2)]
    # Seed 2 has no trial; the trial of the worse test accuracy is the better one.
    mixed = {"train.mixup": 0.2}
    rows += [recipe_row(0, 0.63, 0.1, **mixed), recipe_row(1, 0.62, 0.1, **mixed)]
    rows += [recipe_row(1, 0.60, 0.9, **{"train.lr": 0.1})]
    base, first, second = compare_recipes(rows, BASE)
    assert (base.changed, base.gain, base.n) == ({}, None, 3)
    assert base.accuracy == pytest.approx(0.61)
    assert first.changed == mixed
    assert (first.gain.n, first.gain.mean) == (2, pytest.approx((0.03 + 0.01) / 2))
    assert second.changed == {"train.lr": 0.1}
    assert (second.gain.n, second.gain.mean) == (1, pytest.approx(-0.01))


def test_trials_without_their_base_gain_nothing():
    (alone,) = compare_recipes([recipe_row(0, 0.5, **{"train.mixup": 0.2})], BASE)
    assert alone.gain is None
    assert alone.accuracy == 0.5


def test_a_trial_is_as_large_as_its_weights():
    rows = [made_row(6), recipe_row(0, 0.6, **{"model.width": 0.25})]
    for trial, width in zip(compare_recipes(rows, BASE), (0.375, 0.25), strict=True):
        net = FERNet(BASE.change(**{"model.width": width}).model)
        count = sum(v.numel() for v in net.parameters()) + sum(v.numel() for v in net.buffers())
        assert trial.megabytes == pytest.approx(2e-6 * count)


def test_the_page_shows_no_test_accuracy(tmp_path):
    book = Ledger(tmp_path / "ledger.jsonl")
    book.append(made_row(6, 0, 0.7, val_accuracy=0.65))
    book.append(recipe_row(0, 0.6613, 0.3217, **{"train.mixup": 0.2, "train.epochs": 20}))
    page = tmp_path / "recipe.md"
    assert write(page, book)
    text = page.read_text(encoding="utf-8")
    assert "`train.epochs=20`, `train.mixup=0.2`" in text
    assert "66.13" in text
    assert "+1.13 points (one seed: no interval)" in text
    assert "32.1" not in text
    assert not write(page, book)


def test_the_repositorys_page_says_what_the_ledger_says():
    text = (ROOT / "docs" / "recipe.md").read_text(encoding="utf-8")
    assert text == report(Ledger(ROOT / "results" / "ledger.jsonl")), "run: fercourse ledger recipe"


def test_a_search_around_a_changed_preset_has_a_table_of_its_own(tmp_path):
    book = Ledger(tmp_path / "ledger.jsonl")
    small = {"model.width": 0.125}
    book.append(made_row(6, 0, 0.70, val_accuracy=0.69))
    book.append(made_row(6, 0, 0.60, val_accuracy=0.50, plan="recipe", **small))
    book.append(recipe_row(0, 0.68, **{"train.mixup": 0.2}))
    assert "with `model.width" not in report(book)  # a narrower model6, and no search around it
    book.append(recipe_row(0, 0.53, **small, **{"train.lr": 0.1}))
    _, first, second = report(book).split("\n## ")
    assert first.startswith("FER2013, preset `cpu`\n")
    assert "`train.lr=0.1`" not in first
    assert "| `model.width=0.125` | 1 |" in first  # and a trial of the preset's width as well
    assert second.startswith("FER2013, preset `cpu` with `model.width=0.125`\n")
    assert "| nothing: the base | 1 | " in second
    assert "`train.lr=0.1` | 1 | 0.61 | 53.00 | +3.00 points (one seed" in second


def test_width_is_weighed_against_megabytes(tmp_path):
    book = Ledger(tmp_path / "ledger.jsonl")
    book.append(made_row(6, 0, 0.66, val_accuracy=0.65))
    assert "for its size" not in report(book)
    for width, val in ((0.25, 0.63), (0.5, 0.66)):
        book.append(recipe_row(0, val, **{"model.width": width}))
    text = report(book)
    assert "from width 0.25 to 0.375, +2.00 points for" in text
    assert "from width 0.375 to 0.5, +1.00 points for" in text
    assert "points a MB" in text
