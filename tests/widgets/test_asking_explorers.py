"""Explorers of labels, fields, parts and maps, driven without a browser."""

import base64
import io

import ipywidgets
import numpy as np
import pytest
import torch
from PIL import Image

import fercourse
from fercourse import widgets
from fercourse.datasets.field import people
from fercourse.errors import FercourseError
from fercourse.explain import fused
from fercourse.labels import Expression
from fercourse.widgets.explorer import Explorer
from fercourse.widgets.labelling_explorer import simulated


@pytest.fixture(scope="module")
def faces():
    return fercourse.load("synthetic", count=210, difficulty=0.6, seed=1).test


@pytest.fixture(scope="module")
def networks():
    return {k: fercourse.pretrained("synthetic", k).network for k in (1, 2, 4, 6)}


def figure(explorer: Explorer):
    values = {name: control.value for name, control in explorer.controls.items()}
    return explorer.draw(**values)


def said(explorer: Explorer) -> str:
    return " ".join(figure(explorer).get_suptitle().split())


def inside(widget: ipywidgets.Widget):
    yield widget
    for child in getattr(widget, "children", ()):
        yield from inside(child)


def button(explorer: Explorer, text: str) -> ipywidgets.Button:
    return next(w for w in inside(explorer) if getattr(w, "description", None) == text)


def changes_with_each(explorer: Explorer, *settings: dict) -> None:
    """Every setting gives another picture than the one before it, and nothing goes wrong."""
    seen = [bytes(explorer.picture.value)]
    for values in settings:
        explorer.set(**values)
        assert explorer.message.value == ""
        seen.append(bytes(explorer.picture.value))
        assert seen[-1] != seen[-2], values


# Labels by hand


def test_answers_are_kept_and_no_label_is_shown_before_the_end(faces):
    mine = widgets.label_yourself(faces, count=3, seed=1)
    titles = {Expression(int(k)).title for k in mine.faces.labels}
    for number in (1, 2, 3):
        words = said(mine) + " ".join(
            text.get_text() for text in figure(mine).findobj(lambda a: hasattr(a, "get_text"))
        )
        assert f"Face {number} of 3" in words
        assert not any(title in words for title in titles)
        button(mine, "Happy").click()
    assert mine.answers == [Expression.HAPPY] * 3
    assert len(mine.seconds) == 3
    hits = int((mine.faces.labels == Expression.HAPPY).sum())
    assert said(mine).startswith(f"You: {hits} of 3 labels ({hits / 3:.0%}), Cohen's κ = ")
    assert f"{people().accuracy:.0%} ± {100 * people().error:.0f}" in said(mine)
    button(mine, "Sad").click()  # there is no fourth face
    assert len(mine.answers) == 3
    button(mine, "Start over").click()
    assert mine.answers == []
    assert mine.seconds == []
    assert said(mine) == "Face 1 of 3: which expression?"


def test_all_right_is_a_kappa_of_one(faces):
    mine = widgets.label_yourself(faces, count=8)
    for label in mine.faces.labels:
        mine.answer(int(label))
    assert "8 of 8 labels (100%), Cohen's κ = 1.00" in said(mine)


def test_the_same_seed_asks_the_same_faces_each_once(faces):
    a, b, c = (widgets.label_yourself(faces, count=12, seed=s).faces for s in (0, 0, 1))
    assert torch.equal(a.images, b.images)
    assert not torch.equal(a.images, c.images)
    assert len({image.numpy().tobytes() for image in a.images}) == 12
    with pytest.raises(FercourseError, match="no faces"):
        widgets.label_yourself(faces[:0])


def test_headless_a_simulated_labeller_is_called_so(faces, monkeypatch):
    monkeypatch.setenv("FERCOURSE_STATIC", "1")
    mine = widgets.label_yourself(faces)
    assert said(mine).startswith("A simulated labeller")
    assert mine.answers == []
    answers, seconds = simulated(fercourse.load("synthetic", count=2100, difficulty=0.1).train)
    labels = fercourse.load("synthetic", count=2100, difficulty=0.1).train.labels.numpy()
    assert np.mean(np.array(answers) == labels) == pytest.approx(people().accuracy, abs=0.05)
    assert min(seconds) > 0


# A unit's field


def test_a_unit_follows_its_place_and_block(networks, faces):
    explorer = widgets.unit_field(networks[1], faces[:7])
    changes_with_each(
        explorer, {"block": 1}, {"row": 40}, {"column": 3}, {"face": 4}, {"block": 5, "row": 47}
    )
    assert said(explorer).startswith("C5, unit in row 3 and column 1 of 3")
    assert "196 pixels covers 100% of the face" in said(explorer)
    explorer.set(block=2, row=0, column=47)
    assert said(explorer).startswith("C2, unit in row 1 and column 24 of 24")


