"""The paper's parts, one file each."""

from fercourse.modules.edge import EdgeBranch
from fercourse.modules.gcca import GCCA
from fercourse.modules.partial_decoder import PartialDecoder
from fercourse.modules.pooling import stochastic_pool
from fercourse.modules.reverse_attention import ReverseAttention

__all__ = ["GCCA", "EdgeBranch", "PartialDecoder", "ReverseAttention", "stochastic_pool"]
