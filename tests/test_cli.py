"""The commands as a newcomer meets them: they work, and bad input gets one sentence."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from made_faces import bars
from PIL import Image

from fercourse import FERNet, preset
from fercourse.cli import main
from fercourse.training.checkpoint import save_model

TINY = [
    "--preset", "smoke", "--set", "train.epochs=2", "--set", "train.batch_size=16",
    "--set", "model.width=0.125", "--device", "cpu",
]  # fmt: skip


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
    save_model(path, FERNet(config.model), config)
    return path


def test_train_then_evaluate(fercourse, csv, tmp_path):
    code, out, err = fercourse("train", "--data", csv, *TINY, "--out", "run", "--model", 2)
    assert code == 0, err
    assert "42 faces train, 14 select, 14 are held out" in out
    made = {p.name for p in (tmp_path / "run").iterdir()}
    assert made == {"model.safetensors", "state.pt", "config.json", "history.json",
                    "evaluation.json", "curves.png", "confusion.png"}  # fmt: skip
    reported = json.loads((tmp_path / "run/evaluation.json").read_text())
    assert np.sum(reported["single"]["confusion"]) == 14

    code, out, err = fercourse("evaluate", "-w", "run/model.safetensors", "--data", csv, "--json",
                               "--device", "cpu")  # fmt: skip
    assert code == 0, err
    assert json.loads(out)["confusion"] == reported["single"]["confusion"]


def test_predict_on_a_photograph(fercourse, weights, tmp_path):
    from matplotlib import get_data_path

    photo = Path(get_data_path()) / "sample_data" / "grace_hopper.jpg"
    code, out, err = fercourse("predict", photo, "-w", weights, "--out", "hopper.png")
    assert code == 0, err
    assert out.startswith("face 1 (found with p = 0.99")
    with Image.open(tmp_path / "hopper.png") as drawn, Image.open(photo) as plain:
        assert drawn.size == plain.size
        assert np.abs(np.asarray(drawn, int) - np.asarray(plain, int)).max() > 100

    code, out, err = fercourse("predict", photo, "-w", weights, "--json")
    (face,) = json.loads(out)
    assert sum(face["probabilities"].values()) == pytest.approx(1, abs=1e-3)
    left, top, right, bottom = face["box"]
    assert 100 < left < right < 400, "her face is near the middle of the picture"
    assert 50 < top < bottom < 400


def test_predict_without_a_face(fercourse, weights, tmp_path):
    Image.new("RGB", (200, 200), "white").save(tmp_path / "white.png")
    code, out, _ = fercourse("predict", "white.png", "-w", weights)
    assert (code, out) == (0, "white.png: no face was found.\n")
    assert not (tmp_path / "white-faces.png").exists()


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
    "no data": (["train", "--data", "nowhere.zip", *TINY], "nowhere.zip"),
    "no weights": (["evaluate", "-w", "none.safetensors"], "no weights at none.safetensors"),
    "no photo": (["predict", "none.jpg"], "There is no file none.jpg"),
    "no picture": (["predict", "notes.txt"], "cannot be read as a picture"),
    "no split": (["evaluate", "--split", "exam", "--data"], "There is no split 'exam'"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_gets_one_sentence(fercourse, weights, csv, tmp_path, case):
    words, says = BAD[case]
    (tmp_path / "notes.txt").write_text("not a picture")
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
