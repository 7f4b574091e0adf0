"""The island loss's playground, and the cascade step by step, against independent arithmetic."""

import math

import pytest
import torch
from tolerances import SUM, about
from torch.nn import functional as F

import fercourse
from fercourse.errors import FercourseError
from fercourse.explain import maps
from fercourse.explain.steps import reverse_steps
from fercourse.losses.playground import CLASSES, POINTS, least_angle, radii, simulate

pytestmark = pytest.mark.numeric


def test_the_course_is_the_seeds_alone_and_leaves_torch_alone():
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    one = simulate(0.05, 7, 20, seed=3)
    assert torch.equal(torch.rand(3), expected)
    two, other = simulate(0.05, 7, 20, seed=3), simulate(0.05, 7, 20, seed=4)
    assert torch.equal(one.points, two.points)  # the same operations on the same shapes
    assert torch.equal(one.centers, two.centers)
    assert not torch.equal(one.points[0], other.points[0])


def test_terms_are_those_of_the_points_and_centres_they_stand_beside():
    course = simulate(0.01, 5, 12)
    for t in (0, 7, 12):
        own = course.centers[t][course.labels]
        squared = sum(
            float((x - c).square().sum()) for x, c in zip(course.points[t], own, strict=False)
        )
        assert float(course.center[t]) == about(squared / (2 * len(own)), **SUM)
        pairs = sum(
            float(F.cosine_similarity(a, b, dim=0)) + 1
            for j, a in enumerate(course.centers[t])
            for k, b in enumerate(course.centers[t])
            if j != k
        )
        assert float(course.pairs[t]) == about(pairs, **SUM)
        total = float(course.ce[t]) + 0.01 * (float(course.center[t]) + 5 * pairs)
        assert float(course.total()[t]) == about(total, **SUM)


def test_lambda_shrinks_clusters_and_lambda_1_parts_centres_sooner():
    loose, tight = simulate(0), simulate(0.5)
    assert radii(tight)[-1] < 0.2 * radii(loose)[-1]
    still, pushed = simulate(0.005, 0), simulate(0.005, 7)
    assert pushed.pairs[40] < still.pairs[40] - 1
    for course in (loose, tight, still, pushed):
        assert course.pairs.min() > 35 - 1e-3
        assert course.ce[-1] < 0.3 * course.ce[0]


def test_least_angle_and_radii_by_hand():
    square = torch.tensor([[1.0, 0], [0, 2], [-3, 0], [0, -1]])
    assert least_angle(square) == about(90, **SUM)
    near = torch.tensor([[1.0, 0], [math.cos(0.2), math.sin(0.2)], [-1, 0]])
    assert least_angle(near) == about(math.degrees(0.2), **SUM)
    course = simulate(steps=1)
    first = course.points[0].view(CLASSES, POINTS, 2)
    by_hand = torch.cat([c - c.mean(0) for c in first]).square().sum(1).mean().sqrt()
    assert float(radii(course)[0]) == about(float(by_hand), **SUM)


def test_negative_weights_are_refused():
    with pytest.raises(FercourseError, match="lambda"):
        simulate(-1)


@pytest.fixture(scope="module")
def face():
    return fercourse.load("synthetic", count=140, difficulty=0.1).test[3:4]


def test_each_step_of_the_cascade_is_what_its_formula_says(face):
    model = fercourse.pretrained("synthetic", 6).network
    steps = reverse_steps(model, face)
    assert [s.name for s in steps] == ["global"] + [
        f"{what}{i}" for i in (5, 4, 3) for what in ("reverse", "remaining", "refined")
    ]
    for i, at in ((5, 1), (4, 4), (3, 7)):
        weigh, erase, refine = steps[at : at + 3]
        (up,) = weigh.operands
        torch.testing.assert_close(weigh.result.values, 1 - up.values, **SUM)
        c, a = erase.operands
        # A is one channel
        torch.testing.assert_close(erase.result.values, c.values * a.values, **SUM)
        before, added = refine.operands
        # a logit taken back from its sigmoid p has lost 6e-8 / (p (1 - p))
        torch.testing.assert_close(
            refine.result.values.logit(), before.values.logit() + added.values, atol=1e-3, rtol=1e-3
        )
        assert erase.result.shape == c.shape
        side = {5: 3, 4: 6, 3: 12}[i]
        assert weigh.result.shape == (1, side, side)
        assert c.shape[0] == model.backbone.channels[i - 1]
    seen = maps(model, face)
    # The last map, resized to the face, is the one explain.maps gives.
    last = steps[-1].result.values.logit()[None, None]
    big = F.interpolate(last, size=(48, 48), mode="bilinear", align_corners=False).sigmoid()
    torch.testing.assert_close(big[0, 0], seen["refined3"][0], atol=2e-3, rtol=1e-3)  # likewise


def test_the_cascade_needs_a_face_and_a_model_that_has_one(face):
    with pytest.raises(FercourseError, match="reverse attention"):
        reverse_steps(fercourse.pretrained("synthetic", 4).network, face)
    with pytest.raises(FercourseError, match="no face"):
        reverse_steps(fercourse.pretrained("synthetic", 6).network, face[:0])
