"""What stands behind every block: GCCA, or one of its relatives in the same place."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from fercourse.config import ModelConfig
from fercourse.modules import CBAM, ECA, GCCA, SE, ChannelAttention


def attend(config: ModelConfig) -> Callable[[int], ChannelAttention] | None:
    """Makes the attention of a block of C channels, as ``config`` has it; None for none."""
    if not config.gcca:
        return None
    mended = partial(
        GCCA,
        reduction=config.reduction,
        norm=config.gcca_norm,
        descriptor_norm=config.gcca_descriptor_norm,
        zero_sum=config.gcca_zero_sum,
    )
    return {
        "gcca": mended,
        "se": partial(SE, reduction=config.reduction),
        "cbam": partial(CBAM, reduction=config.reduction),
        "eca": ECA,
    }[config.attention]
