"""Which device to compute on, and whether its bfloat16 is worth using."""

from __future__ import annotations

import os
import re

import torch

from fercourse.errors import FercourseError


def best_device() -> torch.device:
    """CUDA where there is one that computes, else Apple's MPS, else the CPU."""
    if cuda_works():
        return torch.device("cuda")
    if torch.backends.mps.is_available():
        return torch.device("mps")
    return torch.device("cpu")


def find_device(name: str | torch.device | None = "auto") -> torch.device:
    """The device that "auto", "cpu", "cuda", "cuda:1" or "mps" stands for here, in any case.

    Raises:
        FercourseError: This machine has no such device.
    """
    if name is None:
        return best_device()
    word = str(name).strip().lower()
    kind = word.partition(":")[0]
    if word == "auto":
        return best_device()
    there = {"cpu": True, "cuda": cuda_works(), "mps": torch.backends.mps.is_available()}
    if kind == "cuda" and torch.cuda.is_available() and not there["cuda"]:
        major, minor = torch.cuda.get_device_capability()
        raise FercourseError(
            f"This PyTorch was not built for {torch.cuda.get_device_name()} (compute capability "
            f"{major}.{minor}): install a build that was (pytorch.org says which), or use the CPU."
        )
    try:
        found = torch.device(word)
    except RuntimeError:
        found = None
    beyond = (
        kind == "cuda"
        and found is not None
        and (found.index or 0) >= max(1, torch.cuda.device_count())
    )
    if found is None or not there.get(kind) or beyond:
        usable = ", ".join(n for n, is_there in there.items() if is_there)
        raise FercourseError(
            f"There is no device {str(name)!r} here; use auto or one of: {usable}."
        )
    return found


def cuda_works() -> bool:
    """Whether there is a CUDA device, and this PyTorch was built for it.

    ``torch.cuda.is_available`` only asks the driver. A card that the build leaves out, mostly an
    old one, finds no kernel, and its first computation fails.
    """
    if not torch.cuda.is_available():
        return False
    if torch.version.hip:  # AMD's have other names, and no such gap
        return True
    return any(map(_runs, torch.cuda.get_arch_list()))


def _runs(built_for: str) -> bool:
    """Whether this card runs what was built for "sm_86", or can compile "compute_90"."""
    kind, _, number = built_for.partition("_")
    digits = re.findall(r"^\d+", number)[0]  # "90a" is 9.0 too
    wanted = int(digits[:-1]), int(digits[-1])
    card = torch.cuda.get_device_capability()
    return wanted <= card and (kind == "compute" or wanted[0] == card[0])


def visible_gpus() -> list[str]:
    """CUDA's devices, named as the environment variable CUDA_VISIBLE_DEVICES does."""
    count = torch.cuda.device_count()
    named = os.environ.get("CUDA_VISIBLE_DEVICES")
    return (
        [name.strip() for name in named.split(",")][:count] if named else [*map(str, range(count))]
    )


def native_bf16(device: torch.device) -> bool:
    """Whether ``device`` multiplies bfloat16 in hardware; emulated, it is slower than float32.

    CUDA from compute capability 8.0 (Ampere) on; x86 CPUs with AVX-512 BF16 or AMX. MPS and other
    CPUs answer no: they accept bfloat16, but float32 is the safe choice there.
    """
    if device.type == "cuda":
        return torch.cuda.get_device_capability(device) >= (8, 0)
    if device.type == "cpu":
        # Private in torch, and renamed once already: without a probe, float32 it is.
        probes = ("_is_avx512_bf16_supported", "_is_amx_tile_supported")
        return any(getattr(torch.cpu, name, bool)() for name in probes)
    return False
