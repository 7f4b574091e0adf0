"""How cost grows with the size of faces, the width of the network, the batch, faces in a photo."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from photo_speed import portrait
from PIL import Image

import fercourse
from fercourse.errors import FercourseError
from fercourse.evaluation.recognise import Reader
from fercourse.experiments.cost import prediction
from fercourse.runs.performance import Growth, spread
from parts.framework import batch, full_model, step_of
from parts.setting import SIZE, Setting

NARROW = 0.375
"""Width of the networks whose faces or batches grow: preset cpu's."""

COLUMNS, CELL = 10, 100
"""Of a photograph of 50 faces, pixels."""


def measure(s: Setting) -> list[Growth]:
    """By size, width, batch, and faces."""
    width, few = (0.125, 4) if s.quick else (NARROW, 16)
    sizes = (32, 48) if s.quick else (32, 48, 64, 96, 128, 160, 192, 224)
    widths = (0.125, 0.25) if s.quick else (0.125, 0.25, 0.375, 0.5, 0.75, 1.0)
    batches = (2, 8) if s.quick else (1, 2, 4, 8, 16, 32, 64, 128, 256, 512)

    net = full_model(s, width)
    faces = {size: batch(s, few, size) for size in sizes}
    by_size = _both(
        s,
        "size",
        48,
        f"width {width:g}, {few} faces a step",
        {k: (net, *f) for k, f in faces.items()},
    )
    face = batch(s, s.batch)
    nets = {w: full_model(s, w) for w in widths}
    by_width = _both(
        s,
        "width",
        widths[-1],
        f"{SIZE} pixels, {s.batch} faces a step",
        {w: (net, *face) for w, net in nets.items()},
    )
    by_batch = _both(
        s,
        "batch",
        s.batch,
        f"width {width:g}, {SIZE} pixels",
        {n: (net, *batch(s, n)) for n in batches},
    )
    return [*by_size, *by_width, *by_batch, _by_faces(s)]


def _both(
    s: Setting, by: str, reference: float, setting: str, cases: Mapping[float, tuple]
) -> list[Growth]:
    """Training and prediction; a case is a network, faces and labels. Time is of a face."""
    training = {v: c for v, c in cases.items() if len(c[1]) > 1}  # batch norm needs two
    steps = {
        "training": {v: step_of(*case, s.bf16) for v, case in training.items()},
        "prediction": {v: partial(prediction, net, x, s.bf16) for v, (net, x, _) in cases.items()},
    }
    per_call = {v: len(x) for v, (_, x, _) in cases.items()}
    return [_grown(s, by, use, reference, setting, of, per_call) for use, of in steps.items()]


def _grown(
    s: Setting,
    by: str,
    use: str,
    reference: float,
    setting: str,
    steps: Mapping[float, Callable[[], object]],
    per_call: Mapping[float, int],
) -> Growth:
    times = {v: [t / per_call[v] for t in ts] for v, ts in s.times(steps).items()}
    points = tuple((v, spread(ts, times[reference])) for v, ts in times.items())
    return Growth(by, use, reference, setting, points)


def _by_faces(s: Setting) -> Growth:
    """Photographs of one size, with one face to fifty of one size."""
    reader = Reader(fercourse.pretrained("fer2013", 6), s.device)
    counts = (1, 2) if s.quick else (1, 2, 5, 10, 20, 50)
    photos = {n: group(n) for n in counts}
    for n, photo in photos.items():
        if (found := len(reader.read([photo])[0])) != n:
            raise FercourseError(f"{found} faces are found where {n} are: no time a face.")
    steps = {n: partial(reader.read, [photo]) for n, photo in photos.items()}
    width, height = photos[1].size
    setting = f"photographs of {width} x {height} pixels"
    return _grown(s, "faces", "reading", 1, setting, steps, dict.fromkeys(counts, 1))


def group(count: int) -> Image.Image:
    """A photograph with one portrait so many times, on grey."""
    canvas = Image.new("RGB", (COLUMNS * CELL, 5 * 120), (120, 130, 125))
    face = portrait().resize((94, 110))
    for k in range(count):
        canvas.paste(face, (CELL * (k % COLUMNS), 120 * (k // COLUMNS)))
    return canvas
