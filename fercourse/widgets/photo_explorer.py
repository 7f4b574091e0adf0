"""A photograph of your own, from a file or the camera, through a trained model."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import ipywidgets as w
import torch
import traitlets
from matplotlib.figure import Figure
from PIL import Image

from fercourse.datasets.registry import known
from fercourse.detection import Detection, align, crop, detect
from fercourse.evaluation.recognise import FacePrediction, Reader
from fercourse.plots.explain.photo_answers import reading
from fercourse.weights.trained import Trained
from fercourse.widgets.explorer import Explorer
from fercourse.widgets.parts import lines
from fercourse.widgets.pictures import example, read_upload
from fercourse.widgets.webcam import Camera

PRIVACY = (
    "<span style='color:#666'>Your picture goes to this notebook's kernel and no further: nothing "
    "is stored, nothing is sent on. It is forgotten with the next one.</span>"
)


class _Picked(traitlets.HasTraits):
    """The picture in use, as bytes of a file, wherever it came from."""

    value = traitlets.Bytes()


def photo(trained: Trained) -> Explorer:
    """Choose a file or take a picture; see the faces found, cut out, and what the model says.

    Sliders change the margin of the cut, the light, and the tilt of the picture, in which faces are
    searched anew.

    JupyterLab's "Save Widget State Automatically" is off unless somebody switched it on; with it
    on, saving the notebook would save the drawn picture too.

    Args:
        trained: As :func:`fercourse.pretrained` gives it; it computes where it is best here.
    """
    picked = _Picked(value=example())
    upload = w.FileUpload(
        accept="image/*",
        multiple=False,
        description="Choose a picture",
        layout=w.Layout(width="190px"),
    )
    camera = Camera()
    again = w.Button(
        description="Example",
        tooltip="Grace Hopper, 1984, public domain",
        layout=w.Layout(width="100px"),
    )

    def uploaded(change: dict[str, Any]) -> None:
        if change["new"]:
            picked.value = bytes(change["new"][0]["content"])
            upload.value = ()

    def taken(change: dict[str, Any]) -> None:
        if len(change["new"]):
            picked.value = bytes(change["new"])
            camera.value = b""

    def draw(picture: bytes, margin: float, light: float, tilt: int, level: bool) -> Figure:
        return _figure(trained, picture, margin, light, tilt, level)

    upload.observe(uploaded, "value")
    camera.observe(taken, "value")
    slider = {"layout": w.Layout(width="290px"), "continuous_update": False}
    changes = {
        "margin": w.FloatSlider(
            0.0, min=-0.3, max=1.0, step=0.05, description="margin", tooltip="of the cut", **slider
        ),
        "light": w.FloatLogSlider(
            1.0, base=2, min=-2, max=2, step=0.25, description="light", readout_format=".2f",
            tooltip="grey to the power of 1 / light: above 1 is brighter", **slider,
        ),
        "tilt": w.IntSlider(
            0, -45, 45, step=5, description="tilt", tooltip="degrees, clockwise", **slider
        ),
        "level": w.Checkbox(
            value=False, description="align by the eyes", indent=False,
            layout=w.Layout(width="150px", margin="0 0 0 24px"),
        ),
    }  # fmt: skip
    panel = w.VBox(
        [
            w.HTML(PRIVACY),
            w.HBox([upload, again, camera], layout=w.Layout(flex_flow="row wrap")),
            lines((changes["margin"], changes["light"]), (changes["tilt"], changes["level"])),
        ]
    )
    explorer = Explorer(
        draw,
        "Which slider changes what is said of you first? Does aligning bring it back?",
        panel=panel,
        picture=picked,
        **changes,
        # Of the example: a page has no camera.
        states={"tilt": (-30, -15, 0, 15, 30), "light": (0.5, 1.0, 2.0), "level": (False, True)},
    )
    explorer.buttons = {"upload": upload, "camera": camera}
    again.on_click(lambda button: explorer.set(picture=example()))
    return explorer


def _figure(
    trained: Trained, data: bytes, margin: float, light: float, tilt: int, level: bool
) -> Figure:
    picture, found = _changed(data, light, tilt)
    size = trained.run.data.size
    cuts = [
        align(picture, face.landmarks, size, margin)
        if level
        else crop(picture, face.box, size, margin)
        for face in found
    ]
    answers = Reader(trained).classify(torch.stack(cuts)).tolist() if cuts else []
    read = [FacePrediction(f, tuple(p)) for f, p in zip(found, answers, strict=True)]
    drawn = known(trained.run.data.name).drawn
    seen = "This model has only ever seen drawn faces" if drawn else ""
    return reading(picture, read, size, seen, cuts)


@lru_cache(maxsize=2)
def _changed(data: bytes, light: float, tilt: int) -> tuple[Image.Image, list[Detection]]:
    """The picture in other light, tilted clockwise, and the faces found in it."""
    picture = read_upload(data)
    if light != 1:
        levels = [round(255 * (v / 255) ** (1 / light)) for v in range(256)]
        picture = picture.point(levels * 3)
    if tilt:
        grey = (128, 128, 128)
        picture = picture.rotate(-tilt, Image.Resampling.BICUBIC, expand=True, fillcolor=grey)
    return picture, detect([picture])[0]
