"""Plans: which runs, in which order, and how fig6a takes over what fig6b found."""

from itertools import groupby

import pytest
from made_rows import made_row

from fercourse.config import RunConfig
from fercourse.errors import FercourseError
from fercourse.experiments.plans import best_pair_weight, plan
from fercourse.runs.ledger import Ledger


def test_table1_is_breadth_first_over_models():
    runs = plan("table1", "fer2013", "cpu", seeds=3, models=(6, 1, 3))
    assert [(r.config.seed, r.variant) for r in runs] == [
        (s, f"model{m}") for s in range(3) for m in (1, 3, 6)
    ]
    assert {r.label for r in runs} == {"cpu"}
    assert all(r.config.model.table1_row == int(r.variant[-1]) for r in runs)
    assert len({(r.config.hash, r.config.seed) for r in runs}) == 9


def test_the_six_models_share_one_recipe():
    runs = plan("table1", "fer2013", "course", seeds=1)
    assert len({(r.config.train, r.config.loss, r.config.data) for r in runs}) == 1
    assert {r.label for r in runs} == {"full"}


@pytest.mark.parametrize(
    ("name", "by"),
    [("table1", "subject"), ("table1-random", "random"), ("table1-sequence", "sequence")],
)
def test_a_seed_of_ckplus_is_a_whole_cross_validation(name, by):
    runs = plan(name, "ckplus", "cpu", seeds=2, models=(1, 6), folds=4)
    assert len(runs) == 2 * 4 * 2
    for seed, of_seed in groupby(runs, lambda r: r.config.seed):
        data = [r.config.data for r in of_seed]
        assert [d.fold for d in data] == [0, 0, 1, 1, 2, 2, 3, 3]  # folds breadth first too
        assert {(d.seed, d.by, d.folds, d.name) for d in data} == {(seed, by, 4, "ckplus")}
    assert runs[0].variant == ("model1" if by == "subject" else f"model1-{by}")
    assert len({r.name for r in runs}) == len(runs)


def test_ckplus_takes_smaller_batches_than_fer2013_but_the_papers_recipe_stays():
    assert plan("table1", "ckplus", "cpu")[0].config.train.batch_size == 32
    assert plan("table1", "ckplus", "paper")[0].config.train.batch_size == 64


def test_presets_go_with_any_data_set():
    run = plan("table1", "fer2013", "smoke", seeds=1, models=(6,))[0]
    assert run.config.data.name == "fer2013"
    assert run.config.model.width == 0.125
    assert not plan("table1", "synthetic", "paper")[0].config.data.crop
    assert plan("table1", "fer2013", "paper")[0].config.data.crop


def test_what_stands_behind_a_block_is_all_that_slot_varies():
    runs = plan("slot", "synthetic", "smoke", seeds=2)
    attentions = {r.variant: r.config.model.attention for r in runs if r.config.model.gcca}
    assert attentions == {
        "slot-se": "se",
        "slot-cbam": "cbam",
        "slot-eca": "eca",
        "gcca-as-read": "gcca",
    }
    plain = {r.config.without("model.attention", "model.gcca").hash for r in runs}
    assert len(plain) == 1
    shared = {r.config.hash for r in plan("gcca", "synthetic", "smoke", seeds=2)}
    assert {r.variant for r in runs if r.config.hash in shared} == {"gcca-none", "gcca-as-read"}


def test_fig6b_varies_lambda_1_at_lambda_one_hundredth():
    runs = plan("fig6b", seeds=2)
    assert [r.config.loss.pair_weight for r in runs] == [*range(1, 11), *range(1, 11)]
    assert {r.config.loss.weight for r in runs} == {0.01}
    assert {r.config.model.table1_row for r in runs} == {6}
    assert runs[6].variant == "model6-lambda1-7"


def test_fig6a_takes_the_papers_lambda_1_and_says_so_while_fig6b_is_missing(tmp_path):
    runs = plan("fig6a", seeds=1, ledger=Ledger(tmp_path / "ledger.jsonl"))
    assert [r.config.loss.weight for r in runs] == [0.0005, 0.001, 0.005, 0.01, 0.05]
    assert {r.config.loss.pair_weight for r in runs} == {7.0}
    assert runs[2].variant == "model6-lambda0.005"
    assert "fig6b was not recorded" in runs[0].note


def recorded(tmp_path, validation, test, seed=0, values=range(1, 11)):
    """A ledger with fig6b's runs of one seed at the cpu preset; accuracies by lambda_1."""
    ledger = Ledger(tmp_path / "ledger.jsonl")
    for value in values:
        changes = {"loss.weight": 0.01, "loss.pair_weight": float(value)}
        facts = {"val_accuracy": validation(value), "plan": "fig6b", "best_epoch": 3}
        ledger.append(made_row(6, seed, test(value), **facts, **changes))
    return ledger


