"""What bad weather does, in numbers and sentences, from ``results/weather.jsonl``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from fercourse.markdown import table
from fercourse.pages import one_field
from fercourse.runs.findings import Gain
from fercourse.runs.weather import (
    difference,
    gain_by_cure,
    mean_corruption_error,
    recipes,
)
from fercourse.runs.weather_row import WeatherRow
from fercourse.shallow import METHODS
from fercourse.weather import CORRUPTIONS, CURES

FIELDS = {name: one_field.FIELDS[name] for name in ("fer2013", "synthetic")}
"""Where recognisers are judged in bad weather, and how figures call it."""

_TITLES = {"clear": "clear air"} | {name: kind.title for name, kind in CORRUPTIONS.items()}

Gains = dict[str, dict[str, Gain]]
"""By panel and comparison, in fractions."""


def field_by_title(rows: Sequence[WeatherRow], dataset: str) -> dict[str, Sequence[WeatherRow]]:
    """Networks trained in clear air, by the recipe with most runs, and then the classics.

    Args:
        rows: Of the book; those after a cure are passed over.
        dataset: "fer2013" or "synthetic".
    """
    clear = [row for row in rows if row.cure == "none" and row.dataset == dataset]
    found: dict[str, Sequence[WeatherRow]] = {}
    for nets in recipes(clear, dataset)[:1]:
        for k in (1, 3, 6):
            if mine := [row for row in nets if row.variant == f"model{k}"]:
                found[f"model {k}"] = mine
    classics = {row.variant: row for row in clear if row.variant in METHODS}
    if not found:
        return {}
    return found | {m.title: [classics[m.name]] for m in METHODS.values() if m.name in classics}


def curves_finding(named: Mapping[str, Sequence[WeatherRow]], where: str) -> str:
    """Which weather costs networks most, and how near they lie to one another."""
    nets = {name: rows for name, rows in named.items() if rows[0].variant.startswith("model")}
    worst = {
        kind: float(np.mean([row.curve(kind)[-1] for rows in nets.values() for row in rows]))
        for kind in CORRUPTIONS
    }
    hardest = min(worst, key=lambda kind: worst[kind])
    bad = [float(np.mean([row.bad for row in rows])) for rows in nets.values()]
    return (
        f"On {where}, {CORRUPTIONS[hardest].title} at its worst leaves "
        f"{100 * worst[hardest]:.0f} % right; in all weather the networks lie within "
        f"{100 * (max(bad) - min(bad)):.1f} points"
    )


def attention_gains(rows: Sequence[WeatherRow]) -> dict[str, Gain]:
    """Models 3 and 6 against 1: clear, in bad weather, and what is kept on the way."""
    found: dict[str, Gain] = {}
    for k in (3, 6):
        for name, of in (
            ("clear air", lambda row: row.accuracy),
            ("bad weather", lambda row: row.bad),
            ("kept on the way", lambda row: row.bad - row.accuracy),
        ):
            gain = difference(rows, "model1", f"model{k}", of)
            if gain is not None:
                found[f"model {k} − 1, {name}"] = gain
    return found


def attention_finding(gains: Mapping[str, Mapping[str, Gain]]) -> str:
    """Does attention help in bad weather? With intervals."""
    clear = [
        f"model {k} is {'better' if gain.mean > 0 else 'worse'} on {where}"
        for where, found in gains.items()
        for k, gain in _in_bad_weather(found).items()
        if gain.low > 0 or gain.high < 0
    ]
    verdict = " and ".join(clear) or "no difference is shown"
    return f"In bad weather, against plain VGG16, {verdict}: {_told(gains)}"


def _in_bad_weather(gains: Mapping[str, Gain]) -> dict[int, Gain]:
    """Of :func:`attention_gains`, by model."""
    return {k: gains[name] for k in (3, 6) if (name := f"model {k} − 1, bad weather") in gains}


def _told(gains: Mapping[str, Mapping[str, Gain]]) -> str:
    """Each model's difference on each data set, with its interval."""
    return "; ".join(
        f"{', '.join(f'model {k} {gain}' for k, gain in _in_bad_weather(found).items())} on {where}"
        for where, found in gains.items()
    )


