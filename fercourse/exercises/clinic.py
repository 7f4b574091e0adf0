"""Lesson 20: four examinations to have in every project."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from fercourse.exercises.exercise import Wrong, check, exercise, several
from fercourse.preprocess import MEAN, STD, normalise


class _Answer(NamedTuple):
    logits: Tensor


class _Toy(nn.Module):
    """Small, and like the course's nets: (N, 1, H, W) to ``.logits``; random in training mode."""

    def __init__(self, side: int = 8, classes: int = 3) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(1)
        self.first = nn.Linear(side * side, 16)
        self.drop = nn.Dropout(0.3)
        self.last = nn.Linear(16, classes)
        self.spare = nn.Linear(4, 4)  # which no loss reaches

    def forward(self, x: Tensor) -> _Answer:
        hidden = F.relu(self.first(self.norm(x).flatten(1)))
        return _Answer(self.last(self.drop(hidden)))


def _faces(count: int = 24, side: int = 8) -> Tensor:
    return torch.randint(0, 256, (count, side, side), dtype=torch.uint8)


@exercise(
    "Judge twice",
    difficulty=1,
    minutes=6,
    hints=[
        "`model(normalise(images)).logits.softmax(1)` are the probabilities; run it twice. Which "
        "of torch's modes must not be touched, so that the fault can show?",
        "In training mode every pass moves batch norm's running statistics. Examine a "
        "`copy.deepcopy(model)`, and the patient stays as it was.",
    ],
)
def judge_twice(model: nn.Module, images: Tensor) -> float:
    """The largest change of any probability from one pass over the images to the next.

    The model is examined in the mode it is in, and left as it was found. Images are uint8
    (N, H, W); normalise them.
    """
    # your turn
    from copy import deepcopy

    from fercourse.preprocess import normalise

    spare = deepcopy(model)
    with torch.no_grad():
        first, second = (spare(normalise(images)).logits.softmax(1) for _ in range(2))
    return (first - second).abs().max().item()


@check(judge_twice, praise="0 in evaluation mode, more in training mode, and no trace left behind.")
def check_judge_twice(attempt: Any) -> None:
    """Diagnose an attempt at :func:`judge_twice`."""
    images = _faces()
    calm, wild = _Toy().eval(), _Toy().train()
    before = {name: value.clone() for name, value in wild.state_dict().items()}
    found = []
    for model in (calm, wild):
        torch.manual_seed(1)
        found.append(_number(attempt(model, images), "the largest change"))
        torch.manual_seed(1)
        found.append(judge_twice(model, images))
    still, still_right, moved, right = found
    if not wild.training or calm.training:
        raise Wrong(
            "The model was left in another mode than it came in: an examination must not treat."
        )
    if any(not torch.equal(before[name], value) for name, value in wild.state_dict().items()):
        raise Wrong(
            "Your passes moved batch norm's running statistics: the patient is not as it was. "
            "Examine a copy."
        )
    if moved == 0:
        raise Wrong(
            "A model in training mode gets 0, as if all were well. Did you call eval() yourself, "
            "use one pass twice, or compare answers in place of probabilities?"
        )
    if abs(still - still_right) > 1e-6:
        raise Wrong(f"In evaluation mode two passes are equal, and you found {still:.3g}.")
    _same_change(moved, right, wild, images)


def _same_change(moved: float, right: float, model: nn.Module, images: Tensor) -> None:
    """Tell a right answer from the changes of something else, drawn with the same numbers."""
    if abs(moved - right) < 1e-5:
        return
    spare = copy.deepcopy(model)
    torch.manual_seed(1)
    with torch.no_grad():
        logits = [spare(normalise(images)).logits for _ in range(2)]
    p, q = (each.softmax(1) for each in logits)
    known = {
        (p - q).max().item(): "Changes downwards count too: take their size before the largest.",
        (p - q).abs().mean().item(): "That is the mean change; one face that moves is enough, so "
        "the largest is asked for.",
        (logits[0] - logits[1]).abs().max().item(): "That is the change of a logit; take the "
        "softmax first.",
        (p.argmax(1) != q.argmax(1)).float().mean().item(): "That is the share of answers that "
        "changed; a probability can move without that.",
        (p - q).abs().sum().item(): "That is the sum of all changes; the largest is asked for.",
    }
    for value, sentence in known.items():
        if abs(moved - value) < 1e-5:
            raise Wrong(sentence)
    if not 0 <= moved <= 1:
        raise Wrong(f"A probability cannot change by {moved:.3g}.")
    if abs(moved - right) > 0.3:
        raise Wrong(f"In training mode you found {moved:.3g} where {right:.3g} is right.")


