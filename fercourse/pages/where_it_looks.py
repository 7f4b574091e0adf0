"""docs/where-it-looks.md's tables, written from the score book and the ledger."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from fercourse.datasets.registry import known
from fercourse.explain.gradcam import METHODS
from fercourse.files import write_if_changed
from fercourse.markdown import fill_tables, table
from fercourse.pages.does_it_look import verdicts
from fercourse.pages.picture import save_if_changed
from fercourse.pages.relatives import MENDED, RELATIVES, carried_over, compared, cost
from fercourse.plots import (
    faithfulness,
    gcca_mends,
    relatives,
    score_expressions,
    score_models,
    supervision,
)
from fercourse.plots import sanity as sanity_figure
from fercourse.runs.attention_record import attention_records, slot_records
from fercourse.runs.row import Row
from fercourse.runs.score_book import ScoreRow, highest_baseline

NAMES = {
    **METHODS,
    **{
        f"{name}{i}": f"energy of C{i}, {name} GCCA"
        for i in range(1, 6)
        for name in ("before", "after")
    },
    "edge": "edge map",
    "global": "global map P_d",
    "reverse5": "A_5",
    "reverse4": "A_4",
    "reverse3": "A_3",
    "remaining5": "R_5 (energy)",
    "remaining4": "R_4 (energy)",
    "remaining3": "R_3 (energy)",
    "refined5": "S_5",
    "refined4": "S_4",
    "refined3": "S_3",
    "random": "random",
    "centre": "centre Gaussian",
    "mean-face edges": "mean-face edges",
    "own edges": "the face's own edges",
    "untrained C2": "C2 of an untrained network",
    "untrained C3": "C3 of an untrained network",
    "untrained Grad-CAM": "Grad-CAM of an untrained network",
}
MODELS = tuple(f"model{k}" for k in range(1, 7))
SUPERVISED = "model5-supervised"
BLIND = ("random", "centre", "mean-face edges", "own edges")
STEPS = (
    ("GCCA", "model2", "model3", ("gradcam", "layercam", "before5")),
    ("the decoder", "model3", "model4", ("gradcam", "layercam", "before5")),
    ("reverse attention", "model4", "model5", ("gradcam", "layercam", "before5", "global")),
    (
        "the joint loss",
        "model5",
        "model6",
        ("gradcam", "layercam", "before5", "global", "refined3"),
    ),
)
"""Which components are asked about, between which models, by which maps."""


def runs(ledger: Sequence[Row]) -> str:
    """The trained models behind the scores, with their accuracy."""
    lines = []
    for r in ledger:
        c = r.run
        hard = f", difficulty {c.data.difficulty:g}" if known(c.data.name).drawn else ""
        lines.append(
            (
                r.variant,
                r.seed,
                f"`{r.key}`",
                c.train.epochs,
                f"{c.model.width:g}",
                f"{c.data.name}{hard}",
                f"{100 * r.val_accuracy:.1f}",
                f"{100 * r.test_accuracy:.1f}",
            )
        )
    return _table("model, seed, run, epochs, width, faces, validation %, test %", lines)


def scores(rows: Sequence[ScoreRow], metric: str) -> str:
    """Maps x models in per cent, 95 % intervals over faces; several seeds are averaged."""
    columns = (*MODELS, SUPERVISED)
    rows = [r for r in rows if metric in r.scores and r.variant in (*columns, "baseline")]
    lines = []
    for name, title in NAMES.items():
        mine = [r for r in rows if r.name == name]
        if mine and mine[0].kind == "baseline":
            lines.append((f"*{title}*", _cell(mine, metric), *[""] * (len(columns) - 1)))
        elif mine:
            cells = [_cell([r for r in mine if r.variant == m], metric) for m in columns]
            lines.append((title, *cells))
    return _table("map, " + ", ".join(columns), lines)


def expressions(rows: Sequence[ScoreRow], metric: str, variant: str = "model6") -> str:
    """Maps x expressions for one model, per cent; over all of them with a 95 % interval."""
    mine = [r for r in rows if metric in r.scores and r.variant in (variant, "baseline")]
    if not mine:
        return "Not measured."
    groups = [g for g in mine[0].scores[metric] if g != "all"]
    lines = []
    for name, title in NAMES.items():
        found = [r.scores[metric] for r in mine if r.name == name]
        if found:
            means = [np.mean([s[g][0] for s in found if g in s]) for g in groups]
            own = [r for r in mine if r.name == name]
            lines.append((title, _cell(own, metric), *(f"{100 * m:.0f}" for m in means)))
    return _table("map, all, " + ", ".join(groups), lines)


def steps(rows: Sequence[ScoreRow], metric: str) -> str:
    """What each component adds, seed by seed: a difference of two means over the same faces."""
    lines = []
    rows = [r for r in rows if metric in r.scores and r.kind in ("map", "cam")]
    for what, first, second, names in STEPS:
        for name in names:
            before = {
                r.run.rpartition("-")[2]: r for r in rows if (r.name, r.variant) == (name, first)
            }
            after = {
                r.run.rpartition("-")[2]: r for r in rows if (r.name, r.variant) == (name, second)
            }
            pairs = [(before[seed], after[seed]) for seed in sorted(before.keys() & after.keys())]
            if not pairs:
                continue
            gains = [100 * (b.value(metric) - a.value(metric)) for a, b in pairs]
            sides = {_apart(a.scores[metric]["all"], b.scores[metric]["all"]) for a, b in pairs}
            word = {1: "more", -1: "less"}.get(min(sides), "") if len(sides) == 1 else ""
            lines.append(
                (
                    what,
                    f"{first[-1]} to {second[-1]}",
                    NAMES[name],
                    ", ".join(f"{g:+.1f}" for g in gains),
                    word or "cannot tell",
                )
            )
    return _table("adding, models, map, points (a seed each), intervals say", lines)


def map_statistics(rows: Sequence[ScoreRow]) -> str:
    """How much the unsupervised maps vary: over a face, between faces, and with the masks."""
    lines = []
    for r in rows:
        s = r.spread
        if s and r.kind == "map" and r.name in ("global", "refined5", "refined4", "refined3"):
            lines.append(
                (
                    _who(r),
                    NAMES[r.name],
                    f"{s['mean']:.3f}",
                    f"{s['within']:.3f}",
                    f"{s['between']:.3f}",
                    f"{s['entropy']:.4f}",
                    f"{s['correlation']:+.2f}",
                )
            )
    return _table(
        "model, map, mean, sd over a face, sd between faces, entropy (1 is flat), "
        "correlation with the masks",
        lines,
    )


def gates(rows: Sequence[ScoreRow]) -> str:
    """How much GCCA chooses among channels, and how much that depends on the face."""
    lines = []
    for r in rows:
        if r.kind == "gate":
            lines.append(
                (
                    _who(r),
                    *(
                        " ".join(f"{v[0]:.3f}" for v in r.scores[k].values())
                        for k in ("over channels", "over faces")
                    ),
                )
            )
    return _table("model, sd over channels in blocks 1 to 5, mean change from face to face", lines)


def faithful(rows: Sequence[ScoreRow]) -> str:
    """Deletion, insertion and ROAD."""
    lines = []
    for r in rows:
        if r.kind == "faithful":
            area, road = r.scores["area"], r.scores["road"]["all"]
            cells = (area["deletion"], area["insertion"], road)
            lines.append((_who(r), r.n, NAMES.get(r.name, r.name), *(_percent(c) for c in cells)))
    return _table(
        "model, faces, map, area under deletion (low is good), area under insertion "
        "(high is good), ROAD (points)",
        lines,
    )


def sanity(rows: Sequence[ScoreRow]) -> str:
    """Rank correlation with the trained map once all is forgotten, and with the mirrored face's."""
    lines = []
    for r in rows:
        if r.kind == "sanity":
            found = r.scores["randomised"]
            cells = (found["logits"], found["block1"], r.scores["flip"]["all"])
            lines.append((_who(r), r.n, NAMES[r.name], *(_plain(c) for c in cells)))
    return _table("model, faces, map, logits forgotten, all forgotten, mirrored", lines)


