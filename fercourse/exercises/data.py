"""Lesson 01: class weights, wrong labels, near-duplicates, and splits by subject."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from fercourse.exercises.exercise import Wrong, check, close, exercise, expect_shape


@exercise(
    "Weights against imbalance",
    difficulty=1,
    minutes=6,
    hints=[
        "A class with half as many images needs twice the weight.",
        "With weights 1 / n_c every class counts the same; then scale so that the weights of all "
        "N images sum to N.",
    ],
)
def class_weights(labels: Tensor, num_classes: int) -> Tensor:
    """One weight a class, so that all classes weigh the same in a loss.

    labels: int64 (N,), every class occurs. Returns float (K,), where the sum of weight[label] over
    all N images is N, and over the images of any one class N / K.
    """
    # your turn
    counts = torch.bincount(labels, minlength=num_classes)  # (K,)
    return len(labels) / (num_classes * counts)


@check(class_weights, praise="Each class now has the same say, and the loss keeps its scale.")
def check_class_weights(attempt: Any) -> None:
    """Diagnose an attempt at :func:`class_weights`."""
    for num_classes, counts in (
        (7, (40, 4, 41, 72, 48, 32, 50)),
        (3, (5, 1, 9)),
        (4, (6, 6, 6, 6)),
    ):
        n = torch.tensor(counts).float()
        labels = torch.arange(num_classes).repeat_interleave(torch.tensor(counts))
        labels = labels[torch.randperm(len(labels))]
        out = attempt(labels, num_classes)
        if isinstance(out, Tensor) and out.shape == labels.shape != (num_classes,):
            raise Wrong("There is one weight for each image; one for each class is asked for.")
        expect_shape(out, (num_classes,), "One weight a class is asked for.")
        right = n.sum() / (num_classes * n)
        if close(out, right):
            continue
        if close(out, n / n.sum()) or close(out, n):
            raise Wrong("Frequent classes weigh most: it should be the other way round.")
        if close(out / out.sum(), right / right.sum()):
            raise Wrong(
                f"The proportions are right, the scale is not: the weights of all {len(labels)} "
                f"images sum to {out[labels].sum():.4g}, which a learning rate would notice."
            )
        share = out * n
        raise Wrong(
            f"With {counts} images, the classes' weights times their counts should be equal, and "
            f"run from {share.min():.3g} to {share.max():.3g}."
        )


@exercise(
    "Spoil some labels",
    difficulty=2,
    minutes=8,
    hints=[
        "A label drawn among all K classes is the right one again once in K times.",
        "Add to the label a number from 1 to K - 1 and take the rest modulo K.",
        "`torch.rand(N) < share` says which labels to change.",
    ],
)
def mislabel(labels: Tensor, share: float, num_classes: int) -> Tensor:
    """Labels of which each is wrong with probability ``share``, all wrong classes being alike.

    labels: int64 (N,). Returns a new int64 (N,); the labels given stay as they are.
    """
    # your turn
    shift = torch.randint(1, num_classes, labels.shape)  # 1 to K - 1: never the right class
    chosen = torch.rand(labels.shape) < share
    return torch.where(chosen, (labels + shift) % num_classes, labels)


@check(mislabel, praise="Exactly the share you asked for is wrong, and no class is preferred.")
def check_mislabel(attempt: Any) -> None:
    """Diagnose an attempt at :func:`mislabel`."""
    for num_classes, share in ((7, 0.4), (3, 0.6)):
        n = 30_000
        labels = torch.randint(num_classes, (n,))
        before = labels.clone()
        out = attempt(labels, share, num_classes)
        if not torch.equal(labels, before):
            raise Wrong("The labels that were given have changed; work on a copy.")
        expect_shape(out, (n,))
        if out.min() < 0 or out.max() >= num_classes:
            raise Wrong(f"Some labels lie outside 0 to {num_classes - 1}.")
        if out.is_floating_point():
            raise Wrong(f"Labels are whole numbers, and these are {out.dtype}.")
        wrong = out != labels
        found = wrong.float().mean().item()
        room = 5 * (share * (1 - share) / n) ** 0.5
        if abs(found - share * (1 - 1 / num_classes)) < room:
            raise Wrong(
                f"{found:.3f} of the labels are wrong, not {share}: when you draw a new class, "
                "which of the K may come?"
            )
        if abs(found - (1 - share)) < room:
            raise Wrong("The share that should be wrong is right, and the other way round.")
        if abs(found - share) > room:
            raise Wrong(f"{found:.3f} of the labels are wrong, not {share}.")
        early, late = (half.float().mean() for half in (wrong[: n // 2], wrong[n // 2 :]))
        if abs(early - late) > 2 * room:
            raise Wrong("The wrong labels stand in one part of the list: let chance choose which.")
        shift = torch.bincount((out - labels)[wrong] % num_classes, minlength=num_classes)[1:]
        if shift.max() > 1.3 * shift.min():
            raise Wrong("Some wrong classes come more often than others; all should be alike.")


@exercise(
    "Near-duplicates",
    difficulty=2,
    minutes=10,
    hints=[
        "Give every image mean 0 and length 1; what is then the dot product of two of them?",
        "`x.flatten(1)` is (N, H * W); subtract `mean(1, keepdim=True)`, then `F.normalize`.",
        "One matrix product compares all pairs.",
    ],
)
def correlations(a: Tensor, b: Tensor) -> Tensor:
    """Correlation of every image of one set with every image of another.

    a: uint8 (N, H, W), b: uint8 (M, H, W). Returns float32 (N, M) in [-1, 1].
    """
    # your turn
    rows = []
    for images in (a, b):
        x = images.flatten(1).float()  # (N, H * W)
        rows.append(F.normalize(x - x.mean(1, keepdim=True), dim=1))
    return rows[0] @ rows[1].T  # (N, M)


@check(correlations, praise="Brightness and contrast no longer matter; only the pattern does.")
def check_correlations(attempt: Any) -> None:
    """Diagnose an attempt at :func:`correlations`."""
    for n, m, side in ((5, 3, 8), (2, 6, 11)):
        a = torch.randint(40, 200, (n, side, side)).byte()
        b = torch.randint(40, 200, (m, side, side)).byte()
        b[0] = a[1] // 2 + 60  # darker and flatter, the same picture
        before = a.clone()
        out = attempt(a, b)
        if isinstance(out, Tensor) and out.shape == (m, n):
            raise Wrong(f"The shape is {(m, n)}: rows should be the images of a.")
        expect_shape(out, (n, m), "One number for each pair is asked for.")
        if not torch.equal(a, before):
            raise Wrong("The images that were given have changed; work on a copy.")
        x, y = (images.flatten(1).double() for images in (a, b))
        right = torch.from_numpy(np.corrcoef(x.numpy(), y.numpy())[:n, n:]).float()
        if close(out, right, 1e-3):
            continue
        plain = (x / x.norm(dim=1, keepdim=True)) @ (y / y.norm(dim=1, keepdim=True)).T
        if close(out, plain.float(), 1e-3):
            raise Wrong(
                "All pairs look alike, because all pixels are positive: take each image's mean "
                "out first."
            )
        centred = (x - x.mean(1, keepdim=True)) @ (y - y.mean(1, keepdim=True)).T
        if close(out / out.abs().max(), (centred / centred.abs().max()).float(), 1e-3):
            raise Wrong("The values grow with contrast: divide by each image's length.")
        x0, y0 = x - x.mean(0), y - y.mean(0)
        over = (x0 / x0.norm(dim=1, keepdim=True)) @ (y0 / y0.norm(dim=1, keepdim=True)).T
        if close(out, over.float(), 1e-3):
            raise Wrong("You took out the mean over images; each image has its own mean.")
        if out.isnan().any():
            raise Wrong("Some values are nan.")
        if close(out, right * (1 - 1 / side**2), 1e-3):
            raise Wrong(
                f"A copy gets {out[1, 0]:.3f} instead of 1: torch's std divides by one pixel less "
                "than your mean does."
            )
        if close(out / out.abs().max(), right / right.abs().max(), 1e-3):
            raise Wrong(
                f"The values are {out[1, 0] / right[1, 0]:.3g} times too large: an image has "
                f"{side * side} pixels; have you divided by their number?"
            )
        if close(out, right.abs(), 1e-3):
            raise Wrong("The signs are gone; a picture and its negative should correlate at -1.")
        all_x, all_y = x - x.mean(), y - y.mean()
        whole = F.normalize(all_x) @ F.normalize(all_y).T
        if close(out, whole.float(), 1e-3):
            raise Wrong("You took out one mean for the whole set; each image has its own.")
        i, j = divmod(int((out - right).abs().argmax()), m)
        pair = "A picture and its darker copy" if (i, j) == (1, 0) else "Two unlike pictures"
        raise Wrong(f"{pair} should correlate at {right[i, j]:.3f}, and get {out[i, j]:.3f}.")


@exercise(
    "Nobody on both sides",
    difficulty=2,
    minutes=8,
    hints=[
        "Draw people, not images.",
        "`np.unique(subjects)` lists the people, `rng.permutation` shuffles them, `np.isin` finds "
        "their images.",
    ],
)
def subject_split(subjects: np.ndarray, share: float, seed: int) -> np.ndarray:
    """Choose a test split that holds all images of a person or none.

    subjects: str (N,), who is in each image; share: of the people who go to the test split, rounded
    to the nearest whole person. Returns bool (N,), True for test; equal for equal seeds.
    """
    # your turn
    people = np.unique(subjects)
    chosen = np.random.default_rng(seed).permutation(people)[: round(share * len(people))]
    return np.isin(subjects, chosen)


@check(subject_split, praise="A model tested on this split has seen nobody in it before.")
def check_subject_split(attempt: Any) -> None:
    """Diagnose an attempt at :func:`subject_split`."""
    rng = np.random.default_rng(0)
    for people, share in ((20, 0.25), (31, 0.3), (11, 0.25)):
        each = rng.integers(1, 12, people)
        subjects = np.repeat([f"S{k:03}" for k in range(people)], each)
        subjects = rng.permutation(subjects)
        out = np.asarray(attempt(subjects, share, 0))
        if out.shape != subjects.shape:
            raise Wrong(
                f"The shape is {out.shape}; one truth value an image, {subjects.shape}, "
                "is asked for."
            )
        if out.dtype != bool:
            raise Wrong(f"Truth values are asked for, and these are {out.dtype}.")
        both = set(subjects[out]) & set(subjects[~out])
        if both:
            raise Wrong(
                f"{len(both)} of {people} people are on both sides, {min(both)} for one: did you "
                "draw images instead of people?"
            )
        tested, wanted = len(set(subjects[out])), round(share * people)
        if tested == people - wanted:
            raise Wrong("True should mark the test split, and it marks the training split.")
        if tested < wanted - 1:
            raise Wrong(
                f"Only {tested} of {people} people are in the test split, not {wanted}: can one "
                "person be drawn twice?"
            )
        if tested != wanted:
            raise Wrong(f"{tested} of {people} people are in the test split, not {wanted}.")
        for seed in range(1, 6):
            few = len(set(subjects[np.asarray(attempt(subjects, share, seed))]))
            if few != wanted:
                raise Wrong(
                    f"Seed {seed} puts {few} of {people} people into the test split, not {wanted}: "
                    "can one person be drawn twice?"
                )
        if not np.array_equal(out, np.asarray(attempt(subjects, share, 0))):
            raise Wrong("The same seed gives another split each time: where does chance come from?")
        others = [np.asarray(attempt(subjects, share, seed)) for seed in range(1, 6)]
        if all(np.array_equal(out, other) for other in others):
            raise Wrong("Every seed gives the same split: people are taken in a fixed order.")
