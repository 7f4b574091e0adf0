"""Maps a second: the network's own, and class activation maps, beside the grad-cam package."""

from __future__ import annotations

from functools import partial

import fercourse
from fercourse.explain import gradcam, maps
from fercourse.explain.gradcam import Logits
from fercourse.explain.layers import layer
from fercourse.preprocess import normalise
from fercourse.runs.performance import Ratio
from parts.setting import Setting

PART = "maps"


def measure(s: Setting) -> list[Ratio]:
    """Of the bundled model; everything in float32, as the package computes."""
    from pytorch_grad_cam import GradCAM

    network, other = (fercourse.pretrained("fer2013", 6).network.to(s.device) for _ in range(2))
    faces = s.faces(s.batch)
    kinds = len(maps(network, faces[:1]).on_face)
    package = GradCAM(Logits(other.eval()), [layer(other, "block5")])

    def directly() -> None:
        package(normalise(faces), None)  # of the class that it predicts

    own = {
        f"all {kinds} maps of the network's own": partial(maps, network, faces),
        "one map by package grad-cam": directly,
    }
    classes = {
        "fercourse's Grad-CAM": partial(gradcam, network, faces),
        "package grad-cam, called directly": directly,
    }
    return [
        *s.ratios(PART, own, "maps", kinds * s.batch),
        *s.ratios(PART, classes, "maps", s.batch),
    ]
