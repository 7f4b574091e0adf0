"""Reverse attention in motion: the claimed region fades from the face, and the map is refined."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from PIL import Image

from fercourse.datasets.faces import Faces
from fercourse.errors import FercourseError
from fercourse.explain import Maps, maps
from fercourse.files import atomic_write
from fercourse.models.fernet import FERNet
from fercourse.plots.overlay import bare, overlay
from fercourse.plots.style import course_style, new_figure

STEPS = 3
"""Frames from one stage to the next."""


def cascade_gif(model: FERNet, face: Faces, path: str | Path) -> Path:
    """Write an animation of one face: what is erased on the left, the map so far on the right.

    Both panels have one scale over the whole animation, printed below them.

    Args:
        model: With reverse attention, so Table 1's model 5 or 6.
        face: One face; of several the first is shown.
        path: Where the GIF goes; it loops.

    Returns:
        The path.

    Raises:
        FercourseError: There is no face, or the model has no reverse attention.
    """
    if not len(face):
        raise FercourseError("there is no face to show.")
    if not model.config.reverse:
        raise FercourseError("this model erases nothing: take Table 1's model 5 or 6.")
    found = maps(model, face[:1])
    frames = [_draw(face, *state) for state in _states(found)]
    width, height = frames[0].size
    sheet = Image.new("RGB", (width, height * len(frames)))
    for k, frame in enumerate(frames):
        sheet.paste(frame, (0, height * k))
    palette = sheet.quantize(128)  # one for all frames, or colours would flicker
    small = [frame.quantize(128, palette=palette, dither=Image.Dither.NONE) for frame in frames]
    with atomic_write(path) as part:
        times = [900 if k % STEPS == 0 else 120 for k in range(len(small))]  # milliseconds
        small[0].save(
            part, format="GIF", save_all=True, append_images=small[1:], loop=0, duration=times
        )
    return Path(path)


def _states(found: Maps) -> list[tuple]:
    """Attention, map, their common scales and a caption for each frame."""
    erased = [np.ones_like(found["global"][0].numpy())]
    claimed = [found["global"][0].numpy()]
    words = ["$P_d$, the decoder's first map"]
    for i in (5, 4, 3):
        erased += [found[f"reverse{i}"][0].numpy()] * 2
        claimed += [claimed[-1], found[f"refined{i}"][0].numpy()]
        words += [
            f"block {i}: what is claimed is erased, $A_{i}$",
            f"block {i}: what is left refines the map, $S_{i}$",
        ]
    attention = np.stack(erased[1:])
    scales = (attention.min(), attention.max(), np.min(claimed), np.max(claimed))
    erased[0] = np.full_like(erased[0], attention.max())
    states = []
    for k in range(len(words)):
        after = min(k + 1, len(words) - 1)
        for step in range(STEPS if after > k else 1):
            t = step / STEPS
            mixed = ((1 - t) * s[k] + t * s[after] for s in (erased, claimed))
            states.append((*mixed, scales, words[k]))
    return states


@course_style()
def _draw(
    face: Faces, attention: np.ndarray, claimed: np.ndarray, scales: tuple, words: str
) -> Image.Image:
    a_low, a_high, s_low, s_high = scales
    figure = new_figure(height=2.6, width=4.0)
    left, right = figure.subplots(1, 2)
    keep = np.clip((attention - a_low) / max(a_high - a_low, 1e-9), 0, 1)
    image = face.images[0].numpy() / 255
    left.imshow(keep * image + (1 - keep), cmap="gray", vmin=0, vmax=1)
    bare(left)
    left.set_title("left to look at", loc="center")
    left.set_xlabel(f"$A$ from {a_low:.2f} (white) to {a_high:.2f}", fontsize=7.5)
    overlay(right, face.images[0], claimed, s_low, s_high)
    right.set_title("claimed so far", loc="center")
    right.set_xlabel(f"from {s_low:.2f} to {s_high:.2f} (dark)", fontsize=7.5)
    figure.suptitle(words, fontsize=9)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=110)
    return Image.open(buffer).convert("RGB")
