"""torchvision's ImageNet weights for the backbone."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from fercourse.errors import FercourseError
from fercourse.models.vgg import VGG16Backbone


def load_imagenet(backbone: VGG16Backbone, state: dict[str, Tensor] | None = None) -> None:
    """Copy VGG16-BN's thirteen convolutions and batch norms into a backbone of width 1.

    Two exact adaptations: our convolutions have no bias, so torchvision's is subtracted from
    the batch norm's running mean; and a grey input is an RGB one with three equal planes, so
    the first kernel is summed over them.

    Args:
        backbone: Width 1.
        state: ``state_dict`` of ``torchvision.models.vgg16_bn``; None downloads
            IMAGENET1K_V1 (528 MB, kept in torch's hub cache).

    Raises:
        FercourseError: The backbone is not of width 1, or the download failed.
    """
    if backbone.channels != (64, 128, 256, 512, 512):
        raise FercourseError("ImageNet weights fit a backbone of width 1 only.")
    state = _download() if state is None else state
    theirs = sorted(  # features.N.weight with four dimensions: the convolutions, in order
        (int(name.split(".")[1]) for name, value in state.items() if value.ndim == 4)
    )
    ours = [m for m in backbone.blocks.modules() if isinstance(m, nn.Conv2d)]
    norms = [m for m in backbone.blocks.modules() if isinstance(m, nn.BatchNorm2d)]
    with torch.no_grad():
        for index, conv, norm in zip(theirs, ours, norms, strict=True):
            kernel = state[f"features.{index}.weight"]
            if kernel.shape[1] == 3 and conv.in_channels == 1:
                kernel = kernel.sum(1, keepdim=True)
            conv.weight.copy_(kernel)
            for name in ("weight", "bias", "running_mean", "running_var"):
                getattr(norm, name).copy_(state[f"features.{index + 1}.{name}"])
            if norm.running_mean is not None:
                norm.running_mean.sub_(state[f"features.{index}.bias"])


def _download() -> dict[str, Tensor]:
    from torchvision.models import VGG16_BN_Weights

    try:
        return VGG16_BN_Weights.IMAGENET1K_V1.get_state_dict(progress=True, check_hash=True)
    except (OSError, RuntimeError) as error:  # the latter where it was cut short
        raise FercourseError(
            f"VGG16-BN's ImageNet weights could not be downloaded ({error}); "
            "train from scratch (imagenet=False) or run once where there is network."
        ) from error
