"""The global map P_d without its where: what is answered, if it is flat."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from torch import Tensor, nn

from fercourse.errors import FercourseError
from fercourse.models.fernet import FERNet


@contextmanager
def flat_map(model: FERNet) -> Iterator[None]:
    """Inside, the partial decoder's map is its own mean over each face.

    All that follows sees the flat map: the weighted average in model 4, and reverse attention in
    models 5 and 6.

    Raises:
        FercourseError: The model has no partial decoder.
    """
    if not model.config.decoder:
        raise FercourseError("this model has no partial decoder: take Table 1's model 4, 5 or 6.")

    def flatten(module: nn.Module, inputs: object, output: tuple[Tensor, Tensor]) -> object:
        features, region = output
        return features, region.mean((2, 3), keepdim=True).expand_as(region)

    handle = model.decoder.register_forward_hook(flatten)
    try:
        yield
    finally:
        handle.remove()
