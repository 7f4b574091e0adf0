"""A class hands in right, wrong, hostile and broken notebooks; the table says what each did."""

import csv
import json
import os
import shutil
import socket
import subprocess
import sys

import nbformat
import pytest
from closed import anywhere

from fercourse.cli import main
from fercourse.course import assign, build, grade, handed_in
from fercourse.errors import FercourseError
from fercourse.exercises.exercise import find

pytestmark = [pytest.mark.slow, anywhere]

LIMITS = grade.Limits(seconds=8, memory=2**30)
NAMES = ["decoder.resize_like", "decoder.agree", "decoder.weighted_avg_pool", "decoder.operations"]
RESIZE, AGREE, POOL, OPERATIONS = NAMES
RIGHT = {name: find(name)[0].source() for name in NAMES}


def hand_in(path, answers, change=lambda cells: None):
    """A notebook of lesson 08 with these cells, and stubs elsewhere."""
    lesson = next(p for p in build.sources() if p.name.startswith("08"))
    notebook = assign.assigned(build.read(lesson))
    for cell in notebook.cells:
        for name, code in answers.items():
            if cell.metadata.get("nbgrader", {}).get("grade_id") == assign.grade_id(name):
                cell.source = code
    change(notebook.cells)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(nbformat.writes(notebook), encoding="utf-8")
    return path


def graded(path, **options):
    """Results by the exercise's name."""
    return {row.exercise: row for row in grade.grade([path], LIMITS, **options)}


@pytest.fixture(scope="module")
def known():
    return handed_in.exercises()


def test_right_answers_pass_with_all_points(tmp_path):
    found = graded(hand_in(tmp_path / "ada.ipynb", RIGHT))
    assert list(found) == NAMES
    assert all(row.passed for row in found.values())
    assert [row.points for row in found.values()] == [1, 2, 2, 1]
    assert found[RESIZE].message.startswith("Any two sizes meet")


@pytest.mark.parametrize("number", range(21))
def test_the_sandbox_lets_every_right_answer_compute(number, known):
    """Whatever libraries an exercise loads late, too."""
    code = {name: find(name)[0].source() for name in known[number]}
    said = grade.examine(code, grade.Limits(), sandboxed=True)
    assert said.keys() == set(known[number])
    assert all(passed for passed, _ in said.values()), said


def test_wrong_answers_get_their_diagnosis(tmp_path):
    answers = {
        RESIZE: RIGHT[RESIZE].replace("bilinear", "nearest").replace(", align_corners=False", ""),
        AGREE: "agree = 7",
        POOL: "def weighted_avg_pool(x, logits)\n    return x",
        OPERATIONS: RIGHT[OPERATIONS] + "\n\nraise SystemExit(0)",
    }
    found = graded(hand_in(tmp_path / "bob.ipynb", answers))
    assert not any(row.passed or row.points for row in found.values())
    assert "nearest neighbour, not bilinear" in found[RESIZE].message
    assert "not callable" in found[AGREE].message
    assert found[POOL].message == "Its cell is no Python: line 1: expected ':'."
    assert "stopped with SystemExit: 0" in found[OPERATIONS].message


def test_a_solution_stands_on_its_own_and_a_stub_waits(tmp_path):
    answers = {
        RESIZE: "resize_like = resize",
        AGREE: "import math\n\ndef helper():\n    return math.pi\n\n" + RIGHT[AGREE],
    }
    found = graded(hand_in(tmp_path / "a.ipynb", answers))
    assert "NameError: name 'resize'" in found[RESIZE].message
    assert found[AGREE].passed
    assert "it is your turn" in found[POOL].message


def test_hostile_code_harms_nothing_and_costs_only_its_exercise(tmp_path, monkeypatch):
    home = tmp_path / "home"
    home.mkdir()
    (home / "secret").write_text("A secret.")
    monkeypatch.setenv("A_TOKEN", "A secret.")
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.2)
        tries = f"""
import os, signal, socket, subprocess
from pathlib import Path

def read(): return Path({str(home / "secret")!r}).read_text()
def write(): Path({str(tmp_path / "new")!r}).write_text("x")
def connect(): socket.create_connection(("127.0.0.1", {server.getsockname()[1]}))
def kill(): os.kill(os.getppid(), signal.SIGKILL)
def multiply():
    for _ in range(50):
        os.fork()
def token(): os.environ["A_TOKEN"]

said = []
for attempt in (read, write, connect, kill, multiply, token):
    try:
        attempt()
        said.append("done")
    except Exception as error:
        said.append(type(error).__name__)
raise RuntimeError(" ".join(said))
"""
        answers = {
            RESIZE: "def resize_like(x, partner):\n    while True:\n        pass",
            AGREE: tries,
            POOL: "def weighted_avg_pool(x, logits):\n    return torch.ones(2**33)",
            OPERATIONS: RIGHT[OPERATIONS],
        }
        found = graded(hand_in(tmp_path / "eve.ipynb", answers))
        with pytest.raises(TimeoutError):
            server.accept()
    assert [row.passed for row in found.values()] == [False, False, False, True]
    assert found[RESIZE].message == "It was stopped: it ran for 8 s."
    refused = " ".join(["PermissionError"] * 5 + ["KeyError"])
    assert f"stopped with RuntimeError: {refused}" in found[AGREE].message
    if sys.platform == "linux":
        assert "not enough memory" in found[POOL].message or "alloc" in found[POOL].message
    assert not (tmp_path / "new").exists()


