"""The backbone and the framework."""

from fercourse.models.fernet import FERNet, Output
from fercourse.models.vgg import VGG16Backbone

__all__ = ["FERNet", "Output", "VGG16Backbone"]