@exercise(
    "One batch by heart",
    difficulty=2,
    minutes=8,
    hints=[
        "`torch.optim.SGD(model.parameters(), lr=lr, momentum=0.9)`, made once, before the loop.",
        "A step: loss, `zero_grad()`, `backward()`, `step()`. Keep `loss.item()`, not the loss, "
        "which holds on to its whole graph.",
        "Five steps make five numbers, the first of them from before any step.",
    ],
)
def one_batch_by_heart(
    model: nn.Module, x: Tensor, y: Tensor, lr: float = 0.05, steps: int = 40
) -> list[float]:
    """Cross-entropy before each of ``steps`` steps of SGD (momentum 0.9) on one batch.

    The model is trained, in training mode. ``x`` is the normalised batch (B, 1, H, W), ``y`` its
    labels (B,); ``model(x).logits`` are (B, K).
    """
    # your turn
    model.train()
    optimizer = torch.optim.SGD(model.parameters(), lr=lr, momentum=0.9)
    found = []
    for _ in range(steps):
        loss = F.cross_entropy(model(x).logits, y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        found.append(loss.item())
    return found


def _heart(
    model: nn.Module,
    x: Tensor,
    y: Tensor,
    lr: float,
    steps: int,
    momentum: float = 0.9,
    keep: bool = False,
    still: bool = False,
    late: bool = False,
    after_softmax: bool = False,
    evaluating: bool = False,
) -> list[float]:
    """The exercise with one of its mistakes."""
    model.train(not evaluating)
    optimizer, found = torch.optim.SGD(model.parameters(), lr=lr, momentum=momentum), []
    for _ in range(steps + late):
        logits = model(x).logits
        loss = F.cross_entropy(logits.softmax(1) if after_softmax else logits, y)
        found.append(loss.item())
        if not keep:
            optimizer.zero_grad()
        loss.backward()
        if not still:
            optimizer.step()
    return found[late:]


HEART_MISTAKES: dict[str, dict[str, Any]] = {
    "The loss never moves by your steps: is `optimizer.step()` missing?": {"still": True},
    "Gradients of all earlier steps pile up: `zero_grad()` is missing.": {"keep": True},
    "Your numbers begin after the first step; the loss before it belongs to them.": {"late": True},
    "`cross_entropy` takes logits and does the softmax itself; you did it twice.": {
        "after_softmax": True
    },
    "The model was trained in evaluation mode; put it into training mode first.": {
        "evaluating": True
    },
    "There is no momentum: either momentum=0.9 is missing, or the optimizer is made anew at every "
    "step and forgets it.": {"momentum": 0.0},
}


@check(one_batch_by_heart, praise="It ends near 0: this net, its loss and its labels fit together.")
def check_one_batch_by_heart(attempt: Any) -> None:
    """Diagnose an attempt at :func:`one_batch_by_heart`."""
    steps, rate = 12, 0.1
    x, y, start = normalise(_faces(12)), torch.arange(12) % 3, _Toy()

    def run(how: Callable[..., Any], **mistake: Any) -> Any:
        model = copy.deepcopy(start)
        torch.manual_seed(2)
        return how(model, x, y, lr=rate, steps=steps, **mistake)

    out = run(attempt)
    if isinstance(out, list | tuple) and any(
        isinstance(v, Tensor) and v.requires_grad for v in out
    ):
        raise Wrong("Keep numbers, `loss.item()`: a kept loss holds on to its whole graph.")
    told = "A list of one number a step is asked for."
    if hasattr(out, "__len__") and len(out) != steps:
        raise Wrong(f"{told} {steps} steps gave {len(out)}.")
    found = several(out, steps, told)

    def like(other: list[float]) -> bool:
        return all(abs(a - b) < 1e-3 * (1 + abs(b)) for a, b in zip(found, other, strict=True))

    if like(run(_heart)):
        return
    for sentence, mistake in HEART_MISTAKES.items():
        if like(run(_heart, **mistake)):
            raise Wrong(sentence)
    if abs(found[0] - run(_heart)[0]) > 1e-3:
        raise Wrong(
            f"The first number is the loss of the untouched net, {run(_heart)[0]:.3f}; yours is "
            f"{found[0]:.3f}."
        )
    raise Wrong("The first loss is right and the later ones are not: look at the step.")


@exercise(
    "Gradient norms",
    difficulty=2,
    minutes=8,
    hints=[
        "`torch.autograd.grad(loss, weights, allow_unused=True)` gives the gradients without "
        "putting them into the weights; None stands for a weight that the loss does not reach.",
        "`tensor.norm()` is the root of the sum of squares. Divide by the weight's own.",
    ],
)
def gradient_norms(model: nn.Module, loss: Tensor) -> dict[str, float]:
    """By name, of every kernel and matrix: its gradient's norm as a share of its own norm.

    Kernels and matrices are the parameters with more than one axis. One that the loss does not
    reach has 0. Gradients that lie in the model (``p.grad``) are neither used nor changed.
    """
    # your turn
    weights = {name: p for name, p in model.named_parameters() if p.ndim > 1}
    found = torch.autograd.grad(loss, list(weights.values()), allow_unused=True)
    return {
        name: 0.0 if gradient is None else (gradient.norm() / weight.norm()).item()
        for (name, weight), gradient in zip(weights.items(), found, strict=True)
    }


@check(gradient_norms, praise="Times the learning rate, that is how far a step moves each weight.")
def check_gradient_norms(attempt: Any) -> None:
    """Diagnose an attempt at :func:`gradient_norms`."""
    model, x, y = _Toy().eval(), normalise(_faces(12)), torch.arange(12) % 3
    F.cross_entropy(model(x[:5]).logits, y[:5]).backward()  # an earlier step's, still in there
    with torch.no_grad():
        model.first.weight.mul_(3.0)
    before = {n: None if p.grad is None else p.grad.clone() for n, p in model.named_parameters()}

    def loss() -> Tensor:
        return F.cross_entropy(model(x).logits, y)

    right, out = gradient_norms(model, loss()), attempt(model, loss())
    if not isinstance(out, dict):
        raise Wrong(f"A dict by the parameters' names is asked for, not {type(out).__name__}.")
    left = {n: p.grad for n, p in model.named_parameters()}
    if extra := set(out) - set(right):
        raise Wrong(
            f"{', '.join(sorted(extra))} does not belong there: only parameters of more than one "
            "axis, by their names in named_parameters()."
        )
    if missing := set(right) - set(out):
        raise Wrong(
            f"{', '.join(sorted(missing))} is missing. One that the loss does not reach has a "
            "gradient of 0, and that is worth knowing."
        )
    found = {name: _number(value, f"the share of {name}") for name, value in out.items()}
    weights = {n: p for n, p in model.named_parameters() if n in right}
    gradients = {n: right[n] * float(p.detach().norm()) for n, p in weights.items()}
    piled = {
        n: float(
            ((0 if (b := before[n]) is None else b) + _gradient(loss(), p)).norm()
            / p.detach().norm()
        )
        for n, p in weights.items()
    }
    known = {
        "Your gradients lie on top of those that were there before: p.grad adds up.": piled,
        "That is the gradient's norm alone; divide by the weight's, or a large layer looks "
        "well and a small one ill.": gradients,
        "Those are squares: a norm is the root of the sum of squares.": {
            n: value**2 for n, value in right.items()
        },
        "That is upside down: the gradient over the weight.": {
            n: 1 / value if value else 0.0 for n, value in right.items()
        },
        "That is the mean size of an entry; a norm is the root of the sum of squares.": {
            n: float(_gradient(loss(), p).abs().mean() / p.detach().abs().mean())
            for n, p in weights.items()
        },
    }
    if not _alike(found, right):
        for sentence, wrong in known.items():
            if _alike(found, wrong):
                raise Wrong(sentence)
        name = max(right, key=lambda n: abs(found[n] - right[n]))
        raise Wrong(f"For {name} you have {found[name]:.3g} where {right[name]:.3g} is right.")
    for name, gradient in left.items():
        old = before[name]
        same = gradient is None if old is None else gradient is not None and old.equal(gradient)
        if not same:
            raise Wrong(
                "The numbers are right, and the gradients that lay in the model are no more what "
                "they were: a training step that is under way would go elsewhere."
            )


def _gradient(loss: Tensor, weight: Tensor) -> Tensor:
    (found,) = torch.autograd.grad(loss, [weight], allow_unused=True, materialize_grads=True)
    return found


def _alike(a: dict[str, float], b: dict[str, float]) -> bool:
    return all(abs(a[name] - b[name]) < 1e-4 * (1e-3 + abs(b[name])) + 1e-9 for name in b)


@exercise(
    "Mask a strip",
    difficulty=2,
    minutes=8,
    hints=[
        "`range(0, images.shape[1], height)` are the strips' first rows. Axis 0 is the faces, axis "
        "1 the rows.",
        "`images.clone()` for each strip, or the strips add up, in your data too.",
    ],
)
def mask_a_strip(model: nn.Module, images: Tensor, labels: Tensor, height: int = 8) -> list[float]:
    """Accuracy with each strip of ``height`` rows in middle grey (128), from top to bottom.

    Images are uint8 (N, H, W), to be normalised when they are covered; ``model(x).logits`` are
    (N, K). H is a multiple of ``height``.
    """
    # your turn
    from fercourse.preprocess import normalise

    found = []
    for top in range(0, images.shape[1], height):
        covered = images.clone()
        covered[:, top : top + height] = 128
        with torch.no_grad():
            answers = model(normalise(covered)).logits.argmax(1)
        found.append((answers == labels).float().mean().item())
    return found


@check(mask_a_strip, praise="A net that reads something below the face cannot hide it from this.")
def check_mask_a_strip(attempt: Any) -> None:
    """Diagnose an attempt at :func:`mask_a_strip`."""
    images, labels = _marked()
    for height in (4, 2):
        before, model = images.clone(), _Reader()
        out = attempt(model, images, labels, height)
        if not torch.equal(images, before):
            raise Wrong("The images given were changed: cover a clone, each time a fresh one.")
        count = images.shape[1] // height
        told = f"A list of one accuracy a strip is asked for, {count} for {count * height} rows"
        if hasattr(out, "__len__") and len(out) != count:
            raise Wrong(f"{told} in strips of {height}; yours has {len(out)}.")
        found = several(out, count, f"{told} in strips of {height}.")
        right = mask_a_strip(_Reader(), images, labels, height)
        grey = [
            given == 128 for given in model.seen
        ]  # (N, H, W) each; no picture has this grey itself
        if any(bool(g.all(1).any()) and not bool(g.all(2).any()) for g in grey):
            raise Wrong("You covered columns: axis 1 is the rows, axis 2 the columns.")
        if not any(bool(g.all(2).any()) for g in grey):
            raise Wrong("No strip is in middle grey, 128, which is neither bright nor dark to it.")
        if any(int(face.all(1).sum()) > height for g in grey for face in g):
            raise Wrong("The strips add up: more than one is covered. Begin from the images anew.")
        if _near(found, right):
            continue
        if _near(found, right[::-1]):
            raise Wrong("The strips are in the wrong order: the first is at the top.")
        if _near(found, [1 - value for value in right]):
            raise Wrong("Those are the shares of wrong answers; accuracy is the right ones'.")
        bare = float((_read(images) == labels).float().mean())
        if _near(found, [bare - value for value in right]):
            raise Wrong("Those are the falls; the accuracies themselves are asked for.")
        if _near(found, [value * len(labels) for value in right]):
            raise Wrong("Those are counts of right answers; divide by the number of faces.")
        raise Wrong(
            f"With strips of {height} you have {found[-1]:.3g} last; {right[-1]:.3g} is right."
        )


def _marked() -> tuple[Tensor, Tensor]:
    """Twelve pictures of 8 rows and 12 columns that give their class away in two places."""
    labels = torch.arange(12) % 3
    images = torch.randint(0, 100, (12, 8, 12), dtype=torch.uint8)
    for face, label in enumerate(labels.tolist()):
        if face < 11:  # one that nobody can read
            images[face, 7, 4 * label : 4 * label + 4] = 255
        if face < 5:
            images[face, 1, 4 * label : 4 * label + 4] = 255
    return images, labels


class _Reader(nn.Module):
    """Answers by :func:`_read`, and keeps what it was shown."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[Tensor] = []

    def forward(self, x: Tensor) -> _Answer:
        if x.dtype != torch.float32 or x.abs().max() > 2:
            raise Wrong("The model was given images that are not normalised.")
        given = ((x[:, 0] * STD + MEAN) * 255).round().to(torch.uint8)  # (N, H, W)
        self.seen.append(given)
        return _Answer(F.one_hot(_read(given), 3).float())


def _read(given: Tensor) -> Tensor:
    """The class by the white third of the last row, else of row 1, else 0."""

    def third(row: int) -> Tensor:
        return (given[:, row] == 255).reshape(len(given), 3, -1).sum(2)

    marks = third(7) * 10 + third(1)
    return marks.argmax(1)


def _near(a: list[float], b: list[float]) -> bool:
    return len(a) == len(b) and all(abs(x - y) < 1e-5 for x, y in zip(a, b, strict=True))


def _number(value: Any, what: str) -> float:
    try:
        return float(value.detach() if isinstance(value, Tensor) else value)
    except (TypeError, ValueError, RuntimeError):  # several numbers are the last
        raise Wrong(f"A number is asked for, {what}; {type(value).__name__} came back.") from None