def cure_gains(rows: Sequence[WeatherRow], variant: str) -> Gains:
    """What each cure gives a variant, by weather; clear air first."""
    found: Gains = {}
    for name in CURES:
        by_kind = {
            title: gain
            for kind, title in _TITLES.items()
            if (gain := gain_by_cure(rows, variant, name, kind)) is not None
        }
        if by_kind:
            found[name] = by_kind
    return found


def cure_finding(gains: Mapping[str, Mapping[str, Gain]], where: str) -> str:
    """Which cure gives most in fog, and what it costs in clear air."""
    in_fog = {name: found["fog"] for name, found in gains.items()}
    best = max(in_fog, key=lambda name: in_fog[name].mean)
    price = gains[best]["clear air"]
    helpful = [name for name, found in gains.items() if over_all(found) > 0]
    said = f"{', '.join(helpful)} help{'s' * (len(helpful) == 1)}" if helpful else "none helps"
    return (
        f"{where}: {best} brings {in_fog[best].points} points in fog and {price.points} in clear "
        f"air; over all weather {said}"
    )


def training_gains(rows: Sequence[WeatherRow], variant: str = "model1") -> dict[str, Gain]:
    """What training in fog gives a variant, by weather; clear air first."""
    found = {}
    for kind, title in _TITLES.items():
        gain = difference(rows, variant, f"{variant}-fog", lambda row, kind=kind: row.mean(kind))
        if gain is not None:
            found[title] = gain
    return found


def training_finding(gains: Mapping[str, Mapping[str, Gain]]) -> str:
    """What fog in training does to fog, and to everything else."""
    said = []
    for where, found in gains.items():
        other = over_all({kind: gain for kind, gain in found.items() if kind != "fog"})
        said.append(
            f"{where}: {found['fog'].points} points in fog, {Gain(other).points} in "
            f"other weather, {found['clear air'].points} in clear air"
        )
    return f"Trained in fog: {'; '.join(said)}"


def in_short(rows: Sequence[WeatherRow]) -> str:
    """For README: does attention help in bad weather, and what does?"""
    fields = {where: mine for name, where in FIELDS.items() if (mine := recipes(rows, name))}
    if not fields:
        return "Nothing is measured in bad weather yet: `fercourse weather` does it."
    clear = {where: [r for r in mine[0] if r.cure == "none"] for where, mine in fields.items()}
    parts = [
        "**Does it help in bad weather?** The introduction speaks of haze, low light and noise; "
        "the paper measures none. In seven corruptions at five severities, points against plain "
        f"VGG16: {_told({where: attention_gains(found) for where, found in clear.items()})}."
    ]
    cured = {
        where: gains for where, mine in fields.items() if (gains := cure_gains(mine[0], "model1"))
    }
    if cured:
        best = best_cure(cured)
        told = ", ".join(
            f"{Gain(over_all(gains[best])).points} on {where}" for where, gains in cured.items()
        )
        parts.append(f"Of four cures {best} helps plain VGG16 most over all of it ({told}).")
    fogged = {where: gains for where, mine in clear.items() if (gains := training_gains(mine))}
    if fogged:
        told = ", ".join(
            f"{g['fog'].points} in fog and {g['clear air'].points} in clear air on {where}"
            for where, g in fogged.items()
        )
        parts.append(f"Training it in fog: {told}.")
    return " ".join(parts)


def best_cure(cured: Mapping[str, Mapping[str, Mapping[str, Gain]]]) -> str:
    """The cure with the highest mean gain over all weather and data sets.

    Args:
        cured: By data set, what :func:`cure_gains` gives.
    """
    names = next(iter(cured.values()))
    return max(names, key=lambda name: sum(over_all(gains[name]) for gains in cured.values()))


