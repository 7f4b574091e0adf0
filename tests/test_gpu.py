"""On CUDA: the same numbers as on the CPU, and nothing in a step that waits for the GPU.

``benchmarks/gpu_day.sh`` runs this file where a GPU can be had by the minute. What compiles takes
longest, and comes last: the time may be over before.
"""

from __future__ import annotations

import copy
from itertools import pairwise
from typing import Any

import pytest
import torch
from made_faces import bar_dataset, bars
from torch import Tensor

from fercourse import train
from fercourse.augment import augment, augment_with_masks, foggy
from fercourse.config import (
    ARCHITECTURES,
    ATTENTIONS,
    COMPONENTS,
    LossConfig,
    ModelConfig,
    RunConfig,
    preset,
)
from fercourse.evaluation.predict import probabilities
from fercourse.losses import JointLoss, map_loss
from fercourse.models.build import build
from fercourse.models.fernet import FERNet
from fercourse.training.learner import Learner

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device here")

FLOAT32 = 1e-4
"""Largest difference, as a share of the norm: float32 sums in another order, some twenty layers."""

BF16 = 5e-2
"""Likewise with bf16 products: 8 bits, so 4e-3 a layer, through some twenty layers."""


@pytest.fixture(autouse=True)
def plain_float32():
    """Without TF32, which keeps 10 bits of a product's factors."""
    before = torch.backends.cudnn.allow_tf32
    torch.backends.cudnn.allow_tf32 = False
    yield
    torch.backends.cudnn.allow_tf32 = before


def distance(a: Tensor, b: Tensor) -> float:
    """|a - b| / |b|."""
    a, b = a.detach().double().cpu(), b.detach().double().cpu()
    return ((a - b).norm() / b.norm().clamp_min(1e-12)).item()


def net(number: int, **settings: object) -> FERNet:
    torch.manual_seed(0)
    return FERNet(ModelConfig.table1(number, width=0.25, dropout=0.0, **settings))


def gradients(model: FERNet, x: Tensor, y: Tensor) -> list[Tensor]:
    """Of every parameter, for one batch in training mode."""
    torch.manual_seed(1)
    loss = JointLoss(7, model.config.embedding, None, model.config.joint_loss).to(x.device)
    model.train().zero_grad()
    out = model(x)
    loss(out.logits, out.embedding, y).total.backward()
    return [torch.zeros_like(p) if p.grad is None else p.grad.clone() for p in model.parameters()]


def flat(tensors: list[Tensor]) -> Tensor:
    return torch.cat([t.detach().float().flatten().cpu() for t in tensors])


