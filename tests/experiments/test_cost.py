"""Costs: counted against arithmetic of our own, and sentences that follow from the numbers."""

import pandas as pd
import pytest
import torch
from torch import nn

from fercourse.config import ModelConfig
from fercourse.errors import FercourseError
from fercourse.experiments.cost import costs, verdict
from fercourse.models.fernet import FERNet

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def frame():
    return costs((1, 4), 0.125, 32, CPU, batch=4, seconds=0.02)


def by_hand(model, size):
    """Two operations a multiplication: convolutions by the shapes they meet, then the head."""
    net, total = FERNet(ModelConfig.table1(model, width=0.125)).eval(), 0

    def count(layer, inputs, output):
        nonlocal total
        per_output = layer.weight[0].numel()  # in_channels / groups x k x k, or in_features
        total += 2 * per_output * output.numel()

    for layer in net.modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            layer.register_forward_hook(count)
    with torch.no_grad():
        net(torch.rand(1, 1, size, size))
    return total


@pytest.mark.parametrize("model", [1, 4])
def test_operations_are_those_of_convolutions_and_matrices(frame, model):
    line = frame[frame.model == model].iloc[0]
    # whole numbers; by hand, what is no convolution and no matrix is left out
    assert line.flops == pytest.approx(by_hand(model, 32), rel=1e-3)


def test_parameters_and_speeds(frame):
    assert list(frame.model) == [1, 4]
    counts = [
        sum(p.numel() for p in FERNet(ModelConfig.table1(m, width=0.125)).parameters())
        for m in (1, 4)
    ]
    assert list(frame.parameters) == counts
    assert (frame[["train", "predict"]] > 0).all(axis=None)
    assert (frame[["train_spread", "predict_spread"]] >= 0).all(axis=None)
    assert frame.attrs["device"].startswith("cpu")


def made(flops, speed, spread=0.01):
    return pd.DataFrame(
        {
            "model": [3, 4, 5],
            "parameters": [10, 11, 12],
            "flops": flops,
            "train": speed,
            "train_spread": spread,
            "predict": speed,
            "predict_spread": spread,
        }
    )


def test_the_verdict_follows_the_numbers():
    against = verdict(made([100, 120, 130], [50, 40, 30]))
    assert "refuted" in against[0]
    assert "+20.0%" in against[0]
    assert all("refuted" in s and "-25.0%" in s for s in against[1:])
    assert all("confirmed" in s for s in verdict(made([100, 90, 80], [50, 60, 70])))


def test_a_difference_within_the_spread_decides_nothing():
    assert all("undecided" in s for s in verdict(made([100, 90, 80], [50, 60, 63], 0.03))[1:])


def test_no_verdict_without_the_models(frame):
    assert verdict(frame) == []


@pytest.mark.parametrize("wrong", [{"size": 31}, {"batch": 1}, {"seconds": 0}, {"models": ()}])
def test_bad_arguments_are_named(wrong):
    with pytest.raises(FercourseError, match="Costs need"):
        costs(**({"models": (1,), "device": CPU} | wrong))
