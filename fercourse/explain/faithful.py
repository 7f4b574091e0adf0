"""Maps of real faces, where there is no mask: does the answer hang on what the map marks?

Deletion and insertion follow Petsiuk, Das and Saenko 2018; ROAD is Rong et al. 2022. Removing and
judging are done by the grad-cam package's metrics.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from fercourse.datasets.faces import Faces
from fercourse.errors import FercourseError
from fercourse.explain.layers import as_input, eval_mode
from fercourse.models.recogniser import Recogniser

SHARES = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
"""Of the pixels, removed or inserted."""


class Curves(NamedTuple):
    """Probability of the class answered for the whole face, as pixels go or come.

    Attributes:
        shares: Of the pixels, (S,).
        deletion: (N, S), the most relevant pixels blurred away first: falling fast is good.
        insertion: (N, S), the most relevant pixels put first into a blurred face: rising fast.
    """

    shares: np.ndarray
    deletion: np.ndarray
    insertion: np.ndarray

    @property
    def areas(self) -> tuple[np.ndarray, np.ndarray]:
        """Areas under both curves, (N,) each, in [0, 1]."""
        return np.trapezoid(self.deletion, self.shares), np.trapezoid(self.insertion, self.shares)


class _Probabilities(nn.Module):
    def __init__(self, model: Recogniser) -> None:
        super().__init__()
        self.model = model

    def forward(self, x: Tensor) -> Tensor:
        return self.model(x).logits.softmax(1)


def curves(model: Recogniser, images: Tensor | Faces, maps: Tensor) -> Curves:
    """Deletion and insertion for N faces; what is removed becomes a heavily blurred face.

    Args:
        model: Any of Table 1's.
        images: uint8 (N, H, W), or Faces.
        maps: (N, H, W), high where it matters.
    """
    metrics = _package()
    x, ranks = as_input(model, images), _ranks(maps)
    blurred = _blur(x)  # (N, C, H, W)
    with eval_mode(model), torch.no_grad():
        classifier = _Probabilities(model)
        targets = _answers(classifier, x)
        deletion, insertion = [], []
        for share in SHARES:
            for kind, found in (
                (metrics.RemoveMostRelevantFirst, deletion),
                (metrics.RemoveLeastRelevantFirst, insertion),
            ):
                if share in (0.0, 1.0):  # a percentile cannot take all or nothing
                    whole = (share == 0) == (found is deletion)
                    p = classifier(x if whole else blurred)
                    found.append(
                        np.array([t(row).item() for t, row in zip(targets, p, strict=True)])
                    )
                    continue
                percentile = 100 * (1 - share if found is deletion else share)
                step = metrics.PerturbationConfidenceMetric(kind(percentile, _Blurred(blurred)))
                found.append(step(x, ranks, targets, classifier, return_diff=False))
    return Curves(np.array(SHARES), np.stack(deletion, 1), np.stack(insertion, 1))


def road(
    model: Recogniser,
    images: Tensor | Faces,
    maps: Tensor,
    percentiles: tuple[int, ...] = (30, 70),
    seed: int = 0,
) -> np.ndarray:
    """ROAD's combined score, (N,): least relevant minus most relevant pixels removed, halved.

    Removed pixels are imputed from their neighbours with a little noise, so that the model sees
    faces rather than holes. Above 0 the map knows more than chance.

    Args:
        model: Any of Table 1's.
        images: uint8 (N, H, W), or Faces.
        maps: (N, H, W), high where it matters.
        percentiles: Of the pixels, where the face is cut in two.
        seed: Of the imputation's noise.
    """
    _package()
    from pytorch_grad_cam.metrics.road import ROADCombined

    x = as_input(model, images)
    with eval_mode(model), torch.no_grad(), torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        classifier = _Probabilities(model)
        metric = ROADCombined(percentiles=list(percentiles))
        return metric(x, _ranks(maps), _answers(classifier, x), classifier)


class _Blurred:
    """Where the mask is 0, the blurred face of the next image in the batch."""

    def __init__(self, blurred: Tensor) -> None:
        self.faces = iter(blurred.cpu())

    def __call__(self, image: Tensor, keep: Tensor) -> Tensor:
        return torch.where(keep.bool(), image, next(self.faces))


def _ranks(maps: Tensor) -> np.ndarray:
    """Pixels' ranks in [0, 1], all different, ties broken at random but always the same way.

    A percentile of a map that is zero over half the face would remove all or nothing.
    """
    if maps.ndim != 3:
        raise FercourseError(f"maps must be (N, H, W), not {tuple(maps.shape)}.")
    flat = maps.flatten(1).double()
    shuffle = torch.randperm(flat.shape[1], generator=torch.Generator().manual_seed(0))
    order = shuffle[flat[:, shuffle].argsort(dim=1, stable=True)]  # (N, P), lowest first
    ranks = torch.empty_like(flat)
    ranks.scatter_(1, order, torch.linspace(0, 1, flat.shape[1]).double().expand_as(flat).clone())
    return ranks.view(maps.shape).float().numpy()


def _blur(x: Tensor) -> Tensor:
    """Averaged over a fifth of the face, twice: where eyes and mouth were is hard to say."""
    side = 2 * (min(x.shape[2:]) // 10) + 1
    for _ in range(2):
        x = F.avg_pool2d(F.pad(x, (side // 2,) * 4, "replicate"), side, 1)
    return x


def _answers(classifier: nn.Module, x: Tensor) -> list[Any]:
    from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget

    return [ClassifierOutputTarget(k) for k in classifier(x).argmax(1).tolist()]


def _package() -> Any:
    try:
        from pytorch_grad_cam.metrics import perturbation_confidence
    except ModuleNotFoundError as error:
        raise FercourseError(
            f"deletion, insertion and ROAD need {error.name}: pip install 'fercourse[explain]'."
        ) from error
    return perturbation_confidence
