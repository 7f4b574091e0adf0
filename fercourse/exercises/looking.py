"""Lesson 16: Grad-CAM from its two ingredients, two scores, and what they allow one to say."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from fercourse.exercises.exercise import Wrong, check, close, exercise, expect_shape


@exercise(
    "Grad-CAM from its two ingredients",
    difficulty=2,
    minutes=10,
    hints=[
        "Each channel gets one weight a face. What is averaged to get it, and over which axes?",
        "The map is the weighted sum of channels. What does Grad-CAM do with what speaks *against* "
        "the class?",
        "`alpha = gradients.mean((2, 3), keepdim=True)`, then sum over channels, then a ReLU.",
    ],
)
def class_map(activations: Tensor, gradients: Tensor) -> Tensor:
    """Grad-CAM at the layer's own resolution: (N, C, h, w) twice -> (N, h, w), >= 0.

    Args:
        activations: What the layer gave for N faces.
        gradients: Of the class's logit with respect to them.
    """
    # your turn
    alpha = gradients.mean((2, 3), keepdim=True)  # (N, C, 1, 1)
    return (alpha * activations).sum(1).relu()


@check(class_map, praise="One weight a channel, and only what speaks for the class is kept.")
def check_class_map(attempt: Callable[[Tensor, Tensor], Any]) -> None:
    """Diagnoses: no ReLU, an early one, no pooling, wrong axes, the mean image, absolute values."""
    for n, c, h, w in ((2, 5, 3, 4), (3, 4, 6, 6)):
        a, g = torch.randn(n, c, h, w), torch.randn(n, c, h, w)
        out = attempt(a.clone(), g.clone())
        if isinstance(out, Tensor) and out.shape == (n, 1, h, w):
            raise Wrong("Nearly: an axis of length 1 is left over, and (N, h, w) is asked for.")
        if isinstance(out, Tensor) and out.shape == (n, c, h, w):
            raise Wrong("The channels are still there: they are summed, weighted by alpha.")
        expect_shape(out, (n, h, w), "One map a face, at the layer's own resolution.")
        alpha = g.mean((2, 3), keepdim=True)
        signed = (alpha * a).sum(1)
        if close(out, signed.relu()):
            continue
        known = (
            (
                signed,
                "The ReLU is missing: what speaks against the class is still in the map, and would "
                "be drawn as a place of its own.",
            ),
            (
                signed.abs(),
                "Absolute values: evidence *against* the class would shine as brightly as evidence "
                "for it.",
            ),
            (
                (alpha * a).relu().sum(1),
                "The ReLU comes before the sum. Then channels that speak against the class are "
                "dropped instead of weighed against the others.",
            ),
            (
                (alpha.relu() * a).sum(1),
                "The ReLU sits on the weights; it belongs on the sum over channels.",
            ),
            (
                (g * a).sum(1).relu(),
                "Gradient times activation place by place: that is HiResCAM. Grad-CAM first "
                "averages the gradient over places, so that a channel has one weight.",
            ),
            (
                (g.relu() * a).sum(1),
                "That is Layer-CAM: a weight for every place. Grad-CAM averages over places first.",
            ),
            (
                (g.sum((2, 3), keepdim=True) * a).sum(1).relu(),
                "You summed the gradient over places; Grad-CAM averages. (The picture is the same, "
                "the number is not.)",
            ),
            (
                (alpha * a).mean(1).relu(),
                "You averaged over channels at the end; Grad-CAM sums. (The picture is the same, "
                "the number is not.)",
            ),
            (
                (g.mean(1, keepdim=True) * a).sum(1).relu(),
                "The gradient was averaged over channels. The weights belong to channels, so "
                "average over the other two axes.",
            ),
            (
                (g.mean((0, 2, 3), keepdim=True) * a).sum(1).relu(),
                "The weights are averaged over the batch as well; each face has its own.",
            ),
            (
                signed.relu() / signed.relu().amax((1, 2), keepdim=True).clamp_min(1e-7),
                "You stretched each map to its highest value. That is done for drawing; here the "
                "values themselves are asked for.",
            ),
            (a.mean(1), "That is the mean activation: the class has no say in it."),
        )
        for wrong, sentence in known:
            if close(out, wrong):
                raise Wrong(sentence)
        if out.min() < 0:
            raise Wrong("Some values are negative: what does Grad-CAM do with those?")
        raise Wrong(f"Off by up to {(out - signed.relu()).abs().max():.2g}: check alpha first.")


@exercise(
    "Energy inside",
    difficulty=1,
    minutes=6,
    hints=[
        "A share: something inside divided by something everywhere.",
        "Sum each map over its own places only: which axes are those?",
        "`(maps * masks).sum((1, 2)) / maps.sum((1, 2))`",
    ],
)
def energy_inside(maps: Tensor, masks: Tensor) -> Tensor:
    """Share of each map's sum that lies inside its mask: (N, H, W) twice -> (N,), in [0, 1].

    Args:
        maps: Not negative, and not zero everywhere.
        masks: bool.
    """
    # your turn
    return (maps * masks).sum((1, 2)) / maps.sum((1, 2))


@check(energy_inside, praise="A map that is all inside gets 1, a flat one the mask's share.")
def check_energy_inside(attempt: Callable[[Tensor, Tensor], Any]) -> None:
    """Diagnoses: the mask's area as divisor, a mean inside, one number for all, a threshold."""
    for n, h, w in ((3, 6, 5), (5, 8, 8)):
        maps, masks = torch.rand(n, h, w) + 0.1, torch.rand(n, h, w) < 0.4
        masks[:, 0, 0] = True
        out = attempt(maps.clone(), masks.clone())
        inside = (maps * masks).sum((1, 2))
        if isinstance(out, float) or (isinstance(out, Tensor) and out.ndim == 0):
            raise Wrong("One number for all faces; each face has its own share, so (N,).")
        expect_shape(out, (n,), "One share a face.")
        if close(out, inside / maps.sum((1, 2))):
            continue
        area = masks.sum((1, 2))
        known = (
            (inside, "That is a sum; a share is divided by the map's sum over the whole face."),
            (
                inside / area,
                "Divided by the mask's area, that is the mean inside. The share is of the map's "
                "own sum.",
            ),
            (area / (h * w), "That is the mask's share of the picture: the map has no say."),
            (inside / maps.sum(), "Divided by the sum over all faces; each has its own."),
            ((maps * ~masks).sum((1, 2)) / maps.sum((1, 2)), "That is the share *outside*."),
            (
                inside / (maps * ~masks).sum((1, 2)),
                "Inside divided by outside is an odds, not a share: it can exceed 1.",
            ),
        )
        for wrong, sentence in known:
            if close(out, wrong):
                raise Wrong(sentence)
        if out.min() < 0 or out.max() > 1:
            raise Wrong(f"A share lies in [0, 1]; yours run up to {out.max():.2f}.")
        raise Wrong(
            "In [0, 1], but not the share: a map that is 1 everywhere must get the mask's share of "
            f"the picture. Off by up to {(out - inside / maps.sum((1, 2))).abs().max():.2g}."
        )


