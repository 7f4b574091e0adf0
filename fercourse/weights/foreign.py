"""Files that are taken for weights and are none of PyTorch's: what they are, and what to do."""

from __future__ import annotations

import zipfile
from pathlib import Path

from fercourse.files import stands_in

_BEGINNINGS = (
    (b"\x89HDF\r\n\x1a\n", "HDF5, as Keras writes it (.h5): of another framework than PyTorch"),
    (b"\x93NUMPY", "an array of numpy"),
    (b"GGUF", "GGUF, weights of a language model"),
    (b"\x08\x07\x12", "ONNX, which fercourse writes and does not read"),
    (b"\x08\x08\x12", "ONNX, which fercourse writes and does not read"),
)


def foreign(path: Path) -> str:
    """What a file is that is neither safetensors nor a checkpoint; "" if it may be one."""
    with path.open("rb") as file:
        head = file.read(64)
    if not head:
        return "the file is empty"
    if instead := stands_in(head):
        return instead
    if head[4:8] == b"TFL3":
        return "TensorFlow Lite: of another framework than PyTorch"
    for begin, name in _BEGINNINGS:
        if head.startswith(begin):
            return name
    if head.startswith(b"PK"):
        return _packed(path)
    return ""


def _packed(path: Path) -> str:
    """What a zip is that ``torch.save`` did not write."""
    try:
        with zipfile.ZipFile(path) as file:
            names = {name.rpartition("/")[2] for name in file.namelist()}
    except (OSError, zipfile.BadZipFile, ValueError):
        return "a damaged or half-written file: copy or download it again"
    if "model.weights.h5" in names or {"metadata.json", "config.json"} <= names:
        return "a model of Keras: of another framework than PyTorch"
    if "constants.pkl" in names:
        return "TorchScript, a program: store the network's state_dict() instead"
    if "data.pkl" not in names:
        return "a zip, and no checkpoint of torch.save: unpack it and name the file inside"
    return ""