def test_ends_and_floods_are_told(tmp_path):
    answers = {
        RESIZE: "import os\nos._exit(0)",
        AGREE: "def agree(*given):\n    return agree(*given)",
        POOL: "import ctypes\nctypes.string_at(0)",
        OPERATIONS: "for _ in range(2000):\n    print('x' * 10000)\n" + RIGHT[OPERATIONS],
    }
    found = graded(hand_in(tmp_path / "a.ipynb", answers))
    assert "ended its process (exit 0) before there was a verdict" in found[RESIZE].message
    assert "RecursionError" in found[AGREE].message
    assert "was ended by signal 11 before there was a verdict" in found[POOL].message
    assert found[OPERATIONS].passed  # what it prints goes nowhere


def test_claims_to_have_passed_are_not_taken(tmp_path):
    forged = json.dumps({"token": "?", "passed": True, "message": "That is it.", "clean": True})
    answers = {
        RESIZE: f"""
import os
for number in range(64):
    try:
        os.write(number, b'{forged}\\n')
    except OSError:
        pass
def resize_like(x, partner): return x
""",
        AGREE: "torch.allclose = lambda *given, **named: True\ndef agree(*given): return given[0]",
        POOL: """
from fercourse.exercises import decoder
decoder.check_weighted_avg_pool.__wrapped__.__code__ = (lambda attempt: None).__code__
def weighted_avg_pool(x, logits): return x
""",
        OPERATIONS: "from fercourse.exercises.decoder import operations",
    }
    found = graded(hand_in(tmp_path / "mallory.ipynb", answers))
    assert not any(row.passed for row in found.values())
    assert "wrote where the verdict belongs" in found[RESIZE].message
    assert found[AGREE].message == "It replaced torch.allclose, which the check relies on."
    assert "passes a function that does nothing" in found[POOL].message
    assert "the course's own function" in found[OPERATIONS].message


def test_an_answer_has_one_form():
    right = {"token": "t", "passed": True, "message": "m", "clean": True}
    assert grade._answer(json.dumps(right).encode(), "t") == right
    wrong = [
        {**right, "token": "u"},
        {**right, "passed": 1},
        {**right, "message": None},
        {**right, "more": 1},
        {"token": "t", "passed": True},
        [right],
        "x",
    ]
    for answer in wrong:
        assert grade._answer(json.dumps(answer).encode(), "t") is None, answer
    for line in (b"", b"\xff\n", b"{", b"[" * 20_000, b"1" * 9999):
        assert grade._answer(line, "t") is None


def refusal(path, known):
    with pytest.raises(FercourseError) as caught:
        handed_in.read(path, known)
    return str(caught.value)