FOLDED = {
    "runs": "The trained models, with their accuracy",
    "transfer": "Every map, by expression, against the changed pixels",
    "transfer_regions": "Every map, by expression, against the regions",
    "flatness": "How far each map varies",
    "gates": "How far GCCA's weights vary",
    "pr_auc": "Every map of the six models, against the changed pixels",
    "pr_auc_regions": "Every map of the six models, against the regions",
    "steps": "What each component adds, map by map",
    "sanity": "Every method, as weights are forgotten",
    "faithful": "Deletion, insertion and ROAD of every map",
}
"""What stands over a table that the page folds away."""


def summary(rows: Sequence[ScoreRow]) -> str:
    """The page in ten lines, of the six models of drawn faces, and of the supervised one."""
    drawn = [r for r in rows if r.variant in (*MODELS, SUPERVISED, "baseline")]
    metric = "pr_auc"
    scored = [r for r in drawn if metric in r.scores]
    six = [r for r in scored if r.variant != SUPERVISED]
    if not any(r.variant == "model6" for r in six) or not any(r.kind == "baseline" for r in six):
        return "Not measured."
    mean = {
        name: float(np.mean([r.value(metric) for r in six if r.name == name]))
        for name in {r.name for r in six}
    }
    rivals = {r.name for r in six if r.kind == "baseline"}
    best = max(mean.keys() - rivals, key=lambda name: (mean[name], name.startswith("before")))
    cams = [mean[name] for name in METHODS if name in mean]
    rival, bar = highest_baseline(six, metric)
    above = beating(six, metric, bar)
    seeing = [r for r in six if r.name in BLIND]
    _, edge = highest_baseline(seeing, metric)
    over = beating(six, metric, edge)
    told = [line for line in steps(rows, metric).splitlines() if line.endswith("|")][2:]
    unsure = sum("cannot tell" in line for line in told)
    onto = [line for line in told if any(f"| {title} |" in line for title in METHODS.values())]
    gained = sum("| more |" in line for line in onto)
    flat = [r.spread["within"] for r in six if r.name == "refined3" and r.spread]
    gate = [v[0] for r in drawn if r.kind == "gate" for v in r.scores["over faces"].values()]
    held = [r.value(metric) for r in scored if (r.variant, r.name) == (SUPERVISED, "refined3")]
    road = {
        r.name: r.scores["road"]["all"][0]
        for r in drawn
        if r.kind == "faithful" and r.variant == "model6"
    }
    hang = [
        NAMES[n] for n, value in road.items() if value > max(road[b] for b in road if b in BLIND)
    ]
    lines = [
        "Everything here is about narrow networks on drawn faces, of which it is known what "
        "changes with an expression. A score is a PR-AUC in per cent against those pixels.",
        f"A random map scores {100 * mean['random']:.0f}, a blob in the middle of the picture "
        f"{100 * mean['centre']:.0f}, the face's own edges {100 * mean['own edges']:.0f}, an "
        f"untrained network's C3 {100 * mean['untrained C3']:.0f} on average.",
        f"The best map of the six models is: {NAMES[best]}, with {100 * mean[best]:.0f}.",
        f"The hardest to beat of all that learnt nothing is: {NAMES[rival]}, which reaches "
        f"{100 * bar:.0f} with the best of ten initialisations ({100 * mean[rival]:.0f} on "
        "average). "
        + (
            f"In every seed of a model, above that lie: {_listed(above)}."
            if above
            else "No map of any model lies above that with its whole interval, in every seed."
        )
        + (f" Above all blind maps and the face's own edges lie: {_listed(over)}." if over else ""),
        f"Class activation maps of the last block score {100 * min(cams):.0f} to "
        f"{100 * max(cams):.0f}.",
        f"The paper's own maps: the decoder's P_d {100 * mean['global']:.0f}, reverse attention's "
        f"S_3 {100 * mean['refined3']:.0f}. S_3 varies by {min(flat):.2f} to {max(flat):.2f} over "
        "a face, where 0.50 is possible: nothing in the loss asks it to vary, or where."
        + (
            f" Trained on the changed pixels, as its inventors trained it, it scores "
            f"{100 * np.mean(held):.0f}."
            if held
            else ""
        ),
        f"GCCA's channel weights change by {min(gate):.3f} to {max(gate):.3f} from face to face; 0 "
        "would be a fixed gain a channel.",
        f"Of {len(told)} comparisons of a model with the one before it, {unsure} cannot tell in "
        "which direction a component moves the map: its seeds, or an interval, disagree.",
        f"Of the {len(onto)} comparisons of class activation maps, {gained} show a component that "
        "brings them onto what changed.",
        "Where the answer itself is asked (ROAD, model 6), "
        + (
            f"above every blind map and the face's own edges lie: {_listed(hang)}."
            if hang
            else "no map lies above every blind map and the face's own edges."
        ),
    ]
    return "\n".join(f"{k}. {line}" for k, line in enumerate(lines, start=1))


