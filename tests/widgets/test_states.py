"""Explorers on built pages: each state is there, says what it shows, and the first is right."""

import ast
import base64
import io
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import ipywidgets
import pytest
import torch
from PIL import Image
from readable import unsaid

import fercourse
from fercourse import FERNet, clinic, widgets
from fercourse.config import preset
from fercourse.datasets.faces import Faces
from fercourse.datasets.synthetic import draw
from fercourse.errors import FercourseError
from fercourse.explain import truth
from fercourse.plots.style import course_style, headline, new_figure
from fercourse.weights.trained import Trained
from fercourse.widgets import states
from fercourse.widgets.explorer import Explorer


class Page(HTMLParser):
    """What is looked at of a page: its tags, and the states' data."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict]] = []
        self.feed(text)
        self.data = json.loads(re.search(r'application/json">(.*?)</script>', text, re.S)[1])

    def handle_starttag(self, tag: str, attrs: list) -> None:
        self.tags.append((tag, dict(attrs)))

    def all(self, tag: str) -> list[dict]:
        return [attributes for name, attributes in self.tags if name == tag]


@course_style()
def bars(height: int, mirrored: bool, colour: str = "blue"):
    if colour == "none":
        raise FercourseError("No <colour> to draw with.")
    figure = new_figure(1.0, 2.0)
    figure.add_subplot().bar([0, 1], [2, height] if mirrored else [height, 2])
    headline(figure, f"One bar is {height} high, the other always two high, in {colour}")
    return figure


def made(**changes) -> Explorer:
    settings = {
        "height": ipywidgets.IntSlider(3, 0, 9, description="height"),
        "mirrored": ipywidgets.Checkbox(False, description="mirrored"),
        "colour": ipywidgets.Dropdown(options=[("as the sky", "blue"), ("no <i>", "none")]),
        "states": {"height": [1, 2, 3], "mirrored": [False, True], "colour": ["blue", "none"]},
    }
    return Explorer(bars, "Which & why?", **settings | changes)


@pytest.fixture
def on_pages(monkeypatch):
    monkeypatch.setenv("FERCOURSE_STATIC", "1")
    monkeypatch.setenv("FERCOURSE_PAGES", "1")


def page_of(explorer: Explorer) -> Page:
    return Page(explorer._repr_mimebundle_()[0]["text/html"])


def test_a_page_holds_every_state_once_and_its_words(on_pages) -> None:
    page = page_of(made())
    assert len(page.data["states"]) == 3 * 2 * 2
    drawn = [state for state in page.data["states"] if state["picture"] is not None]
    assert [state["says"][:15] for state in drawn] == [
        f"One bar is {h} hi" for h in (1, 2, 3) for _ in (False, True)
    ]
    assert len(page.data["pictures"]) == 5, "both bars are 2 high whichever way they stand"
    refused = {state["says"] for state in page.data["states"] if state["picture"] is None}
    assert refused == {"No <colour> to draw with."}
    for source in filter(None, page.data["pictures"]):
        file = io.BytesIO(base64.b64decode(source.removeprefix("data:image/webp;base64,")))
        assert Image.open(file).size == (192, 96)


def test_it_starts_where_the_explorer_does(on_pages) -> None:
    explorer = made()
    explorer.set(height=2, mirrored=True)
    page = page_of(explorer)
    slider, box = page.all("input")
    assert (slider["type"], slider["min"], slider["max"], slider["value"]) == (
        "range",
        "0",
        "2",
        "1",
    )
    assert json.loads(slider["data-names"]) == ["1", "2", "3"]
    assert box["type"] == "checkbox"
    assert "checked" in box
    (image,) = page.all("img")
    assert image["alt"].startswith("One bar is 2 high")
    assert image["src"].startswith("data:image/webp;base64,")
    assert page.data["pictures"].index("") == 2, "the first picture is in the page once"


def test_its_controls_have_labels_and_its_changes_are_told(on_pages) -> None:
    page = page_of(made())
    names = [tag for tag, _ in page.tags]
    for at, (tag, attributes) in enumerate(page.tags):
        assert "id" not in attributes, "a page may hold several explorers"
        if tag in ("input", "select"):
            assert names[at - 1] == "label"
    assert any(each.get("aria-live") == "polite" for each in page.all("p"))
    text = made()._repr_mimebundle_()[0]["text/html"]
    assert "Which &amp; why?" in text
    assert "<i>" not in text
    assert not re.search(r"https?://", text)


def test_without_pages_to_make_a_notebook_keeps_the_picture_alone(on_pages, monkeypatch) -> None:
    assert list(made(states="It needs a camera.")._repr_mimebundle_()[0]) == ["image/png"]
    monkeypatch.delenv("FERCOURSE_PAGES")
    data, about = made()._repr_mimebundle_()
    assert list(data) == ["image/png"]
    assert about["image/png"]["alt"].startswith("One bar is 3 high")


def test_one_choice_may_set_several_controls_or_none(on_pages) -> None:
    both = {"as it is": {}, "low": {"height": 1, "mirrored": True}}
    explorer = made(states={"the bars": both, "colour": ["blue"]})
    page = page_of(explorer)
    assert [state["says"][:12] for state in page.data["states"]] == ["One bar is 3", "One bar is 1"]
    assert len(page.all("option")) == 3


def test_the_numbers_0_and_1_are_no_yes_and_no(on_pages) -> None:
    page = page_of(made(states={"height": [0, 1, 3], "colour": ["blue"]}))
    assert [each["type"] for each in page.all("input")] == ["range"]
    explorer = made(states={"height": [0, 1]})
    explorer.set(height=1)
    assert [each["type"] for each in page_of(explorer).all("input")] == ["range"]


def test_states_that_cannot_be_are_refused(on_pages) -> None:
    with pytest.raises(FercourseError, match="none of the page's states"):
        made(states={"height": [1, 2]})._repr_mimebundle_()
    with pytest.raises(FercourseError, match="60 states are too many"):
        made(states={"height": range(60)})._repr_mimebundle_()


# The course's own explorers


@pytest.fixture(scope="module")
def explorers() -> dict[str, Explorer]:
    drawn = fercourse.load("synthetic", count=70, size=48)
    faces: Faces = drawn.test

    def network(model: int) -> FERNet:
        torch.manual_seed(0)
        return FERNet(preset("smoke", model).change(**{"model.width": 0.0625}).model).eval()

    run = preset("smoke", 1).change(**{"model.width": 0.0625})
    given = {
        "attention": lambda: widgets.attention(
            {f"model {k}": network(k) for k in (1, 6)}, faces, truth(faces)
        ),
        "decoder_map": lambda: widgets.decoder_map({"model 4": network(4)}, faces),
        "label_yourself": lambda: widgets.label_yourself(faces),
        "silence": lambda: widgets.silence(network(2), faces, faces),
        "unit_field": lambda: widgets.unit_field(network(1), faces),
        "ward": lambda: widgets.ward(clinic.ward("somebody")),
        "gcca_weights": lambda: widgets.gcca_weights(network(3), faces),
        "photo": lambda: widgets.photo(Trained(network(1), run)),
        "reverse_steps": lambda: widgets.reverse_steps(network(5), faces),
        "weather": lambda: widgets.weather({f"model {k}": network(k) for k in (1, 6)}),
    }
    return {name: given.get(name, getattr(widgets, name))() for name in OURS}


OURS = [
    node.names[0].asname
    for node in ast.parse(Path(widgets.__file__).with_suffix(".pyi").read_text("utf-8")).body
]


@pytest.mark.parametrize("name", OURS)
def test_every_explorer_moves_on_a_page_or_says_why_not(explorers, name: str, monkeypatch) -> None:
    explorer = explorers[name]
    assert not explorer.message.value
    if isinstance(explorer.states, str):
        assert explorer.states.endswith("."), "a sentence says why it stays a picture"
        return
    all_moves = states.moves(explorer.states, explorer.controls)
    settings = list(states.combinations(all_moves))
    assert 2 <= len(settings) <= states.MOST
    present = {key: control.value for key, control in explorer.controls.items()}
    assert states.start(all_moves, present)
    monkeypatch.setattr(explorer, "_held", True)  # nothing is drawn
    for _, setting in settings:
        for key, value in setting.items():
            explorer.controls[key].value = value
            assert explorer.controls[key].value == value, "its control takes it as it is"
    for key, value in present.items():
        explorer.controls[key].value = value
    assert unsaid(explorer.draw(**present | settings[-1][1])) == []


def test_reverse_attention_starts_at_a_step_that_shows_something(explorers) -> None:
    step = explorers["reverse_steps"].controls["step"]
    assert step.value == 8
    assert step.max == 9


def test_a_face_that_is_drawn_stays_small_on_a_page(on_pages) -> None:
    text = states._source(
        fercourse.plots.pictures({"a face": draw("happy", size=96).image}, "One face, smiling")
    )
    assert len(text) < 40_000
