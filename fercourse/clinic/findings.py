"""What an examination can find, which illnesses show it, and what tells a patient apart.

A chart has one finding an examination. Each illness is known by those in which it differs from a
healthy run, :data:`SIGNS`; tests hold the table to every recorded patient.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise

import numpy as np

from fercourse.clinic.examine import Chart, from_png
from fercourse.clinic.illnesses import ILLNESSES

PRICES = {
    "accuracy": 1,
    "losses": 1,
    "confusion": 1,
    "judge twice": 1,
    "batch": 2,
    "one batch by heart": 3,
    "gradients": 3,
    "strips": 3,
    "worst faces": 3,
    "where it looks": 5,
}
"""Examinations by name. What every run writes down anyway is cheap; dear is what takes passes over
many altered faces, or somebody who looks at them."""

USUAL = "usual"


@dataclass(frozen=True)
class Finding:
    """Something that an examination can show.

    Attributes:
        name: A few words.
        says: A sentence's end for a clue; it names no illness.
        shown: Whether a chart shows it.
    """

    name: str
    says: str
    shown: Callable[[Chart], bool]


def _last(chart: Chart, column: str) -> float:
    return chart.history[-1][column]


def _smooth(losses: Sequence[float]) -> bool:
    """Whether they fall, all in all and from each epoch to the next."""
    return losses[-1] < losses[0] - 0.03 and all(b < a for a, b in pairwise(losses))


def _ahead(chart: Chart) -> float:
    """By how much validation accuracy ends above training accuracy."""
    return _last(chart, "val_accuracy") - _last(chart, "train_accuracy")


def _rows(chart: Chart) -> np.ndarray:
    counts = np.array(chart.confusion)
    return counts / counts.sum(1, keepdims=True)


def _moved(chart: Chart) -> int:
    """Rows of the matrix of which most lies in one cell off the diagonal, a cell a column."""
    rows = _rows(chart)
    np.fill_diagonal(rows, 0)
    return len({int(row.argmax()) for row in rows if row.max() > 0.6})


def _right(chart: Chart) -> float:
    counts = np.array(chart.confusion)
    return np.trace(counts) / counts.sum()


def _fullest(chart: Chart) -> float:
    """Share of all answers that the commonest answer has."""
    counts = np.array(chart.confusion)
    return counts.sum(0).max() / counts.sum()


def _apart(chart: Chart) -> float:
    pairs = np.array(chart.pairs)
    return float(np.abs(pairs[:, 0] - pairs[:, 1]).max())


def _misfits(chart: Chart) -> int:
    pairs = zip(chart.batch["labels"], chart.batch["truth"], strict=True)
    return sum(label != truth for label, truth in pairs)


def _marks(chart: Chart) -> float:
    """Share of the batch's faces with a white square of three pixels near the lower edge."""
    sheet = from_png(chart.batch["picture"])
    faces = [f for row in np.split(sheet, 2) for f in np.split(row, sheet.shape[1] // 48, axis=1)]
    windows = [np.lib.stride_tricks.sliding_window_view(f[-7:] == 255, (3, 3)) for f in faces]
    return float(np.mean([w.all((2, 3)).any() for w in windows]))


def _falls(chart: Chart) -> np.ndarray:
    """What each strip costs, in accuracy."""
    return chart.strips[0] - np.array(chart.strips[1:])


def _middle(parts: dict[str, float]) -> float:
    return float(np.median(list(parts.values())))


def _twins(chart: Chart) -> int:
    return sum(apart == 0 for apart in chart.worst["apart"])


def _mislabelled(chart: Chart) -> int:
    """Of the worst training faces, those that show something else than their labels say."""
    labels = chart.worst["labels"][: len(chart.worst["truth"])]
    return sum(a != b for a, b in zip(labels, chart.worst["truth"], strict=True))


def _lowest_share(chart: Chart) -> float:
    """Of the map's falls, the share in its last two rows, those below the face."""
    looks = np.array(chart.looks).clip(0)
    return float(looks[-2:].sum() / max(looks.sum(), 1e-9))


FINDINGS: dict[str, Sequence[Finding]] = {
    "accuracy": (
        Finding(
            "not learned",
            "not even the training faces are learned",
            lambda c: _last(c, "train_accuracy") < 0.75,
        ),
        Finding(
            "validation behind",
            "training accuracy is as high as a healthy run's, and validation stays far below it",
            lambda c: _ahead(c) < -0.15,
        ),
        Finding(
            "too good",
            "validation accuracy ends higher than a healthy run's, and not below training",
            lambda c: _last(c, "val_accuracy") > 0.97,
        ),
    ),
    "losses": (
        Finding(
            "total apart",
            "the total ends hundreds of times as high as a healthy run's",
            lambda c: _last(c, "train_loss") > 20,
        ),
        Finding(
            "still falling",
            "training cross-entropy falls smoothly, epoch by epoch, and is still high at the end",
            lambda c: _smooth([e["train_ce"] for e in c.history]) and _last(c, "train_ce") > 0.6,
        ),
        Finding(
            "at ln 7",
            "training cross-entropy stands near ln 7, and the total not far above it",
            lambda c: _last(c, "train_ce") > 1.8,
        ),
        Finding(
            "validation high",
            "training cross-entropy goes down as a healthy run's does, and validation's stays many "
            "times as high",
            lambda c: _last(c, "val_loss") > max(0.3, 12 * _last(c, "train_ce")),
        ),
        Finding(
            "too good",
            "validation cross-entropy ends lower than any healthy run's",
            lambda c: _last(c, "val_loss") < 0.1,
        ),
    ),
    "confusion": (
        Finding(
            "one answer",
            "most faces get one and the same answer",
            lambda c: _fullest(c) > 0.5,
        ),
        Finding(
            "rows moved",
            "whole rows stand beside the diagonal, each in one other cell",
            lambda c: _moved(c) >= 2,
        ),
        Finding("smeared", "mistakes are spread over many cells", lambda c: _right(c) < 0.78),
        Finding("hardly any", "hardly a mistake is left", lambda c: _right(c) > 0.97),
    ),
    "judge twice": (
        Finding(
            "two answers",
            "the same weights give the same faces two different answers",
            lambda c: _apart(c) > 0.005,
        ),
    ),
    "batch": (
        Finding(
            "labels do not fit",
            "several faces show something else than their labels say",
            lambda c: _misfits(c) >= 3,
        ),
        Finding(
            "a mark",
            "there is something below the faces that does not belong there",
            lambda c: _marks(c) > 0.8,
        ),
    ),
    "one batch by heart": (
        Finding(
            "slowly",
            "sixteen faces are being learned, by steps too small to get there",
            lambda c: c.one_batch[-1] > 0.4 and max(c.one_batch) < c.one_batch[0] + 0.1,
        ),
        Finding(
            "not learned",
            "sixteen faces cannot be learned by heart in forty steps",
            lambda c: c.one_batch[-1] > 0.4,
        ),
    ),
    "gradients": (
        Finding(
            "drowned",
            "the whole loss pulls many times as hard as cross-entropy, and elsewhere",
            lambda c: max(c.drowning.values()) > 20,
        ),
        Finding(
            "long steps",
            "a single step moves the weights by a large part of themselves",
            lambda c: _middle(c.steps) > 0.01,
        ),
        Finding(
            "short steps",
            "a step hardly moves the weights at all",
            lambda c: _middle(c.steps) < 0.0003,
        ),
    ),
    "strips": (
        Finding(
            "below the face",
            "covering the lowest strip ruins it, and covering brows or mouth does not matter",
            lambda c: _falls(c).argmax() == 5 and _falls(c)[:5].max() < 0.15 < _falls(c)[5],
        ),
        Finding(
            "nothing matters",
            "whatever is covered, it is as bad as before",
            lambda c: c.strips[0] < 0.35,
        ),
    ),
    "worst faces": (
        Finding(
            "twins",
            "validation faces stand in training too, pixel by pixel",
            lambda c: _twins(c) >= 2,
        ),
        Finding(
            "labels do not fit",
            "the training faces of highest loss show something else than their labels say",
            lambda c: _mislabelled(c) >= 4,
        ),
    ),
    "where it looks": (
        Finding(
            "below the face",
            "the map is bright below the face and nowhere in it",
            lambda c: _lowest_share(c) > 0.5,
        ),
        Finding(
            "nowhere",
            "covering any place changes next to nothing",
            lambda c: np.max(c.looks) < 0.06,
        ),
    ),
}
"""By examination, in the order they are looked for; a chart that shows none is as usual there."""

HEALTHY_SAYS = {
    "accuracy": "training ends a little above validation, both high, as in a healthy run",
    "losses": "the losses are a healthy run's in size and order",
    "confusion": "few mistakes, and scattered, as in a healthy run",
    "judge twice": "judged twice, it gives the same answers",
    "batch": "faces and labels fit, and there is nothing beside the faces",
    "one batch by heart": "one batch is learned by heart as fast as in a healthy run",
    "gradients": "steps are as long as a healthy run's, and cross-entropy is heard",
    "strips": "it loses most where brows, eyes or mouth are covered",
    "worst faces": "the faces of highest loss are hard ones, rightly labelled, and none stands in "
    "training twice",
    "where it looks": "the map is bright in the face",
}

SIGNS: dict[str, dict[str, tuple[str, ...]]] = {
    "healthy": {},
    "learning rate too high": {
        "accuracy": ("not learned",),
        "losses": ("at ln 7",),
        "confusion": ("one answer",),
        "one batch by heart": ("not learned",),
        "gradients": ("long steps",),
        "strips": ("nothing matters",),
        "where it looks": ("nowhere",),
    },
    "learning rate too low": {
        "accuracy": ("not learned",),
        "losses": ("still falling", "at ln 7"),
        "confusion": ("smeared", "one answer"),
        "one batch by heart": ("slowly",),
        "gradients": ("short steps",),
        "strips": (USUAL, "nothing matters"),
        "where it looks": ("nowhere",),
    },
    "too little regularisation": {
        "accuracy": ("validation behind",),
        "losses": ("validation high",),
    },
    "shuffled labels": {
        "accuracy": ("not learned",),
        "losses": ("still falling",),
        "confusion": ("smeared",),
        "batch": ("labels do not fit",),
        "worst faces": ("labels do not fit",),
        "where it looks": (USUAL, "nowhere"),
    },
    "permuted label order": {
        "accuracy": ("validation behind",),
        "losses": ("validation high",),
        "confusion": ("rows moved",),
    },
    "left in training mode": {
        "accuracy": ("validation behind",),
        "losses": ("validation high",),
        "confusion": ("smeared",),
        "judge twice": ("two answers",),
    },
    "island loss too heavy": {
        "accuracy": ("not learned",),
        "losses": ("total apart",),
        "confusion": ("one answer",),
        "one batch by heart": ("not learned",),
        "gradients": ("drowned",),
        "strips": ("nothing matters",),
        "where it looks": ("nowhere",),
    },
    "training faces in validation": {
        "accuracy": ("too good",),
        "losses": ("too good",),
        "confusion": ("hardly any",),
        "worst faces": ("twins",),
    },
    "shortcut": {
        "accuracy": ("too good",),
        "losses": ("too good",),
        "confusion": ("hardly any",),
        "batch": ("a mark",),
        "strips": ("below the face",),
        "where it looks": ("below the face",),
    },
}
"""By illness and examination, the findings it may show; where nothing is said, it is as usual."""


def finding(examination: str, chart: Chart) -> str:
    """The name of what an examination of this chart finds."""
    return next((f.name for f in FINDINGS[examination] if f.shown(chart)), USUAL)


def says(examination: str, name: str) -> str:
    """A finding as a sentence's end."""
    told = {f.name: f.says for f in FINDINGS[examination]}
    return told.get(name, HEALTHY_SAYS[examination])


def fits(illness: str, examination: str, name: str) -> bool:
    """Whether an illness may show a finding."""
    return name in SIGNS[illness].get(examination, (USUAL,))


def against(illness: str, examination: str, chart: Chart) -> str:
    """What an examination has found that this illness does not show; empty where there is none."""
    name = finding(examination, chart)
    return "" if fits(illness, examination, name) else says(examination, name)


def fitting(chart: Chart, examinations: Iterable[str]) -> list[str]:
    """The illnesses that these examinations of a chart leave possible."""
    found = {examination: finding(examination, chart) for examination in examinations}
    return [i for i in ILLNESSES if all(fits(i, e, name) for e, name in found.items())]


def cheapest(chart: Chart) -> tuple[tuple[str, ...], int]:
    """The cheapest examinations that leave one illness possible, and what they cost together."""
    found = {examination: finding(examination, chart) for examination in PRICES}
    best: tuple[tuple[str, ...], int] = (tuple(PRICES), sum(PRICES.values()))
    for count in range(1, len(PRICES) + 1):
        for names in combinations(PRICES, count):
            cost = sum(PRICES[name] for name in names)
            if cost < best[1]:
                left = [i for i in ILLNESSES if all(fits(i, e, found[e]) for e in names)]
                best = (names, cost) if len(left) == 1 else best
    return best
