"""Stubs come from solutions, and a check answers every kind of attempt in a sentence."""

import pytest
import torch
from torch import Tensor

from fercourse.exercises.exercise import (
    Verdict,
    Wrong,
    check,
    close,
    exercise,
    expect_shape,
    several,
)


@exercise("Squeeze", difficulty=1, minutes=5, hints=["Which axes are places?"])
def squeeze(x: Tensor) -> Tensor:
    """(B, C, H, W) -> (B, C)."""
    count = x.shape[2] * x.shape[3]
    # your turn
    return x.sum(dim=(2, 3)) / count


@check(squeeze, praise="Places are averaged away.")
def check_squeeze(attempt):
    """The check."""
    x = torch.rand(2, 3, 4, 5)
    out = attempt(x)
    expect_shape(out, (2, 3), "Which axes are places?")
    if close(out, x.amax(dim=(2, 3))):
        raise Wrong("That is the maximum.")


def test_the_stub_is_the_solution_without_its_body():
    made = squeeze.exercise.stub()
    assert made.splitlines()[-2:] == [
        "    count = x.shape[2] * x.shape[3]",
        '    raise NotImplementedError("your turn")',
    ]
    assert made.startswith("def squeeze(x: Tensor)")
    assert "your turn" not in squeeze.exercise.source()
    assert "return x.sum" in squeeze.exercise.source()
    space = {"Tensor": Tensor}
    exec(made, space)
    verdict = check_squeeze(space["squeeze"])
    assert not verdict
    assert "your turn" in verdict.message


def test_a_long_verdict_is_folded_between_words():
    said = repr(Verdict(False, "the cross-entropy " * 20))
    assert max(map(len, said.splitlines())) <= 100
    assert said.split() == ["✗", *["the", "cross-entropy"] * 20]


def test_verdicts():
    assert repr(check_squeeze(squeeze)) == "✓ Places are averaged away."
    assert repr(check_squeeze(lambda x: x.amax((2, 3)))) == "✗ That is the maximum."
    message = check_squeeze(lambda x: x.mean(1)).message
    assert message == "The shape is (2, 4, 5) where (2, 3) is needed. Which axes are places?"
    assert "`return` missing" in check_squeeze(lambda x: None).message

    @check(squeeze)
    def check_by_arithmetic(attempt):
        attempt(torch.rand(2, 3, 4, 5)) + 1

    assert "`return` missing" in check_by_arithmetic(lambda x: None).message
    assert "line 1" in check_by_arithmetic(lambda x: None + 1).message  # its own fault, not ours

    def broken(x):
        y = x + 1
        return y @ torch.rand(9, 9)

    assert check_squeeze(broken).message.startswith(
        "broken stopped in its line 3 with RuntimeError"
    )
    assert "TypeError" in check_squeeze(42).message


def test_a_check_leaves_random_numbers_alone():
    torch.manual_seed(1)
    expected = torch.rand(3)
    torch.manual_seed(1)
    check_squeeze(squeeze)
    assert torch.equal(torch.rand(3), expected)


def test_several_takes_any_row_of_numbers():
    for row in ((1, 2.5), [1, 2.5], torch.tensor([1, 2.5]), (torch.ones(()), 2.5)):
        assert several(row, 2, "Two numbers.") == [1.0, 2.5]
    for row in (1, None, (1,), (1, 2, 3), ("a", "b"), {"a": 1, "b": 2}, torch.rand(2, 2)):
        with pytest.raises(Wrong, match="Two numbers"):
            several(row, 2, "Two numbers.")


def test_close_asks_for_the_same_shape():
    assert close(torch.ones(2), torch.ones(2) + 1e-6)
    assert not close(torch.ones(2), torch.ones(2, 1))
    with pytest.raises(Wrong, match="A tensor is asked for"):
        expect_shape([1, 2], (2,))
