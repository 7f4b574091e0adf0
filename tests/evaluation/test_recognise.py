"""What people hold, read: every kind of picture gives the answer of the same picture."""

from pathlib import Path

import matplotlib
import numpy as np
import pytest
import torch
from PIL import Image, ImageFile

import fercourse
from fercourse import FercourseError
from fercourse.detection import crop, detect
from fercourse.evaluation import recognise as module
from fercourse.evaluation.recognise import TILT, Reader, annotated, cut_upright, recognise
from fercourse.images import read_photo

HOPPER = Path(matplotlib.get_data_path()) / "sample_data" / "grace_hopper.jpg"


@pytest.fixture(scope="module")
def photo() -> Image.Image:
    with Image.open(HOPPER) as file:
        return file.convert("RGB")


@pytest.fixture(scope="module")
def trained():
    return fercourse.pretrained("fer2013")


@pytest.fixture(scope="module")
def answer(photo, trained):
    (face,) = fercourse.predict(photo, trained)
    return face


def with_alpha(pixels):
    return np.dstack((pixels, np.full(pixels.shape[:2], 255, np.uint8)))


KINDS = {
    "path": lambda photo: str(HOPPER),
    "Path": lambda photo: HOPPER,
    "PIL": lambda photo: photo,
    "PIL with alpha": lambda photo: photo.convert("RGBA"),
    "uint8": lambda photo: np.asarray(photo),
    "RGBA": lambda photo: with_alpha(np.asarray(photo)),
    "float": lambda photo: np.asarray(photo) / 255,
    "float32 tensor, colours first": lambda photo: (
        torch.from_numpy(np.asarray(photo).copy()).permute(2, 0, 1) / 255
    ),
    "uint8 tensor": lambda photo: torch.from_numpy(np.asarray(photo).copy()),
}


@pytest.mark.parametrize("kind", KINDS)
def test_one_picture_in_every_kind(photo, trained, answer, kind):
    (face,) = fercourse.predict(KINDS[kind](photo), trained)
    assert face.probabilities == pytest.approx(answer.probabilities, abs=1e-3)
    assert face.detection.box == pytest.approx(answer.detection.box, abs=0.1)


def test_blue_first(photo, trained, answer):
    for pixels in (np.asarray(photo)[..., ::-1], with_alpha(np.asarray(photo)[..., ::-1])):
        (face,) = fercourse.predict(pixels, trained, bgr=True)
        assert face.probabilities == pytest.approx(answer.probabilities, abs=1e-4)
    (wrong,) = fercourse.predict(np.asarray(photo)[..., ::-1], trained)
    assert wrong.probabilities != pytest.approx(answer.probabilities, abs=1e-4)


def test_grey_with_and_without_an_axis(photo, trained):
    grey = np.asarray(photo.convert("L"))
    (a,), (b,) = fercourse.predict([grey, grey[..., None]], trained)
    assert a.probabilities == pytest.approx(b.probabilities, abs=1e-4)


def test_several_of_mixed_kinds_and_sizes(photo, trained, answer, monkeypatch):
    monkeypatch.setattr(module, "AT_ONCE", 300_000)  # so that they are read in two goes
    empty = np.full((300, 200, 3), 255, np.uint8)
    found = fercourse.predict((p for p in (HOPPER, empty, photo.resize((256, 303)))), trained)
    assert [len(faces) for faces in found] == [1, 0, 1]
    assert found[0][0].probabilities == pytest.approx(answer.probabilities, abs=1e-4)
    assert fercourse.predict([], trained) == []


def test_a_face_that_is_cut_already(photo, trained, answer):
    cut = crop(photo, answer.detection.box, 48)
    (face,) = fercourse.predict(cut, trained, cropped=True)
    assert face.detection is None
    assert face.probabilities == pytest.approx(answer.probabilities, abs=1e-5)
    both = fercourse.predict([cut, np.asarray(cut)], trained, cropped=True)
    assert [len(faces) for faces in both] == [1, 1]
    assert "box" not in face.to_dict()


BAD = {
    "a number": (3, "not a int"),
    "bytes": (b"JPEG", "not a bytes"),
    "a list of numbers": ([1, 2], "Picture 0 of the list: A picture is a path"),
    "16 bits": (np.zeros((40, 40), np.uint16), "not uint16"),
    "yes and no": (np.zeros((40, 40), bool), "not bool"),
    "floats to 255": (255 * np.random.default_rng(0).random((40, 40)), "must be in [0, 1], not"),
    "not a number": (np.full((40, 40), np.nan), "must be in [0, 1]"),
    "two channels": (np.zeros((40, 40, 2), np.uint8), "(H, W, 1, 3 or 4), not (40, 40, 2)"),
    "no pixel": (np.zeros((0, 40, 3), np.uint8), "not (0, 40, 3)"),
    "no file": ("none.jpg", "There is no file none.jpg"),
    "an address": ("https://example.org/a.jpg", "nothing is fetched from the web here"),
    "a bad one among good": ([np.zeros((40, 40), np.uint8), "none.jpg"], "Picture 1 of the list"),
}


@pytest.mark.parametrize("case", BAD)
def test_everything_else_gets_one_sentence(trained, case):
    what, says = BAD[case]
    with pytest.raises(FercourseError) as error:
        fercourse.predict(what, trained)
    assert says in str(error.value)
    assert "\n" not in str(error.value)


def test_weights_by_name_and_doubt(photo, answer):
    (same,) = fercourse.predict(photo, sure_from=0.99)
    assert same.probabilities == pytest.approx(answer.probabilities)
    assert not same.sure
    assert answer.sure == (max(answer.probabilities) >= 0.5)
    assert same.to_dict()["sure"] is False
    with pytest.raises(FercourseError, match=r"sure_from must be in \[0, 1\]"):
        fercourse.predict(photo, sure_from=50)


