"""Finding faces in photographs and cutting them out (section 3.1).

Cut faces are uint8; :func:`fercourse.preprocess.normalise` makes them the network's input.
"""

from fercourse.detection.aligning import align
from fercourse.detection.cropping import Box, crop, square
from fercourse.detection.detector import LANDMARKS, Detection, FaceDetector, detect
from fercourse.detection.folder import crop_folder
from fercourse.detection.stages import StagedSearch, match
from fercourse.images import Picture, to_pil

__all__ = [
    "LANDMARKS",
    "Box",
    "Detection",
    "FaceDetector",
    "Picture",
    "StagedSearch",
    "align",
    "crop",
    "crop_folder",
    "detect",
    "match",
    "square",
    "to_pil",
]
