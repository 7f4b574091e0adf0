"""How much a model that has seen drawn faces only knows about real ones.

    python benchmarks/transfer.py --data fer2013.zip
    python benchmarks/transfer.py --data fer2013.zip --report

A plain network of eight convolutions is trained on built-in faces for a fixed number of epochs. It
is judged on FER2013's PublicTest, where the painter may be improved, and with ``--report`` on its
PrivateTest too, where nothing may be chosen. Chance is a macro recall of 14.3 %. Every image is
standardised, since brightness and contrast are where drawings and photographs differ most.
"""

from __future__ import annotations

import argparse

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim.lr_scheduler import OneCycleLR
from tqdm.auto import trange

import fercourse
from fercourse.augment import warp
from fercourse.datasets.synthetic import render
from fercourse.datasets.synthetic.expression import intensities
from fercourse.device import best_device, native_bf16
from fercourse.evaluation.metrics import accuracy, confusion_matrix, recall_per_class
from fercourse.labels import BASIC

BATCH = 128


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", default="fer2013", help="FER2013, in any layout")
    parser.add_argument("--count", type=int, default=20000, help="faces to draw")
    parser.add_argument("--difficulty", type=float, default=0.5)
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--report", action="store_true", help="judge on PrivateTest too")
    options = parser.parse_args()

    torch.manual_seed(options.seed)
    index = torch.arange(options.count)
    labels, people = index % 7, index // 7  # every person with all seven expressions
    units = intensities(labels, index, options.seed, options.difficulty)
    drawn = render(units, people, index, options.seed, 48, options.difficulty)
    model = trained(standardise(drawn.images), labels, options.epochs)
    real = fercourse.load(options.data)
    print(f"FER2013 PublicTest: {describe(model, real.val)}")
    if options.report:
        print(f"FER2013 PrivateTest: {describe(model, real.test)}")


def standardise(images: Tensor) -> Tensor:
    """uint8 (N, H, W) to float32 (N, 1, H, W), each image with mean 0 and deviation about 1."""
    x = images.float()
    centred = x - x.mean((1, 2), keepdim=True)
    return (centred / (x.std((1, 2), keepdim=True) + 5))[:, None]


def trained(x: Tensor, y: Tensor, epochs: int) -> nn.Module:
    """Eight convolutions, four poolings, one linear layer; SGD with one cycle, no selection."""
    device = best_device()
    layers, inputs = [], 1
    for channels in (24, 48, 96, 192):
        for _ in range(2):
            layers += [
                nn.Conv2d(inputs, channels, 3, padding=1, bias=False),
                nn.BatchNorm2d(channels),
                nn.ReLU(),
            ]
            inputs = channels
        layers.append(nn.MaxPool2d(2))
    head = (nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(0.3), nn.Linear(inputs, 7))
    model = nn.Sequential(*layers, *head).to(device, memory_format=torch.channels_last).train()
    optimizer = torch.optim.SGD(
        model.parameters(), lr=0.05, momentum=0.9, nesterov=True, weight_decay=5e-4
    )
    steps = len(x) // BATCH
    schedule = OneCycleLR(optimizer, 0.05, total_steps=steps * epochs)
    for _ in trange(epochs, desc="training", unit="epoch", disable=None):
        for rows in torch.randperm(len(x))[: steps * BATCH].split(BATCH):
            faces = distort(x[rows]).to(device)
            with torch.autocast(device.type, torch.bfloat16, enabled=native_bf16(device)):
                logits = model(faces)
            loss = F.cross_entropy(logits.float(), y[rows].to(device), label_smoothing=0.1)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
    return model.eval()


def distort(x: Tensor) -> Tensor:
    """Flip, rotate, zoom and shift a batch (N, 1, H, W); paint a rectangle over some."""
    n, size = len(x), x.shape[-1]
    zoom, flip = 1 + 0.12 * torch.randn(n), torch.where(torch.rand(n) < 0.5, -1.0, 1.0)
    x = warp(x, 7 * torch.randn(n), flip * zoom, zoom, 0.03 * torch.randn(n), 0.03 * torch.randn(n))
    at = torch.arange(size)
    left, top, width, height = (torch.randint(0, m, (n, 1)) for m in (size, size, 7, 7))
    columns, rows = (at - left).abs() < 3 + width, (at - top).abs() < 3 + height  # (N, size)
    painted = (rows[:, :, None] & columns[:, None, :] & (torch.rand(n, 1, 1) < 0.4))[:, None]
    return torch.where(painted, torch.randn(n, 1, 1, 1), x)


@torch.inference_mode()
def describe(model: nn.Module, faces: fercourse.Faces) -> str:
    """Macro recall, accuracy and recall per class, averaged over the image and its mirror image."""
    device = next(model.parameters()).device
    answers = []
    for images in faces.images.split(512):
        x = standardise(images).to(device)
        answers.append((model(x).softmax(1) + model(x.flip(3)).softmax(1)).argmax(1).cpu())
    matrix = confusion_matrix(faces.labels, torch.cat(answers))
    recall = recall_per_class(matrix)
    each = ", ".join(f"{e.title} {100 * r:.1f}" for e, r in zip(BASIC, recall, strict=True))
    mean = f"macro recall {100 * np.mean(recall):.1f} %, accuracy {100 * accuracy(matrix):.1f} %"
    return f"{mean} ({each})"


if __name__ == "__main__":
    main()
