"""What makes training quicker: faces that grow, flips in turns, the hardest faces, a teacher."""

import pytest
import torch
from lightning_fabric import Fabric
from torch import nn

from fercourse import FercourseError, preset, train
from fercourse.augment import alternate, augment
from fercourse.config import TrainConfig
from fercourse.datasets.faces import FaceDataset, Faces, held_out
from fercourse.modules.blocks import start_kernels
from fercourse.training.learner import Learner
from fercourse.training.loop import shrink, sizes
from fercourse.training.optim import make_average, update_average

pytestmark = pytest.mark.numeric

TINY = {
    "model.width": 0.125,
    "model.embedding": 16,
    "data.size": 48,
    "train.epochs": 3,
    "train.batch_size": 16,
    "train.precision": "float32",
}


def tiny(**changes):
    return preset("smoke", 1, **(TINY | changes))


def learner(run):
    made = Learner(run, 100)
    made.place(Fabric(accelerator="cpu", devices=1))
    made.train()
    return made


def noise(count, side=48):
    """Three splits of faces of which no two are alike."""
    torch.manual_seed(1)
    one, two, three = (
        Faces(
            torch.randint(0, 256, (count, side, side), dtype=torch.uint8),
            torch.arange(count) % 7,
        )
        for _ in range(3)
    )
    return FaceDataset(one, two, held_out(three), "synthetic", "f" * 64)


@pytest.mark.parametrize(
    ("start", "size", "epochs", "expected"),
    [
        (0, 48, 3, [48, 48, 48]),
        (32, 48, 6, [32, 32, 40, 40, 48, 48]),
        (32, 48, 4, [32, 32, 40, 48]),
        (40, 48, 3, [40, 40, 48]),
        (44, 48, 2, [44, 48]),
        (48, 48, 2, [48, 48]),
        (32, 48, 2, [32, 40]),
    ],
)
def test_faces_grow_in_equal_shares(start, size, epochs, expected):
    run = tiny(**{"train.start_size": start, "data.size": size, "train.epochs": epochs})
    assert sizes(run) == expected


def test_small_faces_are_means_of_large_ones():
    images = torch.randint(0, 256, (5, 48, 48), dtype=torch.uint8)
    small = shrink(images, 24)
    means = images.view(5, 24, 2, 24, 2).float().mean((2, 4))
    assert (small - means).abs().max() <= 0.5
    assert shrink(images, 48) is images


def test_training_sees_the_sizes_it_should_and_validation_the_whole_face(monkeypatch):
    seen = []

    def step(self, images, labels, generator, masks=None):
        seen.append(images.shape[1])
        return original(self, images, labels, generator, masks)

    original = Learner.step
    monkeypatch.setattr(Learner, "step", step)
    judged = []

    def validate(model, images, **settings):
        judged.append(images.shape[1])
        return torch.full((len(images), 7), 1 / 7)

    train(
        tiny(**{"train.start_size": 32}),
        noise(32),
        device="cpu",
        progress=False,
        validate=validate,
    )
    assert list(dict.fromkeys(seen)) == [32, 40, 48]
    assert set(judged) == {48}


def test_in_turns_every_two_epochs_show_both_sides():
    faces = torch.arange(2 * 3 * 4).view(2, 3, 4)
    parity = torch.tensor([0, 1])
    even, odd = (alternate(faces, parity, epoch) for epoch in (0, 1))
    assert torch.equal(even[0], faces[0])
    assert torch.equal(even[1], faces[1].flip(-1))
    assert torch.equal(odd, even.flip(-1))
    assert torch.equal(alternate(faces, parity, 2), even)


def test_without_mirror_nothing_is_flipped():
    images = torch.zeros(400, 32, 32, dtype=torch.uint8)
    images[:, :, :8] = 255  # the left edge is white
    for mirror, expected in ((False, 0.0), (True, 0.5)):
        x = augment(images, "light", torch.Generator().manual_seed(0), mirror)
        turned = (x[..., -4:].mean((1, 2, 3)) > x[..., :4].mean((1, 2, 3))).float().mean()
        assert turned == pytest.approx(expected, abs=0.1)


