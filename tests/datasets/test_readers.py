"""Readers, cache, search: every layout gives the same faces; bad bytes cost only themselves."""

import io
import json
import zipfile
from collections import Counter
from contextlib import suppress
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from fercourse import DataConfig, Expression, Faces, FercourseError
from fercourse.datasets import ckplus, fer2013
from fercourse.datasets.archive import Archive
from fercourse.datasets.load import load, load_config, read_table
from fercourse.images import decode, resize
from fercourse.shallow.motion import at_rest

CLASSES = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")
USAGES = {"train": "Training", "val": "PublicTest", "test": "PrivateTest"}


@pytest.fixture(autouse=True)
def _own_cache(tmp_path_factory, monkeypatch):
    monkeypatch.setenv("FERCOURSE_CACHE", str(tmp_path_factory.mktemp("cache")))


def rows(each=2):
    """(split, class number, pixels): ``each`` random images a split and class."""
    rng = np.random.default_rng(0)
    return [
        (split, label, rng.integers(0, 256, (48, 48), dtype=np.uint8))
        for split in USAGES
        for label in range(7)
        for _ in range(each)
    ]


def text(pixels):
    return " ".join(map(str, pixels.ravel()))


def png(pixels, kind="PNG"):
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, kind)
    return buffer.getvalue()


def write_csv(path, lines, header="emotion,pixels,Usage"):
    path.write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
    return path


def csv_lines(some=None):
    return [f"{k},{text(p)},{USAGES[s]}" for s, k, p in (some or rows())]


def folder_files(name="{top}/{kind}/{usage}_{n}.png"):
    tops = {"train": "train", "val": "test", "test": "test"}
    return {
        name.format(top=tops[s], split=s, kind=CLASSES[k], usage=USAGES[s], n=n): png(p)
        for n, (s, k, p) in enumerate(rows())
    }


def write_folder(root, files):
    for name, data in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(data)
    return root


def write_zip(path, files):
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return path


def write_parquet(path, columns, features=None):
    table = pa.table(columns)
    if features:
        info = json.dumps({"info": {"features": features}})
        table = table.replace_schema_metadata({"huggingface": info})
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, path)
    return path


def as_csv(tmp):
    return write_csv(tmp / "fer2013.csv", csv_lines())


def as_quoted_csv(tmp):
    lines = [f'{k},"{text(p)}",{USAGES[s]}\r' for s, k, p in rows()]
    return write_csv(tmp / "anything.csv", lines, "\ufeffemotion,pixels,Usage")


def as_icml(tmp):
    lines = [f"{k},{USAGES[s]},{text(p)}" for s, k, p in rows()]
    return write_csv(tmp / "icml_face_data.csv", lines, "emotion, Usage, pixels")


def as_zipped_csv(tmp):
    return write_zip(tmp / "fer2013.csv.zip", {"fer2013/fer2013.csv": as_csv(tmp).read_bytes()})


def as_folder(tmp):
    litter = {".DS_Store": b"x", "train/angry/Thumbs.db": b"x", "readme.txt": b"x"}
    return write_folder(tmp / "fer", folder_files() | litter)


def as_usage_folders(tmp):
    return write_folder(tmp / "fer", folder_files("{usage}/{kind}/{n}.png"))


def as_zip(tmp):
    return write_zip(tmp / "fer2013.zip", folder_files() | {"__MACOSX/train/sad/._x.png": b"x"})


def as_nested_zip(tmp):
    return write_zip(tmp / "a.zip", folder_files("archive/fer/{top}/{kind}/{usage}_{n}.png"))


def as_hub_parquet(tmp):
    """As the hub's library writes image folders: alphabetical classes, names in the metadata."""
    names = sorted(CLASSES)
    label = {"names": names, "_type": "ClassLabel"}
    features = {"image": {"_type": "Image"}, "label": label}
    for split, file in (("train", "train"), ("val", "publicTest"), ("test", "privateTest")):
        mine = [(k, p) for s, k, p in rows() if s == split]
        columns = {
            "image": [{"bytes": png(p), "path": None} for _, p in mine],
            "label": [names.index(CLASSES[k]) for k, _ in mine],
        }
        write_parquet(tmp / f"hub/data/{file}-00000-of-00001-ab12.parquet", columns, features)
    return tmp / "hub"


