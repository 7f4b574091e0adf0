"""How fast the full model trains, beside torchvision's bare VGG16-BN convolutions.

    python benchmarks/training.py --width 1 --size 48 --batch 128

Both take whole training steps (forward, backward, SGD) in turn in one process, so that a change of
the machine's speed meets both. Printed are medians, their ratio, the share of the machine's own
measured matrix-multiply rate that the full model reaches, and what bf16 and channels_last are
worth for it.
"""

from __future__ import annotations

import argparse
import platform
import statistics
import time
from collections.abc import Callable

import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.flop_counter import FlopCounterMode
from torchvision.models import vgg16_bn

from fercourse.config import ModelConfig
from fercourse.device import best_device, native_bf16
from fercourse.experiments.cost import finish
from fercourse.losses import JointLoss
from fercourse.models import FERNet
from fercourse.modules.blocks import make_divisible


class Trunk(nn.Module):
    """torchvision's convolutions (batch norm, ReLU, poolings), an average, one linear layer."""

    def __init__(self, width: float) -> None:
        super().__init__()
        features = vgg16_bn(weights=None).features if width == 1 else _narrow(width)
        first = features[0]
        features[0] = nn.Conv2d(1, first.out_channels, 3, padding=1)  # grey, as the full model
        self.features = features[:-1]  # the last pooling is dropped in the paper
        self.classify = nn.Linear(make_divisible(512, width), 7)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Logits (N, 7)."""
        return self.classify(self.features(x).mean((2, 3)))


def _narrow(width: float) -> nn.Sequential:
    from torchvision.models.vgg import cfgs, make_layers

    return make_layers(
        [v if v == "M" else make_divisible(v, width) for v in cfgs["D"]], batch_norm=True
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--width", type=float, default=1.0)
    parser.add_argument("--size", type=int, default=48)
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--rounds", type=int, default=7, help="timed steps of each variant")
    parser.add_argument("--compile", action="store_true", help="torch.compile both models")
    a = parser.parse_args()
    device = best_device()
    bf16 = native_bf16(device)
    print(f"{platform.machine()}, {device}, {torch.get_num_threads()} threads")
    print(f"torch {torch.__version__}")
    print(f"width {a.width:g}, {a.size} px, batch {a.batch}")

    torch.manual_seed(0)
    best = (bf16, device.type != "mps")
    full, trunk = FERNet(ModelConfig(width=a.width)), Trunk(a.width)
    rows = {
        "full model": _stepper(full, a, device, *best),
        "bare trunk": _stepper(trunk, a, device, *best),
    }
    for other in ((not best[0], best[1]), (best[0], not best[1])):
        if other[0] and not bf16:
            continue
        model = FERNet(ModelConfig(width=a.width))
        rows[f"full model, {_name(*other)}"] = _stepper(model, a, device, *other)
    times: dict[str, list[float]] = {name: [] for name in rows}
    for step in rows.values():
        step(), step()
    for _ in range(a.rounds):
        for name, step in rows.items():
            times[name].append(_timed(step, device))

    print(f"\nbest settings here: {_name(*best)}")
    print(f"{'':38}{'images/s':>10}{'time':>8}   (time: against the full model, median of pairs)")
    for name, ts in times.items():
        rate = a.batch / statistics.median(ts)
        ratio = statistics.median(t / u for t, u in zip(ts, times["full model"], strict=True))
        print(f"{name:38}{rate:10.0f}{ratio:8.2f}")
    pairs = zip(times["bare trunk"], times["full model"], strict=True)
    share = statistics.median(trunk / full for trunk, full in pairs)
    print(f"\nThe full model trains at {share:.2f} of the bare trunk's speed (aim: 0.8).")

    with FlopCounterMode(display=False) as counter:
        rows["full model"]()
    flops = counter.get_total_flops()  # of one whole step
    peak = _matmul_rate(device, torch.bfloat16 if bf16 else torch.float32)
    reached = flops / statistics.median(times["full model"])
    print(f"{flops / a.batch / 1e9:.2f} GFLOP an image and step, {reached / 1e9:.0f} GFLOP/s.")
    print(
        f"That is {reached / peak:.0%} of a large matrix product's {peak / 1e9:.0f} GFLOP/s here."
    )


def _stepper(
    model: nn.Module, a: argparse.Namespace, device: torch.device, bf16: bool, last: bool
) -> Callable[[], None]:
    """One training step as a function without arguments."""
    layout = torch.channels_last if last else torch.contiguous_format
    model = model.to(device, memory_format=layout).train()
    loss = JointLoss(7, 128).to(device)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9, nesterov=True)
    forward = torch.compile(model) if a.compile else model
    x = torch.randn(a.batch, 1, a.size, a.size, device=device).contiguous(memory_format=layout)
    y = torch.randint(0, 7, (a.batch,), device=device)

    def step() -> None:
        with torch.autocast(device.type, torch.bfloat16, enabled=bf16):
            out = forward(x)
        if isinstance(out, torch.Tensor):
            total = F.cross_entropy(out.float(), y)
        else:
            total = loss(out.logits, out.embedding, y).total
        optimizer.zero_grad()
        total.backward()
        optimizer.step()

    return step


def _timed(step: Callable[[], None], device: torch.device) -> float:
    started = time.perf_counter()
    step()
    finish(device)
    return time.perf_counter() - started


def _matmul_rate(device: torch.device, dtype: torch.dtype) -> float:
    """Best of several large square products, FLOP/s."""
    side = 8192 if device.type == "cuda" else 2048
    a, b = (torch.randn(side, side, device=device).to(dtype) for _ in range(2))
    for _ in range(3):
        a @ b
    return 2 * side**3 / min(_timed(lambda: a @ b, device) for _ in range(10))


def _name(bf16: bool, last: bool) -> str:
    return f"{'bf16' if bf16 else 'float32'}, {'channels_last' if last else 'contiguous'}"


if __name__ == "__main__":
    main()
