"""Credits by arithmetic, and only from seeds with every combination."""

from itertools import product

import pytest
from made_rows import made_row

from fercourse.config import COMPONENTS
from fercourse.runs.credit import shapley, worths


def test_two_parts_that_repair_one_fault_share_the_gain() -> None:
    """Worth 3 points each alone and 4 together: 2 points each."""
    worth = {frozenset(s): v for s, v in (("", 66), ("a", 69), ("b", 69), ("ab", 70))}
    assert shapley(worth, ["a", "b"]) == {"a": 2, "b": 2}


def test_a_part_that_needs_another_comes_after_it() -> None:
    """Without {r}: orders are d r g, d g r and g d r."""
    names = ("", "d", "g", "dr", "dg", "drg")
    worth = dict(zip(map(frozenset, names), (0.0, 1.0, 2.0, 5.0, 4.0, 9.0), strict=True))
    found = shapley(worth, ["d", "r", "g"])
    assert found["d"] == pytest.approx((1 + 1 + 2) / 3)
    assert found["r"] == pytest.approx((4 + 5 + 5) / 3)
    assert found["g"] == pytest.approx((4 + 3 + 2) / 3)
    assert sum(found.values()) == pytest.approx(9)


def combinations(seed: int):
    for on in product((False, True), repeat=5):
        switches = dict(zip(COMPONENTS, on, strict=True))
        if switches["decoder"] or not switches["reverse"]:
            changes = {f"model.{name}": value for name, value in switches.items()}
            yield made_row(6, seed=seed, accuracy=0.6 + 0.01 * sum(on), **changes)


def test_seeds_that_lack_a_combination_are_left_out() -> None:
    whole, broken = list(combinations(0)), list(combinations(1))[1:]
    assert len(whole) == 24
    found = worths([*whole, *broken])
    assert list(found) == [0]
    credits = shapley(found[0], COMPONENTS)
    assert credits["gcca"] == pytest.approx(0.01, abs=2e-4)
    assert worths(broken) == {}
