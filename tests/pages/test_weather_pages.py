"""What the pages say of bad weather and of photographs follows from the records."""

import copy

import pytest
from made_rows import made_weather

from fercourse.pages.photographs import (
    calibration_in_words,
    photograph_record,
    photograph_tables,
    speed_tables,
)
from fercourse.pages.weather import (
    attention_finding,
    attention_gains,
    best_cure,
    cure_finding,
    cure_gains,
    curves_finding,
    field_by_title,
    in_short,
    training_finding,
    training_gains,
    weather_tables,
)
from fercourse.runs.findings import Gain
from fercourse.runs.ledger import Ledger
from fercourse.runs.weather_row import WeatherBook
from fercourse.weather import CORRUPTIONS


def whole(level=5, fog=None, **facts):
    """A row with every corruption."""
    right = {kind: [level] * 5 for kind in CORRUPTIONS} | ({"fog": fog} if fog else {})
    total = sum(map(sum, right.values()))
    from fercourse.runs.weather_row import digits

    hits = digits([total // 10 + (k < total % 10) for k in range(10)])
    return made_weather(right=right, hits=hits, **facts)


ROWS = [
    *(whole(seed=s) for s in range(3)),
    *(whole(7, seed=s, variant="model3") for s in range(3)),
    *(whole(5, [6, 5, 4, 5, 5 + s % 2], seed=s, variant="model6") for s in range(3)),
    *(whole(5, [8, 8, 8, 8, 8 - s], seed=s, variant="model1-fog") for s in range(3)),
    *(whole(4, [6, 6, 6, 6, 6], seed=s, cure="gamma", clear=8) for s in range(3)),
    whole(3, variant="hog", recipe="linear classifier"),
]


def test_recognisers_by_title():
    named = field_by_title(ROWS, "fer2013")
    assert list(named) == ["model 1", "model 3", "model 6", "oriented gradients (HOG)"]
    assert [len(rows) for rows in named.values()] == [3, 3, 3, 1]
    assert field_by_title(ROWS, "synthetic") == {}
    said = curves_finding(named, "FER2013")
    assert said.startswith("On FER2013, ")
    assert "within 20.0 points" in said


def test_attention_is_judged_with_intervals():
    gains = {"FER2013": attention_gains([row for row in ROWS if row.cure == "none"])}
    assert gains["FER2013"]["model 3 − 1, bad weather"].mean == pytest.approx(0.2)
    assert gains["FER2013"]["model 3 − 1, kept on the way"].mean == pytest.approx(0.2)
    said = attention_finding(gains)
    assert "model 3 is better on FER2013: model 3 +20.00 [20.00, 20.00], model 6 +0" in said
    same = {"FER2013": {"model 6 − 1, bad weather": Gain(0.01, -0.01, 0.03)}}
    assert "no difference is shown: model 6 +1.00 [−1.00, 3.00] on FER2013" in attention_finding(
        same
    )


def test_cures_and_training():
    cures = cure_gains(ROWS, "model1")
    assert list(cures) == ["gamma"]
    assert cures["gamma"]["clear air"].mean == pytest.approx(-0.1)
    said = cure_finding(cures, "FER2013")
    assert said.startswith("FER2013: gamma brings +10.00 points in fog and −10.00 in clear air")
    assert said.endswith("over all weather none helps")
    fogged = training_gains([row for row in ROWS if row.cure == "none"])
    assert fogged["fog"].mean == pytest.approx(0.28)
    assert "+28.00 points in fog, +0.00 in other weather" in training_finding({"FER2013": fogged})


def test_in_short():
    text = in_short(ROWS)
    assert "model 3 +20.00 [20.00, 20.00], model 6 +0.10" in text
    assert "Of four cures gamma helps plain VGG16 most over all of it (−7.14 on FER2013)" in text
    assert "Training it in fog: +28.00 in fog and +0.00 in clear air on FER2013." in text
    assert in_short([]).startswith("Nothing is measured in bad weather yet")


def test_the_best_cure_is_that_over_all_data_sets():
    cured = {
        "here": {"gamma": {"fog": Gain(0.2), "noise": Gain(0.0)}, "clahe": {"fog": Gain(0.0)}},
        "there": {"gamma": {"fog": Gain(-0.3)}, "clahe": {"fog": Gain(0.01)}},
    }
    assert best_cure(cured) == "clahe"


def test_the_table_has_every_recogniser():
    text = "\n".join(weather_tables(ROWS))
    assert "| model6 | 3 | 90.0 |" in text
    assert "| oriented gradients (HOG) | 1 |" in text
    assert "| model1 | 3 | 90.0 | 50.0 |" in text
    (line,) = [line for line in text.splitlines() if line.startswith("| model1 |")]
    assert line.endswith("| 50.0 | 1.00 |"), "the baseline's mCE"
    assert weather_tables([]) == []


def test_the_table_of_cures_marks_what_is_not_clear():
    text = "\n".join(weather_tables(ROWS))
    (gamma,) = [line for line in text.splitlines() if line.startswith("| gamma |")]
    assert gamma.startswith("| gamma | −10.00 | +10.00 | −10.00 |")
    assert gamma.endswith("| −7.14 |")
    (fogged,) = [line for line in text.splitlines() if line.startswith("| trained in fog |")]
    assert "| +28.00 |" in fogged
    unclear = [
        *ROWS[:12],
        *(whole(5 + (s == 0) - (s == 1), seed=s, cure="gamma") for s in range(3)),
    ]
    (gamma,) = [
        t for t in "\n".join(weather_tables(unclear)).splitlines() if t.startswith("| gamma")
    ]
    assert "| (+0.00) |" in gamma


def test_what_is_recorded_can_be_written():
    """Of the repository's own records, whatever they are by now."""
    path = Ledger().path
    assert weather_tables(WeatherBook(path.with_name("weather.jsonl")).rows())
    text = "\n".join(photograph_tables(photograph_record(path.with_name("photographs.json"))))
    for says in ("temperature", "sure from", "CK+48", "margin", "40°"):
        assert says in text


def test_calibration_is_said_as_it_is(tmp_path):
    assert photograph_record(tmp_path / "none.json") == {}
    assert photograph_tables({}) == []
    record = copy.deepcopy(photograph_record(Ledger().path.with_name("photographs.json")))
    one = record["model1"]["calibration"]
    one["softmax"] |= {"error": 0.1, "interval": [0.09, 0.11]}
    one["calibrated"]["error"] = 0.02
    said = calibration_in_words(record)
    assert said.startswith("The temperature moves the calibration error of model 1 from 0.100 to 0")
    assert "0.020; of model 6" in said
    one["calibrated"]["error"] = 0.095
    assert "from 0.100 to 0.095, inside its interval; of" in calibration_in_words(record)


def test_how_long_people_wait():
    record = {
        "cores": 1,
        "rounds": 3,
        "one": {"fercourse": 4.0, "fer": 8.0, "import torch, torchvision": 2.0},
        "hundred": {"fercourse": 40.0, "import torch, torchvision": 2.0},
        "film": {"frames": 1500, "seconds": 75.0, "frames_per_second": 20.0, "memory_mb": 700},
        "48 megapixels": {"seconds": 6.5, "memory_mb": 1100},
        "folder": {"pictures": 2000, "seconds": 300.0, "memory_mb": 900},
    }
    text = "\n".join(speed_tables(record))
    assert "| 1 photograph | 4.0 | 8.0 | 0.50 | 2.0 |" in text
    assert "| 100 photographs | 40.0 | not installed |  | 2.0 |" in text
    assert "on 1 core, median" in text
    assert "900 MB for a folder of 2,000 pictures (5.0 minutes)" in text
    assert speed_tables({}) == []
