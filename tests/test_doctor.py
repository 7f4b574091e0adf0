"""The report names what is there, and what is missing never ends it."""

import os
import subprocess
import sys
from collections import namedtuple
from importlib import metadata

import pytest
import torch

from fercourse import FercourseError, device, doctor
from fercourse.device import find_device
from fercourse.doctor import Check, examine

Usage = namedtuple("Usage", "total used free")


@pytest.fixture
def no_data(monkeypatch):
    """Data sets are not the matter here, and reading them takes time."""

    def load(name):
        raise FercourseError(f"No {name} was found.")

    import fercourse.datasets.load

    monkeypatch.setattr(fercourse.datasets.load, "load", load)


def named(checks: list[Check]) -> dict[str, Check]:
    names = [check.name for check in checks]
    assert len(names) == len(set(names))
    return dict(zip(names, checks, strict=True))


def test_this_installation_is_sound(no_data):
    checks = named(examine())
    assert checks["python"].ok is True
    for package in ("torch", "torchvision", "numpy", "lightning-fabric", "typer"):
        assert checks[package].ok is True
        assert checks[package].found == metadata.version(package)
    for item in ("device", "memory", "disk", "data: synthetic"):
        assert checks[item].ok is True, checks[item]
    assert "bf16" in checks
    assert "kernel" in checks
    assert "facenet-pytorch" in checks
    assert "grad-cam" in checks


def test_missing_data_and_extras_are_notes_with_advice(no_data, monkeypatch):
    real = metadata.version

    def version(name):
        if name in ("grad-cam", "facenet-pytorch"):
            raise metadata.PackageNotFoundError(name)
        return real(name)

    monkeypatch.setattr(doctor.metadata, "version", version)
    checks = named(examine())
    assert checks["data: fer2013"] == Check(
        "data: fer2013", None, "not found or not readable", "No fer2013 was found."
    )
    assert checks["grad-cam"].ok is None
    assert "pip install 'grad-cam>=" in checks["grad-cam"].advice
    assert "--no-deps facenet-pytorch==2.6.0" in checks["facenet-pytorch"].advice
    assert not any(check.ok is False for check in checks.values())


def test_a_kernel_that_may_stand_still_is_named(no_data, monkeypatch):

    assert named(examine())["kernel"].ok is True
    monkeypatch.setattr("fercourse.doctor.version", lambda name: "7.4.0")
    kernel = named(examine())["kernel"]
    assert kernel.ok is None
    assert "pip install 'ipykernel<7'" in kernel.advice


def test_old_or_missing_packages_fail_and_the_command_exits_with_1(no_data, monkeypatch, capsys):
    real = metadata.version

    def version(name):
        if name == "safetensors":
            raise metadata.PackageNotFoundError(name)
        return "1.9" if name == "numpy" else real(name)

    monkeypatch.setattr(doctor.metadata, "version", version)
    with pytest.raises(SystemExit) as stop:
        doctor.doctor()
    assert stop.value.code == 1
    lines = capsys.readouterr().out.splitlines()
    assert any(line.startswith("FAIL  numpy") and "1.9, but >=2" in line for line in lines)
    assert any(line.startswith("FAIL  safetensors") and "not installed" in line for line in lines)
    assert sum("pip install 'numpy>=2'" in line for line in lines) == 1
    assert lines[-1] == "FAIL: numpy, safetensors."


def test_all_well_ends_without_an_error(monkeypatch, capsys):
    monkeypatch.setattr(doctor, "examine", lambda: [Check("a", True, "b"), Check("c", None, "d")])
    doctor.doctor()
    out = capsys.readouterr().out
    assert out.startswith("OK    a")
    assert "--    c" in out
    assert out.endswith("Everything needed is here.\n")


def test_little_memory_and_disk_fail(monkeypatch, no_data):
    monkeypatch.setattr(doctor, "_total_memory", lambda: int(2e9))
    monkeypatch.setattr(doctor.shutil, "disk_usage", lambda _: Usage(10, 10, int(1e9)))
    assert [(c.name, c.ok) for c in doctor._memory()] == [("memory", False)]
    assert [(c.name, c.ok) for c in doctor._disk()] == [("disk", False)]
    monkeypatch.setattr(doctor, "_total_memory", lambda: None)
    assert next(doctor._memory()).ok is None


def test_an_item_that_breaks_does_not_end_the_report(monkeypatch, no_data):
    def memory():
        raise OSError("no such counter")

    monkeypatch.setattr(doctor, "_total_memory", memory)
    checks = named(examine())
    assert checks["memory"].ok is False
    assert "no such counter" in checks["memory"].found
    assert "disk" in checks


