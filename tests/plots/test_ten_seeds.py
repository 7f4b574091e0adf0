"""The figures and paragraphs of ten seeds say what the records say."""

import io
import json

import pytest

from fercourse import FercourseError, plots
from fercourse.pages import does_it_look, relatives
from fercourse.runs.attention_record import attention_records, comparison, difference, slot_records


def record(plan: str, variant: str, seed: int, **more) -> dict:
    names = ("before2", "before3", "before5", "global", "refined5", "refined4", "refined3")
    score = {"pr_auc": 0.3 + 0.01 * seed, "pointing": 0.2, "energy": 0.2}
    maps = dict.fromkeys((*names, "gradcam"), score)
    about = {"plan": plan, "variant": variant, "seed": seed, "accuracy": 0.6 + 0.01 * seed}
    return about | {"maps": maps, "judged": 100} | more


CHANGED = {"flattened": 1, "of another face": 3, "reversed": 5, "all erased": 9}
HELD = [
    record("supervision", variant, seed, changed=CHANGED, within=0.2)
    for variant in ("model5", "model5-supervised")
    for seed in range(3)
]
GCCA = [
    record("gcca", variant, seed, over_faces=[0.01 * k] * 5, over_channels=[0.1] * 5, frozen=k)
    for k, variant in enumerate(("gcca-as-read", "gcca-norm", "gcca-start"), start=1)
    for seed in range(3)
] + [record("gcca", "gcca-none", seed) for seed in range(3)]


def test_a_difference_is_paired_over_shared_seeds():
    more = [r | {"accuracy": r["accuracy"] + 0.02 + 0.001 * r["seed"]} for r in HELD[3:]]
    found = difference(HELD[:3] + more, "model5", "model5-supervised", lambda r: r["accuracy"])
    assert found.mean == pytest.approx(0.021)
    assert found.low < found.mean < found.high
    assert found.clear
    assert difference(HELD[:4], "model5", "model5-supervised", lambda r: 1.0) is None


SLOT = [
    r | {"accuracy": r["accuracy"] + gain + 0.001 * r["seed"], "variant": variant}
    for variant, gain in (("slot-se", 0.02), ("slot-cbam", -0.02))
    for r in GCCA[:3]
] + [r for r in GCCA if r["variant"] in ("gcca-none", "gcca-as-read")]


def test_both_figures_are_drawn_and_say_their_finding():
    for figure in (plots.supervision(HELD), plots.gcca_mends(GCCA)):
        figure.savefig(io.BytesIO(), format="png", dpi=40)
        assert "nan" not in figure.get_suptitle()
    words = " ".join(plots.gcca_mends(GCCA).get_suptitle().split())
    assert "zero−sum start" in words or "zero-sum start" in words
    assert "3.0 times" in words


def test_one_side_alone_is_told_in_a_sentence():
    with pytest.raises(FercourseError, match="with and without"):
        plots.supervision(HELD[:3])
    with pytest.raises(FercourseError, match="as it was read"):
        plots.gcca_mends(GCCA[3:])


def test_the_paragraphs_come_from_records(monkeypatch):
    falls = {"photographs": 0.3, "both-supervised": 0.2}
    carried = [
        record("transfer", arm, seed, photographs={"refined3": {"deletion": area + 0.01 * seed}})
        for arm, area in falls.items()
        for seed in range(3)
    ]
    told = {"gcca": GCCA, "supervision": HELD, "transfer": carried}
    monkeypatch.setattr(does_it_look, "attention_records", lambda plan, dataset="": told[plan])
    monkeypatch.setattr(does_it_look, "slot_records", lambda dataset="": [])
    text = does_it_look.verdicts()
    assert text.count("**Does") == 3
    assert "1.0 % of the answers" in text
    assert "by −10.0 [−10.0, −10.0] points (3 seeds" in text
    monkeypatch.setattr(
        does_it_look, "slot_records", lambda dataset="": SLOT[:6] if dataset else SLOT
    )
    text = does_it_look.verdicts()
    assert "Yes: GCCA minus CBAM is +1.9 [" in text
    assert "SE +2.1 [" in text
    assert "trained briefly: SE (not measured), CBAM (not measured)." in text
    monkeypatch.setattr(does_it_look, "attention_records", lambda plan, dataset="": [])
    assert does_it_look.verdicts() == "Not measured."


def test_relatives_are_compared_with_nothing():
    title = " ".join(plots.relatives(SLOT).get_suptitle().split())
    assert "Of SE, CBAM, GCCA only SE (+2.1 points) and CBAM (−1.9 points) clearly change" in title
    se = [r for r in SLOT if r["variant"] in ("gcca-none", "slot-se")]
    title = " ".join(plots.relatives(se).get_suptitle().split())
    assert title.startswith("SE (+2.1 points): a clear change of accuracy against nothing")
    alike = [r for r in SLOT if r["variant"] in ("gcca-none", "gcca-as-read")]
    assert "None of GCCA clearly" in " ".join(plots.relatives(alike).get_suptitle().split())
    with pytest.raises(FercourseError, match="nothing in the place"):
        plots.relatives(GCCA[:3])


def test_a_comparison_is_over_the_seeds_that_are_there():
    of = comparison(SLOT, "gcca-none", ["gcca-none", "slot-se", "slot-eca"])
    assert list(of) == ["gcca-none", "slot-se"]
    assert of["gcca-none"]["gain"] is None
    assert of["gcca-none"]["moved"] is None
    assert of["slot-se"]["gain"].mean == pytest.approx(2.1)
    assert of["slot-se"]["frozen"] == pytest.approx(1)
    assert of["slot-se"]["seeds"] == 3


def test_tables_say_what_was_not_measured_and_what_was():
    assert relatives.compared([], relatives.RELATIVES, "gcca-none") == "Not measured."
    lines = relatives.compared(SLOT, relatives.RELATIVES, "gcca-none").splitlines()
    assert [line.split(" | ")[0] for line in lines[2:]] == [
        "| nothing",
        "| SE",
        "| CBAM, both halves",
        "| GCCA",
    ]
    assert "+2.1 [" in lines[3]
    moved = {"deletion": 0.4, "insertion": 0.5}
    heats = ("refined3", "mean of refined3", "centre", "own edges", "before3")
    carried = [
        record("transfer", arm, seed, photographs=dict.fromkeys(heats, moved))
        for arm in ("photographs", "both")
        for seed in range(3)
    ]
    assert "drawn faces beside them | 3 | 61.0 | +0.0" in relatives.carried_over(carried)


def test_plans_share_their_two_runs(tmp_path):
    path = tmp_path / "attention.json"
    rows = [*GCCA, *(r | {"plan": "slot"} for r in SLOT[:6])]
    of = {str(k): r | {"dataset": "synthetic"} for k, r in enumerate(rows)}
    of["other"] = GCCA[0] | {"dataset": "fer2013"}
    path.write_text(json.dumps(of))
    names = {r["variant"] for r in slot_records(path=path)}
    assert names == {"gcca-none", "gcca-as-read", "slot-se", "slot-cbam"}
    assert len(slot_records("fer2013", path)) == 1


def test_no_file_is_no_record(tmp_path):
    assert attention_records("gcca", path=tmp_path / "none.json") == []