@exercise(
    "The pointing game",
    difficulty=1,
    minutes=6,
    hints=[
        "Only one place of each map counts. How do you find it in a map of two axes?",
        "Flatten each map to one row: `maps.flatten(1)`. Then argmax along it.",
        "Look the same index up in the flattened masks, with `gather`.",
    ],
)
def pointing(maps: Tensor, masks: Tensor) -> Tensor:
    """Whether each map's highest place lies in its mask: (N, H, W) twice -> bool (N,).

    No map has two highest places.
    """
    # your turn
    highest = maps.flatten(1).argmax(1, keepdim=True)  # (N, 1)
    return masks.flatten(1).gather(1, highest)[:, 0]


@check(pointing, praise="One place decides, whatever the rest of the map does.")
def check_pointing(attempt: Callable[[Tensor, Tensor], Any]) -> None:
    """Diagnoses: the highest of the batch, the lowest place, any overlap, the mean, a score."""
    for n, h, w in ((8, 6, 5), (12, 4, 7)):
        maps = torch.randn(n, h, w)
        masks = torch.rand(n, h, w) < 0.5
        out = attempt(maps.clone(), masks.clone())
        if isinstance(out, Tensor) and out.ndim == 0:
            raise Wrong("One answer for all faces; each map points for itself, so (N,).")
        expect_shape(out, (n,), "One answer a face.")
        out = out.float()
        flat, inside = maps.flatten(1), masks.flatten(1)

        def at(index: Tensor, inside: Tensor = inside) -> Tensor:
            return inside.gather(1, index[:, None])[:, 0].float()

        if close(out, at(flat.argmax(1))):
            continue
        known = (
            (at(flat.argmin(1)), "You looked at the *lowest* place."),
            (
                at(maps.flatten().argmax().remainder(h * w).expand(n)),
                "The highest place of the whole batch was taken for every face.",
            ),
            (
                (flat * inside).amax(1),
                "That is the highest value inside; the question is whether "
                "the highest of all lies inside.",
            ),
            (
                inside.any(1).float(),
                "Every face that has a mask counts as a hit. Did you mask the map first? The "
                "highest place of the *whole* map decides.",
            ),
            (inside.float().mean(1), "That is the mask's share of the picture."),
            (at(maps.abs().flatten(1).argmax(1)), "Absolute values: a very low place won."),
        )
        for wrong, sentence in known:
            if close(out, wrong):
                raise Wrong(sentence)
        wrong = int((out != at(flat.argmax(1))).sum())
        raise Wrong(
            f"{wrong} of {n} faces are judged wrongly. If you split the index into row and "
            "column: which is index // W, and which index % W?"
        )


