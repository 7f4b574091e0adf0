"""A paragraph each, from records: does a component make the network look at the acting muscles?"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from fercourse.runs.attention_record import (
    Difference,
    Record,
    attention_records,
    difference,
    slot_records,
)


def verdicts() -> str:
    """Three paragraphs for docs/where-it-looks.md, written from ``results/attention.json``."""
    gcca, held = attention_records("gcca"), attention_records("supervision")
    if not gcca or not held:
        return "Not measured."
    told = [_gcca(gcca), _reverse(held), _supervision(held)]
    if slot := slot_records():
        told.insert(1, _relatives(slot, slot_records("fer2013")))
    return "\n\n".join(told)


def in_short() -> str:
    """README's paragraph: what the maps find, as the paper trains them and as they were meant."""
    held = attention_records("supervision")
    sides = [[r for r in held if r["variant"] == v] for v in ("model5", "model5-supervised")]
    if not all(sides):
        return "What the maps find is not measured yet."
    last = [_mean(100 * r["maps"]["refined3"]["pr_auc"] for r in mine) for mine in sides]
    energy = _mean(100 * r["maps"]["before3"]["pr_auc"] for r in sides[0])
    return (
        "**Does it look at the acting muscles?** Of a drawn face it is known to the pixel what "
        "each muscle changes. Against those pixels, reverse attention's last map scores "
        f"{last[0]:.0f} as the paper trains it, {'less' if last[0] < energy else 'no less'} "
        f"than the plain energy of block 3 ({energy:.0f}), and {last[1]:.0f} with the supervision "
        f"that its inventors gave it (PR-AUC in per cent, {len(sides[0])} "
        "seeds). Its answers go another way: flattening the "
        f"right maps changes {_flattened(sides[1]):.1f} % of them, and accuracy changes by "
        f"{_accuracy(held, 'model5', 'model5-supervised')} points.{_gentle(held)}{_carried()} "
        "[Everything measured](docs/where-it-looks.md)."
    )


def _gcca(records: Sequence[Record]) -> str:
    none, read, mend = "gcca-none", "gcca-as-read", "gcca-norm"
    seeds = len({r["seed"] for r in records})
    return (
        "**Does GCCA make the network look at the acting muscles?** "
        f"{_answer(records, none, read, 'gradcam')} Against the same network without it, "
        f"Grad-CAM's PR-AUC changes by {_map(records, none, read, 'gradcam')} points, that of C3's "
        f"energy by {_map(records, none, read, 'before3')}, and accuracy by "
        f"{_accuracy(records, none, read)}. Mended by a norm in the squeeze, so that its weights "
        f"depend on the face: {_map(records, none, mend, 'gradcam')} for Grad-CAM, "
        f"{_accuracy(records, none, mend)} for accuracy. (Differences over up to {seeds} paired "
        "seeds with 95 % intervals, drawn faces of difficulty 0.5.)"
    )


def _relatives(records: Sequence[Record], photographs: Sequence[Record]) -> str:
    word = difference(records, "slot-cbam", "gcca-as-read", lambda r: 100 * r["accuracy"])
    clear = word is not None and word.clear
    return (
        "**Does it matter that the caption of fig. 2 says CBAM?** "
        f"{'Yes' if clear else 'Not that one could tell'}: GCCA minus CBAM is {_signed(word)} "
        f"points of accuracy on drawn faces. Against nothing in the place: {_each(records)}. "
        f"On FER2013, trained briefly: {_each(photographs)}."
    )


def _each(records: Sequence[Record]) -> str:
    names = {"slot-se": "SE", "slot-cbam": "CBAM", "slot-eca": "ECA", "gcca-as-read": "GCCA"}
    told = [
        f"{title} {_accuracy(records, 'gcca-none', variant)}"
        for variant, title in names.items()
        if any(r["variant"] == variant for r in records)
    ]
    return ", ".join(told) or "not measured"


def _reverse(records: Sequence[Record]) -> str:
    mine = [r for r in records if r["variant"] == "model5"]
    last, c3 = (_mean(100 * r["maps"][n]["pr_auc"] for r in mine) for n in ("refined3", "before3"))
    return (
        "**Does reverse attention?** As the paper trains it, no: its last map S_3 has a PR-AUC of "
        f"{last:.0f} where the plain energy of C3 has {c3:.0f}, and if the weights A_i are "
        f"flattened, so that there is no *where* in them, {_flattened(mine):.1f} % of the answers "
        f"change (mean over {len(mine)} seeds)."
    )


def _supervision(records: Sequence[Record]) -> str:
    first, second = "model5", "model5-supervised"
    mine = [r for r in records if r["variant"] == second]
    last = _mean(100 * r["maps"]["refined3"]["pr_auc"] for r in mine)
    return (
        f"**Does its supervision, given back?** It makes the *map* look there: S_3 reaches "
        f"{last:.0f}, a change of {_map(records, first, second, 'refined3')} points. Whether the "
        "*network* looks there is another question: Grad-CAM's PR-AUC changes by "
        f"{_map(records, first, second, 'gradcam')} points, accuracy by "
        f"{_accuracy(records, first, second)}, and flattening the weights, now right, changes "
        f"{_flattened(mine):.1f} % of the answers. Right as they are, *where* they point "
        "hardly matters to the answer."
        f"{_gentle(records)}{_carried()}"
    )


def _carried() -> str:
    """What masks of drawn faces do for maps of photographs."""
    records = attention_records("transfer", "fer2013")
    first, second = "photographs", "both-supervised"
    deletion = difference(
        records, first, second, lambda r: 100 * r["photographs"]["refined3"]["deletion"]
    )
    if deletion is None:
        return ""
    seeds, fall = deletion.n, _signed(deletion)
    return (
        " Photographs have no masks; trained on FER2013 with masked drawn faces beside it, "
        f"accuracy on photographs changes by {_accuracy(records, first, second)} points, and the "
        "area under the deletion curve of S_3, low where the map marks what the answer hangs on, "
        f"by {fall} points ({seeds} seeds, trained briefly)."
    )


def _gentle(records: Sequence[Record]) -> str:
    """What a tenth of the weight does."""
    third = "model5-supervised-0.1"
    if not any(r["variant"] == third for r in records):
        return ""
    return (
        f" At a tenth of the weight the maps are nearly as right (S_3: "
        f"{_map(records, 'model5', third, 'refined3')} points), and accuracy changes by "
        f"{_accuracy(records, 'model5', third)} points."
    )


def _answer(records: Sequence[Record], first: str, second: str, name: str) -> str:
    gain = difference(records, first, second, lambda r: r["maps"][name]["pr_auc"])
    if gain is None or not gain.clear:
        return "Not that one could tell."
    return "A little more." if gain.mean > 0 else "Less, if anything."


def _map(records: Sequence[Record], first: str, second: str, name: str) -> str:
    gain = difference(records, first, second, lambda r: 100 * r["maps"][name]["pr_auc"])
    return _signed(gain)


def _accuracy(records: Sequence[Record], first: str, second: str) -> str:
    return _signed(difference(records, first, second, lambda r: 100 * r["accuracy"]))


def _signed(gain: Difference | None) -> str:
    return "(not measured)" if gain is None else str(gain)


def _flattened(records: Sequence[Record]) -> float:
    return _mean(100 * r["changed"]["flattened"] / r["judged"] for r in records)


def _mean(values: Iterable[float]) -> float:
    return float(np.mean(list(values)))
