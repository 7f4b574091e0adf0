"""Weights that know their own model."""

import pickle

import pytest
import torch

from fercourse import FercourseError, FERNet, preset
from fercourse.weights.trained import load_weights, save_weights

pytestmark = pytest.mark.numeric


CONFIG = preset("smoke", 3)


def test_weights_round_trip_with_their_config(tmp_path):
    model = FERNet(CONFIG.model).eval()
    save_weights(tmp_path / "a.safetensors", model, CONFIG, {"val_accuracy": 0.5})
    again = load_weights(tmp_path / "a.safetensors")
    x = torch.randn(2, 1, 48, 48)
    with torch.no_grad():
        assert torch.equal(again.network(x).logits, model(x).logits)  # the same operations
    assert (again.run, again.about) == (CONFIG, {"val_accuracy": 0.5})
    assert not again.network.training


@pytest.mark.parametrize("content", [b"", b"junk" * 99, pickle.dumps({"weights": [1, 2]})])
def test_a_strangers_file_is_refused_in_one_sentence(tmp_path, content):
    path = tmp_path / "model.safetensors"
    path.write_bytes(content)
    with pytest.raises(FercourseError, match="holds no fercourse weights") as error:
        load_weights(path)
    assert "\n" not in str(error.value)


def test_weights_of_another_model_are_refused(tmp_path):
    save_weights(tmp_path / "a.safetensors", FERNet(preset("smoke", 1).model), CONFIG)
    with pytest.raises(FercourseError, match="holds no fercourse weights"):
        load_weights(tmp_path / "a.safetensors")


def test_missing_weights(tmp_path):
    with pytest.raises(FercourseError, match="no weights at"):
        load_weights(tmp_path / "none.safetensors")