def beating(rows: Sequence[ScoreRow], metric: str, bar: float) -> list[str]:
    """Maps whose interval lies above a bar for every seed of some model, and of which models."""
    found = []
    for name, title in NAMES.items():
        mine = [r for r in rows if r.name == name and r.kind in ("map", "cam")]
        if name.startswith("after"):
            continue  # as before, times a number a channel
        models = [
            v
            for v in MODELS
            if (of := [r for r in mine if r.variant == v])
            and all(r.scores[metric]["all"][1] > bar for r in of)
        ]
        if models:
            numbers = " and ".join(
                filter(None, [", ".join(m[-1] for m in models[:-1]), models[-1][-1]])
            )
            found.append(f"{title} (model{'s' * (len(models) > 1)} {numbers})")
    return found


def pictures(rows: Sequence[ScoreRow]) -> dict[str, Callable[[], Figure]]:
    """The page's figures of scores: file name and drawing."""
    # A figure holds one data set: the built-in faces as most rows have them.
    faces = Counter(r.faces for r in rows if r.variant == "model6").most_common(1)
    mine = [r for r in rows if faces and r.faces == faces[0][0]]
    faithful = [r for r in mine if r.kind == "faithful" and r.variant == "model6"]
    drawings = {
        "attention-scores": (score_models, mine),
        "attention-expressions": (score_expressions, mine),
        "attention-sanity": (sanity_figure, mine),
        "attention-faithful": (faithfulness, faithful),
        "attention-supervision": (supervision, attention_records("supervision")),
        "attention-mends": (gcca_mends, attention_records("gcca")),
        "attention-relatives": (relatives, slot_records()),
    }
    return {name: partial(draw, some) for name, (draw, some) in drawings.items() if some}


