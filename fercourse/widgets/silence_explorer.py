"""Model 2 without some of the parts that its head listens to."""

from __future__ import annotations

from typing import Any

import ipywidgets as w
from matplotlib.figure import Figure

from fercourse import plots
from fercourse.datasets.faces import Faces
from fercourse.explain import fused
from fercourse.models.fernet import FERNet
from fercourse.widgets.explorer import Explorer
from fercourse.widgets.parts import lines, menu, titles, varied


def silence(model: FERNet, reference: Faces, faces: Faces) -> Explorer:
    """Tick parts of the fused vector that shall say of every face what they say on average.

    Args:
        model: Trained, with fusion and no decoder, so Table 1's model 2 or 3.
        reference: Whose mean a silenced part takes, usually ``dataset.train``.
        faces: To choose from, and to judge over, usually ``dataset.val``.

    Raises:
        FercourseError: There are no faces, or the model has another vector.
    """
    options = titles(faces)
    usual = {name: part.mean(0) for name, part in fused.parts_of(model, reference).items()}
    parts = fused.parts_of(model, faces)
    whole = fused.head(model, parts)  # (N, K)

    def right(answers) -> float:
        return float((answers.argmax(1) == faces.labels).float().mean())

    def draw(face: int, **ticked: bool) -> Figure:
        quiet = [name for name, on in ticked.items() if on]
        left = fused.head(model, fused.silenced(parts, usual, quiet))
        return plots.silence(
            faces.images[face],
            int(faces.labels[face]),
            whole[face].tolist(),
            left[face].tolist(),
            quiet,
            (right(whole), right(left)),
            len(faces),
        )

    face = menu("face", options, width="170px")
    ticks: dict[str, Any] = {
        name: w.Checkbox(
            value=name == "C5", description=name, indent=False, layout=w.Layout(width="80px")
        )
        for name in fused.PARTS
    }
    return Explorer(
        draw,
        "Silence parts: which two cost more together than each alone, and which one nothing?",
        panel=lines((face, w.Label("silence"), *ticks.values())),
        face=face,
        **ticks,
        states={"face": varied(faces, 3)} | dict.fromkeys(ticks, (False, True)),
    )
