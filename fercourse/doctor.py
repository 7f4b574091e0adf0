"""``fercourse doctor``: is everything here that the course needs, and if not, what to do.

Each item looks for itself and imports what it needs inside, so that a broken installation still
gets its report; an item that fails in an unforeseen way says how.
"""

from __future__ import annotations

import os
import platform
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import metadata
from importlib.metadata import version
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch
    from packaging.requirements import Requirement

GB = 1e9


@dataclass(frozen=True)
class Check:
    """One item of the report.

    Attributes:
        name: What was looked for.
        ok: True, False where something needed is missing, None where only an option is.
        found: What is there.
        advice: What to do where it is not.
    """

    name: str
    ok: bool | None
    found: str
    advice: str = ""

    def __str__(self) -> str:
        mark = {True: "OK", False: "FAIL", None: "--"}[self.ok]
        line = f"{mark:4}  {self.name:16}  {self.found}"
        return f"{line}\n{'':24}{self.advice}" if self.advice else line


def examine() -> list[Check]:
    """Look at every item, in the order a newcomer would put them right."""
    items: tuple[Callable[[], Iterator[Check]], ...] = (
        _python,
        _packages,
        _device,
        _memory,
        _disk,
        _data,
        _kernel,
        _extras,
    )
    return [check for item in items for check in _guarded(item)]


def doctor() -> None:
    """Check Python, packages, device, memory, disk, data and notebook kernel: OK or FAIL each."""
    checks = examine()
    for check in checks:
        print(check)
    failed = [check.name for check in checks if check.ok is False]
    print(f"\nFAIL: {', '.join(failed)}." if failed else "\nEverything needed is here.")
    if failed:
        sys.exit(1)


def _guarded(item: Callable[[], Iterator[Check]]) -> Iterator[Check]:
    try:
        yield from item()
    except Exception as error:  # the report must reach its end on a broken machine
        name = item.__name__.strip("_")
        yield Check(name, False, f"{type(error).__name__}: {error}", "Run `make setup` again.")


def _python() -> Iterator[Check]:
    found = f"{platform.python_version()}, {platform.system()} {platform.machine()}"
    ok = (3, 11) <= sys.version_info < (3, 15)
    yield Check("python", ok, found, "" if ok else "fercourse needs Python 3.11 to 3.14.")


def _packages() -> Iterator[Check]:
    for need in _requirements():
        yield _package(need, False, f"Run `make setup`, or: pip install '{_name(need)}'")


def _extras() -> Iterator[Check]:
    """Packages that only parts of the course use."""
    for extra, use in (
        ("plots", "figures"),
        ("data", "downloads and parquet"),
        ("explain", "Grad-CAM"),
    ):
        for need in _requirements(extra):
            yield _package(need, None, f"For {use}: pip install '{_name(need)}'")
    for need in _requirements("faces"):
        # It pins an old torch, so it must come without its dependencies.
        advice = f"For finding faces: pip install requests; pip install --no-deps {_name(need)}"
        yield _package(need, None, advice)


def _requirements(extra: str = "") -> list[Requirement]:
    """What fercourse needs, or what one of its extras adds."""
    from packaging.requirements import Requirement

    needs = [Requirement(line) for line in metadata.requires("fercourse") or ()]
    return [
        need
        for need in needs
        if (need.marker.evaluate({"extra": extra}) if need.marker else not extra)
    ]


def _package(need: Requirement, otherwise: bool | None, advice: str) -> Check:
    try:
        version = metadata.version(need.name)
    except metadata.PackageNotFoundError:
        return Check(need.name, otherwise, "not installed", advice)
    if not need.specifier.contains(version, prereleases=True):
        return Check(need.name, otherwise, f"{version}, but {need.specifier} is needed", advice)
    return Check(need.name, True, version)


def _name(need: Requirement) -> str:
    return f"{need.name}{need.specifier}"


def _device() -> Iterator[Check]:
    import torch
    import torchvision  # noqa: F401  a build for another torch fails here

    from fercourse.device import best_device, cuda_works, native_bf16

    device = best_device()
    yield Check("device", True, _describe(device))
    if torch.cuda.is_available() and not cuda_works():
        found = f"this PyTorch was not built for {torch.cuda.get_device_name()}"
        advice = "Install a build that was: pytorch.org says which."
        yield Check("GPU", None, found, advice)
    if device.type == "mps":
        yield Check("bf16", None, "not used on MPS", "Training uses float32 here.")
        return
    slow, fast = (_rate(device, dtype) for dtype in (torch.float32, torch.bfloat16))
    speed = f"matrix product {fast:.2g} Tflop/s, float32 {slow:.2g}"
    if native_bf16(device):
        yield Check("bf16", True, f"in hardware; {speed}")
    else:
        yield Check("bf16", None, f"not in hardware; {speed}", "Training uses float32 here.")


