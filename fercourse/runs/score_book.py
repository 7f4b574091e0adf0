"""The score book: one JSON line for each map of each model, beside the ledger of runs.

A ledger's row is about a training run; a score is about a map of one set of weights. So scores
have a file of their own, ``results/scores.jsonl``, whose rows name the run by its key.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from torch import nn

from fercourse.datasets.drawings import present
from fercourse.errors import FercourseError
from fercourse.runs.book import Book

KINDS = ("map", "cam", "baseline", "sanity", "faithful", "gate")


@dataclass(frozen=True, kw_only=True)
class ScoreRow:
    """What was measured of one map of one model.

    Attributes:
        weights: First twelve hex digits of the SHA-256 of all weights; "" for a baseline.
        run: Key of the training run, config hash and seed, "0123456789ab-0".
        variant: "model6", as in the ledger.
        kind: "map" (the model's own), "cam", "baseline" (knows no face), "gate" (a channel
            statistic of GCCA), "sanity" or "faithful" (real or built-in faces, without masks).
        name: Of the map, such as "global", or of the method, such as "gradcam".
        layer: For a cam, where it was made.
        fingerprint: Of the faces' data set.
        split: Of the data set.
        n: Faces.
        seed: Of the bootstrap.
        scores: By metric, by expression ("all", "angry", ...) or step: value, low and high end of
            the 95 % interval, and how many faces it is over.
        spread: mean, within, between, entropy, correlation of the raw map; see
            :func:`fercourse.explain.map_statistics`.
        commit: Revision of the code, and whether it was changed since.
        versions: Of python, torch, torchvision, fercourse.
        note: Anything a reader should know.
    """

    variant: str
    kind: str
    name: str
    fingerprint: str
    split: str
    n: int
    scores: dict[str, dict[str, list[float]]]
    weights: str = ""
    run: str = ""
    seed: int = 0
    layer: str = ""
    spread: dict[str, float] | None = None
    commit: dict[str, Any] | None = None
    versions: dict[str, str] = field(default_factory=dict)
    note: str = ""
    schema: int = 1

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise FercourseError(f"kind {self.kind!r} is not one of {', '.join(KINDS)}.")
        for metric, groups in self.scores.items():
            for group, found in groups.items():
                if len(found) != 4 or not found[1] - 1e-4 <= found[0] <= found[2] + 1e-4:
                    raise FercourseError(
                        f"{self.name}, {metric}, {group}: {found} is not a value inside its "
                        "interval and a count."
                    )

    @property
    def identity(self) -> tuple[Any, ...]:
        """What the book holds once."""
        return (
            self.weights,
            self.run,
            self.kind,
            self.name,
            self.layer,
            self.faces,
            self.split,
            self.n,
            self.seed,
        )

    @property
    def faces(self) -> str:
        """The fingerprint of the faces as they are drawn now."""
        return present(self.fingerprint)

    @property
    def model(self) -> str:
        """The variant's number where it is a row of Table 1: "6" of "model6"."""
        return self.variant.removeprefix("model")

    def value(self, metric: str, group: str = "all") -> float:
        """One mean."""
        return self.scores[metric][group][0]


class ScoreBook(Book[ScoreRow]):
    """Score rows in a file of JSON lines, by default ``scores.jsonl`` beside the ledger."""

    kind, name = ScoreRow, "scores.jsonl"


def highest_baseline(
    rows: Iterable[ScoreRow], metric: str, group: str = "all"
) -> tuple[str, float]:
    """What a map must lie above to say anything of what was learnt: name, and where it reaches.

    It is the upper end of the best baseline's interval, blind or seeing; of untrained networks, the
    best of their initialisations.

    Raises:
        FercourseError: No row is a baseline's.
    """
    ends = {r.name: r.scores[metric][group][2] for r in rows if r.kind == "baseline"}
    if not ends:
        raise FercourseError("no row is a baseline's: measure a model first.")
    name = max(ends, key=lambda n: ends[n])
    return name, ends[name]


def weights_digest(model: nn.Module) -> str:
    """Twelve hex digits that name a model's weights, whatever file they lie in."""
    digest = hashlib.sha256()
    for name, tensor in sorted(model.state_dict().items()):
        digest.update(name.encode())
        digest.update(tensor.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()[:12]
