"""What ``make setup`` runs: the locked packages beside this Python, with PyTorch for this machine.

    .venv/bin/python install.py [auto | cpu | locked]

PyPI's wheels of PyTorch for Linux bring several gigabytes of CUDA libraries along. "cpu" takes
PyTorch's own wheels without them, in the locked version; everything else is the lock's, hash by
hash. "locked" takes all from the lock. "auto" is "cpu" on a Linux machine without an NVIDIA card,
and goes back to the lock where PyTorch's index cannot be reached. Elsewhere the locked wheels have
no CUDA libraries, and all three do the same. :func:`beside` is for Colab.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

LOCK = Path(__file__).with_name("requirements.lock")
CHOICES = ("auto", "cpu", "locked")
OWN = ("torch", "torchvision")
LESSONS = ("plots", "data", "explain", "shallow", "video")
"""The extras that notebooks use."""

STAYS = ("torch", "torchvision", "numpy", "pillow")
CUDA = re.compile(r"nvidia-|cuda-|triton$")
PATIENCE = {"UV_HTTP_RETRIES": "0", "UV_HTTP_TIMEOUT": "5", "UV_HTTP_CONNECT_TIMEOUT": "5"}
"""For asking whether the index answers: a machine that cannot reach it shall not wait."""


def split(lock: str) -> tuple[str, list[str]]:
    """A lock without PyTorch and its CUDA libraries, and PyTorch's own pins without hashes."""
    kept, pins = [], []
    for entry in re.findall(r"^\S.*\n(?:[ \t].*\n)*", lock, re.MULTILINE):
        name, _, version = entry.split()[0].partition("==")
        if name in OWN:
            pins.append(f"{name}=={version}")
        elif not CUDA.match(name):
            kept.append(entry)
    return "".join(kept), pins


def has_nvidia() -> bool:
    """Whether a driver of NVIDIA's is here, Windows' in WSL included."""
    return bool(
        shutil.which("nvidia-smi")
        or Path("/proc/driver/nvidia").exists()
        or Path("/usr/lib/wsl/lib/nvidia-smi").exists()
    )


def uv(*words: str, limit: float | None = None, **variables: str) -> str:
    """Run ``uv pip install`` for this Python; what went wrong, or nothing."""
    command = [sys.executable, "-m", "uv", "pip", "install", "--quiet", "--python", sys.executable]
    try:
        done = subprocess.run(
            [*command, *words],
            cwd=LOCK.parent,
            env=os.environ | variables,
            stderr=subprocess.PIPE,
            text=True,
            timeout=limit,
        )
    except subprocess.TimeoutExpired:
        return f"no answer in {limit:.0f} s"
    return (done.stderr.strip() or "uv gave no reason") if done.returncode else ""


def light() -> str:
    """Install with PyTorch's CPU wheels; what went wrong, or nothing."""
    rest, pins = split(LOCK.read_text(encoding="utf-8"))
    wheels = ["--no-deps", "--torch-backend", "cpu", *pins]
    wrong = uv("--dry-run", *wheels, limit=30, **PATIENCE) or uv("--compile-bytecode", *wheels)
    if wrong:
        return wrong
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rest.lock"
        path.write_text(rest, encoding="utf-8")
        # The lock is complete: nothing is resolved, or torch would be asked for its hash.
        return uv("--compile-bytecode", "--no-deps", "--require-hashes", "-r", str(path))


def locked() -> str:
    """Install all from the lock; what went wrong, or nothing."""
    return uv("--compile-bytecode", "--require-hashes", "-r", str(LOCK))


def beside() -> None:
    """Add what lessons import to the running Python, whose torch, numpy and Pillow must stay.

    They belong together on Colab, and a kernel may have imported them already.

    Raises:
        RuntimeError: pip finds no versions that go with them.
    """
    project = tomllib.loads(LOCK.with_name("pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    widgets = [r for r in extras["lab"] if r.startswith(("anywidget", "ipywidgets"))]
    wanted = [*project["dependencies"], *widgets, *(r for name in LESSONS for r in extras[name])]
    wanted.append("requests")  # of facenet-pytorch's own, which comes without them
    pip = [sys.executable, "-m", "pip", "install", "--quiet"]
    with tempfile.TemporaryDirectory() as folder:
        stays = Path(folder) / "stays.txt"
        stays.write_text("\n".join(_installed()), encoding="utf-8")
        done = subprocess.run([*pip, "--constraint", str(stays), *wanted])
    faces = [*pip, "--no-deps", *extras["faces"]]
    if done.returncode or subprocess.run(faces).returncode:
        raise RuntimeError(
            f"The course does not go with {', '.join(_installed())}: it asks for "
            f"{', '.join(r for r in wanted if r.startswith(STAYS))}. Use Binder, or install it."
        )


def _installed() -> list[str]:
    found = []
    for name in STAYS:
        try:
            found.append(f"{name}=={version(name)}")
        except PackageNotFoundError:  # then any version may come
            continue
    return found


def main(choice: str) -> str:
    """Install; a sentence where that failed."""
    if choice not in CHOICES:
        return f"TORCH is {choice!r}; use one of {', '.join(CHOICES)}."
    linux = sys.platform == "linux"
    if choice == "cpu" and linux:
        if wrong := light():
            return (
                f"{wrong}\nPyTorch's CPU wheels could not be installed; is its index reachable? "
                "TORCH=locked make setup takes PyPI's, which are larger."
            )
        return ""
    if choice == "auto" and linux and not has_nvidia():
        if not light():
            return ""
        print(
            "PyTorch's CPU wheels are out of reach: taking PyPI's, with CUDA libraries.", flush=True
        )
    return locked()


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]) or None)
