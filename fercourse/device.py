"""Which device to compute on, and whether its bfloat16 is worth using."""

from __future__ import annotations

import os
import re

import torch


def best_device() -> torch.device:
    """CUDA where there is one that computes, else Apple's MPS, else the CPU."""
    if cuda_works():
        return torch.device("cuda")
    if torch.backends.mps.is_available():
        return torch.device("mps")
    return torch.device("cpu")


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
