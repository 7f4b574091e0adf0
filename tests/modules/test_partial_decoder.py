"""The partial decoder against the published cascade, written here."""

import pytest
import torch
from tolerances import SUM
from torch import nn

from fercourse.modules import PartialDecoder

pytestmark = pytest.mark.numeric


def test_partial_decoder_is_the_published_cascade():
    """The aggregation of Wu et al. written out again, on the decoder's own convolutions."""
    torch.manual_seed(0)
    decoder = PartialDecoder((24, 32, 40), outputs=8).eval()
    c3, c4, c5 = torch.rand(2, 24, 11, 9), torch.rand(2, 32, 5, 4), torch.rand(2, 40, 2, 2)

    def up(x, size):
        return nn.functional.interpolate(x, size=size, mode="bilinear")

    d = decoder
    with torch.no_grad():
        x1, x2, x3 = d.reduce5(c5), d.reduce4(c4), d.reduce3(c3)
        x2_1 = d.gate5_to4(up(x1, (5, 4))) * x2
        x3_1 = d.gate5_to3(up(x1, (11, 9))) * d.gate4_to3(up(x2, (11, 9))) * x3
        x2_2 = d.merge4(torch.cat([x2_1, d.carry5(up(x1, (5, 4)))], 1))
        x3_2 = d.merge3(torch.cat([x3_1, d.carry4(up(x2_2, (11, 9)))], 1))
        features, region = decoder(c3, c4, c5)
        torch.testing.assert_close(features, d.features(x3_2), **SUM)
        torch.testing.assert_close(region, d.map(features), **SUM)
    assert features.shape == (2, 24, 11, 9)
    assert region.shape == (2, 1, 11, 9)


def test_partial_decoder_is_about_as_large_as_the_original():
    decoder = PartialDecoder((256, 512, 512), 32)
    convolutions = sum(p.numel() for name, p in decoder.named_parameters() if "reduce" not in name)
    assert 270_000 < convolutions < 290_000  # 277 k published, without the reductions