def as_parquet_of_bytes(tmp):
    for split, file in (("train", "train"), ("val", "validation"), ("test", "test")):
        mine = [(k, p) for s, k, p in rows() if s == split]
        columns = {"img_bytes": [png(p) for _, p in mine], "labels": [CLASSES[k] for k, _ in mine]}
        write_parquet(tmp / f"hub/default/{file}/0000.parquet", columns)
    return tmp / "hub"


def as_parquet_of_text(tmp):
    columns = {
        "emotion": [k for _, k, _ in rows()],
        "pixels": [text(p) for _, _, p in rows()],
        "Usage": [USAGES[s] for s, _, _ in rows()],
    }
    return write_parquet(tmp / "train-00000-of-00001.parquet", columns)


LAYOUTS = [
    as_csv,
    as_quoted_csv,
    as_icml,
    as_zipped_csv,
    as_folder,
    as_usage_folders,
    as_zip,
    as_nested_zip,
    as_hub_parquet,
    as_parquet_of_bytes,
    as_parquet_of_text,
]


@pytest.mark.parametrize("make", LAYOUTS)
def test_every_layout_of_fer2013_gives_the_same_faces(make, tmp_path):
    data = load(make(tmp_path))
    assert data.name == "fer2013"
    assert data.report.read == 42
    assert data.report.skipped == ()
    for split, faces in data.splits.items():
        found = {(int(k), i.numpy().tobytes()) for k, i in zip(faces.labels, faces.images)}  # noqa: B905
        assert found == {(k, p.tobytes()) for s, k, p in rows() if s == split}
        assert len(set(faces.ids)) == 14
    (tmp_path / "csv").mkdir()
    assert data.fingerprint == load(as_csv(tmp_path / "csv")).fingerprint


def test_order_is_the_file_order_and_numbers_sort_as_numbers(tmp_path):
    data = load(as_zip(tmp_path))
    assert list(data.train.ids) == [f"{CLASSES[n // 2]}/Training_{n}" for n in range(14)]
    assert list(data.val.ids[:2]) == ["angry/PublicTest_14", "angry/PublicTest_15"]


def test_train_and_test_without_usage_is_refused_and_with_val_noted(tmp_path):
    plain = write_folder(tmp_path / "plain", folder_files("{top}/{kind}/im{n}.png"))
    with pytest.raises(FercourseError, match="official split cannot be known"):
        load(plain)
    three = write_folder(tmp_path / "three", folder_files("{split}/{kind}/im{n}.png"))
    data = load(three)
    assert [len(f) for f in data.splits.values()] == [14, 14, 14]
    assert any("val was taken" in note for note in data.report.notes)


def test_parquet_without_usage_is_refused(tmp_path):
    for file in ("train", "test"):
        columns = {"image": [png(rows()[0][2])], "label": ["sad"]}
        write_parquet(tmp_path / f"hub/{file}-0.parquet", columns)
    with pytest.raises(FercourseError, match="official split cannot be known"):
        load(tmp_path / "hub")


# --- CK+ ----------------------------------------------------------------------------------------

PEOPLE = {f"S{n:03d}": k for n, k in enumerate([0, 1, 2, 3, 4, 5] * 4, start=10)}
CK48 = ("anger", "disgust", "fear", "happy", "sadness", "surprise")


def ck48_files():
    rng = np.random.default_rng(1)
    files = {
        f"CK+48/{CK48[k]}/{person}_001_{frame:08d}.png": png(
            rng.integers(0, 256, (48, 48), dtype=np.uint8)
        )
        for person, k in PEOPLE.items()
        for frame in (11, 12, 13)
    }
    files["CK+48/contempt/S500_002_00000009.png"] = png(np.zeros((48, 48), np.uint8))
    return files


@pytest.mark.parametrize("zipped", [True, False])
def test_ck48(zipped, tmp_path):
    files = ck48_files()
    path = write_zip(tmp_path / "x.zip", files) if zipped else write_folder(tmp_path, files)
    data = load(path, folds=4)
    assert data.name == "ckplus"
    assert sum(f.counts(8) for f in data.splits.values()).tolist() == [12] * 6 + [0, 0]
    groups = [set(f.subjects) for f in data.splits.values()]
    assert sum(map(len, groups)) == len(set.union(*groups)) == 24
    assert "1 images of contempt" in data.report.notes[0]
    table = read_table(None, path)
    at = list(table.ids).index("S010_001_00000011")
    assert table.labels[at] == Expression.ANGRY
    assert png(table.images[at]) == files["CK+48/anger/S010_001_00000011.png"]


