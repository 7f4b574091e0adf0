"""The weather explorer: every control changes what is shown, and the answers are the networks'."""

import pytest

import fercourse
from fercourse import widgets
from fercourse.weather import CORRUPTIONS, CURES


@pytest.fixture(scope="module")
def explorer():
    networks = {f"model {k}": fercourse.pretrained("synthetic", k).network for k in (1, 6)}
    return widgets.weather(networks)


def values(explorer):
    return {name: control.value for name, control in explorer.controls.items()}


def test_it_offers_every_corruption_and_cure(explorer):
    assert [v for _, v in explorer.controls["corruption"].options] == list(CORRUPTIONS)
    assert [v for _, v in explorer.controls["after"].options] == ["none", *CURES]


@pytest.mark.parametrize(
    "change",
    [
        {"expression": "sad"},
        {"person": 3},
        {"corruption": "jpeg"},
        {"severity": 5},
        {"after": "standardise"},
    ],
    ids=lambda change: next(iter(change)),
)
def test_each_control_changes_the_picture(explorer, change):
    before, kept = explorer.picture.value, values(explorer)
    explorer.set(**change)
    assert explorer.message.value == ""
    assert explorer.picture.value != before
    explorer.set(**kept)
    assert explorer.picture.value == before


def test_clear_air_is_three_times_the_same_face(explorer):
    figure = explorer.draw(**(values(explorer) | {"severity": 0}))
    faces = [axes.images[0].get_array() for axes in figure.axes if axes.images]
    assert len(faces) == 3
    assert (faces[0] == faces[1]).all()
    assert (faces[1] == faces[2]).all()
    assert "model 1 Happy → Happy → Happy" in figure.get_suptitle().replace("\n", " ")
