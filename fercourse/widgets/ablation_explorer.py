"""Table 1, live: switch components, see what was measured, and measure what was not."""

from __future__ import annotations

from typing import Any

import ipywidgets
from matplotlib.figure import Figure

from fercourse import plots
from fercourse.config import LABELS, PARTS
from fercourse.datasets.registry import REGISTRY, known
from fercourse.experiments import job as jobs
from fercourse.experiments.board import (
    LedgerView,
    changes,
    component_results,
    next_run,
    own_ledger,
    shared_config,
    with_components,
)
from fercourse.experiments.durations import Durations
from fercourse.experiments.live import LiveRun
from fercourse.experiments.plans import Planned
from fercourse.experiments.runner import device_kind
from fercourse.settings import ledger_path
from fercourse.widgets.explorer import Explorer, Picture, in_red, show
from fercourse.widgets.parts import lines, menu


def ablation_board(
    dataset: str = "synthetic", preset: str = "smoke", model: int = 6
) -> AblationBoard:
    """The five components of Table 1 as switches.

    A run that was recorded appears at once; one that was not can be trained, in the background.
    It is then recorded in ``results/mine/ledger.jsonl``, which git ignores.

    Args:
        dataset: "synthetic", "fer2013" or "ckplus"; shown first.
        preset: One of :data:`fercourse.config.LABELS`; shown first.
        model: Row of Table 1 to start from.
    """
    return AblationBoard(dataset, preset, model)


class AblationBoard(Explorer):
    """See :func:`ablation_board`.

    Args:
        dataset: Shown first.
        preset: Shown first.
        model: Shown first.
        work: What a training process does; for tests.

    Attributes:
        live: The run in the background, once one was started.
    """

    def __init__(self, dataset: str, preset: str, model: int, work: jobs.Work = jobs.work) -> None:
        self.live: LiveRun | None = None
        self.ledgers = LedgerView()
        self._work = work
        self._next: Planned | None = None
        self._device = device_kind("auto")
        toggles = {
            part.switch: ipywidgets.ToggleButton(
                value=part.row is not None and model >= part.row,
                description=part.title,
                layout=ipywidgets.Layout(width=f"{max(85, 20 + 8 * len(part.title))}px"),
            )
            for part in PARTS
        }
        faces = menu("faces", [(each.title, name) for name, each in REGISTRY.items()], dataset)
        presets = menu("preset", list(LABELS), preset, width="150px")
        self.train = ipywidgets.Button(icon="play", layout=ipywidgets.Layout(width="390px"))
        self.stop = ipywidgets.Button(
            description="stop", icon="stop", layout=ipywidgets.Layout(width="90px")
        )
        self.status = ipywidgets.HTML()
        self.curve = Picture()
        self.train.on_click(self.start)
        self.stop.on_click(lambda _: self.live and self.live.stop())
        super().__init__(
            self._draw,
            "Switch components on and off: which one pays, here and in the paper?",
            panel=lines(
                (faces, presets), tuple(toggles.values()), (self.train, self.stop), (self.status,)
            ),
            dataset=faces,
            preset=presets,
            states={"components": _combinations()},
            **toggles,
        )
        self.children = (*self.children, self.curve)
        self._show_live()

    def start(self, button: Any = None) -> None:
        """Train what the button offers, unless something is being trained."""
        if self._next is None or self._training:
            return
        root = ledger_path().resolve().parent.parent / "build" / "runs"
        self.status.value = ""
        self.live = LiveRun(self._next, own_ledger(), root, changed=self._follow, work=self._work)
        self._show_live()

    @property
    def _training(self) -> bool:
        return self.live is not None and self.live.state == "training"

    def _draw(self, dataset: str, preset: str, **components: bool) -> Figure:
        self._next = None
        self._offer("not possible")  # until the rest of this shows that it is
        rows = self.ledgers.entries()
        base, on = shared_config(rows, dataset, preset), tuple(components.values())
        with_components(base, on)
        here = component_results(rows, base, on)
        self._next = next_run(rows, base, on, LABELS[preset])
        self._offer(
            _offered(
                self._next,
                Durations(self.ledgers.rows(), self._device),
                next(s for s in here if s.on == on).rows,
            )
        )
        changed = changes(base, dataset, preset)
        where = f"{known(dataset).title}, {preset}" + (f" with {changed}" if changed else "")
        return plots.ablation_board(here, on, where)

    def _offer(self, text: str) -> None:
        self.train.description = text
        self.train.disabled = self._next is None or self._training

    def _follow(self, live: LiveRun) -> None:
        """Called in the run's thread."""
        self._show_live()
        if live.state == "recorded":
            self.redraw()

    def _show_live(self) -> None:
        self.stop.disabled = not self._training
        self.train.disabled = self._next is None or self._training
        live = self.live
        self.curve.layout.display = "none" if live is None else ""
        if live is None:
            return
        run = live.planned
        figure = plots.training_now(live.history, run.config.train.epochs, run.name, live.state)
        show(figure, self.curve)
        self.status.value = {
            "training": "Training goes on while you work; nothing is recorded before its end.",
            "recorded": f"Recorded in {live.ledger.path.parent.name}/{live.ledger.path.name} "
            "beside the course's ledger.",
            "stopped": "Stopped, and nothing recorded. Train it again to go on from there.",
            "failed": in_red(live.trouble),
        }[live.state]


def _combinations() -> dict[str, dict[str, bool]]:
    """Table 1's models, and the last without each of its components: switches by a name."""
    models = {
        f"model {row}": {part.switch: part.row is not None and row >= part.row for part in PARTS}
        for row in range(1, 7)
    }
    whole = models["model 6"]
    return models | {
        f"model 6 without {part.title}": whole | {part.switch: False} for part in PARTS[:-1]
    }


def _offered(planned: Planned | None, durations: Durations, there: tuple) -> str:
    """What the button says."""
    if planned is None:
        return "all ten seeds are there"
    config = planned.config
    if known(config.data.name).folded:
        text = f"train seed {config.seed}, fold {config.data.fold + 1} of {config.data.folds}"
    else:
        text = f"add seed {config.seed}" if there else "train it"
    seconds = durations.expect(config)
    if seconds is None:
        return f"{text} (how long is not known yet)"
    minutes = max(1, round(seconds / 60))
    return f"{text} (about {minutes} minute{'s' * (minutes > 1)} here)"
