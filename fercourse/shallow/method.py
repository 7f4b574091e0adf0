"""The methods that do not learn their features: the classics, and two rivals of Table 2."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pkgutil import resolve_name
from typing import Literal

from fercourse.errors import FercourseError
from fercourse.shallow.features import Features


@dataclass(frozen=True)
class Method:
    """Features and what judges them.

    Attributes:
        name: As in the ledger.
        title: As figures and pages print it.
        features: ``"module:Class"``, or a class: what turns faces into vectors.
        classifier: "linear" is multinomial logistic regression, "mlp" one hidden layer.
        draws: Whether anything is left to chance, so that another seed gives another result.
    """

    name: str
    title: str
    features: str | Callable[..., Features]
    classifier: Literal["linear", "mlp"] = "linear"
    draws: bool = False

    def make(self, seed: int = 0) -> Features:
        """Features that have learned nothing yet.

        Raises:
            FercourseError: scikit-image, of which some are made, is not installed.
        """
        if isinstance(self.features, str) and find_spec("skimage") is None:
            raise FercourseError(
                "Hand-made features need scikit-image: run `make setup`, or "
                "`pip install scikit-image`."
            )
        kind = resolve_name(self.features) if isinstance(self.features, str) else self.features
        # Of an "mlp" it is the classifier that draws; a linear one has nothing to.
        return kind(seed) if self.draws and self.classifier == "linear" else kind()


METHODS: dict[str, Method] = {
    made.name: made
    for made in (
        Method("pca", "eigenfaces (PCA)", "fercourse.shallow.eigenfaces:Eigenfaces"),
        Method("lbp", "local binary patterns", "fercourse.shallow.lbp:LBP"),
        Method("gabor", "Gabor energy", "fercourse.shallow.gabor:Gabor"),
        Method("hog", "oriented gradients (HOG)", "fercourse.shallow.hog:HOG"),
        Method(
            "landmarks",
            "landmark distances and triangles",
            "fercourse.shallow.landmarks:LandmarkShape",
            classifier="mlp",
            draws=True,
        ),
        Method("motion", "words of motion", "fercourse.shallow.motion:MotionWords", draws=True),
    )
}
"""By name, the classics first. One of your own is an entry here."""

CLASSICS = ("pca", "lbp", "gabor", "hog")
"""Those of the paper's introduction, [5] to [7], and HOG, which stood behind many others."""


def known(name: str) -> Method:
    """One of :data:`METHODS`.

    Raises:
        FercourseError: There is no such method.
    """
    if name not in METHODS:
        raise FercourseError(f"There is no method {name!r}; use one of {', '.join(METHODS)}.")
    return METHODS[name]
