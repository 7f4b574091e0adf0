"""Who is drawn: the lasting traits of a face, from one number."""

from dataclasses import dataclass, field

import torch
from torch import Tensor

from fercourse.datasets.synthetic.random import normal, uniform

# Traits that vary around a mean, with a standard deviation; lengths as in canvas.py.
VARIED: dict[str, tuple[float, float]] = {
    "width": (1.05, 0.055),  # of the face
    "chin": (1.60, 0.07),  # lower end of the face
    "jaw": (2.9, 0.5),  # exponent: pointed to square
    "eye_s": (0.465, 0.025),
    "eye_width": (0.215, 0.014),
    "eye_open": (0.095, 0.016),  # of the upper lid above the corners
    "eye_tilt": (0.02, 0.02),  # outer corner above the inner one
    "eye_depth": (0.12, 0.035),
    "crease": (0.05, 0.02),  # lid fold above the lid; single lids have none
    "iris": (0.092, 0.005),
    "brow_y": (-0.29, 0.035),
    "brow_arch": (0.055, 0.025),
    "brow_slope": (0.0, 0.032),
    "brow_thick": (0.045, 0.012),
    "nose_width": (0.215, 0.03),
    "nose_tip": (0.53, 0.04),
    "nose_high": (0.30, 0.05),
    "cheek": (0.06, 0.02),
    "mouth_y": (1.0, 0.03),
    "mouth_width": (0.375, 0.03),
    "lip_upper": (0.075, 0.02),
    "lip_lower": (0.105, 0.025),
    "bend": (0.0, 0.03),  # corners of the mouth at rest, positive upwards
    "hairline": (-1.02, 0.10),
    "top": (1.62, 0.06),
}
# Traits spread evenly over a range.
SPREAD: dict[str, tuple[float, float]] = {
    "skin": (0.0, 1.0),
    "age": (0.0, 1.0),
    "sex": (0.0, 1.0),
    "hair_tone": (0.0, 1.0),
    "hair_kind": (0.0, 1.0),
    "beard": (0.0, 1.0),
    "glasses": (0.0, 1.0),
    "frame": (0.0, 1.0),
    "iris_tone": (0.0, 1.0),
    "lipstick": (0.0, 1.0),
    "brow_dense": (0.6, 1.0),
    "mottle": (0.3, 1.0),
    "part": (-1.0, 1.0),  # side on which the hair is parted
    "fold": (0.0, 1.0),  # how deep the folds beside the nose are at rest
}


@dataclass
class Traits:
    """The lasting traits of N people, each (N, 1, 1, 1), side-dependent ones (N, 2, 1, 1).

    :func:`traits` fills in all of them: those of :data:`VARIED` and :data:`SPREAD`, then what
    follows from these. Lengths as in ``canvas.py``, tones are reflectances in [0, 1], the rest are
    shares, or 1 for yes and 0 for no.

    Attributes:
        number: int64 (N,), who.
    """

    number: Tensor
    # Drawn around a mean.
    width: Tensor = field(init=False)
    chin: Tensor = field(init=False)
    jaw: Tensor = field(init=False)
    eye_s: Tensor = field(init=False)
    eye_width: Tensor = field(init=False)
    eye_open: Tensor = field(init=False)
    eye_tilt: Tensor = field(init=False)
    eye_depth: Tensor = field(init=False)
    crease: Tensor = field(init=False)
    iris: Tensor = field(init=False)
    brow_y: Tensor = field(init=False)
    brow_arch: Tensor = field(init=False)
    brow_slope: Tensor = field(init=False)
    brow_thick: Tensor = field(init=False)
    nose_width: Tensor = field(init=False)
    nose_tip: Tensor = field(init=False)
    nose_high: Tensor = field(init=False)
    cheek: Tensor = field(init=False)
    mouth_y: Tensor = field(init=False)
    mouth_width: Tensor = field(init=False)
    lip_upper: Tensor = field(init=False)
    lip_lower: Tensor = field(init=False)
    bend: Tensor = field(init=False)
    hairline: Tensor = field(init=False)
    top: Tensor = field(init=False)
    # Drawn evenly.
    skin: Tensor = field(init=False)
    age: Tensor = field(init=False)
    sex: Tensor = field(init=False)
    hair_tone: Tensor = field(init=False)
    hair_kind: Tensor = field(init=False)
    beard: Tensor = field(init=False)
    glasses: Tensor = field(init=False)
    frame: Tensor = field(init=False)
    iris_tone: Tensor = field(init=False)
    lipstick: Tensor = field(init=False)
    brow_dense: Tensor = field(init=False)
    mottle: Tensor = field(init=False)
    part: Tensor = field(init=False)
    fold: Tensor = field(init=False)
    # Made from those.
    brow_uneven: Tensor = field(init=False)
    mouth_uneven: Tensor = field(init=False)
    eye_uneven: Tensor = field(init=False)
    child: Tensor = field(init=False)
    old: Tensor = field(init=False)
    lines: Tensor = field(init=False)
    single_lid: Tensor = field(init=False)
    female: Tensor = field(init=False)
    skin_tone: Tensor = field(init=False)
    hair: Tensor = field(init=False)
    brow_tone: Tensor = field(init=False)
    lip_tone: Tensor = field(init=False)
    long: Tensor = field(init=False)
    bald: Tensor = field(init=False)
    fringe: Tensor = field(init=False)
    stubble: Tensor = field(init=False)
    full_beard: Tensor = field(init=False)
    moustache: Tensor = field(init=False)
    has_glasses: Tensor = field(init=False)