def test_fig6a_follows_validation_and_not_test(tmp_path):
    ledger = recorded(
        tmp_path,
        validation=lambda v: 0.6 - 0.01 * abs(v - 4),  # best at 4
        test=lambda v: 0.5 + 0.02 * v,  # best at 10
    )
    runs = plan("fig6a", preset="cpu", seeds=1, ledger=ledger)
    assert {r.config.loss.pair_weight for r in runs} == {4.0}
    assert "validation" in runs[0].note


def test_only_seeds_that_all_values_have_choose(tmp_path):
    ledger = recorded(tmp_path, lambda v: 0.6 - 0.01 * abs(v - 3), lambda v: 0.6)
    # A second seed, of lambda_1 = 9 alone, that would win by itself.
    recorded(tmp_path, lambda v: 0.99, lambda v: 0.6, seed=1, values=[9])
    runs = plan("fig6b", preset="cpu", seeds=2)
    assert best_pair_weight(runs, ledger) == (3.0, 1)


def test_an_incomplete_fig6b_chooses_nothing(tmp_path):
    ledger = recorded(tmp_path, lambda v: 0.6, lambda v: 0.6, values=range(1, 10))
    assert best_pair_weight(plan("fig6b", preset="cpu", seeds=1), ledger) is None


def test_a_shared_run_is_one_run():
    """lambda = 0.005 at lambda_1 = 7 stands in Table 1 and in Fig. 6(a), and is trained once."""
    of_table = {r.config for r in plan("table1", seeds=1)}
    assert len(of_table & {r.config for r in plan("fig6a", seeds=1)}) == 1


def test_changes_reach_every_run():
    runs = plan("table1", seeds=2, changes={"train.epochs": 3})
    assert {r.config.train.epochs for r in runs} == {3}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("table9",), "no plan 'table9'"),
        (("table1", "jaffe"), "no data set 'jaffe'"),
        (("table1", "fer2013", "fast"), "no preset 'fast'"),
        (("table1", "fer2013", "cpu", 0), "at least one seed"),
        (("table1", "fer2013", "cpu", 1, (7,)), "no model 7"),
        (("table1-random", "fer2013"), "ckplus"),
    ],
)
def test_what_there_is_not_is_named(arguments, words):
    with pytest.raises(FercourseError, match=words):
        plan(*arguments)


def test_configs_survive_the_ledger():
    for run in plan("fig6a", "ckplus", "cpu", seeds=1, folds=3):
        assert RunConfig.from_dict(run.config.to_dict()) == run.config


def test_all_combinations_that_the_decoder_allows_are_planned_once():
    runs = plan("combinations", "synthetic", "smoke", seeds=2)
    models = {run.config.model for run in runs}
    assert len(runs) == 48
    assert len(models) == 24
    assert {run.variant for run in runs} >= {f"model{k}" for k in range(1, 7)}
    assert all(model.decoder or not model.reverse for model in models)
    table1 = {run.config for run in plan("table1", "synthetic", "smoke", seeds=1)}
    assert table1 <= {run.config for run in runs}, "shared runs are run once"


def test_the_long_half_of_fig6_has_lambda_0_once():
    runs = plan("fig6-long", "fer2013", "cpu", seeds=1)
    settings = [(run.config.loss.weight, run.config.loss.pair_weight) for run in runs]
    assert settings == [(0.0, 7.0), (0.005, 7.0), (0.05, 7.0), (0.005, 1.0), (0.05, 1.0)]
    assert len({run.variant for run in runs}) == 5
    assert runs[1].config == plan("table1", "fer2013", "cpu", seeds=1, models=(6,))[0].config


def test_table2_runs_its_networks_beside_models_1_and_6_trained_alike():
    runs = plan("table2", "fer2013", "cpu", seeds=2)
    assert [r.variant for r in runs[:5]] == ["model1", "model6", "inception", "skip", "channels"]
    plain, ours, *rivals = (r.config for r in runs[:5])
    assert not plain.diff(ours).keys() & {"train.lr", "train.epochs", "model.width"}
    for config, name in zip(rivals, ("inception", "skip", "channels"), strict=True):
        changed = config.diff(plain)
        assert changed.pop("model.architecture") == name
        assert changed == ({"loss.triplet_weight": 1.0} if name == "channels" else {})


def test_pretrained_differs_from_scratch_by_its_start_and_rate():
    scratch, tuned = plan("pretrained", "fer2013", "cpu", seeds=1)
    assert scratch.config.model.width == 1
    assert set(tuned.config.diff(scratch.config)) == {"model.imagenet", "train.lr"}
