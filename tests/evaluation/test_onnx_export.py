"""ONNX says what torch says, of any number of faces, for every kind of network."""

import json

import numpy as np
import onnxruntime
import pytest
import torch

import fercourse
from fercourse import FercourseError
from fercourse.config import RunConfig
from fercourse.evaluation import onnx_export
from fercourse.evaluation.calibration import cooled
from fercourse.evaluation.onnx_export import export_onnx
from fercourse.evaluation.predict import probabilities
from fercourse.models.build import build
from fercourse.weights.trained import Trained

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


@pytest.fixture(scope="module")
def faces() -> torch.Tensor:
    return fercourse.load("synthetic", count=210).train.images[:100]


def session(path):
    return onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])


def test_a_hundred_faces_and_one(faces, tmp_path):
    trained = fercourse.pretrained("fer2013", 6)
    done = export_onnx(trained, tmp_path / "six.onnx", faces)
    assert done.faces == 100
    assert done.difference < 1e-5
    assert min(done.torch_seconds, done.onnx_seconds) > 0
    run = session(tmp_path / "six.onnx")
    expected = cooled(
        probabilities(trained.network, faces, bf16=False, device="cpu"), trained.temperature
    ).numpy()
    for count in (1, 2, 100):
        (found,) = run.run(["probabilities"], {"faces": faces[:count].numpy()})
        np.testing.assert_allclose(found, expected[:count], atol=1e-5)
    facts = run.get_modelmeta().custom_metadata_map
    assert json.loads(facts["classes"])[3] == "happy"
    assert facts["run"] == trained.key


@pytest.mark.parametrize("architecture", ["inception", "skip", "channels"])
def test_other_networks(faces, tmp_path, architecture):
    off = dict.fromkeys(("fusion", "gcca", "decoder", "reverse", "joint_loss"), False)
    run = RunConfig().change(
        **{f"model.{k}": v for k, v in off.items()},
        **{"model.architecture": architecture, "model.width": 0.125, "model.in_channels": 3},
    )
    trained = Trained(build(run.model).eval(), run)
    assert export_onnx(trained, tmp_path / "net.onnx", faces[:4]).difference < 1e-5


def test_one_that_differs_is_not_written(faces, tmp_path, monkeypatch):
    monkeypatch.setattr(onnx_export, "CLOSE", -1.0)
    with pytest.raises(FercourseError, match="was not written"):
        export_onnx(fercourse.pretrained("synthetic", 1), tmp_path / "a.onnx", faces[:4])
    assert list(tmp_path.iterdir()) == []
