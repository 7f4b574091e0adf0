"""What every explorer is: a few controls, and a figure that follows them."""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Callable
from typing import Any

import ipywidgets
import traitlets
from matplotlib.figure import Figure

from fercourse.errors import FercourseError
from fercourse.plots.alternative import alternative
from fercourse.settings import for_pages, interactive
from fercourse.widgets.states import Declared, page

DPI = 144
"""Of the picture; it is shown at 96 dots an inch, so that it is sharp on finer screens too."""


class Picture(ipywidgets.Image):
    """A PNG that ``show`` fills.

    Its tooltip holds its only words for who cannot see it. JupyterLab shows a widget's tooltip only
    where the widget has no description, and its view fails where it has no such trait, as an image
    has none (TypeError in ``updateTooltip``): hence the empty one.
    """

    description = traitlets.Unicode("").tag(sync=True)

    def __init__(self) -> None:
        super().__init__(format="png", layout={"max_width": "100%"})


class Explorer(ipywidgets.VBox):
    """Controls above a picture that is drawn anew whenever one of them moves.

    Where nobody can move them (a notebook run headless), it shows the picture alone. On a built
    page no Python runs, so there it shows pictures drawn beforehand, with controls of the page's
    own to choose among them. Which of its controls move there, and over which values, an explorer
    declares by ``states``::

        Explorer(draw, note, face=menu(...), step=slider, states={"face": [0, 3], "step": range(9)})

    A value has the label it has in its control: a slider stays a slider, False and True are a box
    to check, all else is a list. Where one choice sets several controls, or none of them, its
    labels are given, and a name for the whole::

        states={"expression": {"Happy": {"au6": 0.8, "au12": 0.8}, "Sad": {"au1": 0.8}}}

    Every combination is drawn, at most :data:`fercourse.widgets.states.MOST`. The page starts at
    the explorer's own start, which must be one of them, and which should show something. Where
    pictures drawn beforehand make no sense, ``states`` is a sentence that says why.

    Args:
        draw: Takes the controls' values by name, returns a Figure.
        note: One sentence above the controls: what to try.
        states: What moves on a built page, or the sentence that says why nothing does.
        panel: The controls, arranged; None is one row of them, wrapped. It may hold widgets that
            ``draw`` need not know, such as buttons.
        controls: Widgets with a ``value``, by the name ``draw`` knows them by.
    """

    def __init__(
        self,
        draw: Callable[..., Figure],
        note: str = "",
        *,
        states: Declared | str = "",
        panel: ipywidgets.Widget | None = None,
        **controls: Any,
    ) -> None:
        self.controls = controls
        self.draw = draw
        self.note = note
        self.states = states
        self.buttons: dict[str, Any] = {}
        self.picture = Picture()
        self.message = ipywidgets.HTML()
        self._held = False
        for control in controls.values():
            control.observe(self.redraw, "value")
        head = [ipywidgets.HTML(f"<b>{note}</b>")] if note else []
        bar = panel or ipywidgets.HBox(
            list(controls.values()), layout=ipywidgets.Layout(flex_flow="row wrap")
        )
        super().__init__([*head, bar, self.message, self.picture])
        self.redraw()

    def set(self, **values: Any) -> None:
        """Set several controls and draw once."""
        self._held = True
        try:
            for name, value in values.items():
                self.controls[name].value = value
        finally:
            self._held = False
        self.redraw()

    def redraw(self, change: Any = None) -> None:
        """Draw for the controls' present values; bad input is said in a sentence."""
        if self._held:
            return
        try:
            figure = self.draw(**{name: control.value for name, control in self.controls.items()})
        except FercourseError as error:
            self.message.value = in_red(str(error))
            return
        self.message.value = ""
        show(figure, self.picture)

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        if interactive():
            return super()._repr_mimebundle_(**kwargs)
        if not self.picture.value:  # its first picture failed: the sentence that says why
            return {"text/html": self.message.value, "text/plain": repr(self.message.value)}
        data = {"image/png": base64.b64encode(self.picture.value).decode()}
        if for_pages() and not isinstance(self.states, str):
            data["text/html"] = page(self.states, self.controls, self.draw, self.note)
        width = int(self.picture.layout.width.removesuffix("px"))
        return data, {"image/png": {"width": width, "alt": self.picture.tooltip}}


def show(figure: Figure, picture: Picture) -> None:
    """Put a figure into an image widget, at its own size."""
    buffer = io.BytesIO()
    # Level 4 takes two thirds of the default's time for 5 % more bytes.
    figure.savefig(buffer, format="png", dpi=DPI, pil_kwargs={"compress_level": 4})
    picture.layout.width = f"{round(96 * figure.get_figwidth())}px"
    picture.tooltip = alternative(figure)
    picture.value = buffer.getvalue()


def in_red(sentence: str) -> str:
    """HTML of what went wrong."""
    return f"<span style='color:#B00020'>{html.escape(sentence)}</span>"
