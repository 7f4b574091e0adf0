"""Maps that are trained on masks: the maps follow, the faces without masks stay out of it."""

from dataclasses import replace

import pytest
import torch
from made_faces import bar_dataset, bars

from fercourse import FercourseError, explain, load, preset, train
from fercourse.augment import augment, augment_with_masks
from fercourse.datasets.data_config import DataConfig
from fercourse.datasets.load import load_config

SHORT = {
    "model.width": 0.125,
    "model.embedding": 16,
    "data.size": 32,
    "data.difficulty": 0.1,
    "train.epochs": 5,
    "train.batch_size": 16,
    "train.optimizer": "adamw",
    "train.lr": 0.004,
    "train.precision": "float32",
}


def short(model: int = 4, **changes):
    return preset("smoke", model, **(SHORT | changes))


@pytest.fixture(scope="module")
def drawn():
    return load("synthetic", size=32, count=280, difficulty=0.1)


@pytest.mark.numeric
@pytest.mark.slow
def test_a_supervised_map_finds_what_changed_and_an_unsupervised_one_does_not(drawn):
    scores = {}
    for weight in (0.0, 1.0):
        fit = train(short(**{"loss.map_weight": weight}), drawn, device="cpu", progress=False)
        found = explain.maps(fit.model, drawn.val)["global"]
        scores[weight] = explain.score(found, drawn.val)["pr_auc"]["all"].value
    assert scores[1.0] > scores[0.0] + 0.1


def test_no_weight_is_the_run_it_was(drawn):
    plain = short(**{"train.epochs": 1})
    assert plain.hash == replace(plain, loss=replace(plain.loss, map_weight=0.0)).hash
    assert plain.hash != plain.change(**{"loss.map_weight": 1.0}).hash


def test_masks_turn_with_their_faces():
    """A face that is its own mask: after any policy the two are where they were."""
    masks = torch.zeros(6, 48, 48, dtype=torch.uint8)
    masks[:, 6:20, 10:30] = 1
    images = masks * 255
    for policy in ("none", "paper", "light", "course"):
        seeded = [torch.Generator().manual_seed(4) for _ in range(2)]
        x, turned = augment_with_masks(images, masks, policy, seeded[0])
        assert torch.equal(x, augment(images, policy, seeded[1]))
        assert turned.dtype == torch.uint8
        unlike = ((x[:, 0] > 0) != (turned == 1)).float().mean((1, 2))
        # erasing paints over the face and not over the mask
        assert (unlike < (0.25 if policy == "course" else 0.02)).all(), policy
    ignored = torch.full_like(masks, 255)
    assert (augment_with_masks(images, ignored, "course")[1] == 255).all()


def test_photographs_and_drawn_faces_train_together(drawn):
    photographs = bar_dataset(64)
    both = replace(photographs, drawn=drawn.train)
    seen = []
    photographic = {"train.epochs": 2, "data.name": "fer2013", "data.drawn": 280}
    config = short(**photographic, **{"loss.map_weight": 1.0})
    fit = train(config, both, device="cpu", on_epoch=seen.append, progress=False)
    assert len(seen) == 2
    alone = train(short(**{"train.epochs": 2}), photographs, device="cpu", progress=False)
    weights = zip(fit.model.parameters(), alone.model.parameters(), strict=True)
    assert any(not torch.equal(a, b) for a, b in weights)


def test_the_first_epochs_see_drawn_faces_alone(drawn, tmp_path):
    """Photographs without any pattern: whoever learns in epoch 0 learnt from the drawn ones."""
    photographs = bar_dataset(64)
    both = replace(photographs, drawn=drawn.train)
    changes = {"train.epochs": 2, "data.name": "fer2013"}
    changes |= {"data.drawn": 280, "data.drawn_first": 1}
    first, then = train(short(**changes), both, device="cpu", progress=False).history
    per_epoch = [e["images_per_second"] * e["seconds"] for e in (first, then)]
    assert per_epoch[0] == pytest.approx(16 * (len(drawn.train) // 16))
    assert per_epoch[1] == pytest.approx(16 * ((64 + len(drawn.train)) // 16))


def test_the_loader_adds_drawn_faces_and_leaves_judges_alone(monkeypatch):
    data = bar_dataset(64)
    monkeypatch.setattr(
        "fercourse.datasets.load.load",
        lambda source, **how: (
            load("synthetic", size=32, count=how["count"]) if source == "synthetic" else data
        ),
    )
    more = load_config(DataConfig("fer2013", size=32, drawn=42))
    assert more.drawn is not None
    assert more.drawn.drawing is not None
    assert torch.equal(more.val.images, data.val.images)
    assert more.fingerprint == data.fingerprint


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"loss.map_weight": -1.0}, "map_weight must not be negative"),
        ({"loss.map_weight": 1.0, "train.mixup": 0.2}, "mixup"),
        ({"loss.map_weight": 1.0, "data.name": "fer2013"}, "data.drawn"),
        ({"data.drawn_first": 2}, "data.drawn"),
        ({"data.drawn": 5}, "at least 21"),
        ({"data.drawn": 42}, "raise data.count"),
    ],
)
def test_a_run_that_cannot_be_supervised_is_refused(changes, told):
    with pytest.raises(FercourseError, match=told):
        short(**changes)


def test_a_model_without_a_map_cannot_be_supervised():
    with pytest.raises(FercourseError, match="decoder"):
        short(3, **{"loss.map_weight": 1.0})


def test_drawn_faces_that_were_not_passed_are_missed():
    config = short(**{"data.name": "fer2013", "data.drawn": 42, "data.drawn_first": 1})
    with pytest.raises(FercourseError, match="load it with load_config"):
        train(config, bar_dataset(64), device="cpu", progress=False)


def test_faces_nobody_knows_are_refused():
    with pytest.raises(FercourseError, match="none of these is a drawn one"):
        train(short(**{"loss.map_weight": 1.0}), bar_dataset(64), device="cpu", progress=False)
    assert bars(3).masks is None
