"""Which device to compute on, and whether its bfloat16 is worth using."""

from __future__ import annotations

import torch


def best_device() -> torch.device:
    """CUDA where there is one, else Apple's MPS, else the CPU."""
    if torch.cuda.is_available():
        return torch.device("cuda")
    if torch.backends.mps.is_available():
        return torch.device("mps")
    return torch.device("cpu")


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
