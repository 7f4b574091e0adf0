"""Folds: every image in one, no person in two, classes spread, the same for the same seed."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fercourse import FercourseError, load
from fercourse.datasets.splits import assign_folds, fold_splits, kept_together


def people(n=30, each=4, classes=5, seed=0):
    rng = np.random.default_rng(seed)
    subjects = np.repeat([f"S{k:03d}" for k in range(n)], each)
    labels = np.tile(np.arange(classes), len(subjects))[: len(subjects)]
    order = rng.permutation(len(subjects))
    return labels[order], subjects[order]


@given(folds=st.integers(3, 8), seed=st.integers(0, 99), by=st.sampled_from(["subject", "random"]))
@settings(max_examples=25, deadline=None)
def test_every_image_is_in_one_fold_and_every_fold_has_images(folds, seed, by):
    labels, subjects = people(seed=seed)
    fold = assign_folds(labels, subjects if by == "subject" else None, folds, seed=seed)
    sizes = np.bincount(fold, minlength=folds)
    assert len(sizes) == folds
    assert sizes.min() > 0
    if by == "subject":
        for person in set(subjects):
            assert len(set(fold[subjects == person])) == 1
    else:
        assert sizes.max() - sizes.min() <= len(set(labels))
        for label in set(labels):  # stratified: a class is spread evenly, to one image
            share = np.bincount(fold[labels == label], minlength=folds)
            assert share.max() - share.min() <= 1


def test_seed_decides():
    labels, subjects = people()
    first = assign_folds(labels, subjects, 5, seed=1)
    assert np.array_equal(first, assign_folds(labels, subjects, 5, seed=1))
    assert not np.array_equal(first, assign_folds(labels, subjects, 5, seed=2))


def test_random_folds_put_people_on_both_sides():
    labels, subjects = people()
    fold = assign_folds(labels, None, 5)
    both = set(subjects[fold == 0]) & set(subjects[fold != 0])
    assert len(both) > 10


def test_test_is_the_fold_and_val_the_next_one_round_the_corner():
    fold = np.array([0, 1, 2, 3, 3])
    assert fold_splits(fold, 1, 4).tolist() == ["train", "test", "val", "train", "train"]
    assert fold_splits(fold, 3, 4).tolist() == ["val", "train", "train", "test", "test"]


def test_every_image_is_tested_once_over_all_folds():
    labels, subjects = people()
    fold = assign_folds(labels, subjects, 5)
    tested = sum((fold_splits(fold, k, 5) == "test").astype(int) for k in range(5))
    assert (tested == 1).all()


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"folds": 31}, "30 people or sequences .* cannot be cut into 31 folds"),
        ({"folds": 25, "groups": None}, "120 images and 24 .* cannot be cut into 25 folds"),
    ],
)
def test_impossible_folds_are_refused(change, sentence):
    labels, subjects = people()
    with pytest.raises(FercourseError, match=sentence):
        assign_folds(labels, **({"folds": 5, "groups": subjects} | change))


def test_what_stays_together():
    subjects = np.array(["S005", "S005", "S010"])
    ids = np.array(["S005_001_00000011", "S005_002_00000009", "S010_002_00000014"])
    assert kept_together("subject", subjects, ids) is subjects
    assert kept_together("sequence", subjects, ids).tolist() == ["S005_001", "S005_002", "S010_002"]
    assert kept_together("random", subjects, ids) is None
    with pytest.raises(FercourseError, match="by must be one of subject, sequence, random"):
        kept_together("class", subjects, ids)


@pytest.mark.parametrize(
    ("test", "folds", "sentence"),
    [(5, 5, "fold must be in 0..4, not 5"), (-1, 5, "fold must be in"), (0, 2, "at least 3")],
)
def test_no_such_fold(test, folds, sentence):
    with pytest.raises(FercourseError, match=sentence):
        fold_splits(np.zeros(4, int), test, folds)


def test_real_ckplus_is_subject_disjoint_in_every_fold(ckplus_zip):
    for fold in range(10):
        splits = load("ckplus", path=ckplus_zip, fold=fold).splits
        groups = [set(faces.subjects) for faces in splits.values()]
        assert sum(map(len, groups)) == len(set.union(*groups))
        assert all((faces.counts()[:6] > 0).all() for faces in splits.values())
    shared = load("ckplus", path=ckplus_zip, by="random")
    both = np.isin(shared.test.subjects, shared.train.subjects)
    assert both.mean() > 0.9


def test_folds_of_real_ckplus_by_sequence_hold_whole_sequences_and_share_people(ckplus_zip):
    def sequences(faces):
        return {name.rpartition("_")[0] for name in faces.ids}

    data = load("ckplus", path=ckplus_zip, by="sequence")
    groups = [sequences(faces) for faces in data.splits.values()]
    assert sum(map(len, groups)) == len(set.union(*groups)) == 309
    assert np.isin(data.test.subjects, data.train.subjects).mean() > 0.8
