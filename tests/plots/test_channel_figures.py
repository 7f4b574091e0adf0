"""Figures of lessons 05 to 07: what they say follows from what they are given."""

import numpy as np
import pytest
import torch

import fercourse
from fercourse import plots
from fercourse.datasets.faces import Faces
from fercourse.errors import FercourseError
from fercourse.explain import features
from fercourse.plots.style import CourseFigure


def said(figure: CourseFigure) -> str:
    return " ".join(figure.get_suptitle().split())


@pytest.fixture(scope="module")
def face() -> Faces:
    grey = torch.randint(0, 256, (1, 48, 48), generator=torch.Generator().manual_seed(0))
    return Faces(grey.to(torch.uint8), torch.tensor([3]))


def test_receptive_fields_name_the_blocks_that_see_everything():
    faces = {64: np.zeros((64, 64), np.uint8), 32: np.zeros((32, 32), np.uint8)}
    figure = plots.receptive_fields(faces, {"C1": 5, "C2": 32, "C3": 50})
    assert "At 32 pixels, a location of C2 or C3 could see more than" in said(figure)
    squares = [[patch.get_width() for patch in axes.patches] for axes in figure.axes]
    assert squares == [[5, 32, 50]] * 2
    assert said(plots.receptive_fields(faces, {"C1": 5})).startswith("No location")
    with pytest.raises(FercourseError, match="no face"):
        plots.receptive_fields({}, {"C1": 5})


def test_blocks_seen_shows_the_strongest_channels(face):
    torch.manual_seed(0)
    model = fercourse.FERNet(fercourse.ModelConfig.table1(1, width=0.125)).eval()
    figure = plots.blocks_seen(model, face, count=3)
    assert len(figure.axes) == 5 * 4
    c1 = features(model, face, "block1")[0]
    strongest = c1.square().mean((1, 2)).argsort(descending=True)[:3].tolist()
    shown = [int(axes.get_title(loc="center")) for axes in figure.axes[1:4]]
    assert shown == strongest
    share = (c1[strongest] > 0.1 * c1[strongest].amax((1, 2), keepdim=True)).float().mean()
    assert f"answers at {100 * share:.0f} % of its places" in said(figure)
    with pytest.raises(FercourseError, match="no face"):
        plots.blocks_seen(model, face[:0])


def test_edge_readouts_say_which_block_is_read_best():
    image = np.random.default_rng(0).random((8, 8))
    scores = {"C1": 0.8, "C2": 0.45, "C3": -0.2}
    figure = plots.edge_readouts(image, image, dict.fromkeys(scores, image), scores)
    assert "80 % of the edges' variance from C1, 45 % from C2" in said(figure)
    assert said(figure).endswith("0 % from C3")
    assert figure.axes[-1].get_xlabel() == "R² ≤ 0"
    best = {"C1": 1.0, "C2": 1.0, "C3": 0.14}
    capped = plots.edge_readouts(image, image, dict.fromkeys(scores, image), scores, best, 0.19)
    assert "whose grid could hold 14 %" in said(capped)
    assert said(capped).endswith("the mean edge map alone explains 19 %")
    assert capped.axes[-1].get_xlabel() == "R² ≤ 0\ngrid: 0.14"
    with pytest.raises(FercourseError, match="a score for every readout"):
        plots.edge_readouts(image, image, {"C1": image}, scores)


def test_parts_used_measures_what_silence_costs():
    faces = torch.arange(400)
    without = {"edge": faces < 356, "C5": faces < 160}  # bool (400,)
    figure = plots.parts_used(faces < 360, without, {"C5": 64, "edge": 8})
    # Of paired faces: 200 of 400 are lost, sqrt(0.5 * 0.5 / 399) of each.
    assert "C5 costs 50.0 points (standard error 2.5), silencing the edge map 1.0" in said(figure)
    lengths = [bar.get_width() for bar in figure.axes[0].patches]
    assert lengths == pytest.approx([50, 1]), "the longest bar comes first"


def test_poolings_say_which_one_tells_channels_apart():
    spot, line = np.diag([9.0, 0, 0]), np.zeros((3, 3))
    line[1] = 3
    noisy = np.ones((3, 3))
    noisy[1, 1] = 9
    figure = plots.poolings({"spot": spot, "line": line, "noisy": noisy, "dead": 0 * spot})
    assert said(figure) == "Only the stochastic pooling tells all 3 living channels apart"
    bars = [patch.get_height() for patch in figure.axes[4 + 2].patches]
    assert bars == pytest.approx([17 / 9, 89 / 17, 9])
    assert "No pooling" in said(plots.poolings({"a": spot, "b": spot[::-1]}))
    with pytest.raises(FercourseError, match="no channel"):
        plots.poolings({})


def test_groups_count_the_connections():
    full, grouped = torch.ones(4, 12), torch.block_diag(*torch.ones(4, 1, 3))
    assert said(plots.groups({"ordinary": full, "grouped": grouped})).endswith("12 weights for 48")


def test_gate_spread_divides_the_variance_between_channel_and_face():
    fixed = torch.tensor([0.4, 0.6]).expand(10, 2)
    by_face = torch.linspace(0.3, 0.7, 10)[:, None] + torch.tensor([-0.01, 0.01])
    figure = plots.gate_spread({1: fixed, 2: by_face}, [(0, 4), (3, 4)])
    within, between = by_face.std(0).mean(), by_face.mean(0).std()
    share = within**2 / (within**2 + between**2)
    assert f"in block 2, the face decides {100 * share:.1f} %" in said(figure)
    assert figure.axes[0].get_xticklabels()[0].get_text() == "block 1\n0 of 4 units"
    with pytest.raises(FercourseError, match="no weights"):
        plots.gate_spread({}, [])


@pytest.mark.parametrize("kind", ["gcca", "cbam"])
def test_what_a_channel_is_multiplied_with_is_said_as_it_is(kind, face):
    torch.manual_seed(0)
    config = fercourse.ModelConfig.table1(3, width=0.125, attention=kind)
    model = fercourse.FERNet(config).eval()
    m = fercourse.explain.maps(model, face).weights[5][0]
    factor = 1 + m if kind == "gcca" else m
    equation = "F' = (1 + M) F" if kind == "gcca" else "F' = M F"
    title = said(plots.channel_weights(model, face))
    assert f"{equation} favours the strongest channel {factor.max() / factor.min():.2f}" in title
    assert said(plots.gcca(model, face)).startswith(f"{kind.upper()} chooses most in block")
    assert equation in said(plots.gcca(model, face))
