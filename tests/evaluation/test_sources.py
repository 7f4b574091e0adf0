"""Files, folders, patterns and pipes; a bad one never stops the rest."""

import shutil
from pathlib import Path

import matplotlib
import pytest
from PIL import Image

import fercourse
from fercourse import FercourseError
from fercourse.evaluation import sources as module
from fercourse.evaluation.recognise import Reader
from fercourse.evaluation.sources import PIPED, answer, sources

HOPPER = Path(matplotlib.get_data_path()) / "sample_data" / "grace_hopper.jpg"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "album/deep").mkdir(parents=True)
    for name in ("album/b.jpg", "album/deep/a.JPG", "loose.jpg"):
        shutil.copy(HOPPER, name)
    Path("album/notes.txt").write_text("no picture")
    Path("album/broken.png").write_bytes(b"\x89PNG broken")
    return tmp_path


def nothing() -> bytes:
    raise AssertionError("standard input was not asked for")


def test_what_is_meant(folder):
    def names(*typed, but=None):
        return [Path(s.name).as_posix() for s in sources(typed, nothing, but)]

    assert names("album") == ["album/b.jpg", "album/broken.png", "album/deep/a.JPG"]
    assert names("album", but=Path("album/deep")) == ["album/b.jpg", "album/broken.png"]
    assert names("*.jpg", "album/b.jpg") == ["loose.jpg", "album/b.jpg"]
    assert names("**/*.JPG")[-1] == "album/deep/a.JPG"
    assert names("none.jpg") == ["none.jpg"], "kept, to be told"
    Path("odd[1].jpg").write_bytes(HOPPER.read_bytes())
    assert names("odd[1].jpg") == ["odd[1].jpg"], "a name with brackets is a name"


def test_what_is_piped(folder):
    (picture,) = sources([PIPED], HOPPER.read_bytes)
    assert picture.open().size == (512, 600)
    listed = sources([PIPED], lambda: b"loose.jpg\n\n album/b.jpg\r\n")
    assert [s.name for s in listed] == ["loose.jpg", "album/b.jpg"]
    (empty,) = sources([PIPED], lambda: b"")
    with pytest.raises(FercourseError, match="Nothing was piped in"):
        empty.open()
    (noise,) = sources([PIPED], lambda: b"\xff\xfe\x00noise")
    with pytest.raises(FercourseError, match=r"neither a picture .* nor a list of files"):
        noise.open()


def test_a_bad_one_never_stops_the_rest(folder, monkeypatch):
    monkeypatch.setattr(module, "AT_ONCE", 400_000)  # two portraits at a time
    Path("empty").mkdir()
    Image.new("RGB", (100, 100)).save("black.png")
    typed = ["none.jpg", "album", "empty", "*.tif", "https://example.org/a.jpg", "black.png"]
    reader = Reader(fercourse.pretrained("synthetic", 1))
    found = list(answer(reader, sources([*typed, "loose.jpg"], nothing)))
    told = {Path(a.source.name).as_posix(): (len(a.faces), a.error) for a in found}
    assert [a for a in told if told[a] == (1, "")] == [
        *("album/b.jpg", "album/deep/a.JPG", "loose.jpg"),
    ]
    assert told["black.png"] == (0, "")
    for name, says in {
        "none.jpg": "no file none.jpg",
        "album/broken.png": "cannot be read as a picture",
        "empty": "empty holds no picture",
        "*.tif": "No file is called like *.tif",
        "https:/example.org/a.jpg": "nothing is fetched from the web",
    }.items():
        assert says in told[name][1]


def test_cropped_sources(folder):
    reader = Reader(fercourse.pretrained("synthetic", 1))
    found = list(answer(reader, sources(["none.jpg", "loose.jpg"], nothing), cropped=True))
    assert [len(a.faces) for a in found] == [0, 1]
    assert found[1].faces[0].detection is None
