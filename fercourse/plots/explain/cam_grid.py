"""The same face through six models, seven expressions through five methods, and the truth."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure
from torch import Tensor

from fercourse.datasets.faces import Faces
from fercourse.datasets.synthetic import LEVEL
from fercourse.datasets.truth import own_units, truth
from fercourse.errors import FercourseError
from fercourse.explain import METHODS, gradcam, maps
from fercourse.explain.score import rescale
from fercourse.labels import Expression
from fercourse.models.recogniser import Recogniser
from fercourse.plots.alternative import describe
from fercourse.plots.overlay import bare, overlay, picture
from fercourse.plots.style import GREY, course_style, headline, new_figure, tight

_ROWS = {
    "before5": "energy\nof $C_5$",
    "gradcam": "Grad-CAM,\nblock 5",
    "global": "global map\n$\\sigma(P_d)$",
    "refined3": "refined\n$\\sigma(S_3)$",
}


@course_style()
def through_models(
    models: Mapping[int, Recogniser], face: Faces, target: Tensor | None = None
) -> Figure:
    """One face through Table 1's models: a column a model, a row a map, blank where it has none.

    Args:
        models: By number, 1 to 6 or some of them.
        face: One face; of several the first is shown.
        target: bool (H, W) to outline, such as :func:`fercourse.explain.truth`'s.

    Raises:
        FercourseError: There is no face or no model.
    """
    if not len(face) or not models:
        raise FercourseError("there must be a face and a model to show.")
    face = face[:1]
    figure = new_figure(height=0.9 + 1.05 * (len(_ROWS)))
    figure.png_dpi = 110
    axes = figure.subplots(len(_ROWS), 1 + len(models), squeeze=False)
    tight(figure, 0.02)
    for row, title in enumerate(_ROWS.values()):
        if row == 0:
            picture(axes[row, 0], face.images[0])
        else:
            bare(axes[row, 0])
        axes[row, 0].set_ylabel(title, rotation=0, ha="right", va="center", fontsize=8.5)
    axes[0, 0].set_title(Expression(int(face.labels[0])).title, loc="center")
    right = 0
    for column, (number, model) in enumerate(sorted(models.items()), start=1):
        found = maps(model, face)
        p = found.logits.softmax(1)[0]
        answer = int(p.argmax())
        right += answer == int(face.labels[0])
        axes[0, column].set_title(f"model {number}", loc="center")
        for row, name in enumerate(_ROWS):
            if name == "gradcam":
                heat = gradcam(model, face, target=int(face.labels[0]))
            elif name in found.on_face:
                heat = rescale(found[name])
            else:
                axes[row, column].axis("off")
                axes[row, column].text(
                    0.5,
                    0.5,
                    "–",
                    transform=axes[row, column].transAxes,
                    ha="center",
                    va="center",
                    color=GREY,
                )
                continue
            overlay(axes[row, column], face.images[0], heat[0], truth=target)
        axes[0, column].set_xlabel(f"{Expression(answer).title} {p[answer]:.0%}", fontsize=7.5)
    headline(
        figure,
        f"The same face through {len(models)} models, {right} of them right. Dark is high, each "
        "map from its lowest to its highest value; the black line holds the highest fifth"
        + (", orange dashes what the expression changed" if target is not None else ""),
    )
    describe(
        figure,
        f"One face in columns, models {', '.join(map(str, sorted(models)))}; in rows its maps, "
        "blue over the face, blank where a model has none",
    )
    return figure


@course_style()
def cam_grid(
    model: Recogniser, faces: Faces, layer: str = "block5", targets: Tensor | None = None
) -> Figure:
    """Faces x methods, all for the true class and on one colour scale.

    Args:
        model: Any of Table 1's.
        faces: A few, usually one of each expression; one row each.
        layer: Where the maps are made.
        targets: bool (N, H, W) to outline.

    Raises:
        FercourseError: There are no faces, or no such layer.
    """
    if not len(faces):
        raise FercourseError("there are no faces to show.")
    found = {m: gradcam(model, faces, m, target=faces.labels, layer=layer) for m in METHODS}
    figure = new_figure(height=1.0 + 0.98 * len(faces), width=6.6)
    figure.png_dpi = 110
    axes = figure.subplots(len(faces), 1 + len(METHODS), squeeze=False)
    tight(figure, 0.02)
    for row, (image, label) in enumerate(zip(faces.images, faces.labels, strict=True)):
        picture(axes[row, 0], image)
        axes[row, 0].set_ylabel(Expression(int(label)).title)
        for column, (method, heat) in enumerate(found.items(), start=1):
            target = None if targets is None else targets[row]
            shown = overlay(axes[row, column], image, heat[row], truth=target)
            if not heat[row].any():
                axes[row, column].set_xlabel("nothing", fontsize=7, color=GREY)
            if row == 0:
                axes[row, column].set_title(METHODS[method], loc="center", fontsize=8.5)
    figure.colorbar(
        shown,
        ax=axes,
        location="bottom",
        shrink=0.4,
        aspect=40,
        pad=0.01,
        label="from 0 to the map's own highest value",
    )
    headline(
        figure,
        _agreement(found)
        + f" (mean correlation over {len(faces)} face{'s' * (len(faces) > 1)}, {layer})"
        + ("; orange dashes: what the expression changed" if targets is not None else ""),
    )
    describe(
        figure,
        f"Faces in rows, and over each the maps of "
        f"{', '.join(METHODS[m] for m in found)}: blue, dark where high, the highest fifth "
        "inside a black line",
    )
    return figure


@course_style()
def truths(faces: Faces) -> Figure:
    """How the truth is known: face, twin at rest, what changed, the changed pixels, the regions.

    Args:
        faces: Built-in ones, a few; one row each.

    Raises:
        FercourseError: They are no built-in faces, or there are none.
    """
    if not len(faces):
        raise FercourseError("there are no faces to show.")
    masks, regions = truth(faces), truth(faces, regions=True)
    assert faces.drawing is not None
    assert faces.changes is not None
    own = own_units(faces.labels)  # (N, U)
    rest = faces.drawing.at_rest(own)
    change = (faces.changes * own[..., None, None]).amax(1).float()  # (N, H, W), grey levels
    steps = (
        "face",
        "twin at rest",
        "change, the most\nof any unit",
        f"mask: {LEVEL} levels\nor more",
        "regions",
    )
    figure = new_figure(height=0.9 + 1.3 * len(faces))
    figure.png_dpi = 110
    axes = figure.subplots(len(faces), len(steps), squeeze=False)
    tight(figure, 0.02)
    for row, (image, label) in enumerate(zip(faces.images, faces.labels, strict=True)):
        axes[row, 0].set_ylabel(Expression(int(label)).title)
        picture(axes[row, 0], image)
        picture(axes[row, 1], rest[row])
        overlay(axes[row, 2], rest[row], change[row], high=float(change.quantile(0.995)))
        overlay(axes[row, 3], image, masks[row])
        overlay(axes[row, 4], image, regions[row])
    for column, title in enumerate(steps):
        axes[0, column].set_title(title, loc="center")
    acting = regions.flatten(1).any(1)
    headline(
        figure,
        f"The expression's units change {masks[acting].float().mean():.0%} of these pictures; the "
        f"regions they could act in fill {regions[acting].float().mean():.0%}",
    )
    describe(
        figure,
        "In each row a face, the same at rest, the change between the two, the changed pixels as "
        "a mask, and the larger regions that the muscles could move",
    )
    return figure


def _agreement(found: Mapping[str, Tensor]) -> str:
    """How like the methods' maps are; Eigen-CAM apart, whose sign is arbitrary."""
    flat = np.stack([m.flatten(1).numpy() for m in found.values()])  # (M, N, P)
    flat = flat - flat.mean(2, keepdims=True)
    norm = np.linalg.norm(flat, axis=2, keepdims=True)
    flat = flat / np.maximum(norm, 1e-12)
    pairs = np.einsum("anp,bnp->abn", flat, flat).mean(2)  # (M, M)
    signed = [k for k, name in enumerate(found) if name != "eigencam"]
    unsigned = [k for k, name in enumerate(found) if name == "eigencam"]
    parts = []
    if len(signed) > 1:
        own = pairs[np.ix_(signed, signed)][np.triu_indices(len(signed), 1)].mean()
        parts.append(f"Methods that ask for a class agree at {own:.2f}")
    if signed and unsigned:
        apart = pairs[np.ix_(signed, unsigned)].mean()
        parts.append(f"Eigen-CAM, whose sign is arbitrary, with them at {apart:.2f}")
    return "; ".join(parts) or "One method"
