"""Explorers of models, losses and runs, driven without a browser."""

import base64
import threading
import time

import made_runs
import pytest
import torch
from made_rows import made_row

import fercourse
from fercourse import widgets
from fercourse.errors import FercourseError
from fercourse.runs.ledger import Ledger
from fercourse.runs.paper import record_paper
from fercourse.widgets.ablation_explorer import AblationBoard

pytestmark = pytest.mark.slow

PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture(scope="module")
def faces():
    return fercourse.load("synthetic", count=140, difficulty=0.1).test


@pytest.fixture(scope="module")
def models():
    return {f"model {k}": fercourse.pretrained("synthetic", k).network for k in (1, 6)}


def picture_after(explorer, **values):
    """The picture once these controls were moved; nothing may be wrong."""
    explorer.set(**values)
    assert explorer.message.value == ""
    assert bytes(explorer.picture.value).startswith(PNG)
    return bytes(explorer.picture.value)


def changes_with_each(explorer, *settings):
    """Every setting gives another picture than the one before it."""
    seen = [bytes(explorer.picture.value)]
    for values in settings:
        seen.append(picture_after(explorer, **values))
        assert seen[-1] != seen[-2], values
    return seen


def test_gcca_weights(models, faces):
    explorer = widgets.gcca_weights(models["model 6"], faces)
    changes_with_each(
        explorer, {"face": 3}, {"block": 2}, {"beside": "nobody"}, {"beside": 5}, {"beside": "mean"}
    )
    with pytest.raises(FercourseError, match="no GCCA"):
        widgets.gcca_weights(models["model 1"], faces)
    with pytest.raises(FercourseError, match="no face"):
        widgets.gcca_weights(models["model 6"], faces[:0])


def test_reverse_steps(models, faces):
    explorer = widgets.reverse_steps(models["model 6"], faces)
    step = explorer.controls["step"]
    assert (step.min, step.max) == (0, 9)
    changes_with_each(
        explorer, *({"step": k} for k in (1, 2, 3, 9)), {"stretch": True}, {"face": 4}
    )
    back, on = buttons(explorer, "previous", "next")
    on.click()
    assert step.value == 9
    on.click()  # there is no tenth
    assert step.value == 9
    back.click()
    assert step.value == 8
    with pytest.raises(FercourseError, match="reverse attention"):
        widgets.reverse_steps(models["model 1"], faces)


def test_island():
    explorer = widgets.island()
    first, *_ = changes_with_each(
        explorer, {"weight": 0.5}, {"pair_weight": 0}, {"seed": 2}, {"step": 0}, {"step": 200}
    )
    again = picture_after(explorer, weight=0.005, pair_weight=7, seed=0, step=60)
    assert again == first
    on = buttons(explorer, "next")[0]
    explorer.controls["step"].value = 60
    on.click()
    assert explorer.controls["step"].value == 65


def test_attention(models, faces):
    explorer = widgets.attention(models, faces)
    changes_with_each(
        explorer,
        {"face": 3},
        {"model": "model 6"},
        {"opacity": 0.2},
        {"kind": "refined3"},
        {"kind": "layercam"},
        {"aim": 4},
    )
    for kind in ("eigencam", "ablationcam", "added5"):
        picture_after(explorer, kind=kind)
    explorer.set(model="model 1", kind="refined3")
    assert "model 1 does not make refined σ(S3)" in explorer.message.value
    picture_after(explorer, model="model 6")
    with pytest.raises(FercourseError, match="no models"):
        widgets.attention({}, faces)
    with pytest.raises(FercourseError, match="does not fit"):
        widgets.attention(models, faces, target=torch.zeros(2, 2, 2, dtype=torch.bool))


def test_attention_without_a_known_truth(models, faces):
    photographs = fercourse.Faces(faces.images, faces.labels)
    explorer = widgets.attention(models, photographs)
    assert explorer.message.value == ""
    given = torch.zeros(faces.images.shape, dtype=torch.bool)
    given[:, 10:20, 10:20] = True
    assert widgets.attention(models, photographs, given).picture.value != explorer.picture.value


@pytest.fixture
def book(tmp_path, monkeypatch):
    """A ledger of its own with the paper's claims and three seeds of model 6."""
    path = tmp_path / "results" / "ledger.jsonl"
    monkeypatch.setenv("FERCOURSE_LEDGER", str(path))
    ledger = Ledger()
    record_paper(ledger)
    for seed in range(3):
        ledger.append(made_row(6, seed, 0.70 + seed / 100))
    return ledger


