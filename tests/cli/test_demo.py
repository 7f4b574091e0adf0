"""make demo, at the size of a test."""

import re

import pytest
from conftest import ROOT
from typer.main import get_command

from fercourse.cli import app
from fercourse.weights.trained import load_weights

pytestmark = pytest.mark.slow


def test_demo_trains_and_draws(tmp_path, monkeypatch):
    """The command itself, with a smoke preset cut to seconds."""
    from fercourse import config
    from fercourse.cli import demo

    whole = config.preset
    quick = {"train.epochs": 1, "data.count": 210}
    monkeypatch.setattr(config, "preset", lambda *a, **k: whole(*a, **(quick | k)))
    demo(tmp_path, "cpu")
    made = {p.name for p in tmp_path.iterdir()}
    pictures = {"curves.png", "confusion.png", "faces.png", "attention.png"}
    assert pictures | {"model.safetensors", "evaluation.json", "history.json"} <= made
    for name in pictures:
        assert (tmp_path / name).read_bytes()[:4] == b"\x89PNG"
        assert (tmp_path / name).stat().st_size > 5_000
    assert load_weights(tmp_path / "model.safetensors").run.data.name == "synthetic"


def test_readme_names_only_what_make_and_the_command_line_have():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"(?:^|`)make (\w+)", readme, re.M))
    assert {"demo", "test"} <= targets
    for target in targets:
        assert re.search(rf"^{target}:", makefile, re.M), f"make {target}"
    commands = set(re.findall(r"`fercourse (\w+)", readme))
    assert {"train", "evaluate", "predict"} <= commands
    assert commands <= get_command(app).commands.keys()