def _describe(device: torch.device) -> str:
    import torch

    if device.type == "cuda":
        card = torch.cuda.get_device_properties(device)
        more = f", {torch.cuda.device_count()} of them" if torch.cuda.device_count() > 1 else ""
        return f"CUDA: {card.name}, {card.total_memory / GB:.0f} GB{more}"
    cores = f"{os.cpu_count()} cores, torch uses {torch.get_num_threads()}"
    return f"Apple MPS; CPU of {cores}" if device.type == "mps" else f"CPU of {cores}"


def _rate(device: torch.device, dtype: torch.dtype, side: int = 1024) -> float:
    """Tflop/s of a square matrix product, the best of five."""
    import torch

    def finish() -> None:
        if device.type == "cuda":
            torch.cuda.synchronize()

    a = torch.randn(side, side, device=device).to(dtype)
    times = []
    for _ in range(6):  # the first one warms up
        finish()
        start = time.perf_counter()
        a @ a
        finish()
        times.append(time.perf_counter() - start)
    return 2 * side**3 / min(times[1:]) / 1e12


def _memory() -> Iterator[Check]:
    total = _total_memory()
    if total is None:
        yield Check("memory", None, "unknown", "Training at 48 pixels needs about 4 GB.")
        return
    ok = total >= 3.5 * GB  # sold as 4
    advice = "" if ok else "Close other programs and train with a smaller batch_size and width."
    yield Check("memory", ok, f"{total / GB:.1f} GB", advice)


def _total_memory() -> int | None:
    try:
        import psutil  # comes with Jupyter, not with a bare installation
    except ImportError:
        if not hasattr(os, "sysconf"):
            return None  # Windows
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return psutil.virtual_memory().total


def _disk() -> Iterator[Check]:
    free = shutil.disk_usage(os.getcwd()).free
    ok = free >= 2 * GB
    advice = "" if ok else "Checkpoints and decoded images need about 2 GB here: make room."
    yield Check("disk", ok, f"{free / GB:.1f} GB free in this folder", advice)


def _data() -> Iterator[Check]:
    yield Check("data: synthetic", True, "built in")
    from fercourse.datasets.registry import on_disk

    for name in on_disk():
        yield _data_set(name)


def _data_set(name: str) -> Check:
    from fercourse.datasets.load import load
    from fercourse.errors import FercourseError

    item = f"data: {name}"
    try:
        dataset = load(name)
    except FercourseError as error:  # absent or unreadable; the sentence says which, and what to do
        return Check(item, None, "not found or not readable", str(error))
    total = sum(len(split) for split in dataset.splits.values())
    where = dataset.report.source if dataset.report else "?"
    notes = " ".join(dataset.report.notes) if dataset.report else ""
    found = f"{total} faces in {where}, fingerprint {dataset.fingerprint[:12]}"
    return Check(item, True, found, notes)


def _kernel() -> Iterator[Check]:
    advice = "For the notebooks: run `make setup`, or: pip install jupyterlab 'ipykernel<7'"
    try:
        from jupyter_client.kernelspec import KernelSpecManager

        kernel = version("ipykernel")
    except ImportError as error:  # PackageNotFoundError is one
        yield Check("kernel", None, str(error), advice)
        return
    specs = KernelSpecManager().get_all_specs()
    for name, found in specs.items():
        folder, program = os.path.split(found["spec"]["argv"][0])
        # jupyter_client starts a bare "python" with its own interpreter.
        here = os.path.normcase(folder) in ("", os.path.normcase(os.path.dirname(sys.executable)))
        if here and program.startswith("python"):
            old = int(kernel.split(".")[0]) < 7
            advice = "" if old else "It may stand still at Run All: pip install 'ipykernel<7'"
            said = f"{name!r}, ipykernel {kernel}"
            yield Check("kernel", True if old else None, said, advice)
            return
    yield Check(
        "kernel",
        None,
        f"none of {', '.join(specs) or 'no kernels'} runs {sys.executable}",
        "Run: python -m ipykernel install --sys-prefix",
    )


if __name__ == "__main__":
    doctor()
