"""The explorers of faces, detection, augmentation, pooling and photographs, without a browser."""

import base64
import gc
import io
import re
import subprocess
import sys
import weakref
from datetime import UTC, datetime

import ipywidgets
import matplotlib.figure
import numpy as np
import pytest
import torch
from PIL import Image
from tolerances import BOX, NETWORK, about

from fercourse import FERNet, widgets
from fercourse.augment import FIFTEEN
from fercourse.config import preset
from fercourse.datasets.synthetic import PROTOTYPES, UNITS, draw, scene
from fercourse.detection import FaceDetector, StagedSearch, match
from fercourse.errors import FercourseError
from fercourse.labels import BASIC, Expression
from fercourse.plots.data import action_units
from fercourse.weights.trained import Trained
from fercourse.widgets.augmentation_explorer import results
from fercourse.widgets.explorer import Explorer
from fercourse.widgets.pictures import example, read_upload
from fercourse.widgets.pooling_explorer import PRESETS, probabilities


@pytest.fixture(scope="module")
def model() -> Trained:
    torch.manual_seed(0)
    run = preset("smoke", 1).change(**{"model.width": 0.0625, "data.name": "fer2013"})
    return Trained(FERNet(run.model).eval(), run)


@pytest.fixture(scope="module")
def made() -> dict[str, tuple[Explorer, dict]]:
    """Explorers by name, each with the values it began with: making one draws, which takes time."""
    return {}


@pytest.fixture
def explorer(request: pytest.FixtureRequest, model: Trained, made: dict) -> Explorer:
    name = request.param
    if name not in made:
        new = widgets.photo(model) if name == "photo" else getattr(widgets, name)()
        made[name] = new, {key: control.value for key, control in new.controls.items()}
    explorer, start = made[name]
    if any(explorer.controls[key].value != value for key, value in start.items()):
        explorer.set(**start)
    return explorer


MINE = ("action_units", "detection", "augmentation", "stochastic_pooling", "photo")
each = pytest.mark.parametrize("explorer", MINE, indirect=True)


def only(name: str):
    return pytest.mark.parametrize("explorer", [name], indirect=True)


def shown(explorer: Explorer) -> bytes:
    picture = bytes(explorer.picture.value)
    assert Image.open(io.BytesIO(picture)).format == "PNG"
    return picture


def said(explorer: Explorer) -> str:
    """The headline of the present figure."""
    values = {name: control.value for name, control in explorer.controls.items()}
    return explorer.draw(**values).get_suptitle().replace("\n", " ")


def inside(widget: ipywidgets.Widget):
    yield widget
    for child in getattr(widget, "children", ()):
        yield from inside(child)


def button(explorer: Explorer, text: str) -> ipywidgets.Button:
    return next(w for w in inside(explorer) if getattr(w, "description", None) == text)


def file_of(image: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, format="PNG")
    return buffer.getvalue()


# Every explorer


CHANGES = {
    "action_units": ({"au9": 0.7}, {"truth": True}, {"size": 48}, {"identity": 5}),
    "detection": ({"onet": 0.995}, {"min_face": 100}, {"seed": 2}, {"pnet": 0.95}),
    "augmentation": ({"policy": "light"}, {"sample": 9}, {"angle": -50}, {"flip": "upside down"}),
    "stochastic_pooling": ({"a0": 7.5}, {"draws": 10}, {"seed": 4}, {"softmax": True}),
    "photo": (
        {"margin": 0.5},
        {"light": 2.0},
        {"tilt": 20},
        {"level": True},
        {"picture": file_of(scene(1, size=200, seed=1).image)},
    ),
}


@each
def test_the_picture_follows_every_control(explorer: Explorer, request) -> None:
    assert not explorer.message.value
    pictures = [shown(explorer)]
    for change in CHANGES[request.node.callspec.params["explorer"]]:
        explorer.set(**change)
        assert not explorer.message.value
        pictures.append(shown(explorer))
    assert len(set(pictures)) == len(pictures)


