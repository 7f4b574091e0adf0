"""Measuring methods that do not learn their features: no epochs, no resuming, minutes at most."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from tqdm.auto import tqdm

from fercourse.config import preset as recipe
from fercourse.datasets.data_config import DataConfig
from fercourse.datasets.faces import FaceDataset
from fercourse.datasets.registry import known
from fercourse.errors import FercourseError
from fercourse.evaluation.predict import tally
from fercourse.experiments.job import load_once
from fercourse.experiments.runner import cores
from fercourse.runs.ledger import Ledger
from fercourse.runs.measured import counted, provenance
from fercourse.runs.shallow_row import ShallowRow, shallow_key
from fercourse.shallow import CLASSICS, METHODS, STRENGTHS, Method, fit
from fercourse.shallow.method import known as method_named


@dataclass(frozen=True)
class PlannedShallow:
    """A run of a method.

    Attributes:
        method: Which.
        data: On what.
        seed: Of what is left to chance.
    """

    method: Method
    data: DataConfig
    seed: int

    @property
    def plan(self) -> str:
        """The lesson it belongs to: "classics", or "table2" for a rival."""
        return "classics" if self.method.name in CLASSICS else "table2"

    @property
    def settings(self) -> dict[str, object]:
        """What decides its result besides data and seed."""
        return {
            "features": str(self.method.features),
            "classifier": self.method.classifier,
            "strengths": list(STRENGTHS[self.method.classifier]),
        }

    @property
    def key(self) -> str:
        """Of its row."""
        return shallow_key(self.method.name, self.data, self.settings, self.seed)


def shallow_plan(
    dataset: str = "fer2013",
    methods: Sequence[str] = tuple(METHODS),
    seeds: int = 1,
    folds: int = 10,
) -> list[PlannedShallow]:
    """Runs of methods on a data set; on CK+ one a fold, people apart.

    Args:
        dataset: "fer2013", "ckplus" or "synthetic", whose faces are the preset "smoke"'s.
        methods: Of :data:`fercourse.shallow.METHODS`.
        seeds: How many, from 0; a method without chance is run with seed 0 alone, but on CK+ each
            seed cuts folds anew.
        folds: Of CK+.

    Raises:
        FercourseError: There is no such method.
    """
    chosen = [method_named(name) for name in methods]
    data = recipe("smoke").data if known(dataset).drawn else DataConfig(dataset)
    runs = []
    for seed in range(seeds):
        for method in chosen:
            if known(dataset).folded:
                cuts = [DataConfig(dataset, seed=seed, fold=k, folds=folds) for k in range(folds)]
                runs += [PlannedShallow(method, cut, seed) for cut in cuts]
            elif method.draws or seed == 0:
                runs.append(PlannedShallow(method, data, seed))
    return runs


def measure_shallow(planned: PlannedShallow, data: FaceDataset) -> ShallowRow:
    """Train, choose on the validation split, and judge the test split once.

    Raises:
        FercourseError: The faces lack what the method needs: stills have no motion.
    """
    fitted = fit(planned.method, data.train, data.val, planned.seed)
    started = time.perf_counter()
    p = fitted.probabilities(data.test)
    seconds = time.perf_counter() - started
    record = known(data.name)
    judged = tally(p, data.test, data.train if record.leaks else None)
    splits = {name: len(faces) for name, faces in data.splits.items()}
    if record.leaks:
        splits["test_clean"] = len(data.test) - judged.leaked
    return ShallowRow(
        key=planned.key,
        plan=planned.plan,
        dataset=data.name,
        variant=planned.method.name,
        label="smoke" if record.drawn else "cpu",
        seed=planned.seed,
        method=planned.method.name,
        data_config=asdict(planned.data),
        settings=planned.settings,
        strength=fitted.strength,
        dimensions=fitted.dimensions,
        parameters=fitted.parameters,
        fingerprint=data.fingerprint,
        splits=splits,
        selection=f"strength of the highest accuracy on {planned.data.split_names[1]}",
        val_accuracy=fitted.val_accuracy,
        test_accuracy_clean=judged.accuracy_clean,
        **counted(judged.confusion.tolist()),
        seconds=round(fitted.seconds_features + fitted.seconds_fit, 1),
        seconds_features=round(fitted.seconds_features, 1),
        faces_per_second=None if planned.seed else round(len(data.test) / seconds, 1),
        device=f"cpu x {cores()}",
        **provenance(),
    )


def run_shallow(
    plan: Sequence[PlannedShallow],
    ledger: Ledger,
    source: str | Path | None = None,
    progress: bool = True,
) -> tuple[int, dict[str, str]]:
    """Measure what the ledger lacks of a plan, and record each run as it ends.

    Returns:
        How many runs were recorded, and by method why it cannot be run on these faces.
    """
    done = {(row.key, row.faces) for row in ledger.shallow()}
    recorded, undefined = 0, {}
    for planned in tqdm(plan, "methods", unit="run", disable=not progress):
        if planned.method.name in undefined:
            continue
        data = load_once(planned.data, None if source is None else str(source))
        if (planned.key, data.fingerprint) in done:
            continue
        try:
            recorded += ledger.append(measure_shallow(planned, data))
        except FercourseError as error:
            undefined[planned.method.name] = str(error)
    return recorded, undefined
