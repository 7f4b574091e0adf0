"""A photograph of your own, from a file or the camera, through a trained model."""

from __future__ import annotations

import io
from typing import Any

import ipywidgets as w
import traitlets
from matplotlib.figure import Figure
from PIL import Image, ImageEnhance, ImageFilter, ImageOps

from fercourse.datasets.registry import known
from fercourse.evaluation.recognise import recognise
from fercourse.plots.explain.photo_answers import reading
from fercourse.weights.trained import Trained
from fercourse.widgets.explorer import Explorer
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

    def draw(picture: bytes) -> Figure:
        return _figure(trained, picture)

    upload.observe(uploaded, "value")
    camera.observe(taken, "value")
    panel = w.VBox(
        [w.HTML(PRIVACY), w.HBox([upload, again, camera], layout=w.Layout(flex_flow="row wrap"))]
    )
    explorer = Explorer(
        draw,
        "What does the model say of you, and of your best imitations?",
        panel=panel,
        picture=picked,
        states={"the example": {name: {"picture": data} for name, data in _altered().items()}},
    )
    explorer.buttons = {"upload": upload, "camera": camera}
    again.on_click(lambda button: explorer.set(picture=example()))
    return explorer


def _altered() -> dict[str, bytes]:
    """The example as it is, and changed in ways that any photograph may differ: files by name."""
    whole = read_upload(example())
    changed = {
        "mirrored": ImageOps.mirror(whole),
        "darker": ImageEnhance.Brightness(whole).enhance(0.3),
        "out of focus": whole.filter(ImageFilter.GaussianBlur(6)),
        "turned by 30 degrees": whole.rotate(30, Image.Resampling.BILINEAR),
        "far away": ImageOps.pad(ImageOps.contain(whole, (80, 80)), whole.size, color="#808080"),
    }
    files = {"as it is": example()}
    for name, picture in changed.items():
        file = io.BytesIO()
        picture.save(file, "JPEG", quality=90)
        files[name] = file.getvalue()
    return files


def _figure(trained: Trained, data: bytes) -> Figure:
    picture = read_upload(data)
    drawn = known(trained.run.data.name).drawn
    return reading(
        picture,
        recognise(trained, picture),
        trained.run.data.size,
        "This model has only ever seen drawn faces" if drawn else "",
    )
