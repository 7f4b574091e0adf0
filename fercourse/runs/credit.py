"""What each component is worth, where every possible combination of them was run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import permutations

from fercourse.config import COMPONENTS
from fercourse.runs.row import Row

Worths = dict[frozenset[str], float]
"""Accuracy of each combination of components."""


POSSIBLE = 24
"""Of the 32 combinations, those with the decoder wherever reverse attention is."""


def worths(rows: Iterable[Row], metric: str = "test_accuracy") -> dict[int, Worths]:
    """Accuracy of all combinations, by seed; seeds that lack one are left out.

    Args:
        rows: Of the plan "combinations", one recipe.
        metric: A field that holds a fraction.
    """
    found: dict[int, Worths] = {}
    for row in rows:
        on = frozenset(name for name in COMPONENTS if getattr(row.run.model, name))
        found.setdefault(row.seed, {})[on] = row.value(metric)
    return {seed: worth for seed, worth in sorted(found.items()) if len(worth) == POSSIBLE}


def shapley(worth: Mapping[frozenset[str], float], parts: Sequence[str]) -> dict[str, float]:
    """Each part's gain, averaged over all orders in which the parts can be added (Shapley 1953).

    Where a part needs another, as reverse attention the decoder, only orders count all of whose
    steps have a worth. The credits sum to what all parts together gain.

    Args:
        worth: Accuracy of every possible subset of the parts, the empty one included.
        parts: Their names.
    """
    orders = [
        order
        for order in permutations(parts)
        if all(frozenset(order[:k]) in worth for k in range(len(parts) + 1))
    ]
    total = dict.fromkeys(parts, 0.0)
    for order in orders:
        for k, part in enumerate(order):
            total[part] += worth[frozenset(order[: k + 1])] - worth[frozenset(order[:k])]
    return {part: gain / len(orders) for part, gain in total.items()}
