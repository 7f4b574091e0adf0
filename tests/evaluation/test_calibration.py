"""A temperature that is found again, an error that is known, and classes made even."""

import pytest
import torch
from safetensors import safe_open
from tolerances import SUM

import fercourse
from fercourse import FercourseError
from fercourse.datasets.faces import HeldOutFaces
from fercourse.evaluation.calibration import (
    calibrate,
    calibration_error,
    cooled,
    even,
    fit_temperature,
    reliability,
)
from fercourse.weights import FOLDER
from fercourse.weights.trained import add_facts, load_weights


def answers(n=20_000, spread=2.0):
    """Logits, and labels that are drawn from their softmax."""
    generator = torch.Generator().manual_seed(0)
    logits = spread * torch.randn(n, 7, generator=generator)
    return logits, torch.multinomial(logits.softmax(1), 1, generator=generator)[:, 0]


@pytest.mark.parametrize("factor", [0.5, 1.0, 3.0])
def test_the_temperature_that_spoilt_them_is_found(factor):
    logits, labels = answers()
    p = (factor * logits).softmax(1)
    assert fit_temperature(p, labels) == pytest.approx(factor, rel=0.05)
    mended = cooled(p, factor)
    torch.testing.assert_close(mended, logits.softmax(1), rtol=1e-2, atol=1e-4)
    assert calibration_error(mended, labels) < 0.01
    if factor != 1:
        assert calibration_error(p, labels) > 0.05
    assert torch.equal(cooled(p, 2.5).argmax(1), p.argmax(1)), "the order stays"


def test_the_error_by_hand():
    p = torch.tensor([[0.9, 0.1], [0.9, 0.1], [0.6, 0.4], [0.6, 0.4]])
    labels = torch.tensor([0, 1, 0, 0])
    assert reliability(p, labels, 10) == [
        (0.5, pytest.approx(0.6), 1.0),
        (0.5, pytest.approx(0.9), 0.5),
    ]
    assert calibration_error(p, labels, 10) == pytest.approx(0.5 * 0.4 + 0.5 * 0.4)


def test_even_classes_are_bayes_rule():
    p, shares = torch.tensor([[0.6, 0.4]]), torch.tensor([0.75, 0.25])
    torch.testing.assert_close(even(p, shares), torch.tensor([[0.8, 1.6]]) / 2.4, **SUM)
    torch.testing.assert_close(even(p, torch.tensor([0.5, 0.5])), p)


def test_what_is_stored_with_weights(tmp_path):
    path = tmp_path / "w.safetensors"
    path.write_bytes((FOLDER / "synthetic-model1.safetensors").read_bytes())
    before = load_weights(path)
    data = fercourse.load("synthetic", count=700)
    done = calibrate(path, data)
    again = load_weights(path)
    assert again.temperature == done.temperature != 1
    assert again.about["shares"] == pytest.approx([1 / 7] * 7, abs=0.02)
    assert all(again.about[k] == v for k, v in before.about.items() if k in ("key", "plan"))
    with safe_open(path, "pt") as stored:
        assert stored.get_tensor("embed.weight").dtype == torch.float16, "as it was"
    for name, tensor in before.network.state_dict().items():
        assert torch.equal(tensor, again.network.state_dict()[name])


def test_a_test_split_fits_nothing(tmp_path):
    data = fercourse.load("synthetic", count=140)
    assert isinstance(data.test, HeldOutFaces)
    from dataclasses import replace

    with pytest.raises(FercourseError, match="must not fit a temperature"):
        calibrate(FOLDER / "synthetic-model1.safetensors", replace(data, val=data.test))


def test_facts_are_for_files_of_ours(tmp_path):
    (tmp_path / "notes.txt").write_text("no weights")
    with pytest.raises(FercourseError, match=r"notes\.txt is no file that fercourse train wrote"):
        add_facts(tmp_path / "notes.txt", temperature=1.0)
    assert (tmp_path / "notes.txt").read_text() == "no weights"


@pytest.mark.parametrize("model", [1, 6])
def test_bundled_weights_were_calibrated(model):
    trained = fercourse.pretrained("fer2013", model)
    assert 0.5 < trained.temperature < 2
    assert trained.temperature != 1
    assert sum(trained.about["shares"]) == pytest.approx(1, abs=1e-3)
    assert trained.about["shares"][1] < 0.02, "disgust is rare in FER2013"
