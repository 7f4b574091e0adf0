"""Two questions to any map: does it depend on the weights, and does it turn with the face?

Cascading randomisation follows Adebayo et al. 2018, "Sanity checks for saliency maps".
"""

from __future__ import annotations

import copy
from collections.abc import Callable

import torch
from torch import Tensor, nn

from fercourse.datasets.faces import Faces
from fercourse.explain.map_statistics import pearson
from fercourse.models.build import build
from fercourse.models.fernet import framework
from fercourse.models.recogniser import Recogniser

Explain = Callable[[Recogniser, Tensor], Tensor]
"""A model and uint8 faces (N, H, W) to maps (N, H, W)."""


def cascade(model: Recogniser) -> dict[str, list[nn.Module]]:
    """The model's parts from the logits down to the pixels, in the order they are randomised."""
    model = framework(model)
    parts: dict[str, list[nn.Module]] = {"logits": [model.classify], "embedding": [model.embed]}
    if model.config.reverse:
        parts |= {f"reverse{i}": [getattr(model, f"reverse{i}")] for i in (3, 4, 5)}
    if model.config.decoder:
        parts["decoder"] = [model.decoder]
    if model.config.fusion:
        parts["edge"] = [model.edge]
    backbone = model.backbone
    for i in range(4, -1, -1):
        parts[f"block{i + 1}"] = [backbone.blocks[i], *backbone.attentions[i : i + 1]]
    return parts


DRAWS = 10
"""Of fresh weights: one draw can land far from the next, as the points of plots.sanity show."""


def randomise(
    model: Recogniser, images: Tensor | Faces, explain: Explain, draws: int = DRAWS
) -> dict[str, Tensor]:
    """How alike a map is to the trained model's as more and more of it forgets: by part, (D, N).

    Likeness is the rank correlation of pixels, 1 for "trained". A map that explains the model
    must lose it; one that stays alike shows the face, not the model.

    Args:
        model: A trained one; it is copied, not changed.
        images: uint8 (N, H, W), or Faces.
        explain: For instance ``lambda m, x: explain.gradcam(m, x, target=classes)``. Keep the
            classes fixed, or a changed answer passes for a changed map.
        draws: D, how often fresh weights are drawn, by seeds 0, 1, ...: one draw may by chance
            give a map that is like the trained one, or its negative.
    """
    images = images.images if isinstance(images, Faces) else images
    before = explain(model, images)
    alike = {"trained": [rank_correlation(before, before)] * draws}
    for seed in range(draws):
        forgetful = copy.deepcopy(model)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            newborn = build(model.config)  # as on the first day of training
        for (name, parts), fresh in zip(
            cascade(forgetful).items(), cascade(newborn).values(), strict=True
        ):
            for part, new in zip(parts, fresh, strict=True):
                part.load_state_dict(new.state_dict())
            alike.setdefault(name, []).append(rank_correlation(before, explain(forgetful, images)))
    return {name: torch.stack(found) for name, found in alike.items()}


def flips(model: Recogniser, images: Tensor | Faces, explain: Explain) -> Tensor:
    """How alike the map of a mirrored face, mirrored back, is to the face's own: (N,), up to 1."""
    images = images.images if isinstance(images, Faces) else images
    return rank_correlation(explain(model, images), explain(model, images.flip(2)).flip(2))


def rank_correlation(a: Tensor, b: Tensor) -> Tensor:
    """Spearman's, over the pixels of each map: (N, H, W) twice -> (N,); 0 for a flat map."""
    return pearson(ranks(a.flatten(1)), ranks(b.flatten(1)))


def ranks(x: Tensor) -> Tensor:
    """Ranks along each row of (N, P), from 0; equal values share the mean of their ranks."""
    ordered, order = x.sort(1)
    p = torch.arange(x.shape[1], dtype=torch.float64).expand_as(x)
    first = torch.ones_like(x, dtype=torch.bool)
    first[:, 1:] = ordered[:, 1:] != ordered[:, :-1]
    start = torch.where(first, p, 0.0).cummax(1).values
    last = torch.ones_like(first)
    last[:, :-1] = first[:, 1:]
    end = torch.where(last, p, float(x.shape[1])).flip(1).cummin(1).values.flip(1)
    return torch.empty_like(p).scatter_(1, order, (start + end) / 2)