def write(page: Path, rows: Sequence[ScoreRow], ledger: Sequence[Row]) -> bool:
    """Fill the places ``<!-- table: NAME -->`` ... ``<!-- end -->`` of a page; True if it changed.

    Built-in faces' scores are those of models trained on built-in faces, and of one trained on
    FER2013 where its variant says so.

    Raises:
        FercourseError: The page asks for a table there is none of.
    """
    keys = {r.run for r in rows}
    tables: dict[str, Callable[[], str]] = {
        "summary": lambda: summary(rows),
        "verdicts": verdicts,
        "relatives": lambda: compared(slot_records(), RELATIVES, "gcca-none"),
        "relatives_cost": cost,
        "relatives_fer2013": lambda: compared(slot_records("fer2013"), RELATIVES, "gcca-none"),
        "mends": lambda: compared(attention_records("gcca"), MENDED, "gcca-as-read"),
        "mends_fer2013": lambda: compared(
            attention_records("gcca", "fer2013"), MENDED, "gcca-as-read"
        ),
        "carried_over": lambda: carried_over(attention_records("transfer", "fer2013")),
        "runs": lambda: runs([r for r in ledger if r.key in keys]),
        "pr_auc": lambda: scores(rows, "pr_auc"),
        "pr_auc_regions": lambda: scores(rows, "pr_auc_regions"),
        "energy": lambda: scores(rows, "energy"),
        "energy_regions": lambda: scores(rows, "energy_regions"),
        "pointing": lambda: scores(rows, "pointing"),
        "pointing_regions": lambda: scores(rows, "pointing_regions"),
        "transfer_regions": lambda: expressions(rows, "pr_auc_regions", "model6-fer2013"),
        "expressions": lambda: expressions(rows, "pr_auc"),
        "transfer": lambda: expressions(rows, "pr_auc", "model6-fer2013"),
        "steps": lambda: steps(rows, "pr_auc"),
        "flatness": lambda: map_statistics(rows),
        "gates": lambda: gates(rows),
        "faithful": lambda: faithful(rows),
        "sanity": lambda: sanity(rows),
    }
    folded = {name: partial(_folded, FOLDED.get(name, ""), make) for name, make in tables.items()}
    text = page.read_text(encoding="utf-8")
    changed = [
        save_if_changed(page.parent / "pictures" / f"{name}.png", draw())
        for name, draw in pictures(rows).items()
    ]
    return write_if_changed(page, fill_tables(text, folded, page)) or any(changed)