def test_files_that_are_no_notebooks_get_a_sentence(tmp_path, known):
    def file(content):
        path = tmp_path / "x.ipynb"
        path.write_bytes(content)
        return path

    assert refusal(tmp_path, known) == "There is no such file."
    assert refusal(tmp_path / "none.ipynb", known) == "There is no such file."
    for content in (b"", b"{", b"\xff\xfe", b"[" * 10**6, b"1" * 10**6):
        assert "its content is no JSON" in refusal(file(content), known)
    for content in (b"[]", b"{}", b'{"nbformat": 3, "cells": []}'):
        assert "no notebook of Jupyter's format 4" in refusal(file(content), known)
    for content in (b'{"nbformat": 4, "cells": 5}', b'{"nbformat": 4, "cells": [5]}'):
        assert "no valid notebook" in refusal(file(content), known)
    empty = {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": []}
    deep = "[" * 900 + "]" * 900
    text = json.dumps(empty).replace('"metadata": {}', f'"metadata": {{"x": {deep}}}')
    assert refusal(file(text.encode()), known)
    assert "which lesson" in refusal(file(json.dumps(empty).encode()), known)
    for number in (99, True, "8", None):
        odd = {**empty, "metadata": {"fercourse": {"number": number}}}
        assert "which lesson" in refusal(file(json.dumps(odd).encode()), known)
    eight = {**empty, "metadata": {"fercourse": {"number": 8}}}
    assert "None of the exercises of lesson 08" in refusal(file(json.dumps(eight).encode()), known)
    assert "more than 20 MB" in refusal(file(b" " * (handed_in.BIGGEST + 1)), known)
    cell = {"cell_type": "raw", "metadata": {}, "source": "x" * handed_in.MOST, "id": "a"}
    assert "1 MB of text" in refusal(file(json.dumps({**empty, "cells": [cell]}).encode()), known)


def test_cells_that_went_lost_or_were_doubled_are_told(tmp_path, known):
    def change(cells):
        by_id = {c.metadata["nbgrader"]["grade_id"]: c for c in cells if "nbgrader" in c.metadata}
        cells.remove(by_id["decoder-agree"])
        by_id["decoder-resize_like"].metadata["nbgrader"]["grade_id"] = "mine"
        cells.append(nbformat.from_dict({**by_id["decoder-operations"], "id": "again"}))
        by_id["decoder-weighted_avg_pool"].source = "x" * (handed_in.LONGEST + 1)

    work = handed_in.read(hand_in(tmp_path / "a.ipynb", {}, change), known)
    assert work.code == {}
    assert "is missing" in work.lacking[AGREE]
    assert "is missing" in work.lacking[RESIZE]
    assert "there 2 times" in work.lacking[OPERATIONS]
    assert "100001 letters" in work.lacking[POOL]


def test_a_notebook_of_another_lesson_is_told(tmp_path, known):
    path = hand_in(tmp_path / "a.ipynb", {})
    path.write_text(path.read_text(encoding="utf-8").replace('"number": 8', '"number": 7'))
    assert (
        refusal(path, known) == "It says that it is lesson 07, and its exercises are those of 08."
    )
    (row,) = grade.grade([hand_in(tmp_path / "b.ipynb", {})], LIMITS, lesson=7)
    assert row.message == "It is of lesson 08, not of 07."
    assert not row.passed


def test_where_the_sandbox_cannot_lock_nothing_runs(tmp_path, monkeypatch):
    path = hand_in(tmp_path / "a.ipynb", RIGHT)
    thread = "threading.Thread(target=threading.Event().wait, daemon=True).start()"
    monkeypatch.setattr(grade, "IMPORTS", f"import threading\n{thread}")
    if sys.platform == "linux":
        with pytest.raises(FercourseError, match=r"no sandbox .* a thread runs already"):
            graded(path)
    monkeypatch.setattr(sys, "platform", "win32")
    with pytest.raises(FercourseError, match=r"no sandbox .* WSL 2"):
        graded(path)


def test_a_door_left_open_is_found_before_anything_runs(tmp_path, monkeypatch):
    path = hand_in(tmp_path / "a.ipynb", RIGHT)
    open_it = "import fercourse.course.sandbox as s\ns.lock = lambda: None"
    monkeypatch.setattr(grade, "IMPORTS", open_it)
    monkeypatch.setattr(grade.sandbox, "command", lambda a, f, s: [sys.executable, "-P", *a])
    with pytest.raises(FercourseError, match="it could still read a file outside and write a file"):
        graded(path)


def test_without_a_sandbox_limits_stay(tmp_path):
    answers = {**RIGHT, RESIZE: "while True: pass"}
    found = graded(hand_in(tmp_path / "a.ipynb", answers), sandboxed=False)
    assert [row.passed for row in found.values()] == [False, True, True, True]


def test_the_command_prints_a_table_and_writes_a_csv(tmp_path, monkeypatch, capsys):
    folder = tmp_path / "class"
    hand_in(folder / "ada" / "08.ipynb", RIGHT)
    told = "=cmd()\x1b[2J [red]x"
    stops = f"def agree(*a): raise OSError({told!r})"
    hand_in(folder / "bob" / "08.ipynb", {**RIGHT, AGREE: stops})
    (folder / "carl.ipynb").write_text("{")
    file = tmp_path / "grades.csv"
    words = ["fercourse", "course", "grade", str(folder), "--csv", str(file)]
    monkeypatch.setattr(sys, "argv", words)
    with pytest.raises(SystemExit) as end:
        main()
    assert not end.value.code
    shown = capsys.readouterr().out
    assert "4 of 4 passed" in shown
    assert "6 of 6" in shown
    assert "3 of 4 passed" in shown
    assert "its content is no JSON" in shown
    assert "=cmd() [2J [red]x" in shown
    with file.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [row["score"] for row in rows] == ["1", "2", "2", "1", "1", "0", "2", "1", "0"]
    assert grade.cell("=1+1") == "'=1+1"


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
def test_make_grade_takes_names_as_they_are(tmp_path):
    """A file's name is its learner's, and reaches the shell in quotes."""
    name = "a;touch${IFS}harm;'$(touch${IFS}harm)`touch${IFS}harm`.ipynb"
    (tmp_path / name).write_text("{")
    shutil.copy(build.ROOT / "Makefile", tmp_path)
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    command = tmp_path / ".venv" / "bin" / "fercourse"
    command.write_text(f"#!{sys.executable}\nimport sys\nprint(repr(sys.argv[1:]))\n")
    command.chmod(0o755)
    for words in ([f"NOTEBOOKS={name.replace('$', '$$')}"], ["a.ipynb", "b.ipynb"]):
        done = subprocess.run(
            ["make", "-s", "-o", "setup", "grade", *words],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            env={"PATH": os.environ["PATH"]},
        )
        given = [name] if len(words) == 1 else words
        assert done.stdout.strip() == repr(["course", "grade", "--", *given]), done.stderr
    assert not (tmp_path / "harm").exists()
