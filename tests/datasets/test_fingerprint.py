"""Fingerprint: the digest tells copies apart, the figures tell what was done to one."""

import numpy as np
import pytest
import torch
from PIL import Image, ImageFilter, ImageOps
from tolerances import SUM, about

from fercourse import load
from fercourse.datasets import fingerprint
from fercourse.datasets.fingerprint import COUNTS, check, digest, flatness, sharpness

pytestmark = pytest.mark.numeric


def labelled(counts=COUNTS):
    """Labels and splits with the given counts, int (3, 7)."""
    splits = np.repeat(fingerprint.SPLITS, counts.sum(1))
    labels = np.concatenate([np.repeat(np.arange(counts.shape[1]), row) for row in counts])
    return labels, splits


def judge(counts):
    return fingerprint._judge_counts(np.asarray(counts))


def through(images, change):
    out = [np.asarray(change(Image.fromarray(i.numpy()))) for i in images]
    return torch.from_numpy(np.stack(out))


# --- digest -------------------------------------------------------------------------------------


def some():
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (9, 8, 8), dtype=np.uint8)
    return images, np.arange(9) % 7, np.repeat(fingerprint.SPLITS, 3)


def test_digest_does_not_depend_on_order():
    images, labels, splits = some()
    order = np.random.default_rng(1).permutation(9)
    assert digest(images, labels, splits) == digest(images[order], labels[order], splits[order])
    assert len(digest(images, labels, splits)) == 64


@pytest.mark.parametrize("part", [0, 1, 2])
def test_digest_changes_with_one_pixel_label_or_split(part):
    data = some()
    before = digest(*data)
    changed = [x.copy() for x in data]
    changed[part].flat[0] = {0: changed[0].flat[0] ^ 1, 1: 5, 2: "val"}[part]
    assert digest(*changed) != before


def test_digest_tells_height_from_width():
    images, labels, splits = some()
    assert digest(images.reshape(9, 4, 16), labels, splits) != digest(images, labels, splits)


# --- figures ------------------------------------------------------------------------------------


def test_sharpness_against_arithmetic():
    x = np.random.default_rng(0).integers(0, 256, (5, 6, 7)).astype(np.uint8)
    expected = []
    for image in x.astype(float):
        laplacian = [
            image[i - 1, j] + image[i + 1, j] + image[i, j - 1] + image[i, j + 1] - 4 * image[i, j]
            for i in range(1, 5)
            for j in range(1, 6)
        ]
        expected.append(np.var(laplacian, ddof=1) / np.var(image, ddof=1))
    assert sharpness(torch.from_numpy(x)) == about(np.median(expected), **SUM)


def test_sharpness_does_not_depend_on_contrast_and_skips_empty_images():
    x = torch.randint(0, 100, (9, 12, 12), dtype=torch.uint8)
    assert sharpness(x * 2) == about(sharpness(x), **SUM)
    empty = torch.full((4, 12, 12), 7, dtype=torch.uint8)
    assert sharpness(torch.cat([x, empty])) == about(sharpness(x), **SUM)
    assert sharpness(empty) == 0


def test_flatness_is_1_for_every_grey_once_and_one_half_for_black():
    ramp = torch.arange(256, dtype=torch.uint8).reshape(1, 16, 16)
    assert flatness(ramp) == pytest.approx(1, abs=0.003)
    assert flatness(torch.zeros(1, 16, 16, dtype=torch.uint8)) == pytest.approx(0, abs=0.003)
    middle = torch.full((1, 16, 16), 128, dtype=torch.uint8)
    assert flatness(middle) == pytest.approx(0.5, abs=0.003)


# --- counts -------------------------------------------------------------------------------------


def test_counts_of_fer2013_are_right_and_add_up():
    assert COUNTS.sum(1).tolist() == [28709, 3589, 3589]
    assert judge(COUNTS) == []
    assert np.array_equal(fingerprint.count(*labelled()), COUNTS)


@pytest.mark.parametrize(
    ("counts", "word"),
    [
        (COUNTS - np.eye(3, 7, dtype=int), "Truncated: 35,884 images"),
        (COUNTS * [[2], [1], [1]], "Augmented or oversampled: 64,596 images"),
        (COUNTS[:, [0, 1, 2, 3, 6, 4, 5]], "Labels in another order"),
        (COUNTS[[0, 2, 1]], "Split anew"),
        (COUNTS + np.eye(3, 7, dtype=int) - np.eye(3, 7, k=1, dtype=int), "Relabelled"),
    ],
)
def test_wrong_counts_are_named(counts, word):
    (sentence,) = judge(counts)
    assert sentence.startswith(word)


# --- what was done to drawn faces, judged by their own figures ----------------------------------

DONE = {
    "Blurred": lambda image: image.filter(ImageFilter.GaussianBlur(0.5)),
    "Sharpened": lambda image: image.filter(ImageFilter.SHARPEN),
    "Histogram-equalised": ImageOps.equalize,
    "Wrongly sized": lambda image: image.resize((96, 96), Image.Resampling.NEAREST),
}


@pytest.mark.parametrize("word", DONE)
def test_drawn_faces_treated_so_are_named(word, monkeypatch):
    drawn = load("synthetic", count=140).train.images
    monkeypatch.setattr(fingerprint, "SHARPNESS", sharpness(drawn))
    monkeypatch.setattr(fingerprint, "FLATNESS", flatness(drawn))
    assert check(drawn).findings == ()
    report = check(through(drawn, DONE[word]))
    assert any(sentence.startswith(word) for sentence in report.findings)
    assert report.size == ((96, 96) if word == "Wrongly sized" else (48, 48))


# --- and to the real ones -----------------------------------------------------------------------


@pytest.fixture(scope="module")
def real(fer2013_zip):
    return load("fer2013", path=fer2013_zip)


def test_real_splits_have_the_reference_figures(real):
    for faces in real.splits.values():
        assert sharpness(faces.images[:4000]) == pytest.approx(fingerprint.SHARPNESS, abs=0.03)
        assert flatness(faces.images[:4000]) == pytest.approx(fingerprint.FLATNESS, abs=0.01)


@pytest.mark.parametrize("word", DONE)
def test_real_faces_treated_so_are_named(word, real):
    sample = real.train.images[::20]
    assert check(sample).findings == ()
    findings = check(through(sample, DONE[word])).findings
    assert any(sentence.startswith(word) for sentence in findings)


@pytest.mark.parametrize("kind", [Image.Resampling.BILINEAR, Image.Resampling.BICUBIC])
def test_real_faces_resized_to_224_and_back_are_blurred(kind, real):
    sample = real.val.images[::2]
    back = through(sample, lambda image: image.resize((224, 224), kind).resize((48, 48), kind))
    assert any(sentence.startswith("Blurred") for sentence in check(back).findings)
