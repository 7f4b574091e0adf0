"""Configs: six models, their presets, a hash that stays, and sentences for bad values."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fercourse import (
    DataConfig,
    Expression,
    FercourseError,
    LossConfig,
    ModelConfig,
    RunConfig,
    TrainConfig,
    preset,
)
from fercourse.config import LABELS
from fercourse.labels import BASIC


def test_table_1():
    ticks = [  # fusion, gcca, decoder, reverse, joint loss: copied from the paper's table
        "-----",
        "x----",
        "xx---",
        "xxx--",
        "xxxx-",
        "xxxxx",
    ]
    for row, marks in enumerate(ticks, start=1):
        c = ModelConfig.table1(row)
        assert (c.fusion, c.gcca, c.decoder, c.reverse, c.joint_loss) == tuple(
            m == "x" for m in marks
        )
        assert c.table1_row == row
    assert ModelConfig(fusion=False).table1_row is None


def test_the_papers_numbers_are_the_defaults():
    loss, paper = LossConfig(), preset("paper")
    assert (loss.weight, loss.pair_weight) == (0.005, 7)
    assert (paper.model.dropout, paper.train.schedule, paper.train.patience) == (
        0.001,
        "plateau",
        3,
    )
    assert (paper.data.size, paper.data.crop, paper.train.augment) == (224, True, "paper")
    assert ModelConfig().reduction == 16


@pytest.mark.parametrize("name", LABELS)
def test_presets_round_trip(name):
    for row in range(1, 7):
        config = preset(name, row, seed=3)
        assert RunConfig.from_dict(config.to_dict()) == config
        assert config.model.table1_row == row


def test_hash_names_the_run_but_not_its_seed():
    a = preset("cpu")
    assert a.hash == preset("cpu", seed=7).hash
    assert len(a.hash) == 12
    others = [preset("cpu", 1), a.change(**{"loss.weight": 0.01}), a.change(**{"data.fold": 3})]
    assert len({a.hash, *(o.hash for o in others)}) == 4


def test_hash_outlives_new_fields():
    """A row written before a field existed lacks it; its hash must still be its config's."""
    config = preset("cpu")
    values = config.to_dict()
    del values["train"]["compile"], values["model"]["imagenet"], values["data"]["contempt"]
    assert RunConfig.from_dict(values).hash == config.hash


def test_fields_change_all_at_once():
    """Either alone would be refused: reverse attention needs the decoder."""
    for names in (("decoder", "reverse"), ("reverse", "decoder")):
        changed = preset("cpu").change(**{f"model.{name}": False for name in names}, seed=2)
        assert (changed.model.decoder, changed.model.reverse, changed.seed) == (False, False, 2)
    wide = preset("cpu").change(**{"model.imagenet": True, "model.width": 1.0})
    assert wide.model.imagenet


def test_a_model_is_called_by_its_row_or_by_its_parts():
    assert ModelConfig.table1(3).name == "model3"
    assert ModelConfig.table1(6, gcca=False).name == "fusion+decoder+reverse+joint_loss"


@given(st.sampled_from(["model", "loss", "train", "data"]), st.text(min_size=1))
def test_unknown_fields_are_named(part, name):
    values = preset("smoke").to_dict()
    if name in values[part]:
        return
    values[part][name] = 1
    with pytest.raises(FercourseError, match="unknown field"):
        RunConfig.from_dict(values)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: ModelConfig(in_channels=2), "in_channels must be 1 or 3"),
        (lambda: ModelConfig(width=0), "width must be positive"),
        (lambda: ModelConfig(dropout=1), "dropout must be"),
        (lambda: ModelConfig(embedding=0), "embedding must be at least 1, not 0"),
        (lambda: ModelConfig(decoder_channels=-3), "decoder_channels must be at least 1"),
        (lambda: preset("cpu").change(**{"seed.x": 3}), "seed has no fields of its own"),
        (lambda: ModelConfig(decoder=False), "switch decoder on"),
        (lambda: ModelConfig.table1(7), "models 1 to 6"),
        (lambda: LossConfig(weight=-1), "lambda must not be negative"),
        (lambda: LossConfig(centers="magic"), "'published' or 'learned'"),
        (lambda: TrainConfig(epochs=0), "epochs must be at least 1"),
        (lambda: TrainConfig(schedule="magic"), "schedule must be one of plateau, cosine"),
        (lambda: TrainConfig(lr=0), "lr must be positive"),
        (lambda: TrainConfig(clip=-1), "clip must not be negative"),
        (lambda: TrainConfig(cuda_graphs=True), "cuda_graphs needs compile"),
        (lambda: TrainConfig(swa=1), "swa must be in"),
        (lambda: TrainConfig(swa=0.25, schedule="plateau"), "swa needs schedule"),
        (lambda: DataConfig(size=16), "at least 32 pixels"),
        (lambda: DataConfig(fold=10), "fold must be in 0..9"),
        (
            lambda: preset("magic"),
            "not a preset; use one of paper, course, cpu, quarter, hour, long, smoke",
        ),
        (lambda: preset("cpu").change(lr=1), "RunConfig has no field 'lr'"),
        (lambda: preset("cpu").change(**{"train.rate": 1}), "TrainConfig has no field 'rate'"),
    ],
)
def test_bad_values_get_a_sentence(make, says):
    with pytest.raises(FercourseError, match=says):
        make()


def test_expressions():
    assert [e.name for e in BASIC] == [
        "ANGRY",
        "DISGUST",
        "FEAR",
        "HAPPY",
        "SAD",
        "SURPRISE",
        "NEUTRAL",
    ]
    assert Expression.parse("Happiness ") is Expression.HAPPY
    assert Expression.parse(5) is Expression.SURPRISE
    for wrong in ("bored", 9, 2.5, None):
        with pytest.raises(FercourseError, match="is not an expression; use one of angry"):
            Expression.parse(wrong)


def test_hash_takes_five_and_five_point_nothing_for_one_run():
    a, b = (preset("cpu").change(**{"loss.pair_weight": v}) for v in (5, 5.0))
    assert a.hash == b.hash != preset("cpu").hash
