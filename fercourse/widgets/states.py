"""An explorer on a page, where no Python runs: pictures drawn beforehand, and controls among them.

The page's part is in ``states.html``: a picture, and the script that moves it.
"""

from __future__ import annotations

import base64
import html
import io
import itertools
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from string import Template
from typing import Any

from matplotlib.figure import Figure
from PIL import Image

from fercourse.errors import FercourseError
from fercourse.plots.alternative import alternative, spoken

MOST = 48
"""States of an explorer: drawing them takes a fraction of a second each, and a page carries all."""

PAGE_DPI = 96

Declared = Mapping[str, Sequence[Any] | Mapping[str, Mapping[str, Any]]]
"""What an explorer declares, see :class:`fercourse.widgets.explorer.Explorer`."""


@dataclass(frozen=True)
class Move:
    """One control of a page.

    Attributes:
        label: What it is called.
        kind: "range", "checkbox" or "select".
        choices: By the choice's own label, the explorer's controls that it sets.
    """

    label: str
    kind: str
    choices: Mapping[str, Mapping[str, Any]]


def moves(declared: Declared, controls: Mapping[str, Any]) -> list[Move]:
    """The controls of a page, in the order they were declared."""
    return [_move(name, choices, controls) for name, choices in declared.items()]


def combinations(all_moves: Sequence[Move]) -> Iterator[tuple[tuple[int, ...], dict[str, Any]]]:
    """Every state: the place of each move's choice, and the explorer's controls that it sets.

    Of two moves that set the same control, the later one counts.
    """
    numbered = [list(enumerate(move.choices.values())) for move in all_moves]
    for chosen in itertools.product(*numbered):
        merged = {name: value for _, setting in chosen for name, value in setting.items()}
        yield tuple(place for place, _ in chosen), merged


def start(all_moves: Sequence[Move], present: Mapping[str, Any]) -> tuple[int, ...]:
    """The first state that is the explorer's present one.

    Args:
        all_moves: The page's controls.
        present: Value of every control of the explorer.

    Raises:
        FercourseError: No state is.
    """
    for places, setting in combinations(all_moves):
        if all(present[name] == value for name, value in setting.items()):
            return places
    raise FercourseError("none of the page's states is the one the explorer starts in: declare it.")


def page(
    declared: Declared, controls: Mapping[str, Any], draw: Callable[..., Figure], note: str
) -> str:
    """HTML of the explorer's states.

    Args:
        declared: Which controls move, and over which values.
        controls: The explorer's, by name; those that do not move keep their values.
        draw: Takes the controls' values by name, returns a Figure.
        note: What to try, above the controls.

    Raises:
        FercourseError: There are more than :data:`MOST` states, or the present one is not among
            them.
    """
    present = {name: control.value for name, control in controls.items()}
    all_moves = moves(declared, controls)
    settings = list(combinations(all_moves))
    if len(settings) > MOST:
        raise FercourseError(f"{len(settings)} states are too many for a page: {MOST} at most.")
    first = start(all_moves, present)
    pictures: dict[str, int] = {}  # equal ones are stored once
    states = [_state(draw, present | setting, pictures) for _, setting in settings]
    shown = states[[places for places, _ in settings].index(first)]
    source = list(pictures)[shown["picture"]]
    # The first picture is in the page already.
    sources = ["" if each == source else each for each in pictures]
    data = {"pictures": sources, "states": states}
    return Template(_TEMPLATE.read_text(encoding="utf-8")).substitute(
        note=html.escape(note),
        controls="\n".join(map(_input, all_moves, first)),
        source=source,
        alternative=html.escape(shown["says"]),
        # A script's text ends at its first "</", wherever that stands.
        data=json.dumps(data, ensure_ascii=False, separators=(",", ":")).replace("</", "<\\/"),
    )


_TEMPLATE = Path(__file__).with_name("states.html")


def _move(name: str, choices: Any, controls: Mapping[str, Any]) -> Move:
    if isinstance(choices, Mapping):
        return Move(name, "select", choices)
    control = controls[name]
    labels = {}
    if hasattr(control, "options"):
        labels = dict(zip(control._options_values, control._options_labels, strict=True))
    kind = "range" if hasattr(control, "max") or hasattr(control, "readout") else "select"
    if set(choices) == {False, True}:
        kind, labels = "checkbox", {False: "no", True: "yes"}
    named = {labels.get(value, _number(value)): {name: value} for value in choices}
    # "1 + fusion" is a button, "step" a slider; what has no description goes by its name.
    return Move(spoken(control.description or name), kind, named)


def _number(value: Any) -> str:
    return f"{value:g}" if isinstance(value, int | float) else str(value)


def _state(
    draw: Callable[..., Figure], values: Mapping[str, Any], pictures: dict[str, int]
) -> dict[str, Any]:
    """What the page needs of one state; where drawing it is refused, the sentence that says why."""
    try:
        figure = draw(**values)
    except FercourseError as error:
        return {"picture": None, "says": str(error)}
    source = _source(figure)
    return {"picture": pictures.setdefault(source, len(pictures)), "says": alternative(figure)}


def _source(figure: Figure) -> str:
    """The picture as an address that holds it, in the smaller of two codings.

    Few colours without loss suit a chart; a photograph is half as large with a loss nobody sees.
    """
    drawn = io.BytesIO()
    figure.savefig(drawn, format="png", dpi=PAGE_DPI, pil_kwargs={"compress_level": 1})
    whole = Image.open(drawn).convert("RGB")
    few = whole.quantize(64, dither=Image.Dither.NONE)
    coded = _webp(few.convert("RGB"), lossless=True), _webp(whole, quality=80)
    return "data:image/webp;base64," + base64.b64encode(min(coded, key=len)).decode()


def _webp(picture: Image.Image, **settings: Any) -> bytes:
    file = io.BytesIO()
    picture.save(file, "WEBP", **settings)
    return file.getvalue()


def _input(move: Move, place: int) -> str:
    """One control, inside its label, at the start's place."""
    label, names = html.escape(move.label), list(map(html.escape, move.choices))
    if move.kind == "checkbox":
        checked = " checked" * (names[place] == "yes")
        return f'<label><input type="checkbox"{checked}> {label}</label>'
    if move.kind == "select":
        options = "".join(
            f"<option{' selected' * (k == place)}>{name}</option>" for k, name in enumerate(names)
        )
        return f"<label>{label} <select>{options}</select></label>"
    return (
        f'<label>{label} <input type="range" min="0" max="{len(names) - 1}" value="{place}" '
        f'data-names="{html.escape(json.dumps(list(move.choices), ensure_ascii=False))}"> '
        f"<output>{names[place]}</output></label>"
    )
