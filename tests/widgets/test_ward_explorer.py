"""The ward's explorer: what is ordered and diagnosed with buttons stands on the ward's bill."""

import pytest

from fercourse import clinic, widgets
from fercourse.clinic.findings import PRICES
from fercourse.clinic.illnesses import ILLNESSES


@pytest.fixture
def ward():
    return clinic.ward("example")


@pytest.fixture
def explorer(ward):
    return widgets.ward(ward)


def said(explorer):
    values = {name: control.value for name, control in explorer.controls.items()}
    return explorer.draw(**values).get_suptitle().replace("\n", " ")


def test_it_begins_with_the_price_list_and_costs_nothing(explorer, ward):
    assert said(explorer).startswith("Patient A: 0 of 10 examinations")
    assert explorer.buttons["strips"].description == "strips: 3"
    assert repr(ward.bill()).endswith("0 of 50 points")
    assert explorer.bill.value == ward.bill()._repr_html_()


def test_an_order_is_shown_and_paid_once(explorer, ward):
    first = bytes(explorer.picture.value)
    for _ in range(2):
        explorer.buttons["losses"].click()
    assert bytes(explorer.picture.value) != first
    assert "in the last epoch" in said(explorer)
    assert ward["A"].cost == PRICES["losses"]
    assert explorer.buttons["losses"].description == "losses ✓"
    assert explorer.bill.value == ward.bill()._repr_html_()


def test_another_patient_has_its_own_orders(explorer, ward):
    explorer.buttons["losses"].click()
    explorer.bed.value = "B"
    assert said(explorer).startswith("Patient B: 0 of 10")
    assert explorer.buttons["losses"].description == "losses: 1"
    explorer.bed.value = "A"
    assert "in the last epoch" in said(explorer)
    assert ward["B"].ordered == []


def test_diagnoses_are_answered(explorer, ward):
    right = ward["A"]._illness
    wrong = next(name for name in ILLNESSES if name != right)
    explorer.illness.value = wrong
    explorer.buttons["diagnose"].click()
    assert f"Not {wrong}" in explorer.told.value
    assert right not in explorer.told.value
    explorer.illness.value = right
    explorer.buttons["diagnose"].click()
    assert "Right" in explorer.told.value
    assert ward["A"].cheapest in explorer.bill.value
    explorer.bed.value = "C"
    assert explorer.told.value == ""


def test_without_a_widget_manager_it_is_the_price_list(explorer, monkeypatch):
    monkeypatch.setenv("FERCOURSE_STATIC", "1")
    data, _ = explorer._repr_mimebundle_()
    assert list(data) == ["image/png"]
    assert explorer._repr_mimebundle_()[0]["image/png"]
