"""Explorers for the lessons: a few controls, and a figure that follows them.

Each is usable in under a minute without instructions, and shows its first figure as a picture
where there is no widget manager. ipywidgets is imported on first use.
"""

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

_HOME = {  # explorer -> the module it lives in
    "action_units": "action_units",
    "detection": "detection",
    "augmentation": "augmentation",
    "stochastic_pooling": "pooling",
    "gcca_weights": "gcca",
    "reverse_steps": "reverse",
    "island": "island",
    "ablation_board": "ablation",
    "attention": "attention",
    "photo": "photo",
}
__all__ = [
    "ablation_board",
    "action_units",
    "attention",
    "augmentation",
    "detection",
    "gcca_weights",
    "island",
    "photo",
    "reverse_steps",
    "stochastic_pooling",
]

if TYPE_CHECKING:
    from fercourse.widgets.ablation import ablation_board
    from fercourse.widgets.action_units import action_units
    from fercourse.widgets.attention import attention
    from fercourse.widgets.augmentation import augmentation
    from fercourse.widgets.detection import detection
    from fercourse.widgets.gcca import gcca_weights
    from fercourse.widgets.island import island
    from fercourse.widgets.photo import photo
    from fercourse.widgets.pooling import stochastic_pooling
    from fercourse.widgets.reverse import reverse_steps


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'fercourse.widgets' has no attribute {name!r}")
    try:
        return getattr(import_module(f"fercourse.widgets.{_HOME[name]}"), name)
    except ModuleNotFoundError as error:
        from fercourse.errors import FercourseError

        raise FercourseError(
            f"explorers need {error.name}: install it with pip install 'fercourse[lab]'."
        ) from error


def __dir__() -> list[str]:
    return sorted(__all__)


class _Explorers(ModuleType):
    """Importing a submodule puts it into its package: not over an explorer of the same name."""

    def __setattr__(self, name: str, value: Any) -> None:
        if not (name in _HOME and isinstance(value, ModuleType)):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Explorers
