"""The commands as a newcomer meets them: they work, and bad input gets one sentence."""

import errno
import io
import json
import os
import shutil
import struct
import subprocess
import sys
import zlib
from csv import reader as csv_reader
from pathlib import Path

import numpy as np
import pytest
import torch
from made_faces import bars
from matplotlib import get_data_path
from PIL import Image
from safetensors import safe_open
from safetensors.torch import save_file
from tolerances import SUM, about

from fercourse import FercourseError, FERNet, preset
from fercourse.cli import main
from fercourse.weights.trained import save_weights

TINY = [
    "--preset",
    "smoke",
    "--set",
    "train.epochs=2",
    "--set",
    "train.batch_size=16",
    "--set",
    "model.width=0.125",
    "--device",
    "cpu",
]
SMALL = [*TINY, "--data", "synthetic", "--set", "data.count=140", "--models", "1", "--seeds", "1"]
HOPPER = Path(get_data_path()) / "sample_data" / "grace_hopper.jpg"


@pytest.fixture
def fercourse(monkeypatch, capsys, tmp_path):
    """Run a command in its own folder; (exit code, stdout, stderr)."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FERCOURSE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("COLUMNS", "200")

    def run(*words: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["fercourse", *map(str, words)])
        code = 0
        try:
            main()
        except SystemExit as end:
            code = end.code or 0
        return code, *capsys.readouterr()

    return run


@pytest.fixture(scope="module")
def csv(tmp_path_factory) -> Path:
    """A little fer2013.csv."""
    path = tmp_path_factory.mktemp("fer") / "fer2013.csv"
    lines = ["emotion,pixels,Usage"]
    for usage, n, seed in (("Training", 42, 0), ("PublicTest", 14, 1), ("PrivateTest", 14, 2)):
        faces = bars(n, seed, size=48)
        for image, label in zip(faces.images, faces.labels, strict=True):
            lines.append(f"{label},{' '.join(map(str, image.flatten().tolist()))},{usage}")
    path.write_text("\n".join(lines))
    return path


@pytest.fixture(scope="module")
def weights(tmp_path_factory) -> Path:
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("weights") / "model.safetensors"
    config = preset("smoke")
    save_weights(path, FERNet(config.model), config)
    return path


def test_a_machine_without_matplotlib_keeps_its_result(fercourse, csv, tmp_path, monkeypatch):
    def absent(*_):
        raise FercourseError("figures need matplotlib.")

    monkeypatch.setattr("fercourse.plots.learning_curves", absent, raising=False)
    monkeypatch.setenv("FERCOURSE_LEDGER", str(tmp_path / "ledger.jsonl"))
    words = ("train", "--data", csv, *TINY, "--out", "run", "--record")
    code, out, err = fercourse(*words)
    assert code == 0, err
    assert "Nothing is drawn: figures need matplotlib." in out
    assert (tmp_path / "ledger.jsonl").read_text().count("\n") == 1
    assert (tmp_path / "run/evaluation.json").is_file()


def test_a_result_is_whole_in_a_pipe(fercourse, weights, csv, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    _, out, _ = fercourse("evaluate", "-w", weights, "--data", csv)
    assert all(word in out for word in ("accuracy", "without duplicates", "Surprise", "Neutral"))
    assert "…" not in out


def test_train_then_evaluate(fercourse, csv, tmp_path):
    code, out, err = fercourse("train", "--data", csv, *TINY, "--out", "run", "--model", 2)
    assert code == 0, err
    assert "42 faces train, 14 select, 14 are held out" in out
    made = {p.name for p in (tmp_path / "run").iterdir()}
    assert made == {
        "model.safetensors",
        "state.pt",
        "config.json",
        "history.json",
        "evaluation.json",
        "curves.png",
        "confusion.png",
    }
    reported = json.loads((tmp_path / "run/evaluation.json").read_text())
    assert np.sum(reported["single"]["confusion"]) == 14

    code, out, err = fercourse(
        "evaluate", "-w", "run/model.safetensors", "--data", csv, "--json", "--device", "cpu"
    )
    assert code == 0, err
    assert json.loads(out)["confusion"] == reported["single"]["confusion"]


def test_predict_on_a_photograph(fercourse, weights, tmp_path):
    code, out, err = fercourse("predict", HOPPER, "-w", weights, "--out", "hopper.png")
    assert code == 0, err
    assert out.startswith(f"{HOPPER}, face 1 at (")
    with Image.open(tmp_path / "hopper.png") as drawn, Image.open(HOPPER) as plain:
        assert drawn.size == plain.size
        assert np.abs(np.asarray(drawn, int) - np.asarray(plain, int)).max() > 100

    code, out, err = fercourse("predict", HOPPER, "-w", weights, "--json", "--out", "hopper.jpg")
    with Image.open(tmp_path / "hopper.jpg") as drawn:
        assert drawn.format == "JPEG"
    (picture,) = json.loads(out)["pictures"]
    (face,) = picture["faces"]
    assert sum(face["probabilities"].values()) == about(1, **SUM)
    left, top, right, bottom = face["box"]
    assert 100 < left < right < 400, "her face is near the middle of the picture"
    assert 50 < top < bottom < 400


@pytest.mark.parametrize("kind", ["grey16.png", "grey16.tif", "cmyk.jpg", "moving.gif"])
def test_predict_on_other_kinds_of_pictures(fercourse, weights, tmp_path, kind):
    """A camera's 16 bits cut off at 8 would be a white page without a face."""
    with Image.open(HOPPER) as photo:
        deep = Image.fromarray(np.asarray(photo.convert("L")).astype(np.uint16) * 257)
        {
            "grey16.png": lambda path: deep.save(path),
            "grey16.tif": lambda path: deep.save(path),
            "cmyk.jpg": lambda path: photo.convert("CMYK").save(path),
            "moving.gif": lambda path: photo.save(
                path, save_all=True, append_images=[photo.rotate(5)]
            ),
        }[kind](tmp_path / kind)
    code, out, err = fercourse("predict", kind, "-w", weights, "--json")
    assert code == 0, err
    assert len(json.loads(out)["pictures"][0]["faces"]) == 1


