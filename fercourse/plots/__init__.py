"""Every figure of the course: arrays or ledger rows in, a matplotlib Figure out; nothing trains.

matplotlib and seaborn are imported on first use. Figures are made without pyplot, so they need no
display and leave every global setting alone; save one with ``figure.savefig("name.pdf")``.
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
            f"figures need {error.name}: install it with pip install 'fercourse[plots]'."
        ) from error
