"""The cascade of fig. 1 taken apart: each step's operands and result, at their own sizes."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from fercourse.datasets.faces import Faces
from fercourse.errors import FercourseError
from fercourse.explain.layers import as_input, eval_mode
from fercourse.explain.maps import capture_activations, energy
from fercourse.models.fernet import FERNet
from fercourse.modules.blocks import resize_like


@dataclass(frozen=True)
class Term:
    """One map in a step.

    Attributes:
        title: In mathtext, "$A_5$".
        values: float32 (h, w), on the CPU.
        kind: "share", in (0, 1); "energy", >= 0, over channels; "logit", of either sign.
        channels: Of the tensor the map stands for.
    """

    title: str
    values: Tensor
    kind: str
    channels: int = 1

    @property
    def shape(self) -> tuple[int, int, int]:
        """Channels, height and width of that tensor."""
        height, width = self.values.shape
        return self.channels, height, width


@dataclass(frozen=True)
class Step:
    """One arrow of the cascade.

    Attributes:
        name: As in :class:`fercourse.models.fernet.Output`: "global", "reverse5", "remaining5",
            "refined5", ..., "refined3".
        formula: In mathtext.
        words: What happens, one sentence.
        operands: What goes in.
        sign: Between the operands, "×" or "+"; "" for a single one.
        result: What comes out.
    """

    name: str
    formula: str
    words: str
    operands: tuple[Term, ...]
    sign: str
    result: Term


@torch.inference_mode()
def reverse_steps(model: FERNet, face: Faces) -> list[Step]:
    """P_d, then A_i, R_i and S_i for blocks 5, 4 and 3: ten steps, of one face.

    Args:
        model: With reverse attention, so Table 1's model 5 or 6; judged in evaluation mode.
        face: One face; of several the first is taken.

    Raises:
        FercourseError: There is no face, or the model has no reverse attention.
    """
    if not len(face):
        raise FercourseError("there is no face to show.")
    if not model.config.reverse:
        raise FercourseError(
            "this model has no reverse attention to step through: take Table 1's model 5 or 6."
        )
    x = as_input(model, face[:1])
    stages = {i: getattr(model, f"reverse{i}") for i in (5, 4, 3)}
    with (
        eval_mode(model),
        capture_activations({f"reverse{i}": s for i, s in stages.items()}) as heard,
    ):
        output = model(x)
    features = {i: heard[f"reverse{i}"][0][0] for i in stages}  # C_i: (1, C_i, h_i, w_i)

    region = output.maps["global"]  # (1, 1, h_3, w_3)
    deeper = r"P_d"
    start = _share(r"$\sigma(P_d)$", region.sigmoid())
    steps = [
        Step(
            "global",
            r"$P_d = \mathrm{pd}(C_3, C_4, C_5)$",
            "The partial decoder merges three blocks into a first guess of where to look.",
            tuple(_energy(f"$C_{i}$", features[i]) for i in (3, 4, 5)),
            ",",
            start,
        )
    ]
    for i in stages:
        c, stage = features[i], heard[f"reverse{i}"][1]
        up = resize_like(region, c)  # U(S_(i+1)): (1, 1, h_i, w_i)
        refined = output.maps[f"refined{i}"]
        a, s = _share(f"$A_{i}$", stage.attention), _share(rf"$\sigma(S_{i})$", refined.sigmoid())
        r = _energy(f"$R_{i}$", stage.features)
        steps += [
            Step(
                f"reverse{i}",
                rf"$A_{i} = 1 - \sigma(U({deeper}))$   (eq. 4)",
                "Resize the map so far and turn it over: high where nothing was found yet.",
                (_share(rf"$\sigma(U({deeper}))$", up.sigmoid()),),
                "",
                a,
            ),
            Step(
                f"remaining{i}",
                rf"$R_{i} = C_{i} \cdot A_{i}$   (eq. 3)",
                f"Multiply every channel of block {i} by it: what was found already is erased.",
                (_energy(f"$C_{i}$", c), a),
                "×",
                r,
            ),
            Step(
                f"refined{i}",
                rf"$S_{i} = U({deeper}) + h(R_{i})$",
                "Four convolutions h look at what is left; their finding is added before the σ.",
                (
                    _share(rf"$\sigma(U({deeper}))$", up.sigmoid()),
                    Term(f"$h(R_{i})$, logits", (stage.refined - up)[0, 0].float().cpu(), "logit"),
                ),
                "+",
                s,
            ),
        ]
        region, deeper = refined, f"S_{i}"
    return steps


def _share(title: str, values: Tensor) -> Term:
    return Term(title, values[0, 0].float().cpu(), "share")


def _energy(title: str, values: Tensor) -> Term:
    return Term(title, energy(values)[0, 0].cpu(), "energy", values.shape[1])
