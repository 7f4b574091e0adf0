"""Every examination of a run, made once and kept: what it found is a chart."""

from __future__ import annotations

import base64
import io
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from fercourse.augment import augment
from fercourse.clinic.cases import Case
from fercourse.config import RunConfig
from fercourse.datasets.faces import Faces
from fercourse.evaluation.metrics import confusion_matrix
from fercourse.evaluation.predict import probabilities
from fercourse.losses import JointLoss
from fercourse.models.build import build
from fercourse.models.recogniser import Recogniser
from fercourse.preprocess import MEAN, STD, normalise, to_input
from fercourse.training.optim import make_optimizer

if TYPE_CHECKING:
    from fercourse.training.loop import Fit, Validate

GREY = 128
STRIP = 8
"""Pixels of a masked strip's height."""

BATCH, HEART_STEPS = 16, 40
SHOWN, WORST, LOOKED_AT, JUDGED = 16, 5, 21, 60
CEILING = 1000.0
"""Stands for a loss that is larger, or no number any more."""


@dataclass(frozen=True)
class Chart:
    """What the examinations of a run found; all of it plain numbers and two small pictures.

    Attributes:
        history: One dict an epoch: the columns of :data:`COLUMNS`.
        confusion: Of the validation split, counts, row = label, column = answer.
        twice: Validation accuracy of the final weights, judged two times over.
        pairs: The first answer's probability at both judgements, for some validation faces.
        looks: How much the probability of the answer falls when a grey square covers this place,
            (P, P), mean over faces.
        strips: Validation accuracy with nothing covered, then with each strip, from the top.
        one_batch: Cross-entropy of one batch that an untrained net of this recipe learns by heart,
            before each step.
        steps: By part of an untrained net, how far a step at the full rate moves its weights, as a
            share of them.
        drowning: By part, the gradient of the whole loss as a multiple of cross-entropy's.
        batch: Of a training batch: ``picture``, ``labels``, ``truth``.
        worst: ``picture`` of three rows: training faces of highest loss; validation faces of
            highest loss; for each of these the training face that is most like it. Their
            ``labels``, ``answers`` and ``sure`` (the answer's probability), training faces first;
            ``truth`` is what the training faces show; ``apart`` are the grey levels between the
            last two rows' faces.
    """

    history: list[dict[str, float]]
    confusion: list[list[int]]
    twice: tuple[float, float]
    pairs: list[list[float]]
    looks: list[list[float]]
    strips: list[float]
    one_batch: list[float]
    steps: dict[str, float]
    drowning: dict[str, float]
    batch: dict[str, Any]
    worst: dict[str, Any]


COLUMNS = ("epoch", "train_loss", "train_ce", "train_accuracy", "val_loss", "val_accuracy")


def admit(case: Case, progress: bool = False) -> Chart:
    """Train a case on the CPU and make every examination.

    Raises:
        FercourseError: Its loss stopped being a number.
    """
    from fercourse.training.train import train

    judge = in_training_mode if case.training_mode else probabilities
    fit = train(case.config, case.data, device="cpu", progress=progress, validate=judge)
    with torch.random.fork_rng([]):
        torch.manual_seed(0)  # for what the network draws in training mode
        return examine(case, fit, judge)


def examine(case: Case, fit: Fit, judge: Validate) -> Chart:
    """Every examination of a trained case."""
    model, val = fit.model, case.data.val
    first, second = (judge(model, val.images, device="cpu") for _ in range(2))
    answers = first.argmax(1)
    some = torch.linspace(0, len(val) - 1, JUDGED).long()
    both = torch.stack([p[some, answers[some]] for p in (first, second)], 1)  # (JUDGED, 2)
    heart = case.data.train[:BATCH]
    steps, drowning = gradients(case.config, case.data.train)
    spread = val[torch.linspace(0, len(val) - 1, LOOKED_AT).long()]
    return Chart(
        history=[{key: round(float(e[key]), 4) for key in COLUMNS} for e in fit.history],
        confusion=confusion_matrix(val.labels, answers).tolist(),
        twice=(_share(first, val.labels), _share(second, val.labels)),
        pairs=_rounded(both, 3),
        looks=_rounded(occlusion(model, spread), 3),
        strips=masked(model, val, judge),
        one_batch=by_heart(case.config, heart.images, heart.labels),
        steps=steps,
        drowning=drowning,
        batch=shown_batch(case),
        worst=worst_faces(case, model, first),
    )


