"""What Table 1's components cost: parameters, operations, and speed, measured side by side.

Section 3.4 says that the partial decoder "effectively reduced the computational complexity" and
that reverse attention increases "the processing speed". Both are claims about these numbers.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from fercourse.config import ModelConfig, RunConfig
from fercourse.device import best_device, native_bf16
from fercourse.errors import FercourseError
from fercourse.experiments.train_and_judge import device_name
from fercourse.losses import JointLoss
from fercourse.models.fernet import FERNet
from fercourse.models.recogniser import SMALLEST, Recogniser
from fercourse.training.optim import make_optimizer

if TYPE_CHECKING:
    import pandas as pd

WARM_UP = 2
"""Steps before the clock runs: caches fill, cuDNN chooses its algorithms."""


def costs(
    models: Sequence[int] | Mapping[str, ModelConfig] = (1, 2, 3, 4, 5, 6),
    width: float = 1.0,
    size: int = 48,
    device: torch.device | None = None,
    batch: int = 64,
    seconds: float = 5.0,
) -> pd.DataFrame:
    """Parameters, FLOPs, and images a second of Table 1's models, or of others.

    The models take turns step by step, so that whatever else the machine does slows all alike.
    Training is a whole step as runs take it (joint loss, backward, optimizer; channels last;
    bfloat16 where it is native) without augmentation; prediction is a single view.

    Args:
        models: Rows of Table 1, or models of your own by name.
        width: Factor on all channel counts, of rows of Table 1.
        size: Side of the images, pixels.
        device: None takes the best there is.
        batch: Images a step.
        seconds: Of timing, for each model and use.

    Returns:
        One line a model: ``model``, ``parameters``, ``flops`` (of one image's forward pass: two a
        multiplication with addition, in convolutions and matrix products), ``train`` and
        ``predict`` (images/s of the median step) with ``train_spread`` and ``predict_spread``
        (half the interquartile range of the steps' times, as a fraction of their median).
        ``attrs`` has the device and the precision.

    Raises:
        FercourseError: An argument is out of its range.
    """
    import pandas as pd

    if size < SMALLEST or batch < 2 or not seconds > 0 or not models:
        raise FercourseError(
            f"Costs need faces of at least {SMALLEST} pixels, batches of at least 2, a time above "
            f"0 and a model; not {size}, {batch}, {seconds:g} and {list(models)}."
        )
    device = device or best_device()
    bf16 = native_bf16(device)
    x = torch.rand(batch, 1, size, size, device=device)
    y = torch.arange(batch, device=device) % 7
    named: dict[Any, ModelConfig] = (
        dict(models)
        if isinstance(models, Mapping)
        else {m: ModelConfig.table1(m, width=width) for m in models}
    )
    runs = {m: RunConfig(model=config) for m, config in named.items()}
    nets = {m: FERNet(run.model).to(device) for m, run in runs.items()}
    for net in nets.values():
        net.to(memory_format=layout(device))  # pyright: ignore[reportCallIssue]  torch's stub lacks it
    flops = {m: _flops(net, x[:1]) for m, net in nets.items()}
    training = {m: training_step(nets[m], runs[m], x, y, bf16) for m in models}
    train = in_turns(training, seconds, device)
    predict = in_turns({m: partial(prediction, nets[m], x, bf16) for m in models}, seconds, device)
    frame = pd.DataFrame(
        {
            "model": list(models),
            "parameters": [sum(p.numel() for p in nets[m].parameters()) for m in models],
            "flops": [flops[m] for m in models],
            "train": [batch / np.median(train[m]) for m in models],
            "train_spread": [_spread(train[m]) for m in models],
            "predict": [batch / np.median(predict[m]) for m in models],
            "predict_spread": [_spread(predict[m]) for m in models],
        }
    )
    frame.attrs |= {
        "device": device_name(device, torch.get_num_threads()),
        "precision": "bf16" if bf16 else "float32",
    }
    return frame


def verdict(frame: pd.DataFrame) -> list[str]:
    """What the numbers say to section 3.4's two claims, a sentence each; none without the models.

    A difference of speed below the spread of both models' steps decides nothing.
    """
    of = {row["model"]: row for row in frame.to_dict("records")}
    found = []
    if {3, 4} <= set(of):
        change = of[4]["flops"] / of[3]["flops"] - 1
        more = of[4]["parameters"] / of[3]["parameters"] - 1
        word = "confirmed" if change < 0 else "refuted"
        found.append(
            f"The decoder lowers complexity: {word}; model 4 takes {change:+.1%} operations and "
            f"{more:+.1%} parameters against model 3."
        )
    if {4, 5} <= set(of):
        for use, name in (("predict", "prediction"), ("train", "training")):
            change = of[5][use] / of[4][use] - 1
            noise = of[4][f"{use}_spread"] + of[5][f"{use}_spread"]
            word = "confirmed" if change > 0 else "refuted"
            found.append(
                f"Reverse attention raises speed, {name}: "
                f"{'undecided' if abs(change) <= noise else word}; model 5 does {change:+.1%} "
                f"images/s against model 4 (spread {noise:.1%})."
            )
    return found


def _flops(net: FERNet, x: Tensor) -> int:
    """Of a forward pass of x, counted by torch."""
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        net.eval()(x)
    return counter.get_total_flops()


def training_step(
    net: Recogniser, run: RunConfig, x: Tensor, y: Tensor, bf16: bool
) -> Callable[[], None]:
    """A whole step on one batch, as runs take it but for augmentation: call it to take one.

    Args:
        net: What learns.
        run: How: loss and optimizer.
        x: Normalised faces (N, 1, H, W).
        y: Labels (N,).
        bf16: Compute in bfloat16 where autocast does.
    """
    loss = JointLoss(run.model.num_classes, run.model.embedding, run.loss, run.model.joint_loss)
    loss = loss.to(x.device)
    optimizer = make_optimizer(run.train, net, loss)

    def step() -> None:
        net.train()
        with torch.autocast(x.device.type, torch.bfloat16, enabled=bf16):
            output = net(x)
        terms = loss(output.logits, output.embedding, y)
        optimizer.zero_grad()
        terms.total.backward()
        optimizer.step()

    return step


@torch.no_grad()
def prediction(net: Recogniser, x: Tensor, bf16: bool) -> None:
    """Probabilities of one batch of normalised faces (N, 1, H, W), a single view."""
    net.eval()
    with torch.autocast(x.device.type, torch.bfloat16, enabled=bf16):
        net(x).logits.softmax(1)


def in_turns(
    steps: Mapping[Any, Callable[[], object]],
    seconds: float,
    device: torch.device,
    warm_up: int = WARM_UP,
    least: int = 3,
) -> dict[Any, list[float]]:
    """Seconds of each step of each model, the first few left out.

    Args:
        steps: By name; they take turns step by step, so that the k-th time of each is of one turn.
        seconds: For each of them on average.
        device: Where they compute.
        warm_up: Turns that are left out.
        least: Turns behind them, whatever time they take.
    """
    times: dict[Any, list[float]] = {model: [] for model in steps}
    rounds, end = 0, time.perf_counter() + seconds * len(steps)
    while rounds < warm_up + least or time.perf_counter() < end:
        for model, step in steps.items():
            finish(device)
            started = time.perf_counter()
            step()
            finish(device)
            times[model].append(time.perf_counter() - started)
        rounds += 1
        if rounds == warm_up:
            end = time.perf_counter() + seconds * len(steps)
    return {model: values[warm_up:] for model, values in times.items()}


def finish(device: torch.device) -> None:
    """Wait for the device: its work is queued, not done, when a call returns."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()


def layout(device: torch.device) -> torch.memory_format:
    """How a network's weights lie fastest: channels last, but for MPS."""
    return torch.preserve_format if device.type == "mps" else torch.channels_last


def _spread(times: list[float]) -> float:
    low, middle, high = np.quantile(times, (0.25, 0.5, 0.75))
    return float((high - low) / 2 / middle)
