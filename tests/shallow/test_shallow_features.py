"""Hand-made features against arithmetic done here, and what each is blind to."""

import math

import numpy as np
import pytest
import torch

from fercourse import Faces, FercourseError, load
from fercourse.datasets import synthetic
from fercourse.shallow import CLASSICS, METHODS, gabor, hog, landmarks, lbp, motion
from fercourse.shallow.eigenfaces import Eigenfaces, standardised
from fercourse.shallow.features import remembered

pytestmark = pytest.mark.numeric


@pytest.fixture(scope="module")
def drawn():
    return load("synthetic", count=84)


def still(images):
    return Faces(images, torch.zeros(len(images), dtype=torch.int64))


@pytest.mark.parametrize(
    ("name", "length"), [("pca", 55), ("lbp", 2891), ("gabor", 1152), ("hog", 1764)]
)
def test_classics_give_one_finite_vector_a_face(drawn, name, length):
    features = METHODS[name].make().fit(drawn.train)
    found = features.transform(drawn.val)
    assert found.shape == (len(drawn.val), length)
    assert np.isfinite(found).all()
    assert np.allclose(found, features.transform(drawn.val))


def test_eigenfaces_are_orthonormal_and_weights_have_variance_one(drawn):
    features = Eigenfaces().fit(drawn.train)
    basis = features.pca.components_
    assert np.allclose(basis @ basis.T, np.eye(len(basis)), atol=1e-3)
    assert np.allclose(features.transform(drawn.train).var(0, ddof=1), 1, atol=0.02)


def test_eigenfaces_do_not_mind_light():
    images = torch.randint(60, 120, (3, 48, 48), dtype=torch.uint8)
    brighter = (2 * images.int() - 60).to(torch.uint8)  # other contrast and brightness
    assert np.allclose(*(standardised(still(i)) for i in (images, brighter)), atol=1e-4)