def over_all(gains: Mapping[str, Gain]) -> float:
    """Mean gain over all corruptions, clear air left out."""
    return float(np.mean([g.mean for kind, g in gains.items() if kind != "clear air"]))


def weather_tables(rows: Sequence[WeatherRow]) -> list[str]:
    """Markdown for docs/results.md: a table a data set, and what they say."""
    if not rows:
        return []
    parts = [
        "**Bad weather**: seven corruptions at five severities (`fercourse/weather`), on the whole "
        "test splits, the same for every recogniser; accuracy in per cent, mean over runs; mCE is "
        "the mean corruption error against model 1 (ImageNet-C's, with plain VGG16 as baseline). "
        "Nothing was trained or chosen on corrupted faces but by the rows that say fog.",
        "![Accuracy against severity](pictures/bad-weather.png)",
    ]
    clear = [row for row in rows if row.cure == "none"]
    for dataset, where in FIELDS.items():
        mine = recipes(clear, dataset)
        if not mine:
            continue
        for nets in mine:
            base = [row for row in nets if row.variant == "model1"]
            names = sorted({row.variant for row in nets})
            named = {name: [row for row in nets if row.variant == name] for name in names}
            if nets is mine[0]:
                classics = [r for r in clear if r.dataset == dataset and r.variant in METHODS]
                named |= {METHODS[row.variant].title: [row] for row in classics}
            cells = [_cells(name, found, base) for name, found in named.items()]
            head = ("recogniser", "runs", "clear", *(c.title for c in CORRUPTIONS.values()))
            parts.append(
                f"*{where}*, networks by {nets[0].recipe}:\n\n"
                f"{table((*head, 'all', 'mCE'), cells, 'lr' + 'r' * (len(CORRUPTIONS) + 3))}"
            )
    gains = {
        where: attention_gains(recipes(clear, dataset)[0])
        for dataset, where in FIELDS.items()
        if recipes(clear, dataset)
    }
    parts.append(f"{attention_finding(gains)}. In points, with 95 % intervals over seeds.")
    return [*parts, *_mended(rows)]


def _mended(rows: Sequence[WeatherRow]) -> list[str]:
    """A table a data set: what each cure, and training in fog, gives plain VGG16."""
    parts = []
    for dataset, where in FIELDS.items():
        for mine in recipes(rows, dataset)[:1]:
            ways = cure_gains(mine, "model1")
            clear = [row for row in mine if row.cure == "none"]
            if fogged := training_gains(clear):
                ways["trained in fog"] = fogged
            cells = [
                (
                    way,
                    *(_gain(gains[title]) for title in _TITLES.values()),
                    Gain(over_all(gains)).points,
                )
                for way, gains in ways.items()
            ]
            if cells:
                head = ("model 1 with", *_TITLES.values(), "all weather")
                parts.append(
                    f"*{where}*, points gained by plain VGG16; in brackets where the 95 % interval "
                    f"over seeds contains 0:\n\n{table(head, cells, 'l' + 'r' * len(head[1:]))}"
                )
    return parts


def _gain(gain: Gain) -> str:
    return gain.points if gain.low > 0 or gain.high < 0 else f"({gain.points})"


def _cells(
    name: str, rows: Sequence[WeatherRow], base: Sequence[WeatherRow]
) -> tuple[str | int, ...]:
    def mean(values: list[float]) -> str:
        return f"{100 * np.mean(values):.1f}"

    kinds = [mean([row.mean(kind) for row in rows]) for kind in CORRUPTIONS]
    mce = f"{mean_corruption_error(rows, base):.2f}" if base else ""
    return (
        name,
        len(rows),
        mean([row.accuracy for row in rows]),
        *kinds,
        mean([row.bad for row in rows]),
        mce,
    )
