"""Every copy that people have: right, or refused in a sentence; never silently wrong."""

import re
import subprocess
import sys
from pathlib import Path

import made_sets as made
import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from fercourse import DataConfig, Expression, FercourseError, load, preset, train
from fercourse.cli.data import app
from fercourse.datasets.load import load_config, read_table


@pytest.fixture(autouse=True)
def _own_cache(tmp_path_factory, monkeypatch):
    monkeypatch.setenv("FERCOURSE_CACHE", str(tmp_path_factory.mktemp("cache")))


def placed(tmp_path: Path, files: made.Files) -> Path:
    """The one file, or the folder of several."""
    root = made.write(tmp_path / "set", files)
    alone = len(files) == 1 and "/" not in next(iter(files))
    return root / next(iter(files)) if alone else root


def contents(data) -> dict[str, list]:
    return {
        split: sorted(
            (int(k), image.numpy().tobytes())
            for k, image in zip(faces.labels, faces.images, strict=True)
        )
        for split, faces in data.splits.items()
    }


WANTED = {
    split: sorted((k, p.tobytes()) for s, k, p in made.rows() if s == split)
    for split in made.USAGES
}


@pytest.mark.parametrize("kind", made.ALIKE)
def test_every_layout_holds_the_same_faces(kind, tmp_path):
    path = placed(tmp_path, made.ALIKE[kind]())
    before = {p: p.stat().st_mtime_ns for p in tmp_path.rglob("*")}
    data = load(path)
    assert contents(data) == WANTED
    assert data.report.skipped == ()
    assert len(set(data.train.ids)) == 14
    checked = CliRunner().invoke(app, ["check", str(path)], env={"COLUMNS": "250"})
    assert checked.exit_code == 0, checked.exception
    assert data.fingerprint in checked.output
    assert load("fer2013", path=path).fingerprint == data.fingerprint
    assert {p: p.stat().st_mtime_ns for p in tmp_path.rglob("*")} == before


@pytest.mark.parametrize("kind", made.ODD)
def test_check_says_what_it_is_or_what_to_do(kind, tmp_path):
    make, options, code, said = made.ODD[kind]
    path = placed(tmp_path, make())
    result = CliRunner().invoke(app, ["check", str(path), *options.split()])
    words = " ".join(f"{result.output} {result.exception or ''}".split())
    assert result.exit_code == code, words
    assert re.search(said, words), words
    if code:
        assert isinstance(result.exception, FercourseError)
        assert str(path) in str(result.exception) or "--classes" in options or options == "--split"


@pytest.mark.parametrize(
    ("order", "start", "names"),
    [("affectnet", 0, made.AFFECTNET), ("rafdb", 1, made.RAFDB), ("fer2013", 0, made.CLASSES)],
)
def test_numbers_mean_what_was_stated(order, start, names, tmp_path):
    some = [(s, made.CLASSES.index(names[k]), p) for s, k, p in made.rows()]
    kinds = {name: str(names.index(name) + start) for name in made.CLASSES}
    files = made.folders(some=some, kinds=[kinds[name] for name in made.CLASSES])
    path = placed(tmp_path, files)
    data = load(path, classes=order)
    assert contents(data)["train"] == sorted((k, p.tobytes()) for s, k, p in some if s == "train")
    assert load_config(DataConfig(classes=order), path).fingerprint == data.fingerprint
    other = "fer2013" if order == "affectnet" else "affectnet"
    if start == 0:  # the cache keeps what was read by either order apart
        assert load(path, classes=other).fingerprint != data.fingerprint


