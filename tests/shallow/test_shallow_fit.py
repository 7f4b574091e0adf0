"""A shallow method learns, chooses on the validation split, and never sees the test split."""

import numpy as np
import pytest
import torch

from fercourse import Faces, FercourseError, load
from fercourse.datasets.faces import held_out
from fercourse.shallow import METHODS, STRENGTHS, Features, Method, fit


class Mean(Features):
    """Two numbers a face, one of which tells the class."""

    def transform(self, faces):
        noise = np.random.default_rng(0).normal(size=len(faces))
        return np.stack([faces.images.float().mean((1, 2)).numpy(), noise], 1).astype(np.float32)


MEAN = Method("mean", "mean grey", Mean)


def toy(n=60, shift=0, classes=(0, 3)):
    labels = torch.tensor(classes).repeat(n // len(classes))
    images = (100 + shift + 40 * (labels == 3)).byte()[:, None, None].expand(-1, 32, 32)
    return Faces(images.clone(), labels)


@pytest.mark.parametrize("classifier", ["linear", "mlp"])
def test_it_learns_and_gives_probabilities_of_all_classes(classifier):
    method = Method("mean", "mean grey", Mean, classifier=classifier)
    fitted = fit(method, toy(), toy(20))
    p = fitted.probabilities(toy(10))
    assert p.shape == (10, 7)
    assert torch.allclose(p.sum(1), torch.ones(10), atol=1e-5)
    assert p[:, [1, 2, 4, 5, 6]].abs().max() == 0  # classes nobody was shown
    assert (p.argmax(1) == toy(10).labels).all()
    assert fitted.val_accuracy == 1
    assert fitted.dimensions == 2
    assert fitted.parameters > 2
    assert fitted.strength in STRENGTHS[classifier]


def test_of_equally_good_strengths_the_first_is_taken():
    assert fit(MEAN, toy(), toy(20)).strength == STRENGTHS["linear"][0]


def test_the_validation_split_chooses():
    """Where classes overlap, another validation split chooses another strength."""
    rng = np.random.default_rng(1)

    class Many(Features):
        def transform(self, faces):
            x = np.random.default_rng(int(faces.images[0, 0, 0])).normal(size=(len(faces), 200))
            x[:, 0] += 0.8 * (faces.labels == 3).numpy()
            return x.astype(np.float32)

    method = Method("many", "much noise", Many)
    chosen = {fit(method, toy(), toy(40, shift=int(s))).strength for s in rng.integers(1, 90, 12)}
    assert len(chosen) > 1


@pytest.mark.parametrize("job", ["train", "select"])
def test_a_sealed_split_is_refused(job):
    splits = [held_out(toy()), toy()] if job == "train" else [toy(), held_out(toy())]
    with pytest.raises(FercourseError, match=f"must not {job}"):
        fit(MEAN, *splits)


def test_unknown_methods_are_named():
    with pytest.raises(FercourseError, match="no method 'sift'; use one of pca, lbp"):
        fit("sift", toy(), toy())


def test_without_scikit_image_a_sentence_says_how_to_get_it(monkeypatch):
    monkeypatch.setattr("fercourse.shallow.method.find_spec", lambda name: None)
    with pytest.raises(FercourseError, match="pip install scikit-image"):
        fit("hog", toy(), toy())


def test_seeds_matter_where_something_is_left_to_chance():
    data = load("synthetic", count=210)
    a, b, again = (fit("landmarks", data.train, data.val, seed) for seed in (0, 1, 0))
    p, q, r = (f.probabilities(data.val) for f in (a, b, again))
    assert torch.equal(p, r)
    assert not torch.equal(p, q)
    assert METHODS["landmarks"].draws
    assert not METHODS["hog"].draws
    assert a.val_accuracy > 0.5  # exact landmarks, few faces