def _folded(title: str, make: Callable[[], str]) -> str:
    """A table behind its title, which opens it; without a title, as it is."""
    made = make()
    if not title or made == "Not measured.":
        return made
    return f"<details>\n<summary>{title}</summary>\n\n{made}\n\n</details>"


def _listed(names: Sequence[str]) -> str:
    return " and ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))


def _cell(rows: Sequence[ScoreRow], metric: str) -> str:
    """Mean over the rows, and the widest interval any of them reaches."""
    if not rows:
        return ""
    found = np.array([r.scores[metric]["all"][:3] for r in rows])
    return (
        f"{100 * found[:, 0].mean():.1f} ({100 * found[:, 1].min():.0f} to "
        f"{100 * found[:, 2].max():.0f})"
    )


def _apart(a: Sequence[float], b: Sequence[float]) -> int:
    """1 if b's interval lies above a's, -1 below, 0 if they overlap."""
    return int(b[1] > a[2]) - int(b[2] < a[1])


def _percent(found: Sequence[float]) -> str:
    return f"{100 * found[0]:.1f} ({100 * found[1]:.1f} to {100 * found[2]:.1f})".replace("-", "−")


def _plain(found: Sequence[float]) -> str:
    return f"{found[0]:.2f} ({found[1]:.2f} to {found[2]:.2f})".replace("-", "−")


def _table(head: str, lines: Sequence[Sequence[object]]) -> str:
    """Markdown; ``head`` names the columns, with commas between."""
    if not lines:
        return "Not measured."
    names = re.split(r", (?![^(]*\))", head)  # not inside brackets
    return table(names, [[_minus(cell) for cell in line] for line in lines])


def _minus(cell: object) -> str:
    """A text with the sign that is as wide as a plus."""
    text = str(cell)
    return f"−{text[1:]}" if text.startswith("-") else text


def _who(row: ScoreRow) -> str:
    return f"{row.variant}, seed {row.run.rpartition('-')[2]}"
