"""Three modes, one set of notebooks."""

from __future__ import annotations

from fercourse.errors import FercourseError
from fercourse.settings import chosen_mode

MODES = {
    "smoke": "built-in faces and a tiny network; every cell trains for real, in seconds. "
    "Numbers below show that the code works, not how good the method is.",
    "lecture": "nothing is trained; recorded curves and bundled weights appear at once.",
    "full": "real FER2013 and wider networks; a GPU is worth having.",
}
"""Each mode and what it means for the numbers in a notebook."""


def mode() -> str:
    """The mode that ``FERCOURSE_MODE`` picks; "smoke" where it is not set.

    Raises:
        FercourseError: It is set to something else.
    """
    name = chosen_mode() or "smoke"
    if name not in MODES:
        raise FercourseError(f"FERCOURSE_MODE is {name!r}; set it to one of {', '.join(MODES)}.")
    return name