def test_predict_without_a_face(fercourse, weights, tmp_path):
    Image.new("RGB", (200, 200), "white").save(tmp_path / "white.png")
    code, out, _ = fercourse("predict", "white.png", "-w", weights)
    assert (code, out) == (0, "white.png: no face was found.\n")
    assert not (tmp_path / "white-faces.png").exists()


def test_predict_many_and_none_stops_the_rest(fercourse, weights, tmp_path):
    (tmp_path / "album").mkdir()
    shutil.copy(HOPPER, tmp_path / "album" / "a.jpg")
    (tmp_path / "album" / "broken.jpg").write_bytes(b"no picture")
    (tmp_path / "other").mkdir()
    shutil.copy(HOPPER, tmp_path / "other" / "A.jpg")
    words = ["predict", "album", "none.png", HOPPER, "other/A.jpg", "-w", weights]
    code, out, err = fercourse(*words, "--csv", "--out", "drawn")
    assert code == 1, "two could not be read"
    rows = list(csv_reader(io.StringIO(out)))
    assert rows[0][:3] == ["file", "face", "left"]
    assert rows[0][-2:] == ["p_neutral", "error"]
    assert [row[1] for row in rows[1:]] == ["1", "", "", "1", "1"]
    assert "cannot be read" in rows[2][-1]
    assert err.count("fercourse: ") == 2
    assert sorted(p.name for p in (tmp_path / "drawn").iterdir()) == [
        "A-faces-2.png",
        "a-faces.png",
        "grace_hopper-faces.png",
    ]
    code, out, err = fercourse(*words)
    assert code == 1
    assert len(out.splitlines()) == 3
    assert not (tmp_path / "album" / "a-faces.png").exists(), "of several nothing is drawn unasked"
    code, out, _ = fercourse("predict", "album/*.jpg", "-w", weights, "--json")
    document = json.loads(out)
    assert [len(p["faces"]) for p in document["pictures"]] == [1, 0]
    assert "cannot be read" in document["pictures"][1]["error"]


def test_predict_has_the_package_defaults():
    """They stand in the command too, which must not load torch to print its help."""
    from inspect import signature

    from fercourse.cli.predict import predict
    from fercourse.evaluation import film, recognise

    named = {name: p.default for name, p in signature(predict).parameters.items()}
    assert named["sure"] == recognise.SURE
    assert (named["every"], named["smoothing"]) == (film.EVERY, film.SMOOTHING)


