"""The camera of the machine the browser runs on; ipywidgets itself has none."""

from __future__ import annotations

from pathlib import Path

import anywidget
from ipywidgets.widgets.trait_types import CByteMemoryView


class Camera(anywidget.AnyWidget):
    """A button that opens the camera, shows what it sees, and takes a picture when told.

    Browsers allow a camera on localhost and over https only, and after asking.

    Attributes:
        value: The picture last taken, JPEG; empty before.
    """

    _esm = Path(__file__).with_name("webcam.js")
    value = CByteMemoryView().tag(sync=True)
