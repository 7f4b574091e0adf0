import numpy as np
import pytest
import torch
from torch.nn import functional as F

from fercourse.exercises import data


def verdict_of(name, attempt):
    return getattr(data, f"check_{name}")(attempt)


def weights_by_sklearn(labels, num_classes):
    from sklearn.utils.class_weight import compute_class_weight

    found = compute_class_weight("balanced", classes=np.arange(num_classes), y=labels.numpy())
    return torch.from_numpy(found)


def weights_by_loop(labels, num_classes):
    n = [(labels == k).sum().item() for k in range(num_classes)]
    return torch.tensor([sum(n) / num_classes / k for k in n])


def spoil_by_offset(labels, share, num_classes):
    out = labels.clone()
    at = torch.randperm(len(labels))[: round(share * len(labels))]
    other = torch.randint(num_classes - 1, (len(at),))
    out[at] = other + (other >= labels[at])
    return out


def spoil_by_bernoulli(labels, share, num_classes):
    chosen = torch.bernoulli(torch.full(labels.shape, share)).long()
    return (labels + chosen * torch.randint(1, num_classes, labels.shape)) % num_classes


def correlations_by_numpy(a, b):
    x, y = a.flatten(1).numpy(), b.flatten(1).numpy()
    return torch.from_numpy(np.corrcoef(x, y)[: len(a), len(a) :]).float()


def correlations_by_deviation(a, b):
    x, y = (v.flatten(1).double() for v in (a, b))
    x, y = ((v - v.mean(1, keepdim=True)) / v.std(1, keepdim=True) for v in (x, y))
    return (x @ y.T / (x.shape[1] - 1)).float()


def split_by_shuffle(subjects, share, seed):
    people = sorted(set(subjects))
    np.random.default_rng(seed).shuffle(people)
    test = set(people[: round(share * len(people))])
    return np.array([s in test for s in subjects])


def split_by_sklearn(subjects, share, seed):
    from sklearn.model_selection import GroupShuffleSplit

    count = round(share * len(set(subjects)))
    _, test = next(
        GroupShuffleSplit(1, test_size=count, random_state=seed).split(subjects, groups=subjects)
    )
    mask = np.zeros(len(subjects), dtype=bool)
    mask[test] = True
    return mask


RIGHT = {
    "class_weights": [data.class_weights, weights_by_sklearn, weights_by_loop],
    "mislabel": [data.mislabel, spoil_by_offset, spoil_by_bernoulli],
    "correlations": [data.correlations, correlations_by_numpy, correlations_by_deviation],
    "subject_split": [data.subject_split, split_by_shuffle, split_by_sklearn],
}


@pytest.mark.parametrize(("name", "attempt"), [(n, a) for n, all_ in RIGHT.items() for a in all_])
def test_right_attempts_pass(name, attempt):
    verdict = verdict_of(name, attempt)
    assert verdict, verdict


def counts(labels, k):
    return torch.bincount(labels, minlength=k).float()


def spoil_in_place(labels, share, num_classes):
    labels[:3] = (labels[:3] + 1) % num_classes
    return labels


def spoil_among_all(labels, share, num_classes):
    drawn = torch.randint(num_classes, labels.shape)
    return torch.where(torch.rand(labels.shape) < share, drawn, labels)


def spoil_to_next(labels, share, num_classes):
    return torch.where(torch.rand(labels.shape) < share, (labels + 1) % num_classes, labels)


def spoil_too_many(labels, share, num_classes):
    return spoil_by_bernoulli(labels, 1 - share, num_classes)


def cosine(a, b):
    return F.normalize(a.flatten(1).float()) @ F.normalize(b.flatten(1).float()).T


def centred_only(a, b):
    x, y = (v.flatten(1).float() for v in (a, b))
    return (x - x.mean(1, keepdim=True)) @ (y - y.mean(1, keepdim=True)).T


def over_images(a, b):
    x, y = (v.flatten(1).float() for v in (a, b))
    return F.normalize(x - x.mean(0)) @ F.normalize(y - y.mean(0)).T


def images_at_random(subjects, share, seed):
    return np.random.default_rng(seed).random(len(subjects)) < share