def test_contempt_is_kept_on_request(tmp_path):
    extra = {
        f"CK+48/contempt/S{n}_001_00000001.png": png(np.full((48, 48), n % 256, np.uint8))
        for n in range(600, 604)
    }
    path = write_zip(tmp_path / "x.zip", ck48_files() | extra)
    counts = sum(f.counts(8) for f in load(path, folds=4, contempt=True).splits.values())
    assert counts[Expression.CONTEMPT] == 5
    assert sum(f.counts(8) for f in load(path, folds=4).splits.values())[7] == 0


def original_files():
    """Four people; frame f of a sequence is grey f everywhere, but for the cut-off sides."""
    files = {}
    for person, session, code, frames in (
        ("S005", "001", 3, 6),
        ("S010", "002", 7, 5),
        ("S011", "001", 2, 4),
        ("S012", "003", None, 5),
    ):
        for frame in range(1, frames + 1):
            pixels = np.full((490, 640), 10 * frame, np.uint8)
            pixels[:, :75] = pixels[:, -75:] = 255
            if frame == 2:
                pixels = np.repeat(pixels[..., None], 3, axis=2)
            name = f"{person}/{session}/{person}_{session}_{frame:08d}"
            files[f"cohn-kanade-images/{name}.png"] = png(pixels)
        if code is not None:
            files[f"Emotion/{name}_emotion.txt"] = f"   {code:.7e}\n".encode()
            files[f"FACS/{name}_facs.txt"] = b"  1.0  2.0"
    return files


@pytest.mark.parametrize("place", ["", "CK+/release/"])
def test_original_release_takes_first_and_last_three_frames(place, tmp_path):
    files = {place + name: data for name, data in original_files().items()}
    table = read_table("ckplus", write_folder(tmp_path / "here", files))
    got = {i: (int(k), s) for i, k, s in zip(table.ids, table.labels, table.subjects)}  # noqa: B905
    assert len(table.labels) == 12
    assert got["S005_001_00000001"] == (Expression.NEUTRAL, "S005")
    peaks = [f"S005_001_0000000{f}" for f in (4, 5, 6)]
    assert [got[p] for p in peaks] == [(Expression.DISGUST, "S005")] * 3
    assert "S010_002_00000002" not in got
    assert got["S010_002_00000003"] == (Expression.SURPRISE, "S010")
    assert got["S011_001_00000004"] == (Expression.CONTEMPT, "S011")
    assert not any(i.startswith("S012") for i in got)
    assert table.images.shape == (12, 224, 224)
    frames = [int(i[-2:]) for i in table.ids]
    assert np.ptp(table.images.reshape(12, -1), axis=1).max() == 0  # the sides are cut off
    assert table.images[:, 0, 0].tolist() == [10 * f for f in frames]
    faces = Faces(torch.from_numpy(table.images), torch.from_numpy(table.labels), ids=table.ids)
    assert (at_rest(faces) == 10).all()  # each recording's first frame


def test_original_release_without_its_labels_says_so(tmp_path):
    files = {n: d for n, d in original_files().items() if n.startswith("cohn")}
    with pytest.raises(FercourseError, match="no Emotion folder"):
        load(write_folder(tmp_path, files))


# --- bad rows and files -------------------------------------------------------------------------

GOOD = text(np.arange(2304, dtype=np.int64).reshape(48, 48) % 256)

BAD_LINES = {
    f"3,{GOOD} 7,Training": "2,305 pixels instead of 2,304",
    "3,1 2 3,Training": "3 pixels instead of 2,304",
    "3,,Training": "0 pixels instead of 2,304",
    f"3,{GOOD[:-3]}x,Training": "not whole numbers",
    f"3,{GOOD[:-3]}2.5,Training": "not whole numbers",
    f"3,{GOOD[:-3]}256,Training": "outside 0..255",
    f"3,{GOOD[:-3]}-1,Training": "outside 0..255",
    f"9,{GOOD},Training": "unknown emotion 9",
    f"-1,{GOOD},Training": "unknown emotion '-1'",
    f"bored,{GOOD},Training": "unknown emotion 'bored'",
    f"3,{GOOD},Test": "PublicTest or PrivateTest is not told",
    f"3,{GOOD}": "2 fields instead of 3",
    f'3,"{GOOD}': "2 fields instead of 3",
}