def test_the_board_shows_what_is_recorded_and_offers_what_is_not(book):
    board = AblationBoard("fer2013", "cpu", 6)
    assert board.message.value == ""
    assert board.train.description == "add seed 3 (about 23 minutes here)"  # 1.15 x 1,200 s
    before = bytes(board.picture.value)
    picture_after(board, joint_loss=False)  # model 5
    assert board.picture.value != before
    assert board.train.description.startswith("train it (about 23 minutes")
    board.set(decoder=False)  # reverse attention has nothing to start from
    assert "switch decoder on" in board.message.value
    assert board.train.disabled
    assert board.train.description == "not possible"
    picture_after(board, reverse=False, fusion=False, joint_loss=True)  # no row of Table 1
    assert not board.train.disabled
    picture_after(board, dataset="synthetic", preset="smoke")
    assert "not known yet" in board.train.description
    picture_after(board, dataset="ckplus", preset="cpu")
    assert board.train.description.startswith("train seed 0, fold 1 of 10")


def test_the_board_trains_records_and_shows_it(book, tmp_path):
    committed = book.path.read_bytes()
    board = AblationBoard("synthetic", "smoke", 2, work=made_runs.telling)
    assert board.curve.layout.display == "none"
    before = bytes(board.picture.value)
    board.train.click()
    assert board.train.disabled
    assert board.live.join(120)
    assert board.live.state == "recorded"
    assert board.picture.value != before  # the new seed is in it
    assert bytes(board.curve.value).startswith(PNG)
    assert "mine/ledger.jsonl" in board.status.value
    assert board.train.description.startswith("add seed 1")
    assert not board.train.disabled
    assert book.path.read_bytes() == committed
    assert len(Ledger(tmp_path / "results" / "mine" / "ledger.jsonl").rows()) == 1
    # Another board, opened later, finds it.
    assert AblationBoard("synthetic", "smoke", 2).train.description.startswith("add seed 1")
    assert no_live_thread()


def test_stopping_leaves_no_thread_and_no_row(book, tmp_path):
    board = AblationBoard("synthetic", "smoke", 6, work=made_runs.slow)
    board.train.click()
    assert not board.stop.disabled
    board.train.click()  # a second run beside it is not started
    end = time.monotonic() + 120
    while not list((tmp_path / "build" / "runs").glob("*.begun")) and time.monotonic() < end:
        time.sleep(0.05)
    board.stop.click()
    assert board.live.join(10)
    assert board.live.state == "stopped"
    assert "nothing recorded" in board.status.value
    assert board.stop.disabled
    assert not board.train.disabled
    assert board.train.description.startswith("train it")
    assert not (tmp_path / "results" / "mine" / "ledger.jsonl").exists()
    assert no_live_thread()


def test_a_run_that_fails_says_why(book):
    board = AblationBoard("synthetic", "smoke", 5, work=made_runs.deadly)
    board.train.click()
    assert board.live.join(120)
    assert "There are no faces." in board.status.value
    assert no_live_thread()


def test_a_damaged_ledger_is_told_in_the_explorer(book):
    book.path.write_text("not json\n")
    board = AblationBoard("synthetic", "smoke", 6)
    assert "line 1" in board.message.value
    assert board.train.disabled


def test_where_nobody_can_move_controls_each_is_a_picture(models, faces, book, monkeypatch):
    monkeypatch.setenv("FERCOURSE_STATIC", "1")
    best = models["model 6"]
    for explorer in (
        widgets.gcca_weights(best, faces),
        widgets.reverse_steps(best, faces),
        widgets.island(),
        widgets.ablation_board(),
        widgets.attention(models, faces),
    ):
        shown = explorer._repr_mimebundle_()
        data = shown[0] if isinstance(shown, tuple) else shown
        assert base64.b64decode(data["image/png"]).startswith(PNG)


def buttons(explorer, *names):
    """Buttons of an explorer by what is written on them."""
    found, waiting = {}, [explorer]
    while waiting:
        widget = waiting.pop()
        waiting += getattr(widget, "children", ())
        if hasattr(widget, "click"):
            found[widget.description] = widget
    return [found[name] for name in names]


def no_live_thread():
    return not any(thread.name == "live run" for thread in threading.enumerate())
