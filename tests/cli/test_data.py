"""``fercourse data``: a download through the hub's client, or the sentence that replaces it."""

import io
import subprocess
import sys

import huggingface_hub
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image
from typer.testing import CliRunner

from fercourse import FercourseError, load
from fercourse.cli.data import app
from fercourse.datasets.download import REPOSITORY, get


def png(pixels):
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.fixture
def hub(monkeypatch, tmp_path):
    """A hub with a small FER2013, without a network."""
    monkeypatch.setenv("FERCOURSE_CACHE", str(tmp_path / "cache"))
    asked = []

    def snapshot_download(repository, *, repo_type, local_dir, allow_patterns):
        asked.append((repository, repo_type, allow_patterns))
        rng = np.random.default_rng(0)
        (local_dir / "data").mkdir(parents=True)
        for split in ("train", "publicTest", "privateTest"):
            images = rng.integers(0, 256, (14, 48, 48), dtype=np.uint8)
            table = pa.table(
                {
                    "image": [{"bytes": png(i), "path": None} for i in images],
                    "label": ["happy", "sad"] * 7,
                }
            )
            pq.write_table(table, local_dir / "data" / f"{split}-00000-of-00001.parquet")
        return str(local_dir)

    monkeypatch.setattr(huggingface_hub, "snapshot_download", snapshot_download)
    return asked


def run(*words):
    return CliRunner().invoke(app, list(map(str, words)))


def test_get_downloads_whole_and_checks(hub, tmp_path):
    result = run("get", "fer2013", "--to", tmp_path / "data")
    assert result.exit_code == 0, result.output
    assert hub == [(REPOSITORY, "dataset", ["*.parquet"])]
    assert [p.name for p in (tmp_path / "data").iterdir()] == ["fer2013"]
    assert "Truncated: 42 images" in " ".join(result.output.split())
    data = load("fer2013", path=tmp_path / "data")
    assert [len(faces) for faces in data.splits.values()] == [14, 14, 14]
    with pytest.raises(FercourseError, match="already there"):
        get("fer2013", tmp_path / "data")


def test_another_repository(hub, tmp_path):
    get("fer2013", tmp_path, "someone/fer2013")
    assert hub[0][0] == "someone/fer2013"


@pytest.mark.parametrize("error", [ConnectionError("no route\nto host"), RuntimeError("")])
def test_no_network_is_one_sentence_and_leaves_nothing(error, tmp_path, monkeypatch):
    def fail(repository, *, local_dir, **_):
        local_dir.mkdir(exist_ok=True)
        (local_dir / "half.parquet").write_bytes(b"half")
        raise error

    monkeypatch.setattr(huggingface_hub, "snapshot_download", fail)
    with pytest.raises(FercourseError) as caught:
        get("fer2013", tmp_path)
    sentence = str(caught.value)
    assert "could not be downloaded" in sentence
    assert "kaggle.com" in sentence
    assert str(tmp_path / "fer2013.zip") in sentence
    assert "\n" not in sentence
    assert list(tmp_path.iterdir()) == []


def test_a_repository_without_parquet(tmp_path, monkeypatch):
    monkeypatch.setattr(
        huggingface_hub,
        "snapshot_download",
        lambda *_, local_dir, **__: local_dir.mkdir(exist_ok=True),
    )
    with pytest.raises(FercourseError, match="holds no parquet"):
        get("fer2013", tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_without_the_client_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(FercourseError, match=r"pip install 'fercourse\[data\]'"):
        get("fer2013", tmp_path)


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("ckplus", "may not be passed on.*sign.*agreement"),
        ("synthetic", "drawn, not downloaded"),
        ("imagenet", "cannot be downloaded; use one of fer2013, ckplus"),
    ],
)
def test_what_is_not_downloaded_says_why(hub, name, sentence, tmp_path):
    with pytest.raises(FercourseError, match=sentence):
        get(name, tmp_path)
    assert hub == []


def test_check_shows_counts_histogram_and_skipped_lines(tmp_path, monkeypatch):
    monkeypatch.setenv("FERCOURSE_CACHE", str(tmp_path / "cache"))
    rng = np.random.default_rng(0)
    lines = [
        f"{k % 4},{' '.join(map(str, rng.integers(0, 256, 2304)))},{usage}"
        for usage in ("Training", "PublicTest", "PrivateTest")
        for k in range(40)
    ]
    pixels = lines[0].split(",")[1]
    lines += [f"0,{pixels},PrivateTest", "9,1 2 3,Training"]
    (tmp_path / "fer2013.csv").write_text("emotion,pixels,Usage\n" + "\n".join(lines))
    result = run("check", tmp_path / "fer2013.csv")
    assert result.exit_code == 0, result.output
    words = " ".join(result.output.split())
    assert "train 10 10 10 10 40" in words
    assert "all 31 30 30 30 121" in words
    assert "Angry ████████" in words or "Angry ########" in words
    assert "25.0%" in words
    assert "121 images, 1 skipped" in words
    assert "48x48 pixels" in words
    assert "Truncated: 121 images" in words
    assert "0 of 40 val images have a copy" in words
    assert "1 of 41 test images have a copy" in words
    assert "Skipped line 123: unknown emotion 9" in words


def test_check_counts_people(ckplus_zip):
    words = " ".join(run("check", ckplus_zip).output.split())
    assert "0 of test are in train or val" in words
    assert "Left out 54 images of contempt" in words


def test_nothing_is_asked_of_the_network_at_import():
    code = (
        "import sys, fercourse.datasets.load, fercourse.datasets.download, fercourse.cli.data;"
        "bad = {'huggingface_hub', 'pyarrow', 'matplotlib', 'sklearn'} & set(sys.modules);"
        "sys.exit(str(bad) if bad else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
