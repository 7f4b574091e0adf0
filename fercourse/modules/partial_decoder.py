"""The partial decoder (section 2.4, fig. 4) after Wu, Su and Huang 2019."""

import torch
from torch import Tensor, nn

from fercourse.modules.blocks import conv_bn, resize_like


class PartialDecoder(nn.Module):
    """Aggregate C3, C4 and C5, deep into shallow, into features and a one-channel global map.

    Deep features multiply the shallower ones, so that what both agree on remains, and are then
    concatenated back in. As in the authors' code, the convolutions in front of a product have
    no ReLU: a product needs the sign.

    Shapes below: D = ``outputs`` channels a level; h3 x w3 is the size of C3, and so on.

    Args:
        channels: Of C3, C4 and C5.
        outputs: D, 32 in the original.
    """

    def __init__(self, channels: tuple[int, int, int], outputs: int = 32) -> None:
        super().__init__()
        d = outputs
        self.reduce3, self.reduce4, self.reduce5 = (conv_bn(c, d, 1) for c in channels)
        self.gate5_to4 = conv_bn(d, d, 3, relu=False)
        self.gate5_to3 = conv_bn(d, d, 3, relu=False)
        self.gate4_to3 = conv_bn(d, d, 3, relu=False)
        self.carry5 = conv_bn(d, d, 3, relu=False)
        self.merge4 = conv_bn(2 * d, 2 * d, 3, relu=False)
        self.carry4 = conv_bn(2 * d, 2 * d, 3, relu=False)
        self.merge3 = conv_bn(3 * d, 3 * d, 3, relu=False)
        self.features = conv_bn(3 * d, 3 * d, 3)
        self.map = nn.Conv2d(3 * d, 1, 1)

    def forward(self, c3: Tensor, c4: Tensor, c5: Tensor) -> tuple[Tensor, Tensor]:
        """Decode ``P_d = pd(C3, C4, C5)``.

        Returns:
            features (N, 3D, h3, w3) and the global map P_d (N, 1, h3, w3), in logits.
        """
        x3, x4, x5 = self.reduce3(c3), self.reduce4(c4), self.reduce5(c5)  # (N, D, h_i, w_i)

        up5 = resize_like(x5, x4)  # (N, D, h4, w4)
        agreed4 = self.gate5_to4(up5) * x4  # (N, D, h4, w4)
        agreed3 = self.gate5_to3(resize_like(x5, x3)) * self.gate4_to3(resize_like(x4, x3)) * x3

        merged4 = self.merge4(torch.cat((agreed4, self.carry5(up5)), 1))  # (N, 2D, h4, w4)
        carried4 = self.carry4(resize_like(merged4, x3))  # (N, 2D, h3, w3)
        merged3 = self.merge3(torch.cat((agreed3, carried4), 1))  # (N, 3D, h3, w3)

        features = self.features(merged3)  # (N, 3D, h3, w3)
        return features, self.map(features)
