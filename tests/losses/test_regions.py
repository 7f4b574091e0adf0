"""Map supervision: what it asks for, what it ignores, and that it is PraNet's loss."""

import torch
from tolerances import SUM, about

from fercourse.losses import IGNORED, map_loss, region_loss
from fercourse.losses.regions import _window


def square(n: int = 2, side: int = 48) -> torch.Tensor:
    masks = torch.zeros(n, side, side, dtype=torch.uint8)
    masks[:, 12:30, 20:40] = 1
    return masks


def test_the_right_map_costs_next_to_nothing_and_the_wrong_one_most():
    masks = square()
    right = (masks[:, None].float() - 0.5) * 40
    costs = [region_loss(s * right, masks).mean().item() for s in (1, 0, -1)]
    assert costs[0] < 0.01
    assert costs[0] < costs[1] < costs[2]


def test_it_is_pranets_formula():
    """The sums of the paper's eq. 6, pixel by pixel."""
    torch.manual_seed(0)
    masks, logits = square(1), torch.randn(1, 1, 48, 48)
    k = _window(48) // 2
    entropy = overlap = either = total = 0.0
    for y in range(48):
        for x in range(48):
            near = masks[0, max(0, y - k) : y + k + 1, max(0, x - k) : x + k + 1].float().sum()
            g, p = float(masks[0, y, x]), logits[0, 0, y, x].sigmoid().item()
            w = 1 + 5 * abs(near.item() / (2 * k + 1) ** 2 - g)
            total += w
            entropy -= w * (g * torch.tensor(p).log() + (1 - g) * torch.tensor(1 - p).log()).item()
            overlap += w * g * p
            either += w * (g + p)
    expected = entropy / total + 1 - (overlap + 1) / (either - overlap + 1)
    assert region_loss(logits, masks).item() == about(expected, **SUM)


def test_the_window_is_odd_and_in_proportion_to_pranets():
    assert _window(352) == 31
    assert _window(48) == 5
    assert all(_window(side) % 2 for side in range(32, 400))


def test_what_nobody_knows_costs_nothing_and_teaches_nothing():
    masks = square(3)
    masks[1] = IGNORED
    logits = torch.randn(3, 1, 12, 12, requires_grad=True)
    losses = region_loss(logits, masks)
    assert losses[1].item() == 0
    losses.sum().backward()
    assert logits.grad is not None
    assert not logits.grad[1].any()
    assert logits.grad[0].any()


def test_every_map_a_model_has_is_held_to_the_mask():
    masks = square()
    one = {"global": torch.zeros(2, 1, 12, 12), "gcca1": torch.zeros(2, 8)}
    more = one | {f"refined{i}": torch.zeros(2, 1, i, i) for i in (3, 4, 5)}
    assert map_loss(more, masks).item() == about(4 * map_loss(one, masks).item(), **SUM)


def test_a_face_without_an_acting_unit_asks_for_an_empty_map():
    nothing = torch.zeros(1, 48, 48, dtype=torch.uint8)
    low, high = (region_loss(torch.full((1, 1, 12, 12), v), nothing).item() for v in (-9.0, 9.0))
    assert low < 0.3 < 1 < high