def test_patterns_of_an_edge_a_spot_and_noise():
    image = np.zeros((9, 9), np.uint8)
    image[4, 4] = 200
    codes = lbp.codes(image)
    assert codes[4, 4] == 0  # no neighbour is as bright
    assert codes[1, 1] == codes[7, 7]  # flat: all are
    assert 0 <= codes.min() <= codes.max() < lbp.PATTERNS
    other_light = lbp.codes(image // 2 + 7)  # beyond the border is black
    assert np.array_equal(other_light[1:-1, 1:-1], codes[1:-1, 1:-1])


def test_regions_tile_the_face_and_shares_sum_to_one():
    regions = lbp.region_of(48, 50)
    sizes = np.bincount(regions.ravel())
    assert len(sizes) == 49
    assert sizes.min() >= 36
    patterns = np.random.default_rng(0).integers(0, 59, (48, 50))
    shares = lbp.histograms(patterns, regions).reshape(49, 59)
    assert np.allclose(shares.sum(1), 1)
    assert shares[0, patterns[0, 0]] >= 1 / sizes[0]


@pytest.mark.parametrize("direction", [0, 2, 4])
def test_a_wave_answers_loudest_to_its_own_length_and_direction(direction):
    angle = math.pi * direction / gabor.DIRECTIONS
    y, x = torch.meshgrid(torch.arange(48.0), torch.arange(48.0), indexing="ij")
    stripes = torch.cos(2 * math.pi * (x * math.cos(angle) + y * math.sin(angle)) / 8)
    image = (127 + 100 * stripes).to(torch.uint8)[None]
    answers = gabor.energy(image)[0, :, 8:16, 8:16].mean((1, 2))  # (32,), away from the border
    assert answers.argmax() == 8 * gabor.WAVELENGTHS.index(8.0) + direction


def test_waves_do_not_see_plain_grey():
    for length in gabor.WAVELENGTHS:
        for kernel in gabor.wave(length):
            assert kernel.sum((2, 3)).abs().max() < 1e-5


def test_gradients_of_lying_edges_are_told_from_standing_ones():
    image = torch.zeros(2, 48, 48, dtype=torch.uint8)
    image[0, ::8], image[1, :, ::8] = 255, 255
    lying, standing = hog.HOG().transform(still(image))
    assert np.abs(lying - standing).max() > 0.1
    turned = torch.rot90(image[0])[None]
    assert np.allclose(hog.HOG().transform(still(turned))[0].sum(), standing.sum(), rtol=0.2)


def test_landmarks_are_where_the_painter_draws():
    """Raising a brow raises its landmarks, and no others."""

    def points(**units):
        at = {int(k[2:]): v for k, v in units.items()}
        return synthetic.draw(aus=at, identity=4, size=96).drawing.points()[0]

    rest, raised, smile = points(), points(au1=1.0, au2=1.0), points(au12=1.0)
    parts = synthetic.landmarks.PARTS
    assert rest.shape == (42, 2)
    assert list(parts.values())[-1][1] == 42
    up = (raised - rest)[:, 1]
    assert up[slice(*parts["brows"])].max() < -2
    assert up[slice(*parts["lips"])].abs().max() < 1
    corners = (smile - rest)[slice(*parts["lips"])][:2]
    assert corners[0, 0] < -1 < 1 < corners[1, 0]  # the mouth gets wider
    assert corners[:, 1].max() < -1  # and its corners go up


def test_all_landmarks_agree_with_the_five():
    face = synthetic.draw("happy", identity=8, seed=2, size=96, difficulty=0.5)
    points, five = face.drawing.points()[0], torch.from_numpy(face.landmarks)
    eyes = [points[8:20:2].mean(0), points[9:20:2].mean(0)]
    for k in (0, 1):
        assert (eyes[k] - five[k]).norm() < 3
    first = synthetic.landmarks.PARTS["lips"][0]
    assert (points[first : first + 2] - five[3:]).norm(dim=1).max() < 0.01


def test_landmarks_do_not_follow_a_cut(drawn):
    from fercourse.datasets.cropped import cut_faces

    cut = cut_faces(drawn.val, torch.tensor([[4.0, 4.0, 40.0, 40.0]]).repeat(len(drawn.val), 1), 48)
    with pytest.raises(FercourseError, match="before cutting"):
        cut.drawing.points()


def test_signatures_do_not_mind_place_size_and_turn():
    rng = np.random.default_rng(0)
    points = rng.normal(size=(3, 9, 2))
    c, s = np.cos(0.7), np.sin(0.7)
    moved = 2.5 * points @ np.array([[c, -s], [s, c]]) + 11
    triangles = np.array([[0, 1, 2], [3, 5, 8]])
    pair = [landmarks.upright(p) for p in (points, moved)]
    assert np.allclose(*(landmarks.distances(p) for p in pair))
    assert np.allclose(*(landmarks.shapes(p, triangles) for p in pair))


def test_a_face_is_described_alike_alone_and_among_others(drawn):
    shape = landmarks.LandmarkShape().fit(drawn.train)
    together = shape.transform(drawn.val)
    assert np.allclose(shape.transform(drawn.val[2:3])[0], together[2], atol=1e-5)
    mean = landmarks.upright(landmarks.landmarks(drawn.train)).mean(0)
    assert (landmarks.shapes(mean[None], shape.triangles) > 0).all()


def test_the_shape_of_an_equilateral_triangle_is_one():
    corners = np.array([[[0, 0], [1, 0], [0.5, np.sqrt(3) / 2], [2, 0]]])
    found = landmarks.shapes(corners, np.array([[0, 1, 2], [0, 1, 3]]))
    assert np.allclose(found, [[1, 0]])


def test_statistics_of_a_signature():
    row = np.array([[0.0, 1, 2, 3, 10]])
    low, variance, skewness, kurt, entropy = landmarks.statistics(row)[0]
    assert low == 10
    assert variance == pytest.approx(np.var(row))
    assert skewness > 1
    assert np.isfinite(kurt)
    # 0 and the rest fall into bins 0, 1, 3, 4 and 15 of sixteen.
    assert entropy == pytest.approx(np.log(5))


def test_exact_landmarks_tell_expressions_apart_and_five_exist_on_photographs(drawn):
    shape = METHODS["landmarks"].make()
    assert shape.fit(drawn.train).transform(drawn.val).shape == (
        len(drawn.val),
        42 * 41 // 2 + len(shape.triangles) + 10,
    )
    photographs = Faces(drawn.val.images, drawn.val.labels)
    five = landmarks.landmarks(photographs)
    assert five.shape == (len(photographs), 5, 2)
    truth = drawn.val.drawing.render().landmarks.numpy()
    assert np.median(np.linalg.norm(five - truth, axis=2)) < 2.5  # pixels of 48


def test_flow_finds_a_shift():
    rng = np.random.default_rng(0)
    field = torch.from_numpy(rng.random((1, 1, 16, 16), dtype=np.float32))
    wide = torch.nn.functional.interpolate(field, (60, 60), mode="bicubic")[0, 0]
    grey = (200 * wide.clamp(0, 1)).byte().numpy()
    rest, peak = grey[6:54, 6:54], grey[5:53, 4:52]  # one down, two to the right
    down, right = motion.flow(rest, peak)[:, 12:36, 12:36]
    assert np.median(down) == pytest.approx(1, abs=0.3)
    assert np.median(right) == pytest.approx(2, abs=0.4)


def test_motion_is_sorted_by_direction():
    vectors = torch.zeros(1, 2, 1, 2)
    vectors[0, :, 0, 0] = torch.tensor([0.0, 2.0])  # to the right
    vectors[0, :, 0, 1] = torch.tensor([3.0, 0.0])  # down
    found = motion.oriented(vectors)[0, :, 0]
    assert found[0, 0] == 2
    assert found[2, 1] == 3
    assert found.sum() == 5


def test_words_of_motion_are_shares_and_need_faces_at_rest(drawn):
    words = METHODS["motion"].make(seed=3).fit(drawn.train)
    assert words.seed == 3
    found = words.transform(drawn.val).reshape(len(drawn.val), 64, 16)
    assert np.allclose(found.sum(1), 1, atol=1e-5)
    strength = motion.descriptions(drawn.train)[..., :8].sum((1, 2))  # of motion, (N,)
    surprised, calm = (strength[drawn.train.labels == k].mean() for k in (5, 6))
    assert surprised > 2 * calm
    with pytest.raises(FercourseError, match="these are stills"):
        words.transform(still(drawn.val.images))


def test_recordings_of_ckplus_begin_at_rest():
    images = torch.arange(4, dtype=torch.uint8)[:, None, None].expand(4, 48, 48).clone()
    ids = np.array([f"S005_00{k}_000000{n:02}" for k, n in ((1, 1), (1, 11), (2, 1), (2, 9))])
    recorded = Faces(images, torch.tensor([6, 1, 6, 3]), ids=ids)
    assert motion.at_rest(recorded)[:, 0, 0].tolist() == [0, 0, 2, 2]
    with pytest.raises(FercourseError, match="CK"):
        motion.at_rest(recorded[1:])


def test_what_takes_long_is_remembered_as_long_as_the_faces():
    calls = []

    @remembered
    def describe(faces):
        calls.append(len(faces))
        return len(faces)

    first, second = (still(torch.zeros(n, 48, 48, dtype=torch.uint8)) for n in (2, 3))
    assert [describe(f) for f in (first, second, first)] == [2, 3, 2]
    assert calls == [2, 3]


def test_classics_are_known_methods():
    assert set(CLASSICS) < set(METHODS)
