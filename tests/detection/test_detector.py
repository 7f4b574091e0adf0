"""Detection and cropping on matplotlib's public-domain photograph of Grace Hopper."""

import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from tolerances import BOX
from typer.testing import CliRunner

from fercourse import Faces, FercourseError
from fercourse.cli.faces import app
from fercourse.datasets.cropped import cut, cut_faces, find_boxes
from fercourse.detection import (
    LANDMARKS,
    Detection,
    FaceDetector,
    crop,
    crop_folder,
    detect,
    square,
)
from fercourse.detection.folder import COLUMNS
from fercourse.preprocess import normalise

pytestmark = pytest.mark.numeric


@pytest.fixture(scope="module")
def hopper() -> Image.Image:
    from matplotlib.cbook import get_sample_data

    with get_sample_data("grace_hopper.jpg") as file:
        return Image.open(file).convert("RGB")  # 512 wide, 600 high


@pytest.fixture(scope="module")
def face(hopper) -> Detection:
    (found,) = detect([hopper])
    (only,) = found
    return only


def test_one_face_where_it_is(face):
    # Read off the photograph by eye, to about 15 pixels: brim of the cap to chin, ear to ear.
    assert face.box == pytest.approx((175, 120, 355, 340), abs=25)
    assert 0.99 < face.probability <= 1
    eyes = dict(zip(LANDMARKS, face.landmarks, strict=True))
    assert eyes["left_eye"] == pytest.approx((222, 192), abs=12)
    assert eyes["right_eye"] == pytest.approx((310, 186), abs=12)
    left, top, right, bottom = face.box
    assert all(left < x < right and top < y < bottom for x, y in face.landmarks)
    assert eyes["mouth_left"][0] < eyes["nose"][0] < eyes["mouth_right"][0]
    assert eyes["left_eye"][1] < eyes["nose"][1] < eyes["mouth_left"][1]


