"""A training step's kernels, recorded once and replayed: the GPU no longer waits for Python.

A step of the full model launches some two thousand kernels. At 48 pixels a large GPU is done with
most of them before Python has launched the next. A CUDA graph is one launch of them all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import torch
from torch import Tensor, nn

WARM_UP = 3
"""Unrecorded passes before: cuBLAS, cuDNN and a compiled model prepare themselves at the first."""

Gradients = Callable[[Tensor, Tensor, Tensor | None, Tensor], Tensor]
"""From uint8 images (B, H, W), labels (B,), masks and mixup's share (a scalar) to what a step
reports; leaves its gradients in the parameters' ``grad``."""


class RecordedStep:
    """The gradients of one batch as one CUDA graph.

    Random numbers go on as they would without it: a replay draws from the generators' present
    state and moves it on. Parameters, buffers and gradients stay where they were recorded, so
    gradients must never be set to None afterwards; a replay overwrites them.

    Args:
        gradients: What to record. It must not wait for the device.
        modules: Whose buffers ``gradients`` changes: the passes before recording leave no trace
            in them, nor in the generators.
        generator: On the device; of augmentation.
        images: A batch, uint8 (B, H, W), on the device: those to come have its shape.
        labels: int64 (B,), likewise.
        masks: uint8 (B, H, W), likewise, where maps are supervised.
    """

    def __init__(
        self,
        gradients: Gradients,
        modules: Iterable[nn.Module],
        generator: torch.Generator,
        images: Tensor,
        labels: Tensor,
        masks: Tensor | None = None,
    ) -> None:
        self.images, self.labels = images.clone(), labels.clone()
        self.masks = None if masks is None else masks.clone()
        self.share = torch.ones((), device=images.device)
        modules = list(modules)
        buffers = [buffer for module in modules for buffer in module.buffers()]
        before = [buffer.clone() for buffer in buffers]
        drawn = generator.get_state(), torch.cuda.get_rng_state(images.device)

        stream = torch.cuda.Stream(images.device)
        stream.wait_stream(torch.cuda.current_stream(images.device))
        with torch.cuda.stream(stream):
            for _ in range(WARM_UP):
                gradients(self.images, self.labels, self.masks, self.share)
                _forget_gradients(modules)
        torch.cuda.current_stream(images.device).wait_stream(stream)

        self.graph = torch.cuda.CUDAGraph()
        self.graph.register_generator_state(generator)
        with torch.cuda.graph(self.graph, stream=stream):  # records, and computes nothing
            self.report = gradients(self.images, self.labels, self.masks, self.share)
        for buffer, value in zip(buffers, before, strict=True):
            buffer.copy_(value)
        generator.set_state(drawn[0])
        torch.cuda.set_rng_state(drawn[1], images.device)

    def __call__(
        self, images: Tensor, labels: Tensor, masks: Tensor | None, share: float
    ) -> Tensor:
        """What ``gradients`` returns for another batch; the next call overwrites it."""
        self.images.copy_(images)
        self.labels.copy_(labels)
        if self.masks is not None and masks is not None:
            self.masks.copy_(masks)
        self.share.fill_(share)
        self.graph.replay()
        return self.report


def _forget_gradients(modules: Iterable[nn.Module]) -> None:
    """So that recording finds none, and a replay writes gradients instead of adding to them."""
    for module in modules:
        for parameter in module.parameters():
            parameter.grad = None
