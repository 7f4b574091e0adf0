"""The figures and paragraphs of ten seeds say what the records say."""

import io

import pytest

from fercourse import FercourseError, plots
from fercourse.pages import does_it_look
from fercourse.runs.attention_record import attention_records, difference


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
    told = {"gcca": GCCA, "supervision": HELD}
    monkeypatch.setattr(does_it_look, "attention_records", lambda plan: told[plan])
    text = does_it_look.verdicts()
    assert text.count("**Does") == 3
    assert "1.0 % of the answers" in text
    monkeypatch.setattr(does_it_look, "attention_records", lambda plan: [])
    assert does_it_look.verdicts() == "Not measured."


def test_no_file_is_no_record(tmp_path):
    assert attention_records("gcca", tmp_path / "none.json") == []