def test_even_classes_need_their_shares(photo, trained, answer):
    (face,) = fercourse.predict(photo, trained, even=True)
    shares = np.array(trained.about["shares"])
    expected = np.array(answer.probabilities) / shares
    assert face.probabilities == pytest.approx(expected / expected.sum(), abs=1e-5)
    with pytest.raises(FercourseError, match="run fercourse calibrate on them first"):
        fercourse.predict(photo, "synthetic-supervised-model5", even=True)


def test_leaning_faces_are_turned_upright(photo, trained, answer):
    tilt = answer.detection.tilt
    levelled, as_they_are = [], []
    for angle in (-35, -20, 20, 35):
        turned = photo.rotate(angle, Image.Resampling.BICUBIC, expand=True, fillcolor="grey")
        (face,) = fercourse.predict(turned, trained)
        assert face.detection.tilt == pytest.approx(tilt - angle, abs=5)
        assert face.expression == answer.expression
        left = Reader(trained).classify(crop(turned, face.detection.box, 48)[None])[0].tolist()
        for found, p in ((levelled, face.probabilities), (as_they_are, left)):
            found.append(np.abs(np.subtract(p, answer.probabilities)).max())
    assert np.mean(levelled) < 0.5 * np.mean(as_they_are), (levelled, as_they_are)


def test_a_face_that_hardly_leans_is_left(photo, trained):
    found = detect([photo])[0][0]
    assert abs(found.tilt) < TILT
    assert torch.equal(cut_upright(photo, found, 48), crop(photo, found.box, 48))


def test_a_photograph_on_its_side_is_read_upright(photo, trained, answer):
    side = photo.rotate(90, expand=True)
    side.getexif()[0x0112] = 6  # "turn me clockwise"
    (face,) = fercourse.predict(side, trained)
    assert face.probabilities == pytest.approx(answer.probabilities, abs=1e-4)


def test_transparent_pixels_are_white():
    clear = np.zeros((30, 30, 4), np.uint8)
    from fercourse.images import to_pil

    assert np.asarray(to_pil(clear)).min() == 255


def test_unsure_answers_are_drawn_with_a_question_mark(photo, trained, monkeypatch):
    written = []
    monkeypatch.setattr(
        "PIL.ImageDraw.ImageDraw.text", lambda self, place, text, **_: written.append(text)
    )
    annotated(photo, fercourse.predict(photo, trained, sure_from=0.99))
    annotated(photo, recognise(trained, photo))
    assert "?" in written[0]
    assert "?" not in written[1]


@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_quarter_turns_are_tried_on_request(photo, trained, answer, quarters):
    turned = module.turned_by(photo, quarters)
    (face,) = fercourse.predict(turned, trained, turn=True)
    assert face.turned == 90 * (4 - quarters)
    assert face.probabilities == pytest.approx(answer.probabilities, abs=0.02)
    # The box is where the face is in the picture that was given.
    left, top, right, bottom = face.found.box
    again = detect([module.turned_by(turned, 4 - quarters)])[0][0].box
    width, height = photo.size
    x, y = (again[0] + again[2]) / 2, (again[1] + again[3]) / 2
    middle = {1: (y, width - x), 2: (width - x, height - y), 3: (height - y, x)}[quarters]
    assert ((left + right) / 2, (top + bottom) / 2) == pytest.approx(middle, abs=2)
    assert face.to_dict()["turned"] == face.turned


def test_an_upright_picture_is_not_turned(photo, trained, answer):
    (face,) = fercourse.predict(photo, trained, turn=True)
    assert face.turned == 0
    assert "turned" not in face.to_dict()
    assert face.found == answer.found


def test_a_picture_that_lost_its_end_is_read_with_a_warning(trained, tmp_path):
    data = HOPPER.read_bytes()
    (tmp_path / "cut.jpg").write_bytes(data[:-800])
    with pytest.warns(UserWarning, match=r"cut.jpg lost its end"):
        (face, *_) = fercourse.predict(tmp_path / "cut.jpg", trained)
    assert face.found.probability > 0.9
    assert not ImageFile.LOAD_TRUNCATED_IMAGES


@pytest.mark.parametrize("bits", [10, 12, 14, 16])
def test_deep_pictures_are_as_bright_as_shallow_ones(photo, trained, tmp_path, bits):
    grey = np.asarray(photo.convert("L")).astype(np.uint16) << (bits - 8)
    Image.fromarray(grey).save(tmp_path / "deep.png")
    (face, *_) = fercourse.predict(tmp_path / "deep.png", trained)
    (wanted, *_) = fercourse.predict(photo.convert("L"), trained)
    assert face.probabilities == pytest.approx(wanted.probabilities, abs=0.05)


def test_fractions_as_pixels(photo, tmp_path):
    grey = np.asarray(photo.convert("L")) / np.float32(255)
    Image.fromarray(grey).save(tmp_path / "f.tiff")
    read = np.asarray(read_photo(tmp_path / "f.tiff").convert("L")).astype(int)
    assert abs(read - np.asarray(photo.convert("L"))).max() <= 1


def test_a_telephones_heic_says_how_to_convert_it(tmp_path):
    (tmp_path / "IMG_1.HEIC").write_bytes(b"\0\0\0\x24ftypheic" + b"\0" * 200)
    with pytest.raises(FercourseError, match=r"HEIC.*save it as JPEG"):
        fercourse.predict(tmp_path / "IMG_1.HEIC")
