"""fercourse: one paper on facial expression recognition, from its equations to a trained model.

Everything is imported on first use, so ``import fercourse`` costs nothing and needs no network.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

import fercourse.threads  # noqa: F401  (first: it must run before torch is imported)

__version__ = "0.1.0"

_HOME = {  # public name -> the module it lives in
    "Expression": "labels",
    "FercourseError": "errors",
    "ModelConfig": "config",
    "LossConfig": "config",
    "TrainConfig": "config",
    "DataConfig": "config",
    "RunConfig": "config",
    "preset": "config",
    "pretrained": "weights",
    "Faces": "datasets.base",
    "FaceDataset": "datasets.base",
    "load": "datasets.load",
    "FERNet": "models.fernet",
    "train": "training.run",
    "evaluate": "evaluation.predict",
    "load_model": "training.checkpoint",
}
__all__ = [
    "DataConfig",
    "Expression",
    "FERNet",
    "FaceDataset",
    "Faces",
    "FercourseError",
    "LossConfig",
    "ModelConfig",
    "RunConfig",
    "TrainConfig",
    "__version__",
    "evaluate",
    "load",
    "load_model",
    "preset",
    "pretrained",
    "train",
]

if TYPE_CHECKING:
    from fercourse.config import DataConfig, LossConfig, ModelConfig, RunConfig, TrainConfig, preset
    from fercourse.datasets.base import FaceDataset, Faces
    from fercourse.datasets.load import load
    from fercourse.errors import FercourseError
    from fercourse.evaluation.predict import evaluate
    from fercourse.labels import Expression
    from fercourse.models.fernet import FERNet
    from fercourse.training.checkpoint import load_model
    from fercourse.training.run import train
    from fercourse.weights import pretrained


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'fercourse' has no attribute {name!r}")
    return getattr(import_module(f"fercourse.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