def test_without_torch_the_report_still_comes():
    """A half-made installation: import of torch fails, everything else is told."""
    code = "import sys; sys.modules['torch'] = None\nimport fercourse.doctor as d; d.doctor()"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 1, done.stderr
    assert "FAIL  device" in done.stdout
    assert "OK    python" in done.stdout
    assert "OK    disk" in done.stdout


def test_real_data_sets_show_their_fingerprint(fer2013_zip, monkeypatch):
    monkeypatch.setenv("FERCOURSE_DATA", str(fer2013_zip.parent))
    check = doctor._data_set("fer2013")
    assert check.ok is True
    assert check.found.startswith("35887 faces in ")
    assert "fingerprint " in check.found


def test_data_sets_are_looked_for_where_load_looks(tmp_path, monkeypatch):
    (tmp_path / "fer2013.csv").write_text("this is no data set\n")
    monkeypatch.setenv("FERCOURSE_DATA", str(tmp_path))
    check = doctor._data_set("fer2013")
    assert check.ok is None
    assert os.fspath(tmp_path) in check.advice


def test_best_device_prefers_cuda_then_mps_then_cpu(monkeypatch):
    for cuda, mps, expected in (
        (True, True, "cuda"),
        (False, True, "mps"),
        (False, False, "cpu"),
    ):
        monkeypatch.setattr(device, "cuda_works", lambda cuda=cuda: cuda)
        monkeypatch.setattr(torch.backends.mps, "is_available", lambda mps=mps: mps)
        assert device.best_device() == torch.device(expected)


def card(monkeypatch, capability, built):
    """As if this machine had a card, and torch was built for some."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda *_: capability)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda *_: "NVIDIA Some Card")
    monkeypatch.setattr(torch.cuda, "get_arch_list", lambda: built)
    monkeypatch.setattr(torch.version, "hip", None)


@pytest.mark.parametrize(
    ("capability", "built", "works"),
    [
        ((6, 1), ["sm_75", "sm_80", "sm_90"], False),
        ((8, 6), ["sm_75", "sm_80", "sm_90"], True),  # 8.0's kernels run on 8.6
        ((8, 0), ["sm_75", "sm_86", "sm_90"], False),  # and not the other way round
        ((9, 0), ["sm_90a"], True),
        ((12, 0), ["sm_90", "compute_90"], True),  # compiled when first needed
        ((12, 0), ["sm_90"], False),
        ((10, 3), ["sm_100"], True),
    ],
)
def test_a_card_that_torch_was_not_built_for_is_not_taken(monkeypatch, capability, built, works):
    card(monkeypatch, capability, built)
    assert device.cuda_works() is works
    assert (device.best_device().type == "cuda") is works
    if not works:
        with pytest.raises(FercourseError, match=r"not built for NVIDIA Some Card \(compute"):
            find_device("cuda")


def test_the_doctor_says_why_a_card_is_not_taken(monkeypatch):
    card(monkeypatch, (6, 1), ["sm_75"])
    found = {check.name: check for check in doctor._device()}
    assert found["device"].found.startswith(("CPU", "Apple"))
    assert found["GPU"].ok is None
    assert "not built for NVIDIA Some Card" in found["GPU"].found


def test_gpus_are_called_as_the_environment_calls_them(monkeypatch):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    assert device.visible_gpus() == ["0", "1"]
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3, GPU-5ab")
    assert device.visible_gpus() == ["3", "GPU-5ab"]


@pytest.mark.parametrize(
    ("avx", "amx", "native"),
    [(False, False, False), (True, False, True), (False, True, True)],
)
def test_bf16_on_a_cpu_means_an_instruction_for_it(monkeypatch, avx, amx, native):
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: avx, raising=False)
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: amx, raising=False)
    assert device.native_bf16(torch.device("cpu")) is native


def test_bf16_without_torchs_probes_is_float32(monkeypatch):
    monkeypatch.delattr(torch.cpu, "_is_avx512_bf16_supported", raising=False)
    monkeypatch.delattr(torch.cpu, "_is_amx_tile_supported", raising=False)
    assert device.native_bf16(torch.device("cpu")) is False


@pytest.mark.parametrize(
    ("capability", "native"), [((7, 5), False), ((8, 0), True), ((9, 0), True)]
)
def test_bf16_on_cuda_starts_with_ampere(monkeypatch, capability, native):
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda _: capability)
    assert device.native_bf16(torch.device("cuda")) is native
    assert device.native_bf16(torch.device("mps")) is False
