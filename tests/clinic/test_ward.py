"""A ward is drawn from its seed; orders are paid once, diagnoses are answered, bills add up."""

import hashlib
import sys
from dataclasses import replace

import pytest

from fercourse import FercourseError
from fercourse.clinic.bank import recorded
from fercourse.clinic.cases import case
from fercourse.clinic.findings import PRICES, cheapest, finding, fits
from fercourse.clinic.illnesses import ILLNESSES
from fercourse.clinic.ward import BEST, WRONG, Patient, ward

pytestmark = pytest.mark.numeric

NAMES = set(ILLNESSES) - {"healthy"}
"""A clue may compare with a healthy run."""


def patient(illness="permuted label order", variant=0):
    return Patient("Patient B", illness, variant)


def signature(some):
    return [(p._illness, p._variant) for p in some.patients.values()]


def test_a_seed_draws_five_illnesses_and_always_the_same():
    assert signature(ward("example")) == signature(ward("example"))
    assert signature(ward(7)) == signature(ward("7"))
    wards = [signature(ward(f"learner {k}")) for k in range(300)]
    assert len({tuple(each) for each in wards}) == 300
    assert all(len({illness for illness, _ in each}) == 5 for each in wards)
    drawn = {entry for each in wards for entry in each}
    assert drawn == {(illness, k) for illness in ILLNESSES for k in range(3)}


def test_what_the_example_draws_is_the_same_on_every_machine():
    told = hashlib.sha256(repr(signature(ward("example"))).encode()).hexdigest()
    assert told[:8] == "2b55827f"


def test_an_examination_is_paid_once():
    someone = patient()
    someone.order("losses")
    someone.order("strips")
    someone.order("losses")
    assert someone.ordered == ["losses", "strips"]
    assert someone.cost == PRICES["losses"] + PRICES["strips"]
    with pytest.raises(FercourseError, match=r"no examination\. Did you mean 'strips'"):
        someone.order("strip")
    with pytest.raises(FercourseError, match="no illness"):
        someone.diagnose("flu")


def test_the_cheapest_way_gets_all_points_and_the_dearest_fewest():
    for illness in ILLNESSES:
        names, cost = cheapest(recorded(illness, 1))
        someone = patient(illness, 1)
        for name in names:
            someone.order(name)
        assert someone.score is None
        assert someone.cheapest == ""
        verdict = someone.diagnose(illness)
        assert verdict
        assert f"{BEST} of {BEST}" in verdict.message
        assert "too" not in verdict.message.replace(ILLNESSES[illness], "")
        assert someone.score == BEST
        assert someone.cheapest == f"{' + '.join(names)} ({cost})"
        all_of_it = patient(illness, 1)
        for name in PRICES:
            all_of_it.order(name)
        all_of_it.diagnose(illness)
        assert all_of_it.score == max(0, BEST - (sum(PRICES.values()) - cost))


def test_a_wrong_diagnosis_costs_once_and_luck_pays_no_more_than_care():
    someone = patient()
    for _ in range(2):
        assert not someone.diagnose("healthy")
    someone.diagnose("shortcut")
    verdict = someone.diagnose("permuted label order")
    assert verdict
    assert someone.score == BEST - 2 * WRONG
    assert "9 others" in verdict.message
    someone.order("where it looks")
    assert someone.cost == 0
    assert "diagnosed already" in someone.diagnose("healthy").message


def test_a_clue_comes_from_what_was_ordered_and_names_nothing():
    for illness in ILLNESSES:
        for examination in PRICES:
            someone = patient(illness, 2)
            someone.order(examination)
            for wrong in set(ILLNESSES) - {illness}:
                told = someone.diagnose(wrong).message.removeprefix(f"Not {wrong}")
                assert not any(name in told for name in NAMES)
                speaks = not fits(wrong, examination, found(someone, examination))
                assert (f"“{examination}” speaks against that" in told) == speaks
                assert ("still fit" in told) != speaks
    assert "ordered nothing" in patient().diagnose("healthy").message


def found(someone, examination):
    return finding(examination, someone._chart)


def test_the_bill_tells_the_cheapest_way_after_a_right_diagnosis_only():
    some = ward("example")
    some["A"].order("losses")
    for wrong in ILLNESSES:
        if wrong != some["A"]._illness:
            some["A"].diagnose(wrong)
            break
    names, cost = cheapest(some["B"]._chart)
    for name in names:
        some["B"].order(name)
    some["B"].diagnose(some["B"]._illness)
    bill = some.bill()
    text, page = repr(bill), bill._repr_html_()
    assert bill.rows[0] == ("Patient A", "losses", "1", f"not {wrong}", "", "")
    assert bill.rows[1][2:] == (str(cost), "right", "10", f"{' + '.join(names)} ({cost})")
    assert bill.rows[2] == ("Patient C", "nothing", "0", "none", "", "")
    for told in (text, page):
        assert "10 of 50 points" in told
        hidden = {p._illness for p in some.patients.values()} - {wrong}
        assert not any(name in told for name in hidden)
    assert all(p._illness not in repr(some) for p in some.patients.values())
    with pytest.raises(FercourseError, match="not 'F'"):
        some["F"]


def test_a_remade_patient_is_ill_in_the_same_way(monkeypatch):
    """One short epoch in place of ten: what matters is what comes along."""

    def short(illness, variant):
        made = case(illness, variant)
        data = replace(made.data, train=made.data.train[:64], val=made.data.val[:42])
        return replace(made, config=made.config.change(**{"train.epochs": 1}), data=data)

    monkeypatch.setattr(sys.modules["fercourse.clinic.ward"], "case", short)
    forgotten = patient("left in training mode").remake()
    assert forgotten.model.training
    assert forgotten.untrained.training
    fast = patient("learning rate too high").remake()
    assert not fast.model.training
    assert fast.lr > 0.5
    assert len(fast.train) == 64
