"""``make setup``: which PyTorch a machine gets. PyTorch's own index is asked by nothing here."""

import importlib.util
import re
import subprocess
from importlib.metadata import version
from pathlib import Path

import pytest
from conftest import ROOT

SPEC = importlib.util.spec_from_file_location("install", ROOT / "install.py")
assert SPEC
assert SPEC.loader
install = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(install)

LOCK = (ROOT / "requirements.lock").read_text(encoding="utf-8")
PINS = dict(re.findall(r"^([\w.-]+)(?:\[[\w,-]+\])?==(\S+)", LOCK, re.MULTILINE))


@pytest.fixture
def asked(monkeypatch):
    """What uv is asked on a Linux machine without a card; set ``answers`` to let it fail."""

    class Asked(list):
        answers = ("", "", "", "")

    calls = Asked()

    def uv(*words, **options):
        calls.append(words)
        return calls.answers[len(calls) - 1]

    monkeypatch.setattr(install, "uv", uv)
    monkeypatch.setattr(install, "has_nvidia", lambda: False)
    monkeypatch.setattr(install.sys, "platform", "linux")
    return calls


def test_the_light_way_keeps_every_other_pin_with_its_hashes():
    rest, own = install.split(LOCK)
    assert own == [f"{name}=={PINS[name]}" for name in ("torch", "torchvision")]
    left_out = PINS.keys() - set(re.findall(r"^([\w.-]+)(?:\[[\w,-]+\])?==", rest, re.MULTILINE))
    assert left_out >= {"torch", "torchvision", "triton", "nvidia-cublas"}
    assert all(re.match(r"torch|triton|nvidia-|cuda-", name) for name in left_out)
    assert not {"facenet-pytorch", "lightning-fabric", "pytorch-lightning"} & left_out
    gone = sum(LOCK.count(f"\n{name}==") for name in left_out)
    assert (
        len(re.findall(r"==\S+.*\\$", rest, re.M))
        == len(re.findall(r"==\S+.*\\$", LOCK, re.M)) - gone
    )
    assert set(re.findall(r"sha256:\w+", rest)) < set(re.findall(r"sha256:\w+", LOCK))


def test_without_a_card_pytorch_comes_first_in_the_locked_version_and_then_the_rest(asked):
    assert install.main("auto") == ""
    dry, wheels, rest = asked
    assert "--dry-run" in dry
    for words in (dry, wheels):
        assert words[words.index("--torch-backend") + 1] == "cpu"
        assert f"torch=={PINS['torch']}" in words
    assert "--require-hashes" in rest


@pytest.mark.parametrize("answers", [("no route", "", ""), ("", "broke off", "")])
def test_where_the_index_is_out_of_reach_auto_takes_the_lock_and_says_so(asked, capsys, answers):
    asked.answers = answers
    assert install.main("auto") == ""
    assert asked[-1][-1] == str(install.LOCK)
    assert capsys.readouterr().out.count("\n") == 1


def test_where_the_index_is_out_of_reach_cpu_says_what_to_do(asked):
    asked.answers = ("no route",)
    assert re.match(r"no route\n.*TORCH=locked make setup", install.main("cpu"))
    assert len(asked) == 1, "nothing else was installed"


@pytest.mark.parametrize(
    ("choice", "card", "system"),
    [
        ("locked", False, "linux"),
        ("auto", True, "linux"),
        ("auto", False, "darwin"),
        ("cpu", False, "win32"),
    ],
)
def test_the_lock_is_enough(asked, monkeypatch, choice, card, system):
    monkeypatch.setattr(install, "has_nvidia", lambda: card)
    monkeypatch.setattr(install.sys, "platform", system)
    assert install.main(choice) == ""
    assert [words[-1] for words in asked] == [str(install.LOCK)]


def test_a_misspelt_choice_is_refused(asked):
    assert install.main("gpu") == "TORCH is 'gpu'; use one of auto, cpu, locked."
    assert asked == []


def test_an_index_that_does_not_answer_is_not_waited_for(monkeypatch):
    def run(*command, timeout, **options):
        raise subprocess.TimeoutExpired(command, timeout)

    monkeypatch.setattr(install.subprocess, "run", run)
    assert install.uv("torch", limit=30) == "no answer in 30 s"


def test_make_hands_its_choice_on():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert re.search(r"^TORCH \?= auto$", makefile, re.MULTILINE)
    assert "install.py $(TORCH)" in makefile


def test_beside_colabs_torch_no_version_of_what_belongs_together_may_change(monkeypatch):
    ran = []

    def run(command, **options):
        if "--constraint" in command:
            stays = Path(command[command.index("--constraint") + 1]).read_text(encoding="utf-8")
            assert f"torch=={version('torch')}" in stays.splitlines()
            assert "numpy==" in stays
        ran.append(command)
        return subprocess.CompletedProcess(command, 0)

    monkeypatch.setattr(install.subprocess, "run", run)
    install.beside()
    course, faces = ran
    assert {"torch>=2.11", "matplotlib>=3.9", "ipywidgets>=8.1"} <= set(course)
    assert not any(re.match("jupyterlab|ipykernel|ray", word) for word in course)
    assert "--no-deps" in faces


def test_a_torch_that_is_too_old_is_said_not_replaced(monkeypatch):
    refused = subprocess.CompletedProcess((), 1)
    monkeypatch.setattr(install.subprocess, "run", lambda command, **_: refused)
    with pytest.raises(RuntimeError, match=r"does not go with torch==.*it asks for torch>=2\.11"):
        install.beside()
