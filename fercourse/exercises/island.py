"""Lesson 10: centre loss, the published centre update, the pair sum and the island loss."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from fercourse.exercises.exercise import Wrong, check, close, exercise, expect_shape
from fercourse.losses.island import pair_sum as package_pair_sum


@exercise(
    "The centre loss",
    difficulty=1,
    minutes=5,
    hints=[
        "`centers[labels]` gives every face its own centre: shape (N, D).",
        "Square the differences, add them over D, and only then average over the faces.",
        "Wen et al. write a 1/2 in front, so that the gradient is simply x minus its centre.",
    ],
)
def center_loss(embedding: Tensor, labels: Tensor, centers: Tensor) -> Tensor:
    """L_C: half the mean squared distance of each face to the centre of its class.

    embedding (N, D), labels int64 (N,), centers (K, D) -> scalar
    """
    # your turn
    return (embedding - centers[labels]).square().sum(1).mean() / 2


@check(
    center_loss,
    praise="Half the mean squared distance, to the own centre alone; its gradient pulls each "
    "face straight at its centre.",
)
def check_center_loss(attempt):
    """Compare with half the mean squared distance, on shapes where every slip shows."""
    for n, d, k in ((5, 3, 7), (8, 16, 4), (3, 2, 2)):
        x, y, c = torch.randn(n, d), torch.randint(k, (n,)), torch.randn(k, d)
        out = attempt(x, y, c)
        expect_shape(out, (), "Reduce to one number: a sum over D, a mean over the faces.")
        gap = x - c[y]
        right = gap.square().sum(1).mean() / 2
        if close(out, right):
            continue
        if close(out, 2 * right):
            raise Wrong("It is twice too large: the factor 1/2 in front is missing.")
        if close(out, n * right) or close(out, 2 * n * right):
            raise Wrong(
                "You summed over the faces. We take the mean, so that lambda means the same at "
                "every batch size."
            )
        if close(out, right / d) or close(out, 2 * right / d):
            raise Wrong(
                "You averaged over the D coordinates as well: `mean()` of the whole table divides "
                "by N times D. A squared distance is a sum over coordinates."
            )
        if close(out, n * right / d) or close(out, 2 * n * right / d):
            raise Wrong(
                "The axes are exchanged: you summed over the faces and averaged over coordinates."
            )
        if close(out, gap.norm(dim=1).mean() / 2) or close(out, gap.norm(dim=1).mean()):
            raise Wrong("That is the distance itself; the loss takes its square.")
        everywhere = (x[:, None] - c).square().sum(2)  # (N, K)
        if any(close(out, everywhere.sum() / n * v) for v in (1, 1 / 2, 1 / k, 1 / k / 2)):
            raise Wrong(
                "You measured to all the centres. A face is pulled to the centre of its own class: "
                "pick it out with its label."
            )
        raise Wrong(
            f"On {n} faces with {d} numbers each the loss should be {right:.4f}, not {out:.4f}."
        )


@exercise(
    "Move the centres",
    difficulty=2,
    minutes=12,
    hints=[
        "One-hot labels (N, K) turn sums over a class into a matrix product: their transpose "
        "times the embedding is (K, D).",
        "For class j: count times centre, minus the sum of its faces, over 1 + count.",
        "The step points from the faces to the centre. So is it added or subtracted?",
    ],
)
def move_centers(embedding: Tensor, labels: Tensor, centers: Tensor, rate: float) -> Tensor:
    """The published update of the centre loss: the new centres, (K, D); the old stay as they are.

    step_j = sum over faces i of class j of (c_j - x_i), divided by (1 + n_j)
    new c_j = c_j - rate * step_j

    embedding (N, D), labels int64 (N,), centers (K, D), rate in (0, 1]
    """
    # your turn
    own = F.one_hot(labels, len(centers)).float()  # (N, K)
    count, total = own.sum(0)[:, None], own.T @ embedding  # (K, 1), (K, D)
    return centers - rate * (count * centers - total) / (1 + count)


@check(
    move_centers,
    praise="Each centre goes towards its own faces, never all the way, and a class that the batch "
    "lacks stays where it is.",
)
def check_move_centers(attempt):
    """Compare with a plain loop over classes, on a batch that lacks one of them."""
    n, d, k, rate = 9, 3, 5, 0.5
    x, c = torch.randn(n, d) + 1, torch.randn(k, d)
    y = torch.tensor([0, 0, 0, 0, 1, 1, 1, 3, 4])  # class 2 is not in this batch
    before = c.clone()
    out = attempt(x, y, c, rate)
    if not torch.equal(c, before):
        raise Wrong("The centres that came in were changed; return new ones and leave those.")
    expect_shape(out, (k, d), "There is one centre a class.")
    if out.isnan().any():
        raise Wrong(
            "nan came out: class 2 has no face in this batch. What do you divide by for it?"
        )
    if torch.equal(out, c):
        raise Wrong("The centres never moved: what comes back equals what went in.")
    count = torch.bincount(y, minlength=k).float()[:, None]
    gap = torch.stack([(c[j] - x[y == j]).sum(0) for j in range(k)])  # (K, D)
    right = c - rate * gap / (1 + count)
    if close(out, right):
        _no_gradient_needed(attempt)
        return
    if close(out, 2 * c - right):
        raise Wrong(
            "The centres flee from their faces: look at the sign. c_j - x_i points from a face "
            "to the centre."
        )
    if not close(out[2], c[2]):
        raise Wrong("Class 2 has no face in this batch, and its centre moved all the same.")
    if close(out, c - rate * gap / count.clamp_min(1)):
        raise Wrong(
            "Divided by n_j, where 1 + n_j is printed: a single face would drag its centre the "
            "whole rate of the way."
        )
    if close(out, c - rate * gap):
        raise Wrong(
            "Nothing divides the sum: the more faces a class has in the batch, the farther its "
            "centre jumps, beyond them even."
        )
    own = count * c - gap  # (K, D), the sum of each class's faces
    if close(out, c - rate * (count > 0) * (c - own / (1 + count))):
        raise Wrong(
            "The centre is subtracted once only: in the sum of c_j - x_i it stands once for every "
            "face of the class."
        )
    if close(out, c - rate * gap / n) or close(out, c - rate * gap / (1 + n)):
        raise Wrong("Divided by the size of the batch; each class has a count of its own, n_j.")
    if close(out, c - gap / (1 + count)):
        raise Wrong("The rate is missing: the step is scaled by it.")
    raise Wrong(
        f"Centre 0 should go to {_numbers(right[0])}, and went to {_numbers(out[0])}. Work out "
        "class 0 with pen and paper: four faces."
    )


def _no_gradient_needed(attempt):
    """A right answer for one batch may still fail on other sizes."""
    x, y, c = torch.randn(4, 2), torch.tensor([1, 1, 1, 0]), torch.zeros(3, 2)
    total = torch.stack([x[3], x[:3].sum(0), torch.zeros(2)])
    right = 0.1 * total / (1 + torch.tensor([[1.0], [3.0], [0.0]]))
    out = attempt(x, y, c, 0.1)
    if not close(out, right):
        raise Wrong("Right at rate 0.5 with five classes, wrong at rate 0.1 with three.")


@exercise(
    "The pair sum of eq. 6",
    difficulty=2,
    minutes=12,
    hints=[
        "Divide each centre by its length first: then a dot product is a cosine. "
        "`F.normalize` also copes with a centre of length 0.",
        "All cosines at once are a product of a (K, D) and a (D, K) matrix.",
        "Of the K x K table the diagonal is to be left out *after* adding 1, or counted out: "
        "there are K (K - 1) ordered pairs.",
    ],
)
def cosine_pairs(centers: Tensor) -> Tensor:
    """Sum over ordered pairs j != k of cos(c_j, c_k) + 1; centers (K, D) -> scalar.

    A centre of length 0 has cosine 0 with everything.
    """
    # your turn
    unit = F.normalize(centers, dim=1)  # (K, D)
    cosines = unit @ unit.T  # (K, K)
    off_diagonal = ~torch.eye(len(centers), dtype=torch.bool)
    return (cosines[off_diagonal] + 1).sum()


@check(
    cosine_pairs,
    praise="Every ordered pair once, no centre with itself, and never below K (K - 2).",
)
def check_cosine_pairs(attempt):
    """Compare on random centres, scaled ones, one of length 0, and a simplex."""
    for k, d in ((7, 4), (3, 16), (5, 5)):
        c = torch.randn(k, d) * torch.rand(k, 1).add(0.3)
        out = attempt(c)
        expect_shape(out, (), "The sum over all pairs is one number.")
        right = package_pair_sum(c)
        if close(out, right):
            continue
        _diagnose_pairs(out, right, c)
    c = torch.cat([torch.zeros(1, 4), torch.randn(3, 4)])
    out = attempt(c)
    if out.isnan():
        raise Wrong(
            "A centre of length 0 gives nan: 0 / 0. It happens at the start, where centres begin "
            "at zero, and then it never goes away."
        )
    if not close(out, package_pair_sum(c)):
        raise Wrong("A centre of length 0 should count as cosine 0 with the others, so as 1 each.")


def _diagnose_pairs(out: Tensor, right: Tensor, c: Tensor) -> None:
    k = len(c)
    unit = F.normalize(c, dim=1)
    cosines = unit @ unit.T
    if close(out, right + 2 * k):
        raise Wrong(
            "The diagonal is counted: a centre's cosine with itself is 1, and that adds 2 for "
            "each class, whatever the centres do."
        )
    if close(out, right + k):
        raise Wrong(
            "The diagonal was zeroed before the 1 was added, so it still counts 1 for each class: "
            "mask after adding, or add only off the diagonal."
        )
    if close(out, right / 2 + 2 * k):
        raise Wrong(
            "That is one half of the table with its diagonal: leave out j = k, and take each pair "
            "in both orders."
        )
    if close(out, right / 2):
        raise Wrong("Each pair was taken once; eq. 6 runs over j and over k, and meets it twice.")
    if close(out, right / (k * (k - 1))) or close(out, (cosines + 1).mean()):
        raise Wrong("That is a mean over the pairs; eq. 6 is a sum.")
    if close(out, right - k * (k - 1)):
        raise Wrong("The 1 is missing: each cosine is shifted to lie between 0 and 2.")
    dots = c @ c.T
    off = ~torch.eye(k, dtype=torch.bool)
    if close(out, (dots[off] + 1).sum()) or close(out, (dots + 1).sum()):
        raise Wrong(
            "Those are dot products, not cosines: eq. 6 divides by both lengths. Yours falls "
            "without end as centres grow."
        )
    whole = (dots / c.square().sum())[off]
    if close(out, (whole + 1).sum()) or close(out, (dots / c.square().sum() + 1).sum()):
        raise Wrong(
            "You divided by the length of the whole table: `norm()` without an axis takes all K x "
            "D numbers together. Each centre has a length of its own."
        )
    if close(out, F.cosine_similarity(c[:, None], c[None]).add(1).sum()):
        raise Wrong(
            "`cosine_similarity` compares along axis 1 unless told otherwise; coordinates lie "
            "along the last one."
        )
    squared = c.square().sum(1)
    if close(out, (dots / (squared[:, None] * squared))[off].add(1).sum()):
        raise Wrong("You divided by the squared lengths; a norm is the root of a sum of squares.")
    elementwise = (unit[:, None] * unit[None]).add(1)  # (K, K, D)
    if close(out, elementwise.sum()) or close(out, elementwise[off].sum()):
        raise Wrong(
            "An element-wise product took the place of the dot product: add over D first, then "
            "add 1, or the 1 is counted D times."
        )
    across = F.normalize(c, dim=0)
    if close(out, package_pair_sum(c.T)) or close(out, ((across @ across.T)[off] + 1).sum()):
        raise Wrong("The lengths were taken down the columns; a centre is a row of (K, D).")
    if close(out, k * (k - 1) - (right - k * (k - 1))):
        raise Wrong("The sign is wrong: 1 - cos is a distance, and eq. 6 makes 1 + cos small.")
    raise Wrong(f"For {k} centres the sum should be {right:.3f}, not {out:.3f}.")


@exercise(
    "The island loss",
    difficulty=2,
    minutes=8,
    hints=[
        "Two terms; only the first looks at the faces.",
        "The second is the pair sum of the K centres, whatever the batch holds.",
    ],
)
def island_loss(embedding: Tensor, labels: Tensor, centers: Tensor, pair_weight: float) -> Tensor:
    """Eq. 5: L_C + lambda_1 L_I-COS.

    embedding (N, D), labels int64 (N,), centers (K, D), pair_weight is lambda_1 -> scalar
    """
    # your turn
    center = (embedding - centers[labels]).square().sum(1).mean() / 2
    unit = F.normalize(centers, dim=1)  # (K, D)
    off_diagonal = ~torch.eye(len(centers), dtype=torch.bool)
    return center + pair_weight * ((unit @ unit.T)[off_diagonal] + 1).sum()


@check(
    island_loss,
    praise="The faces are pulled by the first term; the second looks at the centres alone, as in "
    "eq. 5.",
)
def check_island_loss(attempt):
    """Compare with eq. 5; the pair sum must come from the centres, not from the batch."""
    for n, d, k, weight in ((6, 4, 7, 7.0), (10, 3, 4, 0.5)):
        x, y, c = torch.randn(n, d), torch.randint(k, (n,)), torch.randn(k, d)
        out = attempt(x, y, c, weight)
        expect_shape(out, (), "A loss is one number.")
        center, pairs = (x - c[y]).square().sum(1).mean() / 2, package_pair_sum(c)
        right = center + weight * pairs
        if close(out, right):
            continue
        batch = F.normalize(x, dim=1)
        rows = package_pair_sum(x)
        table = (batch @ batch.T + 1).sum()
        if any(close(out, center + weight * v) for v in (rows, table, package_pair_sum(c[y]))):
            raise Wrong(
                "The rows of the batch were taken for classes: the pairs of eq. 6 are the K "
                "centres, however many faces there are."
            )
        if close(out, weight * center + pairs):
            raise Wrong("lambda_1 stands before the wrong term: it weighs the pair sum.")
        if close(out, weight * (center + pairs)):
            raise Wrong("lambda_1 weighs both terms; eq. 5 puts it before the pair sum alone.")
        if close(out, center + pairs):
            raise Wrong("lambda_1 is missing before the pair sum.")
        if close(out, center - weight * pairs):
            raise Wrong("The sign of the pair sum is wrong: training would draw centres together.")
        if close(out, 2 * center + weight * pairs):
            raise Wrong("The centre loss is missing its 1/2.")
        if close(out, n * center + weight * pairs) or close(out, 2 * n * center + weight * pairs):
            raise Wrong("The centre loss was summed over the faces, where its mean is meant.")
        if close(out, center + weight * (pairs + 2 * k)):
            raise Wrong("The diagonal is counted: a centre with itself adds 2 for each class.")
        if close(out, center + weight * (pairs + k)):
            raise Wrong("The diagonal was zeroed before adding 1 and still counts 1 a class.")
        if close(out, center + weight * pairs / 2):
            raise Wrong("Each pair was taken once; eq. 6 runs over j and over k.")
        if close(out, center + weight * pairs / (k * (k - 1))):
            raise Wrong("That is the mean over pairs; eq. 6 is a sum.")
        if close(out, center + weight * (pairs - k * (k - 2))):
            raise Wrong(
                f"That is the excess over the bound of {k * (k - 2)}, which the package logs; the "
                "loss of eq. 5 holds the whole sum."
            )
        if close(out, center + weight * (pairs - k * (k - 1))):
            raise Wrong("The 1 of eq. 6 is missing: each cosine is shifted to lie between 0 and 2.")
        if close(out, center + weight * package_pair_sum(c[y.unique()])):
            raise Wrong(
                "Only classes of this batch were paired; eq. 6 runs over all K centres, whatever "
                "the batch holds."
            )
        raise Wrong(
            f"The loss should be {center:.3f} + {weight:g} x {pairs:.3f} = {right:.3f}, "
            f"not {out:.3f}."
        )


def _numbers(row: Tensor) -> str:
    return "(" + ", ".join(f"{v:.3f}" for v in row.tolist()) + ")"
