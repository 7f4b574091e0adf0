"""Every internal map of the framework, read off one forward pass and laid on the face."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from fercourse.datasets.faces import Faces
from fercourse.errors import FercourseError
from fercourse.evaluation.predict import at_a_time
from fercourse.explain.layers import as_input, eval_mode, layer
from fercourse.models.fernet import framework
from fercourse.models.recogniser import Recogniser
from fercourse.modules import GCCA, ChannelAttention
from fercourse.modules.blocks import resize_like

TITLES: dict[str, str] = {
    **{f"before{i}": f"$C_{i}$ before GCCA" for i in range(1, 6)},
    **{f"after{i}": f"$C_{i}$ after GCCA" for i in range(1, 6)},
    "edge": "edges of $C_2$",
    "global": r"global map $\sigma(P_d)$",
    **{
        f"{name}{i}": title.format(i)
        for i in (5, 4, 3)
        for name, title in (
            ("reverse", "weights $A_{}$"),
            ("erased", "erased, $C_{0}(1-A_{0})$"),
            ("remaining", "left, $R_{}$"),
            ("added", "added to $S_{}$"),
            ("refined", r"refined $\sigma(S_{})$"),
        )
    },
}
"""What each map is called in figures, in the order in which fig. 1 makes them."""


@dataclass(frozen=True)
class Maps:
    """What the model made of N faces of H x W pixels; all float32, on the CPU.

    Attributes:
        logits: (N, K).
        on_face: By name, (N, H, W), resized to the face; those the model has, of

            - ``before1`` to ``before5``, ``after1`` ... : energy of C_i on either side of GCCA,
              the root mean square over channels, >= 0 (equal where there is no GCCA);
            - ``edge``: mean over channels of the edge map, >= 0;
            - ``global``: P_d after the sigmoid, in (0, 1);
            - ``reverse5`` to ``reverse3``: A_i, in (0, 1);
            - ``erased5`` ... : energy of ``C_i (1 - A_i)``, what reverse attention takes away;
            - ``remaining5`` ... : energy of ``R_i = C_i A_i``, what it leaves (eq. 3);
            - ``added5`` ... : what the stage adds to the map, in logits, of either sign;
            - ``refined5`` ... : S_i after the sigmoid, in (0, 1).
        weights: By block, GCCA's channel weights (N, C_i), in (0, 1); empty without GCCA.
        descriptors: By block, the three poolings GCCA fused: average, maximum, stochastic
            (its expectation), (N, C_i, 3).
    """

    logits: Tensor
    on_face: dict[str, Tensor]
    weights: dict[int, Tensor]
    descriptors: dict[int, Tensor]

    def __getitem__(self, name: str) -> Tensor:
        """One map, (N, H, W).

        Raises:
            FercourseError: This model does not make it; the sentence says which it makes.
        """
        if name in self.on_face:
            return self.on_face[name]
        if name in TITLES:
            part = "fusion" if name == "edge" else "decoder" if name == "global" else "reverse"
            raise FercourseError(
                f"this model has no map {name!r}: it was built with ModelConfig.{part} off; "
                f"it has {', '.join(self.on_face)}."
            )
        raise FercourseError(f"there is no map {name!r}; use one of {', '.join(self.on_face)}.")

    def __len__(self) -> int:
        return len(self.logits)


@torch.inference_mode()
def maps(model: Recogniser, images: Tensor | Faces, batch_size: int | None = None) -> Maps:
    """Every internal map for N faces, in batches; the model is left as it was found.

    Args:
        model: Any of Table 1's; judged in evaluation mode, so that GCCA's pooling is its
            expectation and the maps are the same every time.
        images: uint8 (N, H, W), or Faces.
        batch_size: Faces at a time; None takes as many as their size allows.

    Raises:
        FercourseError: No face, faces that are not grey uint8, or a model that has no such maps.
    """
    x = as_input(model, images)
    parts = [_maps(model, part) for part in x.split(batch_size or at_a_time(x))]
    first = parts[0]
    return Maps(
        logits=torch.cat([p.logits for p in parts]),
        on_face={name: torch.cat([p.on_face[name] for p in parts]) for name in first.on_face},
        weights={i: torch.cat([p.weights[i] for p in parts]) for i in first.weights},
        descriptors={i: torch.cat([p.descriptors[i] for p in parts]) for i in first.descriptors},
    )


@torch.inference_mode()
def features(model: Recogniser, images: Tensor | Faces, name: str = "block5") -> Tensor:
    """What one layer gives, channel by channel: float32 (N, C, h, w), on the CPU.

    Args:
        model: Any of Table 1's.
        images: uint8 (N, H, W), or Faces.
        name: One of :func:`fercourse.explain.layers`.
    """
    x = as_input(model, images)
    with eval_mode(model), capture_activations({name: layer(model, name)}) as heard:
        model(x)
    return heard[name][1].float().cpu()


@contextmanager
def capture_activations(modules: dict[str, nn.Module]) -> Iterator[dict[str, tuple[Any, Any]]]:
    """Hear inputs and output of modules while inside, by name; no hook is left behind."""
    heard: dict[str, tuple[Any, Any]] = {}

    def keep(name: str) -> Callable[..., None]:
        def hook(module: nn.Module, inputs: Any, output: Any) -> None:
            heard[name] = (inputs, output)

        return hook

    handles = [m.register_forward_hook(keep(name)) for name, m in modules.items()]
    try:
        yield heard
    finally:
        for handle in handles:
            handle.remove()


def _maps(model: Recogniser, x: Tensor) -> Maps:
    """One batch: everything heard during one forward pass."""
    model = framework(model)
    parts: dict[str, nn.Module] = {
        f"block{i}": block for i, block in enumerate(model.backbone.blocks, start=1)
    }
    for i, attention in enumerate(model.backbone.attentions, start=1):
        if isinstance(attention, GCCA):
            parts[f"gcca{i}"] = attention.group
    if model.config.reverse:
        parts |= {f"reverse{i}": getattr(model, f"reverse{i}") for i in (5, 4, 3)}
    with eval_mode(model), capture_activations(parts) as heard:
        output = model(x)

    face = x.new_empty(1, 1, *x.shape[2:])
    found: dict[str, Tensor] = {}
    weights, descriptors = {}, {}
    for i in range(1, 6):
        c = after = heard[f"block{i}"][1]  # (N, C_i, h_i, w_i)
        if model.config.gcca:
            weights[i] = output.maps[f"gcca{i}"]  # (N, C_i)
            attention = cast(ChannelAttention, model.backbone.attentions[i - 1])
            after = attention.reweight(c, weights[i][..., None, None])
        if f"gcca{i}" in heard:
            descriptors[i] = heard[f"gcca{i}"][0][0].unflatten(1, (-1, 3)).flatten(2)  # (N, C_i, 3)
        found |= {f"before{i}": energy(c), f"after{i}": energy(after)}
    if "edge" in output.maps:
        found["edge"] = output.maps["edge"].mean(1, keepdim=True)
    logits = {"global": output.maps["global"]} if "global" in output.maps else {}
    for i in (5, 4, 3) if model.config.reverse else ():
        (c, deeper), stage = heard[f"reverse{i}"]
        found[f"reverse{i}"] = stage.attention
        found[f"erased{i}"] = energy(c * (1 - stage.attention))
        found[f"remaining{i}"] = energy(stage.features)
        found[f"added{i}"] = stage.refined - resize_like(deeper, stage.refined)
        logits[f"refined{i}"] = output.maps[f"refined{i}"]
    found = {name: resize_like(m.float(), face) for name, m in found.items()}
    # Resized before the sigmoid, as the model itself does it.
    found |= {name: F.sigmoid(resize_like(m.float(), face)) for name, m in logits.items()}
    return Maps(
        logits=output.logits.float().cpu(),
        on_face={name: found[name][:, 0].cpu() for name in TITLES if name in found},
        weights={i: w.float().cpu() for i, w in weights.items()},
        descriptors={i: d.float().cpu() for i, d in descriptors.items()},
    )


def energy(x: Tensor) -> Tensor:
    """Root mean square over channels, in the features' own unit: (N, C, h, w) -> (N, 1, h, w)."""
    return x.float().square().mean(1, keepdim=True).sqrt()
