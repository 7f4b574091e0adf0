"""The backbone, the framework and its rivals."""

from fercourse.models.build import build
from fercourse.models.fernet import FERNet
from fercourse.models.recogniser import Output, Recogniser
from fercourse.models.vgg import VGG16Backbone

__all__ = ["FERNet", "Output", "Recogniser", "VGG16Backbone", "build"]