@pytest.mark.parametrize("line", BAD_LINES, ids=list(BAD_LINES.values()))
def test_a_bad_line_costs_itself_and_is_named_by_its_number(line, tmp_path):
    lines = csv_lines() * 3
    lines.insert(40, line)  # line 42 of the file, behind the header
    data = load(write_csv(tmp_path / "fer2013.csv", lines))
    assert data.report.read == 126
    (sentence,) = data.report.skipped
    assert sentence.startswith("line 42: ")
    assert BAD_LINES[line] in sentence


def test_over_one_per_cent_is_an_error_that_shows_the_first(tmp_path):
    lines = csv_lines()
    lines[3] = "3,1 2,Training"
    with pytest.raises(FercourseError, match=r"1 of 42 images .* line 5: 2 pixels"):
        load(write_csv(tmp_path / "fer2013.csv", lines))


BAD_IMAGES = {
    "empty": b"",
    "not an image": b"GIF this is not",
    "a broken image": png(rows()[0][2])[:900],
    "fractions that are not in 0..1": png(np.full((48, 48), -1, np.float32), "TIFF"),
}


@pytest.mark.parametrize("why", BAD_IMAGES)
def test_a_bad_image_costs_itself_and_is_named_by_its_path(why, tmp_path):
    files = {
        f"{top}/{CLASSES[k]}/{USAGES[s]}_{copy}{n}.png": png(p)
        for n, (s, k, p) in enumerate(rows(5))
        for copy, top in ((1, "train" if s == "train" else "test"),)
    }
    files["train/sad/Training_999.png"] = BAD_IMAGES[why]
    data = load(write_zip(tmp_path / "fer2013.zip", files))
    (sentence,) = data.report.skipped
    assert sentence.startswith("train/sad/Training_999.png: ")
    assert why in sentence


def test_a_folder_that_is_no_emotion_is_skipped(tmp_path):
    files = folder_files() | {"train/bored/Training_1.png": png(rows()[0][2])}
    with pytest.raises(FercourseError, match="unknown emotion 'bored'"):  # 1 of 43 is over 1 %
        load(write_folder(tmp_path, files))


def test_an_image_that_lies_on_its_side_is_turned_by_its_note():
    pixels = np.zeros((48, 48), np.uint8)
    pixels[:24] = 255  # the upper half
    exif = Image.Exif()
    exif[0x0112] = 6  # what is stored lies on its left side
    buffer = io.BytesIO()
    Image.fromarray(np.rot90(pixels)).save(buffer, "JPEG", exif=exif)
    assert (decode(buffer.getvalue())[:20] > 200).all()