def test_predict_by_default(fercourse, tmp_path):
    """Bundled weights; doubt; even classes; a face that is cut already."""
    shutil.copy(HOPPER, tmp_path / "me.jpg")
    code, out, err = fercourse("predict", "me.jpg", "--sure", "0.99")
    assert code == 0, err
    assert "unsure: " in out
    assert (tmp_path / "me-faces.png").is_file()
    plain, even = (
        json.loads(fercourse("predict", "me.jpg", "--json", *more)[1])["pictures"][0]["faces"][0]
        for more in ([], ["--even"])
    )
    assert even["probabilities"]["disgust"] > 2 * plain["probabilities"]["disgust"]
    code, out, _ = fercourse("predict", "me-faces.png", "--cropped")
    assert out.startswith("me-faces.png, face 1: "), "no place, for nothing was searched"


@pytest.mark.skipif(sys.platform == "win32", reason="pipes end otherwise there")
def test_a_reader_that_has_seen_enough(tmp_path):
    command = f"import sys; sys.argv[1:] = ['predict', {str(HOPPER)!r}, '--csv']; "
    command += "from fercourse.cli import main; main()"
    process = subprocess.Popen(
        [sys.executable, "-c", command], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    process.stdout.close()
    assert process.stderr.read() == b""
    assert process.wait() == 1


def test_predict_a_film(fercourse, tmp_path):
    import cv2

    with Image.open(HOPPER) as photo:
        pixels = cv2.cvtColor(np.asarray(photo.convert("RGB")), cv2.COLOR_RGB2BGR)
    writer = cv2.VideoWriter(
        str(tmp_path / "film.mp4"), cv2.VideoWriter.fourcc(*"mp4v"), 5.0, pixels.shape[1::-1]
    )
    for _ in range(4):
        writer.write(pixels)
    writer.release()
    code, out, err = fercourse("predict", "--video", "film.mp4", "--out", "seen.mp4", "--every", 4)
    assert code == 0, err
    rows = list(csv_reader(io.StringIO(out)))
    assert rows[0][:4] == ["frame", "seconds", "face", "left"]
    assert [row[:3] for row in rows[1:]] == [[str(k), f"{k / 5:.3f}", "0"] for k in range(4)]
    assert "4 frames in" in err
    assert "Drawn in seen.mp4" in err
    assert (tmp_path / "seen.mp4").stat().st_size > 1000


def test_calibrate_evaluate_and_export_by_name(fercourse, tmp_path, weights):
    shutil.copy(weights, tmp_path / "mine.safetensors")
    code, out, err = fercourse("calibrate", "-w", "mine.safetensors", "--data", "synthetic")
    assert code == 0, err
    assert "mine.safetensors: temperature " in out
    code, out, err = fercourse("export", "-w", "mine.safetensors", "--onnx", "mine.onnx")
    assert code == 0, err
    assert "100 drawn faces read by onnxruntime and by torch" in out
    assert (tmp_path / "mine.onnx").is_file()


def test_weather_is_recorded_once(fercourse, tmp_path):
    words = ["weather", "synthetic-model1", "--cures", "none,gamma", "--book", "w.jsonl"]
    for _ in range(2):
        code, out, err = fercourse(*words)
        assert code == 0, err
    assert "synthetic-model1, gamma: clear " in out
    rows = [json.loads(line) for line in (tmp_path / "w.jsonl").read_text().splitlines()]
    assert [row["cure"] for row in rows] == ["none", "gamma"]
    assert rows[0]["variant"] == "model1"


def test_ctrl_c_says_how_to_go_on(fercourse, monkeypatch):
    def stop(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("fercourse.config.preset", stop)
    code, out, err = fercourse("train")
    assert (code, out) == (130, "")
    assert err.endswith("goes on from its last epoch with the same command.\n")
    assert err.count("\n") == 1


BAD = {
    "no such preset": (["train", "--preset", "magic"], "not a preset; use one of paper, course"),
    "no such field": (["train", "--set", "train.speed=9"], "TrainConfig has no field 'speed'"),
    "no value": (["train", "--set", "train.epochs"], "--set takes name=value"),
    "bad value": (["train", "--set", "train.epochs=0"], "epochs must be at least 1"),
    "a word for a number": (["train", "--set", "train.epochs=many"], "epochs must be a whole"),
    "half an epoch": (["train", "--set", "train.epochs=1.5"], "epochs must be a whole number"),
    "a word for yes or no": (["train", "--set", "model.gcca=False"], "gcca must be true or false"),
    "a field without its part": (
        ["train", "--set", "epochs=10"],
        "a field with its part: train.ep",
    ),
    "a field misspelt": (["train", "--set", "train.epoch=10"], "did you mean 'epochs'?"),
    "a part misspelt": (["train", "--set", "los=1"], "such as train.epochs"),
    "classes in no order": (
        ["train", "--classes", "mine", "--data"],
        "An order of classes is one of",
    ),
    "splits that are there": (["train", "--split", "--data"], "has its splits: leave split"),
    "a seed by --set": (["train", "--set", "seed=1"], "seed has an option of its own, --seed"),
    "out in a file": (
        ["train", *TINY, "--out", "notes.txt/run", "--data"],
        "a file where a folder",
    ),
    "out is a file": (["train", *TINY, "--out", "notes.txt", "--data"], "a file where a folder"),
    "drawn onto a folder": (["predict", HOPPER, "--out", "."], "let its name end in .png or .jpg"),
    "drawn as no picture": (["predict", HOPPER, "--out", "a.txt"], "a.txt cannot be drawn"),
    "an endless picture": (["predict", "bomb.png"], "exceeds limit of"),
    "a deep picture": (["predict", "float.tif"], "pixels as fractions that are not in 0..1"),
    "a folder of weights": (["evaluate", "-w", "."], "name a model.safetensors"),
    "text for weights": (["evaluate", "-w", "notes.txt"], "holds no fercourse weights (Error"),
    "others' weights": (
        ["evaluate", "-w", "foreign.safetensors"],
        "weights of another network than this",
    ),
    "another model's": (["evaluate", "-w", "wrong.safetensors"], "tensors are not those of its"),
    "a config of words": (["evaluate", "-w", "words.safetensors"], "width must be a number"),
    "no config at all": (["evaluate", "-w", "null.safetensors"], "run must be a table of fields"),
    "ledger in a file": (
        ["run", "table1", *SMALL, "--ledger", "notes.txt/l"],
        "a file where a folder",
    ),
    "ledger is a folder": (["run", "table1", *SMALL, "--ledger", "."], "a folder where the"),
    "runs in a file": (["run", "table1", *SMALL, "--out", "notes.txt/r"], "a file where a folder"),
    "no ledger": (["ledger", "verify", "--ledger", "none.jsonl"], "no ledger at none.jsonl"),
    "a ledger to list": (["ledger", "list", "--ledger", "none.jsonl"], "no ledger at none.jsonl"),
    "no page": (["ledger", "report", "nowhere"], "README.md: there is no such file"),
    "crops onto a file": (["faces", "crop", HOPPER, "notes.txt"], "a file where a folder"),
    "one picture for data": (["data", "check", HOPPER], "is no layout known here"),
    "no lesson": (["course", "build", "99"], "There is no lesson 99 in"),
    "no data": (["train", "--data", "nowhere.zip", *TINY], "nowhere.zip"),
    "no weights": (["evaluate", "-w", "none.safetensors"], "no weights at none.safetensors"),
    "nothing to predict": (["predict"], "Name pictures, or --video FILE, or --camera 0"),
    "two kinds of sources": (["predict", HOPPER, "--video", "a.mp4"], "one of the three"),
    "two kinds of output": (["predict", HOPPER, "--json", "--csv"], "exclude one another"),
    "drawn without a search": (
        ["predict", HOPPER, "--cropped", "--out", "a.png"],
        "with --cropped none is searched",
    ),
    "an address": (["predict", "https://example.org/a.jpg"], "nothing is fetched from the web"),
    "no film": (["predict", "--video", "none.mp4"], "There is no file none.mp4"),
    "text for a film": (["predict", "--video", "notes.txt"], "cannot be read as a film"),
    "no such camera": (["predict", "--camera", "97"], "There is no camera 97 here"),
    "a film as JSON": (["predict", "--video", "notes.txt", "--json"], "leave --json and --cropped"),
    "a film as a GIF": (
        ["predict", "--video", "notes.txt", "--out", "a.gif"],
        "cannot be read as a film",
    ),
    "no weather": (["weather"], "Name files of weights or bundled models"),
    "no cure": (["weather", "synthetic-model1", "--cures", "sun"], "no cure 'sun'"),
    "no ONNX of text": (["export", "-w", "notes.txt", "--onnx", "a.onnx"], "no fercourse weights"),
    "no photo": (["predict", "none.jpg"], "There is no file none.jpg"),
    "no picture": (["predict", "notes.txt"], "cannot be read as a picture"),
    "a part of a seed": (["train", "--set", "seed.x=1"], "seed has no fields of its own"),
    "no split": (["evaluate", "--split", "exam", "--data"], "There is no split 'exam'"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_gets_one_sentence(fercourse, weights, csv, tmp_path, case):
    words, says = BAD[case]
    (tmp_path / "notes.txt").write_text("not a picture")
    _write_bad(tmp_path, weights)
    words = [*words, csv] if words[-1] == "--data" else list(words)
    if words[0] in ("evaluate", "predict") and "-w" not in words:
        words += ["-w", weights]
    before = sorted(p.name for p in tmp_path.iterdir())
    code, _, err = fercourse(*words)
    assert code == 1
    assert err.startswith("fercourse: ")
    assert err.count("\n") == 1, "one sentence, no traceback"
    assert says in err
    after = {p.name for p in tmp_path.iterdir()} - {"cache"}
    assert sorted(after) == before, "nothing half-written is left"


def _write_bad(folder: Path, weights: Path) -> None:
    """A picture that claims 3.6 billion pixels, one of fractions, weights of four wrong kinds."""
    png = b"\x89PNG\r\n\x1a\n"
    for kind, content in (
        (b"IHDR", struct.pack(">IIBBBBB", 60000, 60000, 8, 2, 0, 0, 0)),
        (b"IDAT", zlib.compress(bytes(1000))),
    ):
        png += struct.pack(">I", len(content)) + kind + content
        png += struct.pack(">I", zlib.crc32(kind + content))
    (folder / "bomb.png").write_bytes(png)
    Image.fromarray(np.full((50, 50), -0.5, np.float32)).save(folder / "float.tif")
    save_file({"a": torch.zeros(3)}, folder / "foreign.safetensors")
    with safe_open(weights, "pt") as stored:
        facts = stored.metadata()
    for name, config in (
        ("wrong", facts["config"]),
        ("words", json.dumps({"model": {"width": "wide"}})),
        ("null", "null"),
    ):
        save_file({"a": torch.zeros(3)}, folder / f"{name}.safetensors", facts | {"config": config})


def test_a_full_disk_is_said_in_one_sentence(fercourse, csv, monkeypatch, tmp_path):
    def full(path, content):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, "write_bytes", full)
    code, _, err = fercourse("train", "--data", csv, *TINY, "--out", "run")
    assert code == 1
    assert "the disk is full. Make room" in err
    assert "Traceback" not in err
    assert list((tmp_path / "run").iterdir()) == [], "no part of a file"


def test_too_little_memory_is_said_in_one_sentence(fercourse, monkeypatch):
    for error in (
        MemoryError(),
        RuntimeError("CUDA out of memory. Tried to allocate 9 GB"),
        RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED"),
    ):
        monkeypatch.setattr("fercourse.doctor.doctor", raising(error))
        code, _, err = fercourse("doctor")
        assert (code, err.count("\n")) == (1, 1)
        assert "not enough memory" in err
    monkeypatch.setattr("fercourse.doctor.doctor", raising(RuntimeError("a bug")))
    with pytest.raises(RuntimeError, match="a bug"):  # which we want to see whole
        fercourse("doctor")


def raising(error: BaseException):
    def function(*_):
        raise error

    return function


def test_our_warnings_come_without_their_line_of_code(tmp_path):
    (tmp_path / "torn.jsonl").write_text('{"schema": 1, "ke')
    start = "import sys; from fercourse.cli import main; sys.argv[0] = 'fercourse'; main()"
    words = ["ledger", "list", "--ledger", "torn.jsonl"]
    done = subprocess.run(
        [sys.executable, "-c", start, *words],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == (
        "fercourse: torn.jsonl, line 1: torn when its process was killed, ignored; the next append "
        "removes it.\n"
    )


def test_a_data_folder_that_is_none_is_named(fercourse, monkeypatch, csv):
    """Else the copy in ./data would be taken without a word."""
    monkeypatch.setenv("FERCOURSE_DATA", str(csv))  # the file itself, a likely slip: it is meant
    code, out, err = fercourse("data", "check", "fer2013")
    assert code == 0, err
    assert str(csv) in out
    monkeypatch.setenv("FERCOURSE_DATA", f"{csv}.gone")
    code, _, err = fercourse("data", "check", "fer2013")
    assert code == 1
    gone = f"fercourse: FERCOURSE_DATA is {csv}.gone, which is not there; correct or unset it.\n"
    assert err == gone
