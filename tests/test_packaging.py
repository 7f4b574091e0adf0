"""What is installed, and that each way of installing gives the same."""

import json
import os
import re
import subprocess
import sys
import tomllib

import bare
import pytest
import yaml
from conftest import ROOT

TOML = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PROJECT = TOML["project"]


def _declared() -> dict[str, str]:
    """Every requirement of the project, the extra of facenet-pytorch apart: name -> bound."""
    lists = [PROJECT["dependencies"]]
    lists += [v for k, v in PROJECT["optional-dependencies"].items() if k != "faces"]
    flat = [r for part in lists for r in part if not r.startswith("fercourse")]
    return dict(_split(r) for r in flat)


def _split(requirement: str) -> tuple[str, str]:
    name, bound = re.fullmatch(r"([\w.-]+)(.*)", requirement).groups()
    return name.lower(), bound


def test_environment_yml_asks_for_the_same_packages():
    environment = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
    *conda, pip = environment["dependencies"]
    assert dict(_split(r) for r in pip["pip"]) == _declared()
    assert f"python{PROJECT['requires-python']}" in conda
    faces = PROJECT["optional-dependencies"]["faces"][0]
    assert f"pip install --no-deps {faces}" in (ROOT / "environment.yml").read_text("utf-8")


def test_pixi_asks_for_the_same_packages():
    pixi = tomllib.loads((ROOT / "pixi.toml").read_text(encoding="utf-8"))
    packages = pixi["pypi-dependencies"]
    assert packages.pop("fercourse") == {"path": ".", "editable": True}
    asked = {}
    for name, bound in packages.items():
        extras = f"[{','.join(bound['extras'])}]" if isinstance(bound, dict) else ""
        asked |= [_split(f"{name}{extras}{bound['version'] if extras else bound}")]
    faces = dict(map(_split, PROJECT["optional-dependencies"]["faces"]))
    assert asked == _declared() | faces
    assert pixi["dependencies"] == {"python": PROJECT["requires-python"]}
    overrides = pixi["pypi-options"]["dependency-overrides"]
    assert overrides == dict(map(_split, TOML["tool"]["uv"]["override-dependencies"]))


def test_binder_and_the_dev_container_install_as_make_setup_does():
    binder = yaml.safe_load((ROOT / "binder" / "environment.yml").read_text(encoding="utf-8"))
    python = binder["dependencies"][0].removeprefix("python=")
    assert "\npython install.py auto\n" in (ROOT / "binder" / "postBuild").read_text("utf-8")
    container = json.loads((ROOT / ".devcontainer" / "devcontainer.json").read_text("utf-8"))
    assert container["postCreateCommand"] == "make setup"
    docker = (ROOT / ".devcontainer" / container["build"]["dockerfile"]).read_text("utf-8")
    assert docker.startswith(f"FROM python:{python}-"), "one Python for both"
    low, high = re.fullmatch(r">=3\.(\d+),<3\.(\d+)", PROJECT["requires-python"]).groups()
    assert int(low) <= int(python.removeprefix("3.")) < int(high)


def test_lock_has_every_package_with_hashes_and_names_no_index():
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    pins = re.findall(r"^([\w.-]+)(?:\[[\w,-]+\])?==(\S+).*\\\n +--hash=sha256:", lock, re.M)
    names = {name.lower() for name, _ in pins}
    assert names >= _declared().keys() | {"facenet-pytorch"}
    assert not re.search(r"https?://|--index|--find-links", lock)
    starts = re.findall(r"^[\w.-]+(?:\[[\w,-]+\])?==", lock, re.M)
    assert len(starts) == len(pins), "a pin has no hash"


def test_version_is_the_same_everywhere():
    import fercourse

    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert fercourse.__version__ == PROJECT["version"] == citation["version"]


def test_import_is_light_and_offline():
    """A bare GPU machine trains: no plotting, notebook or detector package is imported for it."""
    heavy = ("matplotlib", "seaborn", "facenet_pytorch", "pytorch_grad_cam", "ipywidgets")
    code = (
        "import socket, sys\n"
        "def refuse(*a, **k): raise AssertionError('network at import')\n"
        "socket.socket.connect = refuse\n"
        "import fercourse\n"
        "assert 'torch' not in sys.modules, 'torch at import'\n"
        "fercourse.train, fercourse.evaluate, fercourse.load, fercourse.FERNet\n"
        f"print([name for name in {heavy!r} if name in sys.modules])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "[]"


@pytest.mark.slow
def test_a_run_needs_nothing_but_the_dependencies(tmp_path):
    """Whatever else is installed here is hidden from the command, and from its workers."""
    bare.only(bare.with_needs(PROJECT["dependencies"]), tmp_path)
    words = "run table1 --data synthetic --preset smoke --models 6 --seeds 1 --epochs 1 --jobs 1"
    small = ["--set", "model.width=0.0625", "--set", "data.count=70", "--ledger", "l.jsonl"]
    path = os.pathsep.join((str(tmp_path), str(ROOT)))
    done = subprocess.run(
        [sys.executable, "-c", "from fercourse.cli import main; main()", *words.split(), *small],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": path, "FERCOURSE_CACHE": str(tmp_path / "cache")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "1 of 1 are done" in done.stdout
    hidden = subprocess.run(
        [sys.executable, "-c", "import matplotlib"],
        env=os.environ | {"PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "No module named 'matplotlib'" in hidden.stderr, "nothing was hidden"


def test_predicting_imports_only_what_it_uses(tmp_path):
    """None of these is needed for it, and scikit-learn takes about as long to import as torch."""
    from PIL import Image

    from fercourse.datasets.synthetic import draw

    heavy = ("sklearn", "pandas", "scipy", "matplotlib", "seaborn", "lightning_fabric", "IPython")
    Image.fromarray(draw("happy").image).save(tmp_path / "face.png")
    weights = ROOT / "fercourse" / "weights" / "synthetic-model6.safetensors"
    code = (
        "import sys\n"
        "from fercourse.cli import main\n"
        f"sys.argv[1:] = ['predict', 'face.png', '--weights', {str(weights)!r}, '--json']\n"
        "try: main()\n"
        "except SystemExit as end: assert not end.code, end\n"
        f"print([name for name in {heavy!r} if name in sys.modules])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "[]"
    assert '"box"' in done.stdout, "a face was found, so all of predict ran"