def test_pictures_of_several_kinds_and_sizes_at_once(hopper, face):
    w, h = hopper.size
    tiled = Image.new("RGB", (2 * w, 2 * h))
    corners = [(0, 0), (w, 0), (0, h), (w, h)]
    for corner in corners:
        tiled.paste(hopper, corner)
    pair = Image.new("RGB", (w, h + h // 2))
    pair.paste(hopper, (0, 0))
    pair.paste(hopper.resize((w // 2, h // 2)), (0, h))
    found = detect(
        [
            tiled,
            Image.new("RGB", (300, 200), (90, 120, 150)),  # blank
            np.asarray(hopper),
            torch.from_numpy(np.array(hopper.convert("L"))),
            Image.new("L", (12, 12)),  # smaller than any face
            pair,
        ]
    )
    assert [len(faces) for faces in found] == [4, 0, 1, 1, 0, 2]
    expected = {(round((x + face.box[0]) / 40), round((y + face.box[1]) / 40)) for x, y in corners}
    assert {(round(f.box[0] / 40), round(f.box[1] / 40)) for f in found[0]} == expected
    assert found[2][0].box == pytest.approx(face.box, abs=BOX)
    assert found[5][0].area > 3 * found[5][1].area  # largest first
    assert detect([]) == []


def test_large_photographs_are_searched_small_but_told_in_their_own_pixels(hopper, face):
    large = hopper.resize((2048, 2400))
    (found,) = FaceDetector(max_side=600).detect([large])
    # searched at another scale, it is found otherwise, by a few of the 180 pixels of its width
    assert np.array(found[0].box) / 4 == pytest.approx(face.box, abs=4)
    assert np.array(found[0].landmarks) / 4 == pytest.approx(np.array(face.landmarks), abs=4)


def test_threshold_is_kept(hopper):
    assert detect([hopper], threshold=1.0) == [[]]
    with pytest.raises(FercourseError, match="threshold"):
        FaceDetector(threshold=1.5)


def test_crop_scales_bilinearly_without_distortion():
    ramp = np.tile(np.arange(0, 200, 2, dtype=np.uint8), (100, 1))  # value 2x at column x
    out = crop(ramp, (20, 20, 60, 60), size=80)
    assert out.shape == (80, 80)
    assert out.dtype == torch.uint8
    # pixel k of 80 lies at source column 20 + (k + 0.5) / 2 - 0.5
    expected = 2 * (20 + (np.arange(80) + 0.5) / 2 - 0.5)
    assert np.abs(out.numpy() - expected)[:, 1:-1].max() <= 1


def test_crop_keeps_grey_or_colour(hopper, face):
    grey, colour = crop(hopper, face.box, 64), crop(hopper, face.box, 64, colour=True)
    assert grey.shape == (64, 64)
    assert colour.shape == (64, 64, 3)
    luma = colour.double() @ torch.tensor([0.299, 0.587, 0.114], dtype=torch.double)
    assert (grey - luma).abs().max() < 2.5  # grey before scaling or after it, rounded twice
    assert normalise(grey[None]).shape == (1, 1, 64, 64)


@given(
    left=st.floats(-50, 150),
    top=st.floats(-50, 150),
    width=st.floats(1, 200),
    height=st.floats(1, 200),
    size=st.tuples(st.integers(1, 120), st.integers(1, 120)),
    margin=st.floats(-0.5, 2),
)
def test_square_is_square_inside_and_never_larger_than_asked(
    left, top, width, height, size, margin
):
    x0, y0, x1, y1 = square((left, top, left + width, top + height), size, margin)
    assert x1 - x0 == pytest.approx(y1 - y0)
    assert x1 - x0 == pytest.approx(min(max(width, height) * (1 + margin), *size))
    assert min(x0, y0) >= 0
    assert x1 <= size[0] + 1e-9
    assert y1 <= size[1] + 1e-9


def test_square_stays_on_the_face_where_it_can():
    assert square((40, 30, 60, 70), (200, 100)) == (30, 30, 70, 70)
    assert square((40, 30, 60, 70), (200, 100), margin=0.5) == (20, 20, 80, 80)
    assert square((-10, 30, 30, 70), (200, 100)) == (0, 30, 40, 70)  # moved inside


def test_an_empty_box_is_refused():
    with pytest.raises(FercourseError, match="no pixel"):
        crop(np.zeros((50, 50), np.uint8), (10, 10, 10, 10))


@pytest.mark.parametrize(
    ("bad", "says"),
    [
        (np.full((4, 4), 7.0), "must be in"),
        (np.zeros((4, 4), np.int32), "uint8"),
        (np.zeros((40, 40, 2), np.uint8), "1, 3 or 4"),
        (np.zeros((2, 4, 4, 3), np.uint8), "several go into a list"),
        (7, "not a int"),
        ("photo.jpg", "There is no file photo.jpg"),
    ],
)
def test_pictures_of_unknown_kind_are_refused(bad, says):
    with pytest.raises(FercourseError, match=says):
        detect([bad])


def test_pictures_may_be_held_in_any_way(hopper, face, tmp_path):
    hopper.save(tmp_path / "hopper.png")
    pixels = np.asarray(hopper.convert("RGB"))
    alpha = np.concatenate((pixels, np.full_like(pixels[..., :1], 255)), axis=2)
    for held in (
        tmp_path / "hopper.png",
        [str(tmp_path / "hopper.png")],
        hopper,
        pixels,
        [alpha],
        pixels[None],
        [(pixels / 255).astype(np.float32)],
        [torch.from_numpy(pixels.copy()).permute(2, 0, 1)],
    ):
        ((found, *_),) = detect(held)
        assert np.allclose(found.box, face.box, atol=2)
    (grey,) = detect([np.asarray(hopper.convert("L"))[..., None]])
    assert len(grey) == 1


def test_the_note_of_a_turn_is_honoured(hopper, face, tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # what is stored lies on its left side
    hopper.transpose(Image.Transpose.ROTATE_90).save(tmp_path / "side.jpg", exif=exif, quality=95)
    with Image.open(tmp_path / "side.jpg") as turned:
        for held in (turned, tmp_path / "side.jpg"):
            ((found, *_),) = detect([held])
            assert np.allclose(found.box, face.box, atol=12)


def test_a_data_set_is_cropped_and_its_misses_counted(hopper, face):
    frame = hopper.convert("L").crop((155, 100, 375, 360)).resize((48, 48))
    left, right = np.array(frame), np.array(frame.transpose(Image.Transpose.FLIP_LEFT_RIGHT))
    blank = np.full((48, 48), 77, np.uint8)
    blank[:24] = 50
    x = torch.arange(48, dtype=torch.int32).expand(3, 48, 48)  # each pixel's column, as a mask
    faces = Faces(
        images=torch.from_numpy(np.stack([left, blank, right])),
        labels=torch.tensor([6, 0, 3]),
        ids=np.array(["a", "b", "c"]),
    )
    boxes, found = find_boxes(faces)
    cropped = cut_faces(faces, boxes, 96)
    assert found.tolist() == [True, False, True]
    assert cropped.images.shape == (3, 96, 96)
    assert cropped.labels.tolist() == [6, 0, 3]
    assert cropped.ids.tolist() == ["a", "b", "c"]
    whole = np.array(Image.fromarray(blank).resize((96, 96), Image.Resampling.BILINEAR))
    assert np.array_equal(cropped.images[1].numpy(), whole)
    # The mask says which columns were kept: it must agree with the picture cut from them.
    masks = cut(x, boxes, 96)
    assert masks.dtype == torch.int32
    assert masks[1, 0].tolist() == np.repeat(np.arange(48), 2).tolist()
    kept = masks[0, 0]
    scaled = torch.from_numpy(left).double()[:, kept.long()]  # its columns, all rows
    rows = np.linspace(0, 47, 96).round().astype(int)
    correlation = np.corrcoef(scaled[rows].flatten(), cropped.images[0].flatten())[0, 1]
    assert correlation > 0.8
    again = detect([crop(hopper, face.box, 224)])
    assert len(again[0]) == 1


def photographs(folder: Path, hopper: Image.Image) -> None:
    """One of each kind of trouble."""
    (folder / "deep").mkdir(parents=True)
    hopper.save(folder / "good.jpg")
    hopper.save(folder / "good.png")
    Image.new("RGB", (200, 200), (10, 60, 90)).save(folder / "deep" / "blank.png")
    data = (folder / "good.jpg").read_bytes()
    (folder / "deep" / "half.jpg").write_bytes(data[: len(data) // 2])
    (folder / "empty.png").write_bytes(b"")
    (folder / "notes.txt").write_text("not a picture")
    turned = hopper.transpose(Image.Transpose.ROTATE_90)
    exif = Image.Exif()
    exif[0x0112] = 6  # turn clockwise to see it upright
    turned.save(folder / "turned.jpg", exif=exif)


def test_folder_gives_crops_and_a_table(tmp_path, hopper, face):
    source, target = tmp_path / "in", tmp_path / "in" / "out"
    photographs(source, hopper)
    table = crop_folder(source, target, size=64)
    assert list(table.columns) == list(COLUMNS)
    by_file = table.set_index("file")
    assert sorted(by_file.index) == [
        "deep/blank.png",
        "deep/half.jpg",
        "empty.png",
        "good.jpg",
        "good.png",
        "turned.jpg",
    ]
    assert "no face" in by_file.loc["deep/blank.png", "reason"]
    assert by_file.loc["deep/half.jpg", "face"] == 0  # what is there is read, with a warning
    assert "cannot be read" in by_file.loc["empty.png", "reason"]
    crops = by_file["crop"].dropna()
    assert sorted(crops) == ["deep/half.png", "good.png", "good.png.png", "turned.png"]
    assert by_file.loc["good.png", "left"] == pytest.approx(face.box[0], abs=BOX)
    # The crop is cut by Pillow, in whole numbers: from the box in the table, the same to the bit.
    box = tuple(by_file.loc["good.png", ["left", "top", "right", "bottom"]])
    cut = np.array(Image.open(target / crops["good.png"]))
    assert np.array_equal(cut, crop(hopper, box, 64).numpy())
    turned = by_file.loc["turned.jpg"]
    assert (turned["nose_x"], turned["nose_y"]) == pytest.approx(face.landmarks[2], abs=5)
    upright = np.array(Image.open(target / "turned.png")).astype(int)
    same = crop(hopper, tuple(turned[["left", "top", "right", "bottom"]]), 64).numpy()
    assert np.abs(upright - same).mean() < 5  # saved as JPEG twice
    stored = pd.read_csv(target / "faces.csv")
    assert stored["file"].tolist() == table["file"].tolist()
    assert stored["probability"].dropna().between(0.9, 1).all()
    left_over = [p.name for p in target.rglob("*") if p.is_file()]
    assert sorted(left_over) == ["faces.csv", "good.png", "good.png.png", "half.png", "turned.png"]
    assert len(crop_folder(source, target, size=64)) == 6  # crops are not taken for sources


def test_every_face_of_a_photograph(tmp_path, hopper):
    wide = Image.new("RGB", (1024, 600))
    wide.paste(hopper, (0, 0))
    wide.paste(hopper.resize((256, 300)), (600, 100))
    wide.save(tmp_path / "two.png")
    table = crop_folder(tmp_path / "two.png", tmp_path / "out", 48, largest=False, colour=True)
    assert table["crop"].tolist() == ["two_0.png", "two_1.png"]
    assert table["face"].tolist() == [0, 1]
    assert (table["right"] - table["left"]).is_monotonic_decreasing
    assert Image.open(tmp_path / "out" / "two_1.png").mode == "RGB"


def test_a_full_disk_leaves_nothing_half_written(tmp_path, monkeypatch):
    (tmp_path / "broken.png").write_bytes(b"no picture")
    nobody = SimpleNamespace(threshold=0.9, detect=lambda images: [])

    def fail(table, path, **settings):
        Path(path).write_text("file,face")
        raise OSError("no space left on device")

    monkeypatch.setattr(pd.DataFrame, "to_csv", fail)
    with pytest.raises(OSError, match="no space"):
        crop_folder(tmp_path / "broken.png", tmp_path / "out", detector=nobody)
    assert list((tmp_path / "out").iterdir()) == []


def test_folders_that_cannot_be_right(tmp_path):
    with pytest.raises(FercourseError, match="nowhere"):
        crop_folder(tmp_path / "nowhere", tmp_path / "out")
    with pytest.raises(FercourseError, match="no picture"):
        crop_folder(tmp_path, tmp_path / "out")
    with pytest.raises(FercourseError, match="another OUT"):
        crop_folder(tmp_path, tmp_path)
    assert not (tmp_path / "out").exists()


def test_command_line(tmp_path, hopper):
    (tmp_path / "in").mkdir()
    hopper.save(tmp_path / "in" / "one.jpg")
    (tmp_path / "in" / "bad.jpg").write_bytes(b"no")
    result = CliRunner().invoke(
        app, ["crop", str(tmp_path / "in"), str(tmp_path / "out"), "--size", "48", "--all"]
    )
    assert result.exit_code == 0, result.output
    assert "Faces cut: 1; pictures: 2, of which missed: 1." in result.output
    assert "bad.jpg: cannot be read" in result.output
    assert Image.open(tmp_path / "out" / "one_0.png").size == (48, 48)


def test_without_facenet_one_sentence_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "facenet_pytorch", None)
    with pytest.raises(FercourseError, match=r"pip install --no-deps facenet-pytorch==2\.6\.0"):
        FaceDetector()


def test_importing_the_module_imports_no_detector():
    code = "import fercourse.detection, sys; print('facenet_pytorch' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=os.environ, check=True
    )
    assert done.stdout.strip() == "False"