def first_people(subjects, share, seed):
    people = np.unique(subjects)
    return np.isin(subjects, people[: round(share * len(people))])


def no_seed(subjects, share, seed):
    return split_by_shuffle(subjects, share, None)


def not_per_pixel(a, b):
    x, y = (v.flatten(1).float() for v in (a, b))
    x, y = ((v - v.mean(1, keepdim=True)) / v.std(1, keepdim=True) for v in (x, y))
    return x @ y.T


def two_divisors(a, b):
    return not_per_pixel(a, b) / a[0].numel()


def mean_of_the_set(a, b):
    x, y = (v.flatten(1).float() for v in (a, b))
    return F.normalize(x - x.mean()) @ F.normalize(y - y.mean()).T


def drawn_twice(subjects, share, seed):
    people = np.unique(subjects)
    rng = np.random.default_rng(seed)
    return np.isin(subjects, rng.choice(people[:4], round(share * len(people))))


def with_replacement(subjects, share, seed):
    people = np.unique(subjects)
    return np.isin(subjects, np.random.default_rng(seed).choice(people, round(share * len(people))))


def rounded_down(subjects, share, seed):
    people = np.random.default_rng(seed).permutation(np.unique(subjects))
    return np.isin(subjects, people[: int(share * len(people))])


def spoil_the_first(labels, share, num_classes):
    out, n = labels.clone(), round(share * len(labels))
    out[:n] = (out[:n] + torch.randint(1, num_classes, (n,))) % num_classes
    return out


WRONG = [
    ("class_weights", lambda y, k: counts(y, k) / len(y), "other way round"),
    ("class_weights", lambda y, k: 1 / counts(y, k), "scale"),
    ("class_weights", lambda y, k: data.class_weights(y, k)[y], "each image"),
    ("class_weights", lambda y, k: torch.ones(k), "should be equal"),
    ("class_weights", lambda y, k: [1.0] * k, "tensor"),
    ("mislabel", spoil_among_all, "which of the K"),
    ("mislabel", spoil_too_many, "other way round"),
    ("mislabel", spoil_in_place, "copy"),
    ("mislabel", spoil_the_first, "one part of the list"),
    ("mislabel", spoil_to_next, "more often"),
    ("mislabel", lambda y, s, k: y + 1, "outside"),
    ("mislabel", lambda y, s, k: y.clone(), "are wrong, not"),
    ("mislabel", lambda y, s, k: data.mislabel(y, s, k).float(), "whole numbers"),
    ("correlations", cosine, "mean"),
    ("correlations", centred_only, "contrast"),
    ("correlations", over_images, "mean over images"),
    ("correlations", lambda a, b: data.correlations(b, a), "rows"),
    ("correlations", lambda a, b: torch.zeros(len(a), len(b)), "darker copy"),
    ("correlations", not_per_pixel, "number"),
    ("correlations", two_divisors, "one pixel less"),
    ("correlations", lambda a, b: data.correlations(a, b).abs(), "signs"),
    ("correlations", lambda a, b: data.correlations(a, b).clamp(min=0), "unlike pictures"),
    ("correlations", mean_of_the_set, "whole set"),
    ("subject_split", drawn_twice, "drawn twice"),
    ("subject_split", with_replacement, "drawn twice"),
    ("subject_split", rounded_down, "2 of 11 people"),
    ("subject_split", images_at_random, "both sides"),
    ("subject_split", first_people, "fixed order"),
    ("subject_split", no_seed, "same seed"),
    ("subject_split", lambda s, p, k: ~data.subject_split(s, p, k), "training split"),
    ("subject_split", lambda s, p, k: data.subject_split(s, 0.2, k), "of 20 people"),
    ("subject_split", lambda s, p, k: np.flatnonzero(data.subject_split(s, p, k)), "shape"),
    ("subject_split", lambda s, p, k: data.subject_split(s, p, k).astype(int), "Truth values"),
]


@pytest.mark.parametrize(("name", "attempt", "word"), WRONG)
def test_wrong_attempts_get_their_diagnosis(name, attempt, word):
    verdict = verdict_of(name, attempt)
    assert not verdict
    assert word in verdict.message, verdict