@each
def test_redrawing_adds_no_observer_widget_or_figure(explorer: Explorer, monkeypatch) -> None:
    def state() -> tuple[int, int]:
        observers = sum(
            len(c._trait_notifiers.get("value", {}).get("change", ()))
            for c in explorer.controls.values()
        )
        return observers, len(list(inside(explorer)))

    before, drawn, draw_it = state(), [], explorer.draw

    def watched(**values: object) -> matplotlib.figure.Figure:
        figure = draw_it(**values)
        drawn.append(weakref.ref(figure))
        return figure

    monkeypatch.setattr(explorer, "draw", watched)
    for _ in range(3):
        explorer.redraw()
    gc.collect()
    assert [figure() for figure in drawn] == [None] * 3
    assert state() == before


@each
def test_setting_several_controls_draws_once(explorer: Explorer, monkeypatch) -> None:
    calls = []
    monkeypatch.setattr(explorer, "draw", lambda **v: calls.append(v) or matplotlib.figure.Figure())
    explorer.set(**{name: control.value for name, control in explorer.controls.items()})
    assert len(calls) == 1


@each
def test_no_row_of_controls_is_wider_than_a_cell(explorer: Explorer) -> None:
    """The leaves of a row that does not wrap add up to less than 700 pixels."""

    def width(widget: ipywidgets.Widget) -> float:
        given = re.fullmatch(r"(\d+)px", widget.layout.width or "")
        if given:
            return float(given[1]) + 4  # the margin
        children = [width(child) for child in getattr(widget, "children", ())]
        if isinstance(widget, ipywidgets.HBox) and widget.layout.flex_flow != "row wrap":
            return sum(children) + 4
        return max(children, default=0) + 4

    assert width(explorer) < 700


@each
def test_a_pictures_words_reach_the_page(explorer: Explorer) -> None:
    state = explorer.picture.get_state()
    assert state["tooltip"]
    assert state["description"] == "", "JupyterLab shows the tooltip of a widget that has this"


@each
def test_without_a_widget_manager_it_is_a_picture(explorer: Explorer, monkeypatch) -> None:
    assert "application/vnd.jupyter.widget-view+json" in explorer._repr_mimebundle_()
    monkeypatch.setenv("FERCOURSE_STATIC", "1")
    data, metadata = explorer._repr_mimebundle_()
    assert list(data) == ["image/png"]
    picture = Image.open(io.BytesIO(base64.b64decode(data["image/png"])))
    assert metadata["image/png"]["width"] <= 672 <= picture.width


def test_a_first_picture_that_fails_is_a_sentence(monkeypatch) -> None:
    def fail() -> None:
        raise FercourseError("No <b> here.")

    monkeypatch.setenv("FERCOURSE_STATIC", "1")
    bundle = Explorer(fail)._repr_mimebundle_()
    assert "No &lt;b&gt; here." in bundle["text/html"]