@torch.no_grad()
def in_training_mode(
    model: Recogniser, images: Tensor, device: Any = None, bf16: bool = False, batch_size: int = 32
) -> Tensor:
    """:func:`fercourse.evaluation.predict.probabilities` without its ``model.eval()``.

    Batch norm takes its statistics from the batch at hand, GCCA draws its random pooling, and the
    running statistics go on moving.
    """
    place = torch.device(device or "cpu")
    model = model.to(place).train()
    found = []
    for part in images.split(batch_size):
        x = to_input(normalise(part.to(place)), model)  # (B, 1, H, W)
        with torch.autocast(place.type, torch.bfloat16, enabled=bf16):
            found.append(model(x).logits.float().softmax(1).cpu())
    return torch.cat(found)


def occlusion(model: Recogniser, given: Faces, side: int = 8, step: int = 4) -> Tensor:
    """Where it looks: how far the answer's probability falls with a grey square there, (P, P)."""
    before, answers = probabilities(model, given.images, device="cpu").max(1)
    corners = range(0, given.size - side + 1, step)
    falls = []
    for top in corners:
        for left in corners:
            covered = given.images.clone()
            covered[:, top : top + side, left : left + side] = GREY
            after = probabilities(model, covered, device="cpu")
            falls.append((before - after.gather(1, answers[:, None])[:, 0]).mean())
    return torch.stack(falls).reshape(len(corners), len(corners))


def masked(model: Recogniser, given: Faces, judge: Any = probabilities) -> list[float]:
    """Accuracy with nothing covered, then with each strip of :data:`STRIP` rows in grey."""
    found = [_share(judge(model, given.images, device="cpu"), given.labels)]
    for top in range(0, given.size, STRIP):
        covered = given.images.clone()
        covered[:, top : top + STRIP] = GREY
        found.append(_share(judge(model, covered, device="cpu"), given.labels))
    return found


def by_heart(config: RunConfig, images: Tensor, labels: Tensor) -> list[float]:
    """Cross-entropy before each of some steps on one batch, at the recipe's full rate."""
    with torch.random.fork_rng([]):
        torch.manual_seed(0)
        model, joint = _untrained(config)
        optimizer = make_optimizer(config.train, model, joint)
        x, found = normalise(images), []  # (B, 1, H, W)
        for _ in range(HEART_STEPS):
            output = model(x)
            terms = joint(output.logits, output.embedding, labels)
            optimizer.zero_grad()
            terms.total.backward()
            optimizer.step()
            ce = terms.ce.item()
            found.append(round(min(ce, CEILING), 4) if math.isfinite(ce) else CEILING)
    return found


def gradients(config: RunConfig, given: Faces, batches: int = 4) -> tuple[dict, dict]:
    """:attr:`Chart.steps` and :attr:`Chart.drowning`, means over some batches."""
    size = config.train.batch_size
    with torch.random.fork_rng([]):
        torch.manual_seed(0)
        model, joint = _untrained(config)
        whole, alone = [], []
        for k in range(batches):
            rows = slice(k * size, (k + 1) * size)
            output = model(normalise(given.images[rows]))
            terms = joint(output.logits, output.embedding, given.labels[rows])
            alone.append(_norms(model, terms.ce))
            whole.append(_norms(model, terms.total))
    weights = _by_part(model, {n: p.detach() for n, p in model.named_parameters()})
    mean = {part: np.mean([norms[part] for norms in whole]) for part in weights}
    ce = {part: np.mean([norms[part] for norms in alone]) for part in weights}
    return (
        {p: float(f"{config.train.lr * mean[p] / weights[p]:.3g}") for p in weights},
        {p: float(f"{mean[p] / max(ce[p], 1e-12):.3g}") for p in weights},
    )