def test_truncated_jpeg_is_no_image():
    whole = png(rows()[0][2], "JPEG")
    with pytest.raises(FercourseError, match="broken"):
        decode(whole[: len(whole) // 2])


def test_whole_files_of_the_wrong_kind(tmp_path):
    (tmp_path / "empty.csv").write_bytes(b"")
    (tmp_path / "columns.csv").write_text("emotion,pixels\n3,1 2\n")
    (tmp_path / "header.csv").write_text("emotion,pixels,Usage\n")
    (tmp_path / "not.zip").write_bytes(b"hello")
    (tmp_path / "cut.zip").write_bytes(as_zip(tmp_path).read_bytes()[:-500])
    (tmp_path / "photo.png").write_bytes(png(rows()[0][2]))
    (tmp_path / "notes.pdf").write_bytes(b"%PDF-1.4")
    (tmp_path / "bad.parquet").write_bytes(b"PAR1 nonsense PAR1")
    (tmp_path / "void").mkdir()
    write_zip(tmp_path / "void.zip", {})
    for name, sentence in {
        "empty.csv": "no column emotion, pixels, usage",
        "columns.csv": "1 of 1 images could not be read",
        "header.csv": "holds no images",
        "not.zip": "not a zip file",
        "cut.zip": "damaged, or only a part",
        "photo.png": "no layout known here",
        "notes.pdf": "no layout known here",
        "bad.parquet": "not a readable parquet",
        "void": "no layout known here",
        "void.zip": "no layout known here",
        "missing.csv": "is neither a file or folder nor one of synthetic, fer2013, ckplus",
    }.items():
        with pytest.raises(FercourseError, match=sentence):
            load(tmp_path / name)


def test_a_set_without_test_images_is_refused(tmp_path):
    lines = [line for line in csv_lines() if "Private" not in line]
    with pytest.raises(FercourseError, match="no images for the test split"):
        load(write_csv(tmp_path / "fer2013.csv", lines))


@pytest.mark.slow
@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(junk=st.lists(st.binary(max_size=40) | st.text(max_size=40).map(str.encode), max_size=4))
def test_junk_in_a_csv_is_skipped_or_named_never_a_crash(junk, tmp_path_factory):
    folder = tmp_path_factory.mktemp("junk")
    path = write_csv(folder / "fer2013.csv", csv_lines(rows(1)))
    lines = path.read_bytes().splitlines()
    lines[5:5] = junk
    path.write_bytes(b"\n".join(lines))
    if any(line.strip() for entry in junk for line in entry.splitlines()):
        with pytest.raises(FercourseError, match=r"line [6-9]"):
            fer2013.read(Archive(path))
    else:
        assert len(fer2013.read(Archive(path)).images) == 21


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(start=st.integers(0, 3000), junk=st.binary(min_size=1, max_size=30))
def test_an_image_with_any_bytes_overwritten_decodes_or_is_named(start, junk):
    data = bytearray(png(rows()[0][2], "JPEG"))
    data[start : start + len(junk)] = junk
    with suppress(FercourseError):
        assert decode(bytes(data)).dtype == np.uint8


@pytest.mark.parametrize("damage", [b"\0" * 64, b"\1" * 64])
def test_a_damaged_member_of_a_zip_is_skipped(damage, tmp_path):
    path = write_zip(tmp_path / "fer2013.zip", folder_files())
    data = bytearray(path.read_bytes())
    at = data.index(b"\x89PNG", 200)
    data[at : at + 64] = damage
    path.write_bytes(bytes(data))
    with pytest.raises(FercourseError, match=r"1 of 42 images .* cannot be read"):
        load(path)


def test_a_csv_damaged_inside_its_zip_gets_a_sentence(tmp_path):
    path = tmp_path / "fer2013.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("fer2013.csv", "\n".join(["emotion,pixels,Usage", *csv_lines()]))
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0xFF
    path.write_bytes(data)
    with pytest.raises(FercourseError, match=r"fer2013.csv cannot be read|could not be read"):
        load(path)


# --- cache --------------------------------------------------------------------------------------


def test_second_load_reads_no_image(tmp_path, monkeypatch):
    path = as_zip(tmp_path)
    first = load(path)
    monkeypatch.setattr(fer2013, "read", lambda _: pytest.fail("decoded again"))
    monkeypatch.setattr(ckplus, "read", lambda _: pytest.fail("decoded again"))
    second = load(path)
    assert second.fingerprint == first.fingerprint
    assert second.report == first.report
    assert torch.equal(second.val.images, first.val.images)
    assert list(second.val.ids) == list(first.val.ids)


@pytest.mark.parametrize("make", [as_csv, as_folder])
def test_changed_content_is_read_again(make, tmp_path):
    path = make(tmp_path)
    before = load(path)
    if path.is_file():
        path.write_text(path.read_text().replace("\n3,", "\n4,"))
    else:
        next((path / "train" / "happy").iterdir()).unlink()
    assert load(path).train.counts()[3] < before.train.counts()[3]


def test_cache_damaged_or_unwritable_is_no_error(tmp_path, monkeypatch):
    monkeypatch.setenv("FERCOURSE_CACHE", str(tmp_path / "cache"))
    path = as_csv(tmp_path)
    first = load(path)
    (kept,) = (tmp_path / "cache").iterdir()
    for damage in (b"", b"PK nonsense", kept.read_bytes()[:5000]):
        kept.write_bytes(damage)
        assert load(path).fingerprint == first.fingerprint
    monkeypatch.setenv("FERCOURSE_CACHE", str(path))  # a file where the folder should be
    assert load(path).fingerprint == first.fingerprint


# --- finding, sizes -----------------------------------------------------------------------------


def test_found_by_name_in_the_folder_of_data_sets(tmp_path, monkeypatch):
    shelf = tmp_path / "shelf"
    shelf.mkdir()
    as_zip(shelf)
    write_zip(shelf / "ckplus48.zip", ck48_files())
    monkeypatch.setenv("FERCOURSE_DATA", str(shelf))
    assert load("fer2013").report.source == str(shelf / "fer2013.zip")
    assert load("ckplus", folds=4).name == "ckplus"
    assert load("ckplus", folds=4, path=shelf).name == "ckplus"
    assert load_config(DataConfig("fer2013")).name == "fer2013"
    with pytest.raises(FercourseError, match="holds fer2013 and ckplus"):
        load(shelf)
    with pytest.raises(FercourseError, match="is fer2013, not ckplus"):
        load("ckplus", path=shelf / "fer2013.zip")


def test_found_as_parquet_and_as_the_original_release(tmp_path, monkeypatch):
    monkeypatch.setenv("FERCOURSE_DATA", str(tmp_path))
    as_parquet_of_text(tmp_path)
    write_folder(tmp_path, original_files())
    assert load("fer2013").report.layout == "parquet"
    assert read_table("ckplus").report.layout == "CK+ original release"


def test_a_chosen_folder_is_the_only_one(tmp_path, monkeypatch):
    (tmp_path / "data").mkdir()
    as_zip(tmp_path / "data")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("FERCOURSE_DATA", raising=False)
    assert load("fer2013").report.source == str(Path.cwd() / "data" / "fer2013.zip")
    (tmp_path / "empty").mkdir()
    monkeypatch.setenv("FERCOURSE_DATA", str(tmp_path / "empty"))
    with pytest.raises(FercourseError, match=r"in \S*empty; .*data get fer2013 --to \S*empty$"):
        load("fer2013")


def test_nothing_found_says_where_and_what_to_run(tmp_path, monkeypatch):
    monkeypatch.setattr("fercourse.datasets.load.folders", lambda: [tmp_path / "data"])
    with pytest.raises(FercourseError, match=r"fer2013\.zip.*data; .*fercourse data get fer2013"):
        load("fer2013")


@pytest.mark.parametrize("source", ["fer2014", "no/such/path", ""])
def test_a_name_that_is_nothing(source):
    with pytest.raises(FercourseError):
        load(source)


def test_size_resizes_every_split_and_not_the_fingerprint(tmp_path):
    path = as_csv(tmp_path)
    data = load(path, size=33)
    assert {tuple(f.images.shape[1:]) for f in data.splits.values()} == {(33, 33)}
    assert data.fingerprint == load(path).fingerprint
    with pytest.raises(FercourseError, match="size"):
        load(path, size=0)


@given(value=st.integers(0, 255), h=st.integers(1, 60), w=st.integers(1, 60), to=st.integers(1, 70))
@settings(max_examples=30, deadline=None)
def test_resize_keeps_a_flat_image_flat(value, h, w, to):
    out = resize(torch.full((3, h, w), value, dtype=torch.uint8), to, batch=2)
    assert out.shape == (3, to, to)
    assert (out == value).all()


def test_resize_is_antialiased_and_keeps_proportions():
    stripes = torch.zeros(1, 40, 40, dtype=torch.uint8)
    stripes[:, :, ::2] = 200
    small = resize(stripes, 10).float()
    assert (small - 100).abs().max() < 15  # without antialiasing it would be 0 or 200
    wide = torch.zeros(1, 10, 30, dtype=torch.uint8)
    wide[:, :, 10:20] = 255
    assert (resize(wide, 10) == 255).all()


# --- the real ones ------------------------------------------------------------------------------


def test_real_fer2013(fer2013_zip: Path, monkeypatch):
    monkeypatch.delenv("FERCOURSE_CACHE")
    data = load("fer2013", path=fer2013_zip)
    assert data.report.skipped == ()
    assert data.report.notes == ()
    assert data.train.counts().tolist() == [3995, 436, 4097, 7215, 4830, 3171, 4965]
    assert data.val.counts().tolist() == [467, 56, 496, 895, 653, 415, 607]
    assert data.test.counts().tolist() == [491, 55, 528, 879, 594, 416, 626]
    assert len(set(data.train.ids)) == 28709
    with zipfile.ZipFile(fer2013_zip) as archive:
        name = next(n for n in archive.namelist() if n.startswith("test/happy/PrivateTest_"))
        pixels = np.array(Image.open(archive.open(name)).convert("L"))
    at = list(data.test.ids).index(f"happy/{Path(name).stem}")
    assert np.array_equal(data.test.images[at].numpy(), pixels)
    assert data.test.labels[at] == Expression.HAPPY


def test_real_ckplus(ckplus_zip: Path, monkeypatch):
    monkeypatch.delenv("FERCOURSE_CACHE")
    table = read_table("ckplus", ckplus_zip)
    titles = Counter(Expression(int(k)).name for k in table.labels)
    assert titles == {
        "ANGRY": 135,
        "CONTEMPT": 54,
        "DISGUST": 177,
        "FEAR": 75,
        "HAPPY": 207,
        "SAD": 84,
        "SURPRISE": 249,
    }
    assert len(set(table.subjects)) == 118
    assert table.images.shape == (981, 48, 48)
