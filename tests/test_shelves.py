"""Figures and explorers are found by name, again and again, and import nothing before they are."""

import subprocess
import sys
from importlib import import_module

import pytest


@pytest.mark.parametrize("package", ["fercourse", "fercourse.plots", "fercourse.widgets"])
def test_every_name_stays_what_it_is(package):
    shelf = import_module(package)
    for name, home in shelf._HOME.items():
        import_module(f"{package}.{home}")  # which could put a module in the name's place
        for _ in range(2):
            assert callable(getattr(shelf, name)), f"{package}.{name} is hidden by a module"
    assert set(shelf.__all__) - {"__version__"} == set(shelf._HOME)


def test_importing_is_light():
    heavy = "matplotlib", "ipywidgets", "torch", "facenet_pytorch", "pytorch_grad_cam", "jupytext"
    code = f"import fercourse, sys; print([m for m in {heavy} if m in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