_CLAIMS = {
    "beats random": (
        False,
        "Against the masks of the muscles a Gaussian in the middle beats the random map too, and "
        "it knows no face. What would a map have to beat?",
    ),
    "same with random weights": (
        False,
        "If the map does not change when the weights are thrown away, of what can it tell?",
    ),
    "darker means more evidence": (
        False,
        "Each map is stretched from its own lowest to its own highest value before it is drawn. "
        "What is left of its strength?",
    ),
    "flat map gets the mask's share": (
        True,
        "Rank pixels of a flat map: all are equal, so precision is the mask's share at any "
        "threshold.",
    ),
    "deletion needs no mask": (
        True,
        "Deletion blurs pixels and watches the answer. Where would a mask of muscles come in?",
    ),
}


@exercise(
    "What may be said",
    difficulty=1,
    minutes=6,
    hints=[
        "Three of the five are false. Ask of each: would a map that knows no face satisfy it?",
        "Think of the centre Gaussian, of the randomised network, and of the rescaling to [0, 1].",
    ],
)
def claims() -> dict[str, bool]:
    """Which of these sentences hold? Replace each None by True or False.

    - "beats random": a map that beats a random map shows that the model looks at the muscles.
    - "same with random weights": a map that stays alike when all weights are randomised may still
      explain what the model learnt.
    - "darker means more evidence": of two faces' Grad-CAM maps in a figure, the darker one belongs
      to the face with more evidence.
    - "flat map gets the mask's share": a flat map's PR-AUC is the mask's share of the picture.
    - "deletion needs no mask": deletion can be measured on photographs, whose truth nobody knows.
    """
    # your turn
    return {
        "beats random": False,
        "same with random weights": False,
        "darker means more evidence": False,
        "flat map gets the mask's share": True,
        "deletion needs no mask": True,
    }


@check(claims, praise="A score counts for what it beats, and a picture for what was measured.")
def check_claims(attempt: Callable[[], Any]) -> None:
    """Diagnoses each wrong answer by the question that settles it."""
    out = attempt()
    if not isinstance(out, dict):
        raise Wrong(f"A dict of the five sentences is asked for, not {type(out).__name__}.")
    missing = [name for name in _CLAIMS if out.get(name) is None]
    if missing:
        raise Wrong(f"There is no answer yet to {missing[0]!r}.")
    for name, (truth, question) in _CLAIMS.items():
        if bool(out[name]) != truth:
            raise Wrong(f"On {name!r}: {question}")
