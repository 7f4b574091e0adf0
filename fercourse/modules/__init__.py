"""The paper's parts, one file each, and what can stand in GCCA's place."""

from fercourse.modules.channel_attention import ChannelAttention
from fercourse.modules.edge import EdgeBranch
from fercourse.modules.gcca import GCCA
from fercourse.modules.partial_decoder import PartialDecoder
from fercourse.modules.pooling import stochastic_pool
from fercourse.modules.relatives import CBAM, ECA, SE
from fercourse.modules.reverse_attention import ReverseAttention

__all__ = [
    "CBAM",
    "ECA",
    "GCCA",
    "SE",
    "ChannelAttention",
    "EdgeBranch",
    "PartialDecoder",
    "ReverseAttention",
    "stochastic_pool",
]