def traits(identity: Tensor) -> Traits:
    """The traits of N people.

    Args:
        identity: int64 (N,); one number is the same person in every picture.
    """
    z = normal(0, "varied", identity, len(VARIED)).clamp(-2.2, 2.2)
    u = uniform(0, "spread", identity, len(SPREAD))
    t = Traits(identity)
    for k, (name, (mean, sd)) in enumerate(VARIED.items()):
        setattr(t, name, (mean + sd * z[:, k])[:, None, None, None])
    for k, (name, (low, high)) in enumerate(SPREAD.items()):
        setattr(t, name, (low + (high - low) * u[:, k])[:, None, None, None])
    uneven = normal(0, "uneven", identity, 6).view(-1, 2, 1, 3)
    t.brow_uneven, t.mouth_uneven, t.eye_uneven = (0.009 * uneven[..., k : k + 1] for k in range(3))

    child = ((0.22 - t.age) / 0.14).clamp(0, 1)  # one face in six is a child's
    old = ((t.age - 0.55) / 0.45).clamp(0, 1)
    female = (t.sex < 0.5).double()
    t.child, t.old = child, old
    t.lines = 0.15 + 0.85 * old - 0.15 * child  # standing wrinkles, and how deep moving ones go
    t.chin = t.chin - 0.10 * child + 0.03 * (1 - female)
    t.jaw = t.jaw + (0.35 * (1 - female) - 0.15) * (1 - child) - 0.2 * child
    t.eye_open = t.eye_open * (1 + 0.12 * child - 0.12 * old)
    t.iris = t.iris * (1 + 0.10 * child)
    t.nose_width = t.nose_width * (1 - 0.16 * child + 0.08 * old)
    t.nose_high = t.nose_high * (1 - 0.35 * child)
    t.nose_tip = t.nose_tip - 0.05 * child
    t.mouth_y = t.mouth_y - 0.05 * child
    t.mouth_width = t.mouth_width * (1 - 0.10 * child)
    t.brow_thick = (t.brow_thick * (1 + 0.35 * (1 - female) - 0.3 * child)).clamp(min=0.018)
    t.brow_y = t.brow_y - 0.03 * female
    t.lip_upper = (t.lip_upper * (1 + 0.15 * female - 0.35 * old)).clamp(min=0.03)
    t.lip_lower = (t.lip_lower * (1 + 0.15 * female - 0.25 * old)).clamp(min=0.045)
    t.single_lid = (t.crease < 0.03).double()
    t.crease = t.crease.clamp(min=0.03)
    t.female = female

    # Reflectance (linear): skin from deep brown to pale, hair from black to white.
    t.skin_tone = 0.07 * (0.62 / 0.07) ** (t.skin**0.75)
    dark = 0.012 * (0.16 / 0.012) ** (t.hair_tone**1.5)
    grey = (old * 1.3 - 0.5).clamp(0, 1) * (t.hair_kind * 7 % 1)
    t.hair = torch.minimum(dark, 0.10 + 0.5 * t.skin_tone) * (1 - grey) + 0.42 * grey
    t.brow_tone = 0.6 * t.hair.clamp(max=0.14) + 0.1 * t.skin_tone
    t.lip_tone = t.skin_tone * (0.50 - 0.25 * female * (t.lipstick > 0.6) * (1 - child))

    # Kinds: one number decides, so that a person keeps theirs.
    kind = t.hair_kind
    t.long = ((kind < 0.62) & (female > 0.5)).double() + ((kind < 0.06) & (female < 0.5)).double()
    t.bald = ((kind > 0.72) & (female < 0.5) & (t.age > 0.3)).double()
    t.fringe = ((kind * 5 % 1 < 0.25) & (t.bald == 0)).double()
    man = (1 - female) * (t.age > 0.25).double()
    t.stubble = man * (t.beard > 0.4).double() * ((t.beard - 0.4) / 0.6)
    t.full_beard = man * (t.beard > 0.84).double()
    t.moustache = man * ((t.beard > 0.72).double())
    t.has_glasses = (t.glasses > 0.86).double()
    return t