def test_own_splits_are_disjoint_repeatable_and_said_in_the_row_and_its_page(tmp_path):
    some = [row for row in made.rows(9) if row[0] != "val"]
    path = placed(tmp_path, made.folders(some=some))
    data = load(path, split=True, seed=1)
    test = sorted((k, p.tobytes()) for s, k, p in some if s == "test")
    assert contents(data)["test"] == test
    assert data.train.counts().tolist() == [8] * 7
    assert data.val.counts().tolist() == [1] * 7
    assert not set(data.train.ids) & set(data.val.ids)
    assert load(path, split=True, seed=1).fingerprint == data.fingerprint
    assert load(path, split=True, seed=2).fingerprint != data.fingerprint

    from fercourse.experiments.train_and_judge import measure
    from fercourse.pages.results import report
    from fercourse.runs.ledger import Ledger

    config = preset("smoke", 1, **{"data.name": "fer2013", "data.split": True, "data.seed": 1,
                                   "train.epochs": 1})  # fmt: skip
    done = measure(config, data, plan="table1", label="smoke", device="cpu", progress=False)
    assert "not the official split (seed 1)" in done.row.recipe
    assert "cut off them (seed 1)" in done.row.selection
    book = Ledger(tmp_path / "ledger.jsonl")
    book.append(done.row)
    assert "**FER2013**, not in its official splits" in report(book)


def test_contempt_is_kept_on_request(tmp_path):
    some = [*made.rows(), *((s, 7, np.full((48, 48), n, np.uint8)) for n, s in
                            enumerate(made.USAGES))]  # fmt: skip
    path = placed(tmp_path, {"ckextended.csv": made.csv(some)})
    assert sum(faces.counts(8)[7] for faces in load(path, contempt=True).splits.values()) == 3
    data = load(path)
    assert sum(faces.counts(8)[7] for faces in data.splits.values()) == 0
    assert "Left out 3 images of contempt" in data.report.notes[-1]


def test_links_to_folders_are_followed_and_circles_are_left(tmp_path):
    made.write(tmp_path / "elsewhere", made.folders("{kind}/{usage}_{n}.png"))
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "all").symlink_to(tmp_path / "elsewhere", target_is_directory=True)
    (tmp_path / "set" / "again").symlink_to(tmp_path / "elsewhere", target_is_directory=True)
    (tmp_path / "elsewhere" / "round").symlink_to(tmp_path / "set", target_is_directory=True)
    (tmp_path / "set" / "gone.png").symlink_to(tmp_path / "nowhere.png")
    assert contents(load(tmp_path / "set")) == WANTED


@pytest.mark.parametrize("inside", [True, False])
def test_the_variable_may_name_the_set_itself(inside, tmp_path, monkeypatch):
    files = made.folders(made.OFFICIAL) if inside else {"faces.csv": made.csv()}
    path = placed(tmp_path, files)
    monkeypatch.setenv("FERCOURSE_DATA", str(path))
    assert contents(load("fer2013")) == WANTED
    assert load("FER2013").name == "fer2013"
    with pytest.raises(FercourseError, match="No ckplus was found"):
        load("ck+")


@pytest.mark.parametrize("name", ["CK+", "ck+", "ckplus48", "CK48", "ckplus"])
def test_other_spellings_of_a_name(name, tmp_path, monkeypatch):
    made.write(tmp_path, {"CK+48.zip": made.zipped(made.ck48())})
    monkeypatch.setenv("FERCOURSE_DATA", str(tmp_path))
    assert load(name, folds=4).name == "ckplus"
    assert DataConfig(name) == DataConfig("ckplus")


def test_a_renamed_ck48_is_cut_at_random_only(tmp_path):
    path = placed(tmp_path, made.ck48("CK+48/{kind}/{n}.png"))
    with pytest.raises(FercourseError, match=r"who is shown.*by='random'"):
        load(path, folds=4)
    assert load(path, folds=4, by="random").train.subjects is None
    assert read_table(None, path).subjects is None


