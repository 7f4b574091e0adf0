"""Eq. 3 and 4 on a picture: what is claimed already is erased, what is left stays in sight."""

from __future__ import annotations

from matplotlib.figure import Figure
from torch import Tensor

from fercourse.errors import FercourseError
from fercourse.plots.alternative import describe
from fercourse.plots.overlay import bare, picture
from fercourse.plots.style import MATRIX, course_style, headline, new_figure


@course_style()
def erasing(face: Tensor, logits: Tensor) -> Figure:
    """A face, a prediction over it, the reversed weights, and the face times the weights.

    Args:
        face: uint8 (H, W); it stands for one channel of C_i.
        logits: The prediction S, (H, W).

    Raises:
        FercourseError: The sizes differ.
    """
    if face.shape != logits.shape or face.ndim != 2:
        raise FercourseError(
            f"a face (H, W) and a map of its size are needed, not {tuple(face.shape)} and "
            f"{tuple(logits.shape)}."
        )
    claimed = logits.float().sigmoid()
    weights = 1 - claimed
    figure = new_figure(height=2.45)
    axes = figure.subplots(1, 4)
    picture(axes[0], face)
    for at, shown in ((axes[1], claimed), (axes[2], weights)):
        bar = at.imshow(shown.numpy(), cmap=MATRIX, vmin=0, vmax=1)
        bare(at)
    picture(axes[3], (face * weights).byte())
    titles = ("a channel of $C$", "claimed, sigmoid$(S)$", "$A$ = 1 − sigmoid$(S)$", "$R = C A$")
    for at, title in zip(axes, titles, strict=True):
        at.set_title(title, loc="center", fontsize=8.5)
    figure.colorbar(bar, ax=axes[2], location="right", shrink=0.7, ticks=[0, 0.5, 1])
    left = (face * weights).sum() / face.sum().clamp_min(1)
    headline(figure, f"What is claimed goes dark: {left:.0%} of the picture's brightness is left")
    describe(
        figure,
        "Four pictures: a face, the claim over it, the reversed weights, and the face with the "
        "claimed places gone dark",
    )
    return figure
