"""From a config to its network."""

from __future__ import annotations

from pkgutil import resolve_name

from fercourse.config import ARCHITECTURES, ModelConfig
from fercourse.models.recogniser import Recogniser


def build(config: ModelConfig) -> Recogniser:
    """The network that ``config`` describes, with weights drawn from torch's global generator."""
    made = ARCHITECTURES[config.architecture]
    return (resolve_name(made) if isinstance(made, str) else made)(config)
