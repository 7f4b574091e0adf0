"""What ``make setup`` runs: the locked packages into ``.venv``, with PyTorch for this machine.

    python install.py [auto | cpu | locked]

PyPI's wheels of PyTorch for Linux bring several gigabytes of CUDA libraries along. "cpu" takes
PyTorch's own wheels without them, in the locked version; everything else is the lock's, hash by
hash. "locked" takes all from the lock. "auto" is "cpu" on a Linux machine without an NVIDIA card,
and goes back to the lock where PyTorch's index cannot be reached. Elsewhere the locked wheels have
no CUDA libraries, and all three do the same.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

LOCK = Path(__file__).with_name("requirements.lock")
CHOICES = ("auto", "cpu", "locked")
OWN = ("torch", "torchvision")
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
    """Run ``uv pip install`` on ``.venv``; what went wrong, or nothing."""
    command = [sys.executable, "-m", "uv", "pip", "install", "--quiet", "--python", ".venv"]
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
