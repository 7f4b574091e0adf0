"""The clinic's ward: order examinations, diagnose, and watch the bill."""

from __future__ import annotations

import html
from typing import Any

import ipywidgets as w
import traitlets
from matplotlib.figure import Figure

from fercourse import plots
from fercourse.clinic.findings import PRICES
from fercourse.clinic.illnesses import ILLNESSES
from fercourse.clinic.ward import Ward
from fercourse.widgets.explorer import Explorer, in_red
from fercourse.widgets.parts import lines, menu


def ward(patients: Ward) -> WardExplorer:
    """Five patients, a button an examination, a diagnosis, and the bill.

    Args:
        patients: Of :func:`fercourse.clinic.ward`; what is ordered here is on its bill.
    """
    return WardExplorer(patients)


class _Shown(traitlets.HasTraits):
    """The examination looked at; empty is the price list."""

    value = traitlets.Unicode()


class WardExplorer(Explorer):
    """See :func:`ward`.

    Attributes:
        patients: The ward.
        told: What the last diagnosis was answered.
        bill: Of the whole ward.
    """

    def __init__(self, patients: Ward) -> None:
        self.patients = patients
        self.bed = w.ToggleButtons(
            options=list(patients.patients), description="patient", style={"button_width": "50px"}
        )
        orders = {name: w.Button(layout=w.Layout(width="185px")) for name in PRICES}
        for name, button in orders.items():
            button.on_click(lambda _, name=name: self.order(name))
        self.illness = menu("diagnosis", list(ILLNESSES), width="320px")
        answer = w.Button(description="diagnose", layout=w.Layout(width="105px"))
        answer.on_click(lambda _: self.diagnose())
        self.told, self.bill = w.HTML(), w.HTML()
        super().__init__(
            self._draw,
            "Which is the cheapest examination that could prove your suspicion wrong?",
            panel=lines((self.bed,), tuple(orders.values()), (self.illness, answer), (self.told,)),
            bed=self.bed,
            shown=_Shown(),
        )
        self.buttons = orders | {"diagnose": answer}
        self.children = (*self.children, self.bill)
        self._update()
        self.bed.observe(lambda _: self._tell(""), "value")

    def order(self, examination: str) -> None:
        """Pay for an examination of the present patient, once, and show it."""
        self._patient.order(examination)
        self.set(shown=examination)
        self._update()

    def diagnose(self) -> None:
        """Give the chosen diagnosis for the present patient."""
        verdict = self._patient.diagnose(self.illness.value)
        self._tell(html.escape(repr(verdict)) if verdict else in_red(repr(verdict)))

    @property
    def _patient(self) -> Any:
        return self.patients[str(self.bed.value)]

    def _draw(self, bed: str, shown: str) -> Figure:
        patient = self.patients[bed]
        if shown in patient.ordered:
            return patient.order(shown)
        return plots.patient_prices(PRICES, patient.ordered, patient.name)

    def _tell(self, text: str) -> None:
        self.told.value = text
        self._update()

    def _update(self) -> None:
        """Prices on the buttons, of this patient's; and the bill."""
        for name, price in PRICES.items():
            paid = name in self._patient.ordered
            self.buttons[name].description = f"{name} ✓" if paid else f"{name}: {price}"
        self.bill.value = self.patients.bill()._repr_html_()