def test_ferplus_labels_by_majority_and_trains_on_votes(tmp_path, monkeypatch):
    def spoil(lines):
        no_face = "0,0,0,0,0,0,0,0,1,9"
        tie = "5,5,0,0,0,0,0,0,0,0"
        return [
            f"{lines[0].rsplit(',', 10)[0]},{no_face}",
            f"{lines[1].rsplit(',', 10)[0]},{tie}",
            *lines[2:],
        ]

    path = placed(tmp_path, {"fer2013.csv": made.csv(), "fer2013new.csv": made.votes_csv(spoil)})
    monkeypatch.setenv("FERCOURSE_DATA", str(path))
    data = load("ferplus")
    assert data.name == "ferplus"
    assert [len(faces) for faces in data.splits.values()] == [12, 14, 14]
    assert "1 whose votes say no expression and 1 whose votes say a tie" in data.report.notes[0]
    whole = load("fer2013")
    assert torch.equal(data.train.labels, whole.train.labels[2:])
    assert torch.equal(data.train.votes.argmax(1), data.train.labels)
    assert data.train.votes.shape == (12, 7)
    assert data.train.votes.sum(1).tolist() == pytest.approx([1] * 12)
    soft = load("FER+", contempt=True).train.votes[0]
    assert soft[Expression.CONTEMPT] == pytest.approx(0.2)
    assert any("ferplus in place of fer2013" in note for note in whole.report.notes)
    config = preset("smoke", 1, **{"data.name": "FER+", "train.epochs": 1, "train.batch_size": 4})
    assert train(config, data, device="cpu", progress=False).history[0]["train_loss"] > 0


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda lines: lines[:-3], "has 39 rows"),
        (lambda lines: lines[::-1], "differ in the usage"),
        (lambda lines: [*lines[:5], "Training,x", *lines[5:]], "line 7: votes cannot be read"),
    ],
)
def test_votes_of_another_copy_are_refused(change, said, tmp_path):
    path = placed(tmp_path, {"fer2013.csv": made.csv(), "fer2013new.csv": made.votes_csv(change)})
    with pytest.raises(FercourseError, match=said):
        load("ferplus", path=path)


SPLITS = {
    "train": ["train", "Train", "training", "TRAIN"],
    "val": ["val", "valid", "Validation", "dev"],
    "test": ["test", "Test", "testing"],
}
NAMES = {
    "angry": ["angry", "Anger", "0_angry", "angry_images", "ANG"],
    "disgust": ["disgust", "Disgusted", "1-disgust"],
    "fear": ["fear", "Fearful", "scared", "afraid faces"],
    "happy": ["happy", "Happiness", "joy", "03_happy"],
    "sad": ["sad", "Sadness", "sad_imgs"],
    "surprise": ["surprise", "Surprised", "suprise"],
    "neutral": ["neutral", "Neutrality", "natural"],
}


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(choice=st.data())
def test_any_mixture_of_names_places_and_packings_is_read_alike(choice, tmp_path_factory):
    """Whatever folders are called, however deep they are, and whatever packs them."""

    def pick(values):
        return choice.draw(st.sampled_from(values))

    splits = {split: pick(words) for split, words in SPLITS.items()}
    kinds = [pick(NAMES[name]) for name in made.CLASSES]
    above = pick(["", "a/", "archive/images/"])
    below = pick(["", "x/"])
    swapped = pick([True, False])
    ending = pick([".png", ".PNG", ".jpe", ""])
    files = {}
    for n, (s, k, p) in enumerate(made.rows()):
        parts = (kinds[k], splits[s]) if swapped else (splits[s], kinds[k])
        files[f"{above}{'/'.join(parts)}/{below}{n}{ending}"] = made.png(p)
    litter = {f"{above}{splits['train']}/Thumbs.db": b"x", "notes.txt": b"words"}
    twin = {f"backup/{name}": data for name, data in files.items()}
    files |= pick([{}, litter]) | pick([{}, twin])
    packed = pick(["no", "zip", "tar", "tar.gz", "zip in a folder", "zip in a zip"])
    if packed != "no":
        pack = {"tar": made.tarred, "tar.gz": made.gz_of}.get(packed, made.zipped)
        ending = {"tar": "tar", "tar.gz": "tar.gz"}.get(packed, "zip")
        files = {f"set.{ending}": pack(files)}
    if packed == "zip in a zip":
        files = {"outer.zip": made.zipped(files)}
    root = made.write(tmp_path_factory.mktemp("mixed"), files)
    only = packed not in ("no", "zip in a folder")
    assert contents(load(root / next(iter(files)) if only else root)) == WANTED


def test_command_and_function_agree_in_one_process_of_its_own(tmp_path):
    """As a user types it: the sentence on stderr, exit code 1, nothing else."""
    path = placed(tmp_path, made.ODD["folders 0 to 6"][0]())
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            "from fercourse.cli import main; main()",
            "data",
            "check",
            str(path),
        ],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("fercourse: ")
    assert done.stderr.count("\n") == 1
    assert "Traceback" not in done.stderr
