"""Bad weather: what the paper's introduction asks for and never measures, and what is said to help.

Corruptions at five severities in the manner of ImageNet-C (Hendrycks and Dietterich, *Benchmarking
Neural Network Robustness to Common Corruptions and Perturbations*, ICLR 2019), and cures.
"""

from fercourse.weather.corrupt import CORRUPTIONS, SEVERITIES, Corruption, corrupt
from fercourse.weather.cures import CURES, cure
from fercourse.weather.fog import fog

__all__ = ["CORRUPTIONS", "CURES", "SEVERITIES", "Corruption", "corrupt", "cure", "fog"]