# Parts silenced


def test_silence_is_the_heads_own_answer(networks, faces):
    model, reference = networks[2], faces
    explorer = widgets.silence(model, reference, faces)
    changes_with_each(explorer, {"C4": True}, {"face": 3}, {"C5": False, "C4": False})
    assert said(explorer).startswith("With all parts")
    parts = fused.parts_of(model, faces)
    usual = {name: part.mean(0) for name, part in parts.items()}
    answers = fused.head(model, fused.silenced(parts, usual, ("C5", "C3"))).argmax(1)
    whole = fused.head(model, parts).argmax(1)
    lost = 100 * float((answers == faces.labels).float().mean())
    lost -= 100 * float((whole == faces.labels).float().mean())
    explorer.set(C5=True, C3=True)
    assert f"{lost:+.0f}".replace("-", "−") + " points" in said(explorer)
    with pytest.raises(FercourseError, match="model 2 or 3"):
        widgets.silence(networks[4], faces, faces)


# The decoder's map


def test_the_decoders_map_and_the_answer_without_it(networks, faces):
    models = {f"model {k}": networks[k] for k in (4, 6)}
    explorer = widgets.decoder_map(models, faces)
    changes_with_each(explorer, {"face": 5}, {"model": "model 6"})
    assert "flattened: " in said(explorer)
    with pytest.raises(FercourseError, match="model 2 has no partial decoder"):
        widgets.decoder_map({"model 2": networks[2]}, faces)
    with pytest.raises(FercourseError, match="no models"):
        widgets.decoder_map({}, faces)


# A map's rivals


def test_rivals_are_scored_beside_every_map(networks, faces):
    smiles = faces.of("happy")
    explorer = widgets.attention({"model 6": networks[6]}, smiles)
    changes_with_each(
        explorer, {"shown": "untrained"}, {"shown": "own edges"}, {"shown": "centre"},
        {"shown": "trained", "kind": "before3"},
    )  # fmt: skip
    areas = {}
    axes = next(a for a in figure(explorer).axes if "PR-AUC" in a.get_xlabel())
    for name, patch in zip(axes.get_yticklabels(), axes.patches, strict=True):
        areas[name.get_text()] = patch.get_width()
    assert list(areas) == ["trained", "untrained", "own edges", "centre"]
    truth = fercourse.explain.truth(smiles[:1])
    own = fercourse.explain.baselines(smiles[:1], smiles)["own edges"]
    wanted = float(fercourse.explain.precision_recall_area(own, truth)[0])
    assert areas["own edges"] == pytest.approx(wanted)
    best = max(v for k, v in areas.items() if k != "trained")
    verdict = "more than" if areas["trained"] > best else "no more than"
    assert f"PR-AUC {areas['trained']:.2f} on this face, {verdict} the {best:.2f}" in said(explorer)


def test_a_neutral_face_has_no_scores(networks, faces):
    calm = faces.of("neutral")
    explorer = widgets.attention({"model 6": networks[6]}, calm)
    assert not any("PR-AUC" in axes.get_xlabel() for axes in figure(explorer).axes)


# Your own face


def test_level_eyes_undo_a_tilt():
    explorer = widgets.photo(fercourse.pretrained("fer2013"))

    def seen() -> np.ndarray:
        shown = [axes.images[0].get_array() for axes in figure(explorer).axes if axes.images]
        return np.asarray(next(image for image in shown if image.shape == (48, 48)), float)

    explorer.set(level=True)
    upright = seen()
    explorer.set(level=False, tilt=25)
    leaning = seen()
    explorer.set(level=True)
    level = seen()
    near, far = (np.corrcoef(v.ravel(), upright.ravel())[0, 1] for v in (level, leaning))
    assert near > 0.85 > far
    explorer.set(light=0.25)
    assert seen().mean() < 0.7 * level.mean()


def test_each_is_a_picture_where_nobody_can_move_controls(networks, faces, monkeypatch):
    monkeypatch.setenv("FERCOURSE_STATIC", "1")
    for explorer in (
        widgets.label_yourself(faces),
        widgets.unit_field(networks[1], faces),
        widgets.silence(networks[2], faces, faces),
        widgets.decoder_map({"model 4": networks[4]}, faces),
    ):
        data, meta = explorer._repr_mimebundle_()
        picture = Image.open(io.BytesIO(base64.b64decode(data["image/png"])))
        assert picture.format == "PNG"
        assert meta["image/png"]["width"] <= 672