def test_names_are_lazy_and_stay_functions() -> None:
    code = (
        "import sys\n"
        "from fercourse import widgets\n"
        "assert 'ipywidgets' not in sys.modules and 'matplotlib' not in sys.modules\n"
        "import fercourse.widgets.augmentation_explorer\n"
        "module = sys.modules['fercourse.widgets.augmentation_explorer']\n"
        "assert widgets.augmentation is module.augmentation\n"
        "assert set(widgets.__all__) <= set(dir(widgets))\n"
        "try: widgets.nothing\n"
        "except AttributeError: pass\n"
        "else: raise AssertionError\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_one_sentence_where_ipywidgets_is_missing() -> None:
    code = (
        "import sys\n"
        "sys.modules['ipywidgets'] = None\n"
        "from fercourse import widgets, FercourseError\n"
        "try: widgets.stochastic_pooling\n"
        "except FercourseError as error: print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == (
        "explorers need ipywidgets: install it with pip install 'fercourse[lab]'.\n"
    )


# Action units


def test_the_groups_hold_every_unit_once() -> None:
    assert sorted(u for group in action_units.GROUPS.values() for u in group) == sorted(UNITS)


@only("action_units")
def test_a_button_sets_an_expressions_units(explorer: Explorer) -> None:
    for expression in BASIC:
        button(explorer, expression.title).click()
        moved = {u for u in UNITS if explorer.controls[f"au{u}"].value > 0}
        assert moved == set(PROTOTYPES[expression])
        wanted = f"units of {expression.title}" if moved else "Neutral"
        assert wanted in said(explorer)


def test_the_nearest_expression() -> None:
    assert action_units.nearest({}) == (Expression.NEUTRAL, 1.0)
    for expression in BASIC:
        assert action_units.nearest(dict.fromkeys(PROTOTYPES[expression], 0.5)) == (expression, 1.0)
    assert action_units.nearest({6: 0.5, 12: 1.0, 25: 0.5}) == (
        Expression.HAPPY,
        pytest.approx(2 / 3),
    )
    assert action_units.nearest({43: 1.0})[1] == 0.0
    assert action_units.nearest({6: 1.0, 12: 1.0, 4: 0.0}) == (Expression.HAPPY, 1.0)


@pytest.mark.parametrize(
    ("aus", "words"),
    [
        ({6: 1, 12: 1, 25: 1}, "Nearest to Happy: all its 2 units act, and 1 of others"),
        ({1: 1, 4: 1}, "Nearest to Sad: 2 of its 3 units act"),
        ({43: 1}, "AU43: in none of the seven prototypes"),
    ],
)
def test_the_headline_names_what_is_shared(aus: dict, words: str) -> None:
    headline = action_units.action_units(draw(aus=aus, size=48)).get_suptitle()
    assert headline.replace("\n", " ") == words


def test_the_truth_says_its_area() -> None:
    face = draw(aus={43: 1.0}, size=64)
    headline = action_units.action_units(face, truth=True).get_suptitle()
    assert f"{face.masks[43].mean():.0%}" in headline


# Detection


@pytest.mark.parametrize("picture", ["photograph", "drawn", "nothing"])
def test_the_stages_end_where_the_detector_does(picture: str) -> None:
    image = {
        "photograph": lambda: np.asarray(read_upload(example())),
        "drawn": lambda: scene(4, size=320, seed=3).image,
        "nothing": lambda: np.full((120, 200), 90, np.uint8),
    }[picture]()
    first, second, last = StagedSearch(image).stages()
    found = FaceDetector("cpu", threshold=0.7).detect([image])[0]
    assert len(last.boxes) == len(found) == {"photograph": 1, "drawn": 4, "nothing": 0}[picture]
    for expected in found:
        k = np.abs(last.boxes - expected.box).sum(1).argmin()
        np.testing.assert_allclose(last.boxes[k], expected.box, atol=BOX)
        np.testing.assert_allclose(last.landmarks[k], expected.landmarks, atol=BOX)
        assert last.probabilities[k] == about(expected.probability, **NETWORK)
    for before, after in ((first, second), (second, last)):
        assert after.looked_at <= len(before.boxes)  # less what lies outside the picture
        assert after.looked_at == len(after.dropped) + after.merged + len(after.boxes)


def test_a_higher_threshold_lets_fewer_through() -> None:
    search = StagedSearch(scene(3, size=300, seed=1).image)
    low, high = search.stages((0.5, 0.5, 0.5)), search.stages((0.9, 0.9, 0.9))
    for loose, strict in zip(low, high, strict=True):
        assert len(strict.boxes) <= len(loose.boxes)
        assert (strict.probabilities >= 0.9).all()
    assert (high[1].doubtful <= 0.9).all()


@pytest.mark.parametrize("wrong", [{"min_face": 8}, {"min_face": 500}])
def test_a_smallest_face_that_cannot_be(wrong: dict) -> None:
    with pytest.raises(FercourseError, match="smallest face must be from 12 to 64"):
        StagedSearch(np.zeros((64, 90), np.uint8), **wrong)


def test_thresholds_are_three_probabilities() -> None:
    search = StagedSearch(np.zeros((64, 64), np.uint8))
    for wrong in ((0.5, 0.5), (0.5, 0.5, 1.5)):
        with pytest.raises(FercourseError, match="three thresholds"):
            search.stages(wrong)


def test_boxes_are_matched_one_to_one() -> None:
    truth = np.array([[0, 0, 10, 10], [20, 0, 30, 10], [50, 50, 60, 60]], dtype=float)
    boxes = np.array([[0, 0, 10, 9], [0, 0, 10, 10], [21, 1, 31, 11], [80, 80, 90, 90]], float)
    assert match(boxes, truth).tolist() == [-1, 0, 1, -1]  # the first is a second box on face 0
    assert match(boxes[:0], truth).tolist() == []
    assert match(boxes, truth[:0]).tolist() == [-1] * 4


@only("detection")
def test_it_counts_found_missed_and_true_faces(explorer: Explorer) -> None:
    assert said(explorer).startswith("6 of 6 faces found, and nothing else")
    explorer.set(min_face=160)
    assert re.fullmatch(r"\d of 6 faces found; \d missed \(dotted\)", said(explorer))
    explorer.set(picture="photograph, 1 face", min_face=20)
    assert said(explorer).startswith("1 of 1 face found")
    explorer.set(picture="drawn, 4 faces")
    assert "of 4 faces found" in said(explorer)


# Augmentation


def test_the_paper_results_are_its_fifteen() -> None:
    face = torch.from_numpy(draw("happy", size=40).image)
    made = results(face, "paper")
    assert made.shape == (15, 40, 40)
    assert torch.equal(made[FIFTEEN.index((0.0, (1, 1)))], face)
    assert torch.equal(made[FIFTEEN.index((0.0, (1, -1)))], face.flip(0))


@pytest.mark.parametrize("policy", ["light", "course"])
def test_draws_depend_on_the_sample_alone(policy: str) -> None:
    face = torch.from_numpy(draw("sad", size=40).image)
    one, again, other = (results(face, policy, sample) for sample in (1, 1, 2))
    assert one.dtype == torch.uint8
    assert one.shape == (15, 40, 40)
    assert torch.equal(one, again)  # the same operations on the same shapes
    assert not torch.equal(one, other)
    assert (one.float().mean((1, 2)) - face.float().mean()).abs().max() < 100


@only("augmentation")
def test_drawing_again_leaves_the_fixed_set(explorer: Explorer) -> None:
    assert "a third stand on their heads" in said(explorer)
    button(explorer, "Draw again").click()
    assert explorer.controls["policy"].value == "course"
    first = shown(explorer)
    button(explorer, "Draw again").click()
    assert shown(explorer) != first


# Stochastic pooling


def test_probabilities_are_shares_of_the_sum() -> None:
    a = torch.tensor([1.0, 0.0, 3.0])
    assert probabilities(a).tolist() == [0.25, 0.0, 0.75]
    assert probabilities(torch.zeros(4)).tolist() == [0.0] * 4
    for wrong in (-1.0, float("nan"), float("inf")):
        with pytest.raises(FercourseError, match="Location 2"):
            probabilities(torch.tensor([1.0, wrong]))


@only("stochastic_pooling")
def test_its_value_is_the_expectation(explorer: Explorer) -> None:
    a = np.array(PRESETS["a few peaks"], dtype=float)
    value, mean = (a**2).sum() / a.sum(), a.mean()
    assert f"value {value:.2f}" in said(explorer)
    assert f"{(value - mean) / (a.max() - mean):.0%} of the way" in said(explorer)


@only("stochastic_pooling")
def test_a_negative_activation_is_refused_and_the_picture_stays(explorer: Explorer) -> None:
    before = shown(explorer)
    explorer.controls["a2"].value = -3
    assert "Location 3 holds -3" in explorer.message.value
    assert shown(explorer) == before
    explorer.controls["a2"].value = 1
    assert not explorer.message.value


@only("stochastic_pooling")
def test_the_dead_channel_and_the_softmax(explorer: Explorer) -> None:
    presets = next(w for w in inside(explorer) if isinstance(w, ipywidgets.ToggleButtons))
    presets.value = "dead"
    assert all(explorer.controls[f"a{k}"].value == 0 for k in range(16))
    assert "0 / 0" in said(explorer)
    explorer.set(softmax=True)
    assert "Softmax draws everywhere alike" in said(explorer)
    presets.value = "one peak"
    p = np.exp(8) / (np.exp(8) + 15)
    assert f"location 6 with {p:.0%} instead of 100%" in said(explorer)
    explorer.set(softmax=False)
    presets.value = "flat"
    assert "all give 2" in said(explorer)


@only("stochastic_pooling")
def test_drawing_again_draws_others(explorer: Explorer) -> None:
    before = shown(explorer)
    button(explorer, "Draw again").click()
    assert shown(explorer) != before


# Photographs


@only("photo")
def test_an_upload_is_read_and_then_let_go(explorer: Explorer) -> None:
    assert said(explorer).startswith("1 face found")
    content = file_of(scene(2, size=300, seed=5).image)
    upload = next(w for w in inside(explorer) if isinstance(w, ipywidgets.FileUpload))
    upload.value = (
        {
            "name": "us.png",
            "type": "image/png",
            "size": len(content),
            "content": memoryview(content),
            "last_modified": datetime.now(UTC),
        },
    )
    assert said(explorer).startswith("2 faces found")
    assert upload.value == ()


@only("photo")
def test_a_picture_taken_is_read_and_then_let_go(explorer: Explorer) -> None:
    explorer.buttons["camera"].value = memoryview(file_of(scene(3, size=300, seed=5).image))
    assert said(explorer).startswith("3 faces found")
    assert not len(explorer.buttons["camera"].value)
    button(explorer, "Example").click()
    assert said(explorer).startswith("1 face found")


@only("photo")
def test_no_face_and_no_picture_are_said(explorer: Explorer) -> None:
    explorer.set(picture=file_of(np.full((90, 140, 3), 200, np.uint8)))
    assert said(explorer).startswith("No face found.")
    before = shown(explorer)
    for wrong in (b"", b"hello", example()[:3000]):
        explorer.set(picture=wrong)
        assert "not a picture" in explorer.message.value
        assert shown(explorer) == before


@only("photo")
def test_it_says_what_becomes_of_the_picture(explorer: Explorer) -> None:
    texts = " ".join(str(w.value) for w in inside(explorer) if isinstance(w, ipywidgets.HTML))
    assert "nothing is stored" in texts.replace("\n", " ")


def test_a_picture_comes_upright() -> None:
    image = Image.fromarray(np.zeros((10, 20), np.uint8))
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by 90 degrees
    buffer = io.BytesIO()
    image.save(buffer, format="JPEG", exif=exif)
    assert read_upload(buffer.getvalue()).size == (10, 20)
    assert read_upload(buffer.getvalue()).mode == "RGB"


def test_a_picture_of_sixteen_bits_is_not_a_white_page() -> None:
    grey = np.linspace(0, 255, 200).astype(np.uint8).reshape(10, 20)
    buffer = io.BytesIO()
    Image.fromarray(grey.astype(np.uint16) * 257).save(buffer, format="PNG")
    assert np.array_equal(np.asarray(read_upload(buffer.getvalue()))[..., 0], grey)
