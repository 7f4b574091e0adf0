"""Run the tests as on a machine where nothing ran before: ``python tests/clean_room.py``.

Home, caches, settings, temporary folders and the folder of data sets are fresh and empty, below one
folder that is removed at the end: a test that needs what an earlier one left fails here. Then the
numeric tests run once more on torch's plainest kernels, which round as another processor would.

Arguments go to pytest, as in ``python tests/clean_room.py tests/losses -x``; the exit
status is pytest's. The tests on real FER2013 and CK+ need ``python -m pytest`` itself.
"""

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

FOLDERS = {
    "home": ("HOME", "USERPROFILE"),
    "local": ("APPDATA", "LOCALAPPDATA"),
    "tmp": ("TMPDIR", "TEMP", "TMP"),
    "cache": ("XDG_CACHE_HOME",),
    "config": ("XDG_CONFIG_HOME",),
    "share": ("XDG_DATA_HOME",),
    "state": ("XDG_STATE_HOME",),
    "run": ("XDG_RUNTIME_DIR",),
    "ray": ("RAY_TMPDIR",),
    "hub": ("HF_HOME",),
    "torch": ("TORCH_HOME",),
    "mpl": ("MPLCONFIGDIR",),
    "jupyter": ("JUPYTER_CONFIG_DIR",),
    "kernels": ("JUPYTER_DATA_DIR",),
    "connect": ("JUPYTER_RUNTIME_DIR",),
    "ipython": ("IPYTHONDIR",),
    "examples": ("HYPOTHESIS_STORAGE_DIRECTORY",),
    "data": ("FERCOURSE_DATA",),
    "decoded": ("FERCOURSE_CACHE",),
}
"""Each a folder of the room, and the variables that name it."""

FORGOTTEN = ("FERCOURSE_", "JUPYTER", "XDG_", "RAY_", "HF_", "TORCHINDUCTOR_")
"""A person's own settings: variables that begin so are unset."""


def environment(room: Path) -> dict[str, str]:
    """The variables of a process that shall see nothing but the installation and ``room``."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(FORGOTTEN)}
    for folder, names in FOLDERS.items():
        (room / folder).mkdir(mode=0o700)
        kept |= dict.fromkeys(names, str(room / folder))
    # Installed beside the packages, not left by a test.
    kept.setdefault("PLAYWRIGHT_BROWSERS_PATH", str(_caches() / "ms-playwright"))
    return kept | {"PYTHONDONTWRITEBYTECODE": "1"}


def _caches() -> Path:
    """Where ``playwright install`` puts a browser on this system."""
    if sys.platform == "win32":
        return Path(os.environ["LOCALAPPDATA"])
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")


def pytest(arguments: list[str], **variables: str) -> int:
    """Run pytest in a room of its own; its exit status."""
    short = None if os.name == "nt" else "/tmp"  # a socket's whole name has about 100 bytes
    with tempfile.TemporaryDirectory(prefix="fc-", dir=short, ignore_cleanup_errors=True) as room:
        command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *arguments]
        done = subprocess.run(command, cwd=ROOT, env=environment(Path(room)) | variables)
    return done.returncode


def main(arguments: list[str]) -> int:
    # Ctrl-C reaches pytest too, which ends its workers: wait for it, then clear up.
    signal.signal(signal.SIGINT, lambda *_: None)
    print("Tests, with fresh and empty homes, caches and temporary folders:", flush=True)
    if status := pytest(arguments):
        return status
    print("The numeric tests once more, on torch's plainest kernels:", flush=True)
    status = pytest(["-m", "numeric", *(arguments or ["tests"])], ATEN_CPU_CAPABILITY="default")
    nothing_numeric_named = arguments and status == 5
    return 0 if nothing_numeric_named else status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
