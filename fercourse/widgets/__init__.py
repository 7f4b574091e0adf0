"""Explorers for the lessons: a few controls, and a figure that follows them.

Each is usable in under a minute without instructions, and shows its first figure as a picture
where there is no widget manager. ipywidgets is imported on first use.
"""

from typing import Any

import lazy_loader

_get, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)


def __getattr__(name: str) -> Any:
    try:
        return _get(name)
    except ModuleNotFoundError as error:
        from fercourse.errors import FercourseError

        raise FercourseError(
            f"explorers need {error.name}: install it with pip install 'fercourse[lab]'."
        ) from error
