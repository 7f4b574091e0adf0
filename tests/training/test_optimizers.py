"""Lion and Muon: the steps of their papers, and a network that learns by them."""

import pytest
import torch
from made_faces import bar_dataset
from torch.optim import SGD

from fercourse import preset, train
from fercourse.training.lion import Lion
from fercourse.training.muon import Muon, orthogonal

pytestmark = pytest.mark.numeric


def test_lion_takes_the_sign_of_gradient_and_momentum():
    p = torch.nn.Parameter(torch.tensor([1.0, -2.0, 3.0]))
    optimizer = Lion([p], lr=0.1, weight_decay=0.5, betas=(0.9, 0.99))
    first, second = torch.tensor([2.0, -4.0, 0.0]), torch.tensor([-0.1, 1.0, 5.0])
    p.grad = first.clone()
    optimizer.step()
    after = torch.tensor([1.0, -2.0, 3.0]) * 0.95 - 0.1 * first.sign()
    torch.testing.assert_close(p.data, after)
    p.grad = second.clone()
    optimizer.step()
    momentum = 0.01 * first
    torch.testing.assert_close(p.data, after * 0.95 - 0.1 * (0.9 * momentum + 0.1 * second).sign())


@pytest.mark.parametrize("shape", [(8, 40), (40, 8), (16, 16)])
def test_muon_makes_singular_values_near_one(shape):
    torch.manual_seed(0)
    matrix = torch.randn(shape) * torch.logspace(0, -1, shape[1])
    made = orthogonal(matrix)
    assert made.shape == shape
    values = torch.linalg.svdvals(made)
    assert values.min() > 0.3
    assert values.max() < 1.3
    # The same singular vectors: made^T matrix is symmetric and has no negative eigenvalue.
    product = made.T @ matrix
    torch.testing.assert_close(product, product.T, atol=1e-3, rtol=1e-3)
    assert torch.linalg.eigvalsh((product + product.T) / 2).min() > -1e-3


def test_muons_step_is_as_long_whatever_the_gradients_length():
    torch.manual_seed(0)
    gradient = torch.randn(8, 4, 3, 3)
    steps = []
    for factor in (1e-3, 1e3):
        p = torch.nn.Parameter(torch.zeros(8, 4, 3, 3))
        p.grad = factor * gradient
        Muon([p], lr=0.5, momentum=0.9, precise=True).step()
        steps.append(p.data)
    torch.testing.assert_close(steps[0], steps[1], atol=1e-3, rtol=1e-2)
    assert steps[0].norm() == pytest.approx(0.5 * 8**0.5, rel=0.3)


def test_muons_step_in_bfloat16_goes_the_same_way(monkeypatch):
    monkeypatch.setattr("fercourse.training.muon.native_bf16", lambda device: True)
    torch.manual_seed(0)
    gradient = torch.randn(32, 16, 3, 3) * torch.logspace(0, -2, 3)
    steps = []
    for precise in (True, False):
        p = torch.nn.Parameter(torch.zeros_like(gradient))
        p.grad = gradient.clone()
        Muon([p], lr=0.1, precise=precise).step()
        assert p.dtype == torch.float32
        steps.append(p.data)
    assert not torch.equal(steps[0], steps[1])
    assert (steps[0] - steps[1]).norm() < 0.1 * steps[0].norm()


def test_muon_moves_vectors_as_nesterov_does():
    ours, theirs = (torch.nn.Parameter(torch.ones(5)) for _ in range(2))
    muon = Muon([ours], lr=0.1, momentum=0.9)
    sgd = SGD([theirs], lr=0.1, momentum=0.9, nesterov=True)
    torch.manual_seed(0)
    for _ in range(4):
        ours.grad = torch.randn(5)
        theirs.grad = ours.grad.clone()
        muon.step()
        sgd.step()
    torch.testing.assert_close(ours, theirs)


@pytest.mark.parametrize(("optimizer", "lr", "decay"), [("lion", 1e-3, 0.1), ("muon", 0.02, 0.01)])
def test_a_network_learns_by_them(optimizer, lr, decay):
    run = preset(
        "smoke",
        1,
        **{
            "model.width": 0.125,
            "data.size": 32,
            "train.epochs": 5,
            "train.batch_size": 16,
            "train.precision": "float32",
            "train.optimizer": optimizer,
            "train.lr": lr,
            "train.weight_decay": decay,
        },
    )
    fit = train(run, bar_dataset(160), device="cpu", progress=False)
    assert fit.val_accuracy > 0.5, "chance is 0.14"
