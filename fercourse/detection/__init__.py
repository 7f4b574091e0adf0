"""Finding faces in photographs and cutting them out (section 3.1).

Cut faces are uint8; :func:`fercourse.preprocess.normalise` makes them the network's input.
"""

from fercourse.detection.cropping import Box, Picture, crop, square, to_pil
from fercourse.detection.detector import LANDMARKS, Detection, FaceDetector, detect
from fercourse.detection.folder import crop_folder
from fercourse.detection.stages import StagedSearch, match

__all__ = [
    "LANDMARKS",
    "Box",
    "Detection",
    "FaceDetector",
    "Picture",
    "StagedSearch",
    "crop",
    "crop_folder",
    "detect",
    "match",
    "square",
    "to_pil",
]
