"""Judging a model: views, duplicates, and a report that adds up."""

import numpy as np
import pytest
import torch
from made_faces import bars
from PIL import Image
from tolerances import NETWORK, SUM

import fercourse
from fercourse import FercourseError, FERNet, evaluate, preset
from fercourse.datasets.faces import Faces
from fercourse.detection.detector import FaceDetector
from fercourse.evaluation.predict import at_a_time, probabilities
from fercourse.preprocess import normalise
from fercourse.weights.trained import save_weights

pytestmark = pytest.mark.numeric


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    return FERNet(preset("smoke").model)


def test_probabilities_are_the_softmax_of_a_single_view(model):
    faces = bars(10, size=48)
    p = probabilities(model, faces.images, device="cpu", bf16=False, batch_size=3)
    with torch.no_grad():
        wanted = model.eval()(normalise(faces.images)).logits.softmax(1)
    torch.testing.assert_close(p, wanted, **NETWORK)
    torch.testing.assert_close(p.sum(1), torch.ones(10), **SUM)


def test_flip_view_is_blind_to_mirroring_and_single_is_not(model):
    images = torch.randint(0, 256, (6, 48, 48), dtype=torch.uint8)
    mirrored = images.flip(2)
    for views, same in (("flip", True), ("ten", True), ("single", False)):
        a, b = (probabilities(model, x, views, "cpu", bf16=False) for x in (images, mirrored))
        assert torch.allclose(a, b, **NETWORK) == same, views


def test_evaluation_leaves_the_mode_as_it_was(model):
    model.train()
    probabilities(model, bars(4, size=48).images, device="cpu")
    assert model.training
    with pytest.raises(FercourseError):
        probabilities(model, bars(4, size=48).images, "five", "cpu")
    assert model.training, "after an error, too"
    model.eval()


def test_fewer_large_faces_are_judged_at_once():
    for size, count in ((48, 256), (64, 256), (224, 20), (2048, 1)):
        assert at_a_time(torch.empty(2, size, size, device="meta")) == count


class Travelling(FERNet):
    """Its weights become new tensors when it is moved, as between devices."""

    def to(self, device):
        return self._apply(torch.clone)


def test_a_model_judged_elsewhere_can_still_be_trained():
    model = Travelling(preset("smoke", 1).model).train()
    probabilities(model, bars(4, size=48).images, device="cpu", bf16=False)
    model.load_state_dict(FERNet(preset("smoke", 1).model).state_dict())
    model(torch.randn(4, 1, 48, 48)).logits.sum().backward()


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device on this machine")
def test_a_model_comes_back_from_the_gpu(model):
    probabilities(model, bars(4, size=48).images, device="cuda")
    assert {t.device.type for t in model.state_dict().values()} == {"cpu"}


def test_report_adds_up_and_leaves_out_what_leaks(model):
    test = bars(60, seed=5, size=48)
    train = bars(40, seed=6, size=48)
    # Plant copies of ten test images, slightly brightened, in the training split.
    images = torch.cat((train.images, test.images[:10] + 2))
    labels = torch.cat((train.labels, test.labels[:10]))
    result = evaluate(model, test, Faces(images, labels), device="cpu")
    assert result.confusion.sum(1).tolist() == test.counts().tolist()
    assert result.accuracy == pytest.approx(np.trace(result.confusion) / 60)
    assert result.n == 60
    assert result.leaked >= 10
    right = result.accuracy_clean * (60 - result.leaked)  # a count, of those that are left
    assert right == pytest.approx(round(right))
    assert right <= np.trace(result.confusion)
    assert evaluate(model, test, device="cpu").accuracy_clean is None


def test_bad_input(model):
    with pytest.raises(FercourseError, match="single, flip or ten"):
        probabilities(model, bars(2, size=48).images, "five", "cpu")
    with pytest.raises(FercourseError, match="batch is empty"):
        probabilities(model, torch.zeros(0, 48, 48, dtype=torch.uint8))
    with pytest.raises(FercourseError, match=r"Picture 0 of the list: .*in \[0, 1\]"):
        probabilities(model, torch.full((2, 48, 48), 7.0), device="cpu")
    with pytest.raises(FercourseError, match="of one size"):
        probabilities(model, [np.zeros((48, 48), np.uint8), np.zeros((32, 32), np.uint8)])
    with pytest.raises(FercourseError, match="not a dict"):
        probabilities({}, np.zeros((2, 48, 48), np.uint8))
    with pytest.raises(FercourseError, match=r"Faces, not a Tensor.*Faces\(images, labels\)"):
        evaluate(model, bars(2).images)
    for ask in (
        lambda: probabilities(model, bars(2).images, device="cuda:7"),
        lambda: fercourse.pretrained("synthetic", 1, device="cuda:7"),
        lambda: FaceDetector("cuda:7"),
    ):
        with pytest.raises(FercourseError, match="no device 'cuda:7' here"):
            ask()


def test_faces_may_be_held_in_any_way(model):
    faces = bars(3, size=48).images
    wanted = probabilities(model, faces, device="cpu")
    arrays = faces.numpy()
    for held in (
        arrays,
        list(arrays),
        list(faces),
        arrays.tolist(),
        arrays.astype(np.int64),
        arrays / 255,
        arrays[:, None],
        arrays[..., None],
        np.repeat(arrays[..., None], 3, axis=3),
        [Image.fromarray(face) for face in arrays],
    ):
        torch.testing.assert_close(probabilities(model, held, device="CPU"), wanted)
    assert probabilities(model, arrays[0], device="cpu").shape == (1, 7)


def test_a_model_may_be_a_path_a_name_or_loaded_weights(tmp_path):
    faces = bars(3, size=48)
    loaded = fercourse.pretrained("synthetic", 1)
    wanted = probabilities(loaded.network, faces.images, device="cpu")
    save_weights(tmp_path / "run" / "model.safetensors", loaded.network, loaded.run)
    for held in ("synthetic-model1", loaded, tmp_path / "run", tmp_path / "run/model.safetensors"):
        torch.testing.assert_close(probabilities(held, faces.images, device="cpu"), wanted)
    assert evaluate("synthetic-model1", faces, device="cpu").n == 3


def test_faces_take_arrays_lists_and_words():
    images, labels = np.zeros((2, 8, 8), np.uint8), [0, 6]
    faces = Faces(images.tolist(), labels)
    assert faces.images.dtype == torch.uint8
    assert torch.equal(Faces(images, np.array(labels, np.int32)).labels, faces.labels)
    assert torch.equal(Faces(images, ["angry", "Neutrality"]).labels, faces.labels)
    for bad, said in (
        ((images, [0, 9]), "0 to 7, not 9, as in row 1"),
        ((images, [-1, 0]), "not -1, as in row 0"),
        ((images, ["angry", "bored"]), "'bored' is not an expression"),
        ((images, [0.5, 1.0]), "must be int64"),
        ((images + 0.5, labels), r"must be uint8 \(N, H, W\)"),
        (([[1, 2], [3]], labels), "of one shape"),
        ((np.full((2, 8, 8), 300), labels), r"in 0\.\.255"),
    ):
        with pytest.raises(FercourseError, match=said):
            Faces(*bad)


def test_load_takes_names_and_paths_only():
    with pytest.raises(FercourseError, match=r"not a ndarray: .*Faces\(images, labels\)"):
        fercourse.load(np.zeros((2, 8, 8), np.uint8))
    with pytest.raises(FercourseError, match="did you mean fer2013"):
        fercourse.load("fer2103")