def test_training_flips_each_face_once_in_two_epochs(monkeypatch):
    seen = []

    def step(self, images, labels, generator, masks=None):
        seen.append(images[:, 5].clone())
        return torch.zeros(5)

    monkeypatch.setattr(Learner, "step", step)
    data = noise(32)
    run = tiny(**{"train.flip": "alternating", "train.augment": "light", "train.epochs": 2})
    train(run, data, device="cpu", progress=False)
    half = len(seen) // 2
    rows = [{tuple(row.tolist()) for row in torch.cat(part)} for part in (seen[:half], seen[half:])]
    both = {tuple(row.tolist()) for row in data.train.images[:, 5]}
    both |= {tuple(row.flip(0).tolist()) for row in data.train.images[:, 5]}
    assert rows[0] | rows[1] <= both
    assert rows[1] == {tuple(reversed(row)) for row in rows[0]}


def test_the_hardest_of_a_batch_are_trained_on():
    torch.manual_seed(0)
    made = learner(tiny(**{"train.hardest": 0.25}))
    x, y = torch.randn(16, 1, 48, 48), torch.randint(0, 7, (16,))
    before = {name: b.clone() for name, b in made.model.named_buffers()}
    hard, labels = made.hardest(x, y)
    assert len(hard) == len(labels) == 4
    assert made.model.training
    assert all(torch.equal(before[name], b) for name, b in made.model.named_buffers())
    made.model.eval()
    losses = nn.functional.cross_entropy(made.model(x).logits, y, reduction="none")
    expected = losses.topk(4).indices
    assert {tuple(f.flatten()[:5].tolist()) for f in hard} == {
        tuple(f.flatten()[:5].tolist()) for f in x[expected]
    }


def test_a_teacher_is_worth_half_of_the_target():
    made = learner(
        tiny(**{"train.teacher": "synthetic-model1", "model.width": 0.125, "train.augment": "none"})
    )
    x, y = torch.randn(4, 1, 48, 48), torch.tensor([0, 1, 2, 6])
    targets = made.taught(x, y)
    answers = made.teacher(x).logits.softmax(1)
    torch.testing.assert_close(2 * targets - nn.functional.one_hot(y, 7), answers)
    assert not any(p.requires_grad and p.grad is not None for p in made.teacher.parameters())
    images = torch.randint(0, 256, (16, 48, 48), dtype=torch.uint8)
    report = made.step(images, torch.randint(0, 7, (16,)), torch.Generator())
    assert report.isfinite().all()
    assert all(p.grad is None for p in made.teacher.parameters())


def test_a_teacher_of_other_classes_is_refused():
    run = tiny(**{"train.teacher": "synthetic-model1", "model.num_classes": 8})
    with pytest.raises(FercourseError, match="knows 7 classes, and this run has 8"):
        Learner(run, 10)
    with pytest.raises(FercourseError, match="There are no weights at nowhere"):
        Learner(tiny(**{"train.teacher": "nowhere"}), 10)


def test_a_corrected_average_starts_as_a_plain_mean():
    model = nn.Linear(1, 1, bias=False)
    average = make_average(TrainConfig(ema=0.9, ema_corrected=True), model)
    values = [3.0, 5.0, 10.0]
    for value in values:
        model.weight.data.fill_(value)
        update_average(average, model, 0.9, corrected=True)
    assert average.module.weight.item() == pytest.approx(sum(values) / 3)
    for _ in range(20):
        update_average(average, model, 0.9, corrected=True)
    before = average.module.weight.item()
    model.weight.data.fill_(0.0)
    update_average(average, model, 0.9, corrected=True)
    assert average.module.weight.item() == pytest.approx(0.9 * before), "the decay, from ten on"


def test_dirac_kernels_pass_on_what_they_get():
    torch.manual_seed(0)
    layer = nn.Conv2d(3, 5, 3, padding=1, bias=False)
    start_kernels(layer, dirac=True)
    x = torch.randn(2, 3, 8, 8)
    out = layer(x)
    torch.testing.assert_close(out[:, :3], x)
    assert out[:, 3:].std() > 0.1
    start_kernels(layer)
    assert (layer(x)[:, :3] - x).abs().mean() > 0.1


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"train.start_size": 16}, "start_size must be 0, or at least 32"),
        ({"train.start_size": 56}, "start_size 56 is larger than the data's 48"),
        ({"train.hardest": 0.0}, r"hardest must be in \(0, 1\]"),
        (
            {"train.flip": "alternating", "train.augment": "paper"},
            "is for augment light and course",
        ),
        ({"model.architecture": "skip", "model.dirac": True}, "fernet and swift, not skip"),
    ],
)
def test_bad_values_get_a_sentence(changes, says):
    with pytest.raises(FercourseError, match=says):
        tiny(**changes)
