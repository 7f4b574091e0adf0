"""Figures and explorers are found by name, again and again, and import nothing before they are."""

import ast
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest


@pytest.mark.parametrize("package", ["fercourse", "fercourse.plots", "fercourse.widgets"])
def test_every_name_stays_what_it_is(package):
    shelf = import_module(package)
    stub = ast.parse(Path(shelf.__file__).with_suffix(".pyi").read_text(encoding="utf-8"))
    homes = {
        entry.name: line.module
        for line in stub.body
        if isinstance(line, ast.ImportFrom)
        for entry in line.names
    }
    for name, home in homes.items():
        import_module(f"{package}.{home}")  # which could put a module in the name's place
        for _ in range(2):
            assert callable(getattr(shelf, name)), f"{package}.{name} is hidden by a module"
    assert set(shelf.__all__) - {"__version__"} == set(homes)


def test_importing_is_light():
    heavy = "matplotlib", "ipywidgets", "torch", "facenet_pytorch", "pytorch_grad_cam", "jupytext"
    code = f"import fercourse, sys; print([m for m in {heavy} if m in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