def shown_batch(case: Case) -> dict[str, Any]:
    """:attr:`Chart.batch`: the first faces of a shuffled epoch, as the net gets them."""
    train = case.data.train
    draw = torch.Generator().manual_seed(case.config.seed)
    rows = torch.randperm(len(train), generator=draw)[:SHOWN]
    x = augment(train.images[rows], case.config.train.augment, draw)  # (SHOWN, 1, H, W)
    seen = (255 * (x[:, 0] * STD + MEAN)).round().to(torch.uint8)
    return {
        "picture": to_png(_sheet(seen, SHOWN // 2)),
        "labels": train.labels[rows].tolist(),
        "truth": case.shows[rows].tolist(),
    }


def worst_faces(case: Case, model: Recogniser, judged: Tensor) -> dict[str, Any]:
    """:attr:`Chart.worst`; ``judged`` (N, K) are the validation faces' probabilities."""
    train, val = case.data.train, case.data.val
    answers = probabilities(model, train.images, device="cpu")
    rows, held = _highest_loss(answers, train), _highest_loss(judged, val)
    flat = train.images.flatten(1).float()
    apart = torch.cdist(val.images[held].flatten(1).float(), flat, p=1) / flat.shape[1]
    nearest = apart.argmin(1)
    faces = torch.cat([train.images[rows], val.images[held], train.images[nearest]])
    sure = torch.cat([answers[rows], judged[held]]).max(1)
    return {
        "picture": to_png(_sheet(faces, WORST)),
        "labels": torch.cat([train.labels[rows], val.labels[held]]).tolist(),
        "truth": case.shows[rows].tolist(),
        "answers": sure.indices.tolist(),
        "sure": _rounded(sure.values, 3),
        "apart": _rounded(apart.amin(1), 2),
    }


def to_png(sheet: Tensor) -> str:
    """A grey sheet (H, W) as base64 of a PNG with sixteen levels."""
    levels = (sheet.numpy().astype(int) * 15 + 127) // 255
    picture = Image.fromarray(levels.astype(np.uint8), mode="P")
    picture.putpalette([17 * level for level in range(16) for _ in range(3)])
    buffer = io.BytesIO()
    picture.save(buffer, "PNG", bits=4, optimize=True)
    return base64.b64encode(buffer.getvalue()).decode()


def from_png(text: str) -> np.ndarray:
    """Inverse of :func:`to_png`, but for the levels: uint8 (H, W)."""
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(text))).convert("L"))


def _highest_loss(p: Tensor, given: Faces) -> Tensor:
    """Rows of the different faces that the labels' probability is smallest for, worst first."""
    order = p.gather(1, given.labels[:, None])[:, 0].argsort(stable=True)
    chosen: list[int] = []
    for row in order.tolist():  # a face that stands there many times is shown once
        if not any(torch.equal(given.images[row], given.images[k]) for k in chosen):
            chosen.append(row)
        if len(chosen) == WORST:
            break
    return torch.tensor(chosen)


def _untrained(config: RunConfig) -> tuple[Recogniser, JointLoss]:
    model = build(config.model).train()
    joint = JointLoss(
        config.model.num_classes, config.model.embedding, config.loss, config.model.joint_loss
    )
    return model, joint.train()


def _norms(model: nn.Module, loss: Tensor) -> dict[str, float]:
    names, weights = zip(*model.named_parameters(), strict=True)
    found = torch.autograd.grad(loss, weights, retain_graph=True, materialize_grads=True)
    return _by_part(model, dict(zip(names, found, strict=True)))


def _by_part(model: nn.Module, tensors: dict[str, Tensor]) -> dict[str, float]:
    """The norm of all kernels and matrices of each part of the net, from its input to its end."""
    parts: dict[str, list[Tensor]] = {}
    for name, tensor in tensors.items():
        if tensor.ndim > 1 and "attentions" not in name:
            first, *rest = name.split(".")
            part = f"block {int(rest[1]) + 1}" if first == "backbone" else first.rstrip("345")
            parts.setdefault(part, []).append(tensor.flatten())
    return {part: float(torch.cat(found).norm()) for part, found in parts.items()}


def _sheet(images: Tensor, columns: int) -> Tensor:
    """(N, H, W) to one picture, row by row."""
    n, h, w = images.shape
    return images.reshape(n // columns, columns, h, w).transpose(1, 2).reshape(-1, columns * w)


def _share(p: Tensor, labels: Tensor) -> float:
    return round(float((p.argmax(1) == labels).float().mean()), 4)


def _rounded(values: Tensor, digits: int) -> Any:
    return np.round(values.double().numpy(), digits).tolist()