@pytest.fixture
def same_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stochastic pooling takes the middle of its distribution: devices draw different numbers."""
    monkeypatch.setattr(torch, "rand_like", lambda x: torch.full_like(x, 0.5))


@pytest.fixture
def batch() -> tuple[Tensor, Tensor]:
    faces = bars(16, size=48)
    return augment(faces.images, "none"), faces.labels


@pytest.mark.parametrize("settings", [{}, {"gcca_norm": True, "map_scale": 1.0}])
@pytest.mark.parametrize("number", range(1, 7))
def test_models_answer_as_on_the_cpu(number, settings, batch):
    model, (x, _) = net(number, **settings).eval(), batch
    here = model(x)
    there = model.cuda()(x.cuda())
    assert distance(there.logits, here.logits) < FLOAT32
    for name, value in here.maps.items():
        assert distance(there.maps[name], value) < FLOAT32, name
    with torch.autocast("cuda", torch.bfloat16):
        assert distance(model(x.cuda()).logits, here.logits) < BF16


RELATIVES = [
    *({"attention": name} for name in ATTENTIONS if name != "gcca"),
    *({name: True} for name in ("gcca_descriptor_norm", "gcca_zero_sum")),
    *(
        {"architecture": name} | dict.fromkeys(COMPONENTS, False)
        for name in ARCHITECTURES
        if name != "fernet"
    ),
]


@pytest.mark.parametrize("settings", RELATIVES, ids=str)
def test_relatives_and_rivals_answer_as_on_the_cpu(settings, batch):
    torch.manual_seed(0)
    model, (x, _) = build(ModelConfig(width=0.25, **settings)).eval(), batch
    here = model(x).logits
    assert distance(model.cuda()(x.cuda()).logits, here) < FLOAT32


@pytest.mark.parametrize("number", range(1, 7))
def test_gradients_are_those_of_the_cpu_in_either_layout(number, batch, same_draws):
    # In float64: where float32 rounds a rectifier's input from one side of 0 to the other, whole
    # gradients change.
    model, (x, y) = net(number).double(), batch
    here = flat(gradients(model, x.double(), y))
    model.cuda()
    rows = flat(gradients(model, x.double().cuda(), y.cuda()))
    model.to(memory_format=torch.channels_last)
    last = flat(gradients(model, x.double().cuda(), y.cuda()))
    assert distance(rows, here) < FLOAT32
    assert distance(last, here) < FLOAT32


LOSSES = [
    {"centers": "published", "label_smoothing": 0.1},
    {"centers": "learned", "label_smoothing": 0.1},
    {"class_weights": 0.5},
    {"focal": 2.0},
    {"triplet_weight": 1.0},
]


@pytest.mark.parametrize("mixed", [False, True])
@pytest.mark.parametrize("settings", LOSSES, ids=str)
def test_losses_are_those_of_the_cpu(settings, mixed):
    if mixed and "triplet_weight" in settings:
        pytest.skip("a triplet needs one label a face")
    torch.manual_seed(0)
    loss = JointLoss(7, 32, LossConfig(**settings)).train()
    loss.weigh(torch.arange(20) % 7)
    logits, embedding = torch.randn(9, 7), torch.randn(9, 32)
    labels = torch.rand(9, 7).softmax(1) if mixed else torch.arange(9) % 7
    twin = copy.deepcopy(loss).cuda()
    for _ in range(2):  # the second time from centres that have moved
        here = loss(logits, embedding, labels)
        there = twin(logits.cuda(), embedding.cuda(), labels.cuda())
        for name, value in here._asdict().items():
            assert getattr(there, name).item() == pytest.approx(value.item(), rel=1e-4), name
    assert distance(twin.island.centers, loss.island.centers) < FLOAT32


@pytest.mark.parametrize("policy", ["none", "paper", "light", "course"])
def test_augmentation_draws_what_the_cpu_draws(policy):
    # Smooth: positions a few 1e-6 of the width apart, between neighbours of nearly one grey.
    ramp = torch.linspace(0, 255, 48).to(torch.uint8)
    images = ramp.expand(8, 48, 48).contiguous()
    seeded = [torch.Generator().manual_seed(0) for _ in range(2)]
    there = augment(images.cuda(), policy, seeded[1]).cpu()
    torch.testing.assert_close(augment(images, policy, seeded[0]), there, atol=1e-3, rtol=0)


def test_fog_and_masks_are_those_of_the_cpu():
    ramp = torch.linspace(0, 255, 48).to(torch.uint8)
    images, masks = ramp.expand(8, 48, 48).contiguous(), torch.zeros(8, 48, 48, dtype=torch.uint8)
    masks[:, 12:36, 12:36] = 1
    results = []
    for device in ("cpu", "cuda"):
        draw = torch.Generator().manual_seed(0)
        x, turned = augment_with_masks(images.to(device), masks.to(device), "course", draw)
        results.append((foggy(x, 0.5, draw).cpu(), turned.cpu()))
    (here, marked), (there, marked_there) = results
    torch.testing.assert_close(there, here, atol=1e-3, rtol=0)
    assert (marked != marked_there).float().mean() < 1e-3, "a rim's pixel may round either way"


def test_maps_are_held_to_masks_as_on_the_cpu(batch):
    model, (x, _) = net(5).eval(), batch
    masks = (x[:, 0] > 0).to(torch.uint8)
    here = map_loss(model(x).maps, masks).item()
    there = map_loss(model.cuda()(x.cuda()).maps, masks.cuda()).item()
    assert there == pytest.approx(here, rel=FLOAT32)


def learner(record: bool, precision: Any = "32-true", model: int = 6, **changes: object) -> Learner:
    from lightning_fabric import Fabric

    torch.manual_seed(0)
    settings = {"model.width": 0.25, "train.batch_size": 16, **changes}
    made = Learner(preset("course", model).change(**settings), 8)
    made.loss.weigh(torch.arange(20) % 7)
    made.place(Fabric(accelerator="gpu", devices=1, precision=precision))
    made.model.train()
    if not record:
        made.__class__ = type("Unrecorded", (Learner,), {"records": False})
    return made


def steps(made: Learner, count: int = 4) -> tuple[Tensor, Tensor]:
    """Reports, and all weights, batch statistics and centres afterwards."""
    faces = bars(16 * count, size=48)
    images, labels = faces.images.cuda(), faces.labels.cuda()
    torch.manual_seed(3)
    generator = torch.Generator("cuda").manual_seed(3)
    made.train()
    batches = zip(images.split(16), labels.split(16), strict=True)
    reports = torch.stack([made.step(x, y, generator).clone() for x, y in batches])
    return reports, flat([*made.model.state_dict().values(), *made.loss.state_dict().values()])


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"train.mixup": 0.0, "train.augment": "paper", "train.clip": 1.0},
        {"train.optimizer": "adamw", "train.lr": 1e-3, "loss.centers": "learned"},
        {"train.batch_size": 16, "train.swa": 0.5, "model.gcca_norm": True},
    ],
    ids=["course", "paper", "learned", "swa"],
)
def test_a_recorded_step_is_the_step(changes):
    (eager, before), (recorded, after) = (steps(learner(record, **changes)) for record in (0, 1))
    assert eager[:, 1].tolist() == pytest.approx(recorded[:, 1].tolist(), rel=2e-3)
    assert distance(after, before) < 1e-2
    assert len({report[1].item() for report in recorded}) == len(recorded), "other batches"


def test_a_recorded_step_draws_anew_each_time():
    made = learner(True, **{"model.dropout": 0.5, "train.lr": 1e-9})
    faces = bars(16, size=48)
    images, labels = faces.images.cuda(), faces.labels.cuda()
    generator = torch.Generator("cuda").manual_seed(0)
    losses = [made.step(images, labels, generator)[1].item() for _ in range(4)]
    assert all(a != b for a, b in pairwise(losses))
    generator.manual_seed(0)
    torch.manual_seed(0)
    first = made.step(images, labels, generator)[1].item()
    generator.manual_seed(0)
    torch.manual_seed(0)
    assert made.step(images, labels, generator)[1].item() == pytest.approx(first, rel=1e-3)


STEPS = {
    "course": {},
    "bf16": {"precision": "bf16-mixed"},
    "paper": {"train.augment": "paper", "train.mixup": 0.0, "train.clip": 1.0},
    "learned": {"train.optimizer": "adamw", "loss.centers": "learned"},
    "swa": {"train.swa": 0.9, "model.gcca_norm": True},
    "fog": {"train.fog": 0.5, "train.augment": "light"},
    "rare": {"loss.class_weights": 0.5, "loss.focal": 2.0},
    "triplets": {"loss.triplet_weight": 1.0, "train.mixup": 0.0},
    "maps": {
        "model": 5,
        "loss.map_weight": 1.0,
        "train.mixup": 0.0,
        "data.name": "synthetic",
    },
}


@pytest.mark.parametrize("record", [False, True], ids=["eager", "recorded"])
@pytest.mark.parametrize("changes", STEPS.values(), ids=STEPS)
def test_no_step_waits_for_the_gpu(changes, record):
    made = learner(record, **changes)
    faces = bars(16, size=48)
    images, labels = faces.images.cuda(), faces.labels.cuda()
    masks = torch.ones_like(images) if "loss.map_weight" in changes else None
    generator = torch.Generator("cuda").manual_seed(0)
    for _ in range(2):
        made.step(images, labels, generator, masks)
    torch.cuda.set_sync_debug_mode("error")
    try:
        for _ in range(2):
            made.step(images, labels, generator, masks)
    finally:
        torch.cuda.set_sync_debug_mode("default")


def run(**changes: object) -> RunConfig:
    settings = {"train.epochs": 2, "train.batch_size": 16, "data.name": "synthetic", **changes}
    return preset("smoke", model=6).change(**settings)


@pytest.mark.parametrize("precision", ["float32", "bf16"])
def test_training_on_a_gpu_is_training_on_the_cpu(precision):
    data = bar_dataset()
    here = train(run(**{"train.precision": "float32"}), data, device="cpu", progress=False)
    there = train(run(**{"train.precision": precision}), data, device="cuda", progress=False)
    rel = 2e-2 if precision == "float32" else 0.15
    for a, b in zip(here.history, there.history, strict=True):
        assert b["train_loss"] == pytest.approx(a["train_loss"], rel=rel)
    faces = data.test.images
    on = [probabilities(there.model, faces, device=d, bf16=False) for d in ("cpu", "cuda")]
    torch.testing.assert_close(*on, atol=1e-3, rtol=0)


def test_a_run_that_was_stopped_goes_on_as_it_would_have(tmp_path):
    data, config = bar_dataset(), run(**{"train.epochs": 3, "train.ema": 0.9, "train.mixup": 0.2})
    whole = train(config, data, device="cuda", progress=False)

    def stop(entry: dict[str, float]) -> None:
        if entry["epoch"] == 1:
            raise KeyboardInterrupt

    from fercourse.training import loop

    pause, loop.PAUSE = loop.PAUSE, 0.0
    try:
        with pytest.raises(KeyboardInterrupt):
            train(config, data, tmp_path, "cuda", on_epoch=stop, progress=False)
    finally:
        loop.PAUSE = pause
    rest = train(config, data, tmp_path, "cuda", progress=False)
    for a, b in zip(whole.history, rest.history, strict=True):
        assert b["train_loss"] == pytest.approx(a["train_loss"], rel=1e-2)


@pytest.mark.slow
def test_a_compiled_model_is_the_same_model(batch):
    model, x = net(6).cuda(), batch[0].cuda()
    model.eval()  # in training it draws other numbers
    with torch.no_grad():
        plain, compiled = model(x), torch.compile(model)(x)
    assert distance(compiled.logits, plain.logits) < FLOAT32
    for name, value in plain.maps.items():
        assert distance(compiled.maps[name], value) < FLOAT32, name


@pytest.mark.slow
@pytest.mark.parametrize(
    ("record", "changes"),
    [(False, {}), (True, {}), (False, {"train.cuda_graphs": True})],
    ids=["compiled", "compiled and recorded", "torch.compile's graphs"],
)
def test_compiled_steps_are_the_steps(record, changes):
    # Model 1 without anything drawn, for a compiled model draws other numbers; in float64, for in
    # float32 a rectifier's input may round to the other side of 0, and training goes another way.
    same = {"precision": "64-true", "model": 1, "model.dropout": 0.0, "train.ema": 0.0}
    same |= {"train.augment": "none", "train.mixup": 0.0}
    eager, before = steps(learner(False, **same))
    compiled, after = steps(learner(record, **same, **{"train.compile": True}, **changes))
    assert compiled[:, 1].tolist() == pytest.approx(eager[:, 1].tolist(), rel=FLOAT32)
    assert distance(after, before) < FLOAT32
