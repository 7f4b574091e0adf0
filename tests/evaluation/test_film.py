"""A film made of the portrait: faces are followed, answers smoothed, and the film written whole."""

from pathlib import Path

import cv2
import matplotlib
import numpy as np
import pytest
import torch
from PIL import Image

import fercourse
from fercourse import FercourseError
from fercourse.evaluation import film
from fercourse.evaluation.film import Follower, Frame
from fercourse.evaluation.recognise import Reader

HOPPER = Path(matplotlib.get_data_path()) / "sample_data" / "grace_hopper.jpg"
FRAMES, RATE = 12, 10.0


@pytest.fixture(scope="module")
def portrait() -> Image.Image:
    with Image.open(HOPPER) as file:
        return file.convert("RGB").resize((256, 300))


def moved(portrait: Image.Image, right: int) -> Image.Image:
    canvas = Image.new("RGB", (400, 300), "grey")
    canvas.paste(portrait, (right, 0))
    return canvas


@pytest.fixture(scope="module")
def movie(portrait, tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("film") / "hopper.mp4"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), RATE, (400, 300))
    for k in range(FRAMES):
        writer.write(cv2.cvtColor(np.asarray(moved(portrait, 10 * k)), cv2.COLOR_RGB2BGR))
    writer.release()
    return path


@pytest.fixture(scope="module")
def reader() -> Reader:
    return Reader(fercourse.pretrained("fer2013"))


def test_frames_of_a_film(movie):
    with film.opened(movie) as (frames, rate):
        found = list(frames)
    assert rate == pytest.approx(RATE)
    assert [f.number for f in found] == list(range(FRAMES))
    assert found[-1].seconds == pytest.approx((FRAMES - 1) / RATE)
    assert found[0].picture.mode == "RGB"
    assert found[0].picture.size == (400, 300)


def test_a_face_is_followed(movie, reader):
    follower = Follower(reader, every=3)
    with film.opened(movie) as (frames, _):
        seen = [follower.read(frame) for frame in frames]
    assert [len(faces) for faces in seen] == [1] * FRAMES
    assert {faces[0].face for faces in seen} == {0}, "one face, one number"
    lefts = [faces[0].prediction.detection.box[0] for faces in seen]
    assert lefts[0] == lefts[1] == lefts[2] < lefts[3], "searched on every third frame"


def test_faces_that_come_and_go(portrait, reader):
    follower = Follower(reader, every=1, smoothing=0)
    grey = Image.new("RGB", (400, 300), "grey")
    pictures = [moved(portrait, 0), grey, moved(portrait, 100)]
    seen = [follower.read(Frame(k, k / RATE, p)) for k, p in enumerate(pictures)]
    assert [[s.face for s in faces] for faces in seen] == [[0], [], [1]]


def test_answers_are_smoothed_in_time(portrait, reader, monkeypatch):
    answers = iter([[0.8, 0.2], [0.2, 0.8], [0.2, 0.8]] * 2)
    monkeypatch.setattr(Reader, "classify", lambda self, faces: torch.tensor([next(answers)]))
    picture = moved(portrait, 0)

    def first(smoothing):
        follower = Follower(reader, every=5, smoothing=smoothing)
        found = [follower.read(Frame(k, 0.3 * k, picture)) for k in range(3)]
        return [faces[0].prediction.probabilities[0] for faces in found]

    smooth = first(0.3)
    kept = np.exp(-1)
    expected = np.log(4)  # log-odds of the first answer
    for p in smooth:
        assert np.log(p / (1 - p)) == pytest.approx(expected, rel=1e-3)
        expected = kept * expected - (1 - kept) * np.log(4)
    assert first(0) == pytest.approx([0.8, 0.2, 0.2])


def test_the_annotated_film_is_as_long(movie, reader, tmp_path):
    path = tmp_path / "out" / "seen.mp4"
    writer, follower = film.FilmWriter(path, RATE), Follower(reader, every=12)
    with film.opened(movie) as (frames, _):
        for frame in frames:
            writer.add(frame, follower.read(frame))
    assert not path.exists(), "not before it is whole"
    writer.finish()
    writer.discard()
    assert [p.name for p in path.parent.iterdir()] == ["seen.mp4"]
    with film.opened(path) as (frames, rate):
        drawn = list(frames)
    assert (len(drawn), rate) == (FRAMES, pytest.approx(RATE))
    yellow = np.asarray(drawn[0].picture, int)
    assert ((yellow[..., 0] > 180) & (yellow[..., 1] > 180) & (yellow[..., 2] < 120)).sum() > 300


def test_a_slow_camera_makes_no_fast_film(portrait, tmp_path):
    """Frames that come at half the claimed rate are each shown twice."""
    writer = film.FilmWriter(tmp_path / "slow.mp4", RATE)
    for k in range(5):
        writer.add(Frame(k, 2 * k / RATE, portrait), [])
    writer.finish()
    with film.opened(tmp_path / "slow.mp4") as (frames, _):
        assert len(list(frames)) == 9


def test_a_film_that_is_broken_off_leaves_nothing(portrait, tmp_path):
    writer = film.FilmWriter(tmp_path / "a.mp4", RATE)
    writer.add(Frame(0, 0.0, portrait), [])
    writer.discard()
    assert list(tmp_path.iterdir()) == []


def test_bad_films_get_one_sentence(tmp_path, reader):
    (tmp_path / "notes.mp4").write_text("no film")
    for source, says in (
        (tmp_path / "none.mp4", "There is no file"),
        (tmp_path / "notes.mp4", "cannot be read as a film"),
        (97, "There is no camera 97 here"),
    ):
        with pytest.raises(FercourseError, match=says), film.opened(source):
            pass
    with pytest.raises(FercourseError, match=r"end in \.mp4"):
        film.FilmWriter(tmp_path / "a.gif", RATE)
    with pytest.raises(FercourseError, match="every must be 1 or more"):
        Follower(reader, every=0)
