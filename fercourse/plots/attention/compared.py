"""Maps side by side over their faces, a column a map."""

from __future__ import annotations

from collections.abc import Mapping

from matplotlib.figure import Figure
from torch import Tensor

from fercourse.datasets.faces import Faces
from fercourse.errors import FercourseError
from fercourse.explain.score import rescale
from fercourse.labels import Expression
from fercourse.plots.alternative import describe
from fercourse.plots.overlay import overlay, picture
from fercourse.plots.style import course_style, headline, new_figure, tight


@course_style()
def compared(
    faces: Faces, maps: Mapping[str, Tensor], finding: str, targets: Tensor | None = None
) -> Figure:
    """A row a face, a column a map, each map from its lowest to its highest value.

    Args:
        faces: A few.
        maps: By title, (N, H, W).
        finding: What the figure shows, its headline.
        targets: bool (N, H, W) to outline in orange.

    Raises:
        FercourseError: There is no face or map, or a map's size is not the faces'.
    """
    if not len(faces) or not maps:
        raise FercourseError("there must be a face and a map to show.")
    for title, found in maps.items():
        if found.shape != faces.images.shape:
            raise FercourseError(
                f"the map {title!r} is {tuple(found.shape)}, the faces are "
                f"{tuple(faces.images.shape)}."
            )
    figure = new_figure(height=0.6 + 1.1 * len(faces), width=min(7.0, 0.3 + 1.15 * (1 + len(maps))))
    figure.png_dpi = 110
    axes = figure.subplots(len(faces), 1 + len(maps), squeeze=False)
    tight(figure, 0.02)
    for row, (image, label) in enumerate(zip(faces.images, faces.labels, strict=True)):
        picture(axes[row, 0], image)
        axes[row, 0].set_ylabel(Expression(int(label)).title, fontsize=8)
        for column, (title, found) in enumerate(maps.items(), start=1):
            target = None if targets is None else targets[row]
            heat = rescale(found[row : row + 1].cpu())[0]
            overlay(axes[row, column], image, heat, truth=target)
            if row == 0:
                axes[row, column].set_title(title, loc="center", fontsize=8)
    headline(figure, finding)
    describe(
        figure,
        f"Faces in rows, each beside the maps {', '.join(maps)}, which lie over it "
        "in blue: dark is high, a black line holds the highest fifth"
        + (", dashes the truth" if targets is not None else ""),
    )
    return figure
