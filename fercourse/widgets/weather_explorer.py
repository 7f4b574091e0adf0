"""A drawn face in any weather, before and after a cure, and what networks read."""

from __future__ import annotations

from collections.abc import Mapping

import ipywidgets as w
import numpy as np
import torch
from matplotlib.figure import Figure

from fercourse.datasets.synthetic import draw
from fercourse.evaluation.predict import probabilities
from fercourse.labels import BASIC
from fercourse.models.recogniser import Recogniser
from fercourse.plots.weather.answers import weather_answers
from fercourse.weather import CORRUPTIONS, CURES, corrupt, cure
from fercourse.widgets.explorer import Explorer

SIZE = 48


def weather(networks: Mapping[str, Recogniser]) -> Explorer:
    """Choose a face, a corruption, its severity and a cure.

    Args:
        networks: By the name they are shown under; of drawn faces of 48 pixels.
    """

    def show(expression: str, person: int, corruption: str, severity: int, after: str) -> Figure:
        drawn = draw(expression, identity=person, size=SIZE, margin=0.0, difficulty=0.3)
        clear = torch.from_numpy(np.asarray(drawn.image))[None]
        worse = corrupt(clear, corruption, severity) if severity else clear
        seen = torch.cat((clear, worse, cure(worse, after)))  # (3, S, S)
        read = {name: probabilities(net, seen, bf16=False) for name, net in networks.items()}
        titles = [
            "clear",
            f"{CORRUPTIONS[corruption].title}, severity {severity}",
            "no cure" if after == "none" else after,
        ]
        return weather_answers(seen, titles, read, expression.capitalize())

    return Explorer(
        show,
        "At which severity would you give up? Does a cure that helps your eye help a network?",
        expression=w.Dropdown(
            options=[e.name.lower() for e in BASIC], value="happy", description="expression"
        ),
        person=w.IntSlider(9, 0, 60, description="person", continuous_update=False),
        corruption=w.Dropdown(
            options=[(c.title, name) for name, c in CORRUPTIONS.items()], description="weather"
        ),
        severity=w.IntSlider(3, 0, 5, description="severity", continuous_update=False),
        after=w.Dropdown(
            options=[("no cure", "none"), *((n, n) for n in CURES)], description="cure"
        ),
        states={
            "corruption": ["fog", "low_light", "noise", "cover"],
            "severity": [0, 1, 3, 5],
            "after": ["none", "gamma", "dehaze"],
        },
    )
