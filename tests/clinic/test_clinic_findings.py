"""Every recorded patient shows its illness, and the table of signs holds for all of them."""

import numpy as np
import pytest

from fercourse import FercourseError
from fercourse.clinic import findings
from fercourse.clinic.bank import RECORDS, REFERENCE, bank, recorded
from fercourse.clinic.figures import DRAWN, draw
from fercourse.clinic.findings import FINDINGS, HEALTHY_SAYS, PRICES, SIGNS, USUAL
from fercourse.clinic.illnesses import ILLNESSES

pytestmark = pytest.mark.numeric

VARIANTS = range(3)
NAMES = set(ILLNESSES) - {"healthy"}
"""A sentence may compare with a healthy run."""

SEVERAL = [
    "learning rate too high",
    "learning rate too low",
    "island loss too heavy",
    "shuffled labels",
]
"""In all of these the training faces themselves are not learned."""


def last(chart, column):
    return chart.history[-1][column]


def moves(chart):
    return np.abs(np.subtract(*np.transpose(chart.pairs))).max()


def off_diagonal(chart):
    """The second largest share that a row of the matrix has in one cell off the diagonal."""
    rows = np.array(chart.confusion) / np.sum(chart.confusion, axis=1, keepdims=True)
    return np.sort((rows - np.diag(np.diag(rows))).max(1))[-2]


def misfits(chart):
    return sum(np.not_equal(chart.batch["labels"], chart.batch["truth"]))


# Illness: the examination that tells it apart, a number of its chart, where that must lie, and the
# look-alikes for which it must lie elsewhere.
TELLS = {
    "learning rate too high": (
        "gradients",
        lambda c: np.median(list(c.steps.values())) * (max(c.drowning.values()) < 10),
        (0.01, np.inf),
        [i for i in SEVERAL if i != "learning rate too high"],
    ),
    "learning rate too low": (
        "gradients",
        lambda c: np.median(list(c.steps.values())),
        (0, 0.0002),
        [i for i in SEVERAL if i != "learning rate too low"],
    ),
    "island loss too heavy": (
        "losses",
        lambda c: last(c, "train_loss"),
        (50, np.inf),
        [i for i in SEVERAL if i != "island loss too heavy"],
    ),
    "shuffled labels": (
        "batch",
        misfits,
        (3, 16),
        [i for i in ILLNESSES if i != "shuffled labels"],
    ),
    "too little regularisation": (
        "losses",
        lambda c: last(c, "val_loss") / last(c, "train_ce"),
        (15, np.inf),
        ["healthy", "shuffled labels", "training faces in validation", "shortcut"],
    ),
    "permuted label order": (
        "confusion",
        off_diagonal,
        (0.6, 1),
        ["too little regularisation", "left in training mode"],
    ),
    "left in training mode": (
        "judge twice",
        moves,
        (0.005, 1),
        [i for i in ILLNESSES if i != "left in training mode"],
    ),
    "training faces in validation": (
        "worst faces",
        lambda c: sum(apart == 0 for apart in c.worst["apart"]),
        (2, 5),
        [i for i in ILLNESSES if i != "training faces in validation"],
    ),
    "shortcut": (
        "strips",
        lambda c: min(c.strips[1:-1]) - c.strips[-1],
        (0.4, 1),
        [i for i in ILLNESSES if i != "shortcut"],
    ),
}


@pytest.mark.parametrize("illness", TELLS)
def test_one_examination_tells_an_illness_from_its_look_alikes(illness):
    examination, number, (low, high), others = TELLS[illness]
    assert examination in PRICES
    for k in VARIANTS:
        assert low <= number(recorded(illness, k)) <= high, k
    for other in others:
        for k in VARIANTS:
            assert not low <= number(recorded(other, k)) <= high, (other, k)


def test_every_sick_patient_differs_from_healthy_and_healthy_ones_in_nothing():
    for illness, k in bank():
        found = {e: findings.finding(e, recorded(illness, k)) for e in PRICES}
        assert (set(found.values()) == {USUAL}) == (illness == "healthy"), (illness, k, found)


def test_the_table_of_signs_is_what_the_bank_shows():
    seen = {
        illness: {e: {findings.finding(e, recorded(illness, k)) for k in VARIANTS} for e in PRICES}
        for illness in ILLNESSES
    }
    told = {
        illness: {e: set(signs.get(e, (USUAL,))) for e in PRICES}
        for illness, signs in SIGNS.items()
    }
    assert told == seen


def test_every_patient_can_be_told_apart_and_no_cheaper_set_does_it():
    for illness, k in bank():
        chart = recorded(illness, k)
        names, cost = findings.cheapest(chart)
        assert findings.fitting(chart, names) == [illness]
        assert cost == sum(PRICES[name] for name in names)
        for left_out in names:
            fewer = [name for name in names if name != left_out]
            assert len(findings.fitting(chart, fewer)) > 1
        for name, price in PRICES.items():
            if price < cost:
                assert len(findings.fitting(chart, [name])) > 1
    assert len(findings.fitting(recorded("shortcut", 0), [])) == len(ILLNESSES)


def test_findings_name_no_illness_and_every_one_is_seen():
    seen = {(e, findings.finding(e, recorded(illness, k))) for illness, k in bank() for e in PRICES}
    for examination, possible in FINDINGS.items():
        for each in possible:
            assert (examination, each.name) in seen, f"nobody shows {examination}: {each.name}"
            assert not any(name in each.says for name in NAMES)
            assert findings.says(examination, each.name) == each.says
        assert findings.says(examination, USUAL) == HEALTHY_SAYS[examination]
    assert set(PRICES) == set(FINDINGS) == set(HEALTHY_SAYS) == set(DRAWN)


def test_the_bank_is_small_and_whole():
    files = sorted(RECORDS.glob("*.json"))
    assert len(files) == len(bank()) == 3 * len(ILLNESSES) + 1
    assert sum(path.stat().st_size for path in files) < 2**20
    with pytest.raises(FercourseError, match="no chart of 'flu', variant 0"):
        recorded("flu", 0)


@pytest.mark.parametrize("examination", PRICES)
def test_figures_tell_patients_apart_and_name_no_illness(examination):
    heads = set()
    for illness in ("healthy", "island loss too heavy", "left in training mode"):
        head = " ".join(draw(examination, recorded(illness, 1), "Patient C").get_suptitle().split())
        assert head.startswith("Patient C: ")
        assert not any(name in head for name in NAMES)
        heads.add(head)
    assert len(heads) > 1 or examination in ("batch", "worst faces")
    assert REFERENCE not in VARIANTS
