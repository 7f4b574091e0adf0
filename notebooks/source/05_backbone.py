# ---
# jupyter:
#   fercourse:
#     title: "VGG16 as a backbone"
#     learn:
#       - walk a face through thirteen convolutions and four poolings, and know every shape by hand
#       - say how many pixels of a face one location of each block sees
#       - count the parameters by hand, and find where VGG16's 138 million went
#       - take lateral outputs C2 to C5, and load ImageNet's weights into a grey backbone
#       - assemble and train Table 1's model 1
#     needs: [1, 3]
#     seed: 4
#     boxes: [C1, C2, C3, C4, C5, head]
# ---

# %% [markdown]
# ## What the paper says
#
# Section 2.2 takes VGG16 (Simonyan and Zisserman, 2014) as the backbone, the part that turns pixels
# into features, and changes two things: "we omitted the final pooling layer and the fully connected
# layer", so as not to lose fine detail of an expression. Fig. 2 adds **lateral outputs** "after the
# last four blocks of the backbone network to provide feature information of varying scales".
#
# (It also puts an attention module into every block. That is lesson 07; until then we leave it out,
# and what remains we take for model 1 of Table 1.)

# %% [markdown]
# ## One layer
#
# All of VGG16 is one idea repeated: a 3x3 convolution that keeps height and width, then a ReLU. We
# put batch norm between the two. The paper does not mention it, but thirteen layers train slowly
# without. The convolution needs no bias then: batch norm would subtract it again.

# %% tags=["slide", "slide-code"]
def convolution(inputs: int, outputs: int) -> nn.Sequential:
    """(N, inputs, H, W) -> (N, outputs, H, W)."""
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, padding=1, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(inplace=True),
    )


# %% [markdown]
# Why 3x3? Two of them in a row see 5x5 pixels, for $2 \cdot 9 = 18$ weights a pair of channels
# where one 5x5 kernel needs 25. And they hold two ReLUs instead of one, so that they can compute
# functions that a single convolution cannot.

# %% tags=["nbval-check-output"]
x = torch.rand(2, 1, 48, 48)  # (N, 1, H, W), two grey faces
print(tuple(convolution(1, 64)(x).shape))

# %% [markdown]
# ## Five blocks
#
# Two, two, three, three and three convolutions make five blocks: thirteen. (The sixteen in the name
# counts three fully connected layers, which are gone here.) Between blocks, a 2x2 maximum pooling
# halves height and width, and the number of channels doubles until it is 512.

# %%
PLAN = ((64, 64), (128, 128), (256, 256, 256), (512, 512, 512), (512, 512, 512))


def block(inputs: int, channels: tuple[int, ...]) -> nn.Sequential:
    """The convolutions of one block."""
    before = (inputs, *channels[:-1])
    return nn.Sequential(*map(convolution, before, channels))


# %% [markdown] tags=["slide"]
# ## The shape walk
#
# What comes out of each block, for the paper's 224 pixels and for the 48 of FER2013? First on
# paper: the plan gives the channels, and a pooling stands between any two blocks. There are four
# poolings for five blocks: VGG16's fifth, behind C5, is the one the paper dropped. Then write it as
# a function; the cells below run on yours.

# %% [markdown] exercise="backbone.shape_walk"
# Channels and side of all five blocks for a face of any size, 97 pixels for instance.

# %% [markdown]
# Do the blocks agree? We send an empty face through them, and hold every shape against the walk.

# %% tags=["nbval-check-output"]
for size in (224, 97, 48):
    x, before, walked = torch.zeros(1, 1, size, size), 1, shape_walk(size)
    for i, channels in enumerate(PLAN):
        x = block(before, channels).eval()(x if i == 0 else F.max_pool2d(x, 2))
        before = channels[-1]
        assert tuple(x.shape[1:3]) == tuple(walked[i])
    print(f"{size} px:", "  ".join(f"C{i + 1} {c} x {s}²" for i, (c, s) in enumerate(walked)))

# %% [markdown]
# At 48 pixels the last block has 3x3 places. With the fifth pooling there would be one, and nothing
# for an attention map to point at. So the paper's change, which at 224 is a matter of taste, is
# a necessity here.

# %% [markdown]
# ## Lateral outputs: Fig. 2
#
# A classifier would keep only C5. This backbone returns every block's output, taken *before* the
# next pooling: shallow ones with many places and little meaning, deep ones the other way round. The
# paper uses C2 for edges (lesson 06), C3 to C5 for the decoder (08) and reverse attention (09).

# %% [markdown] exercise="backbone.laterals"
# Fig. 2 as a function: run the blocks, and return what each gives.

# %% [markdown]
# The backbone is its blocks, and this walk through them:


# %% paper="Fig. 2"
class Backbone(nn.Module):
    """VGG16 without its last pooling and its fully connected layers."""

    def __init__(self, in_channels: int = 1) -> None:
        super().__init__()
        before = (in_channels, *(channels[-1] for channels in PLAN[:-1]))
        self.blocks = nn.ModuleList(map(block, before, PLAN))

    def forward(self, x: Tensor) -> list[Tensor]:
        return laterals(self.blocks, x)  # five times (N, C_i, H / 2^i, W / 2^i)


# %% [markdown]
# Is it the package's `VGG16Backbone`? That one has the same names inside, so one's weights load
# into the other, and then all five outputs must agree.

# %%
from fercourse.models import VGG16Backbone

ours, theirs = Backbone().eval(), VGG16Backbone().eval()
ours.load_state_dict(theirs.state_dict())
x = torch.randn(2, 1, 48, 48)
with torch.no_grad():
    for c, (mine, packaged) in enumerate(zip(ours(x), theirs(x)[0], strict=True), start=1):
        torch.testing.assert_close(mine, packaged)
        print(f"C{c} agrees: {tuple(mine.shape)}")

# %% [markdown] tags=["slide"]
# ## Counting by hand
#
# A 3x3 convolution from $a$ to $b$ channels learns $9ab$ weights, and batch norm a scale and a
# shift for each of the $b$ channels. So the first layer has $9 \cdot 1 \cdot 64 + 2 \cdot 64 = 704$
# numbers, the second $9 \cdot 64 \cdot 64 + 128 = 36{,}992$. The other eleven are yours.

# %% [markdown] exercise="backbone.count_parameters"
# Count what a backbone learns without building it.

# %% tags=["nbval-check-output"]
by_hand = count_parameters([list(channels) for channels in PLAN], 1)
print(f"counted {by_hand:,}; in code {sum(p.numel() for p in ours.parameters()):,}")

# %% [markdown]
# VGG16 is known for 138 million. Where are the rest? In the fully connected layers: the first alone
# joins $512 \cdot 7 \cdot 7$ numbers to 4,096.

# %% tags=["nbval-check-output", "slide"]
connected = sum(a * b + b for a, b in ((512 * 7 * 7, 4096), (4096, 4096), (4096, 1000)))
print(f"fully connected layers: {connected:,}")
print(f"their share of VGG16: {connected / (connected + by_hand):.0%}")

# %% [markdown]
# Dropping them saves nine tenths of the parameters: fewer numbers in which 28,709 training faces
# could be learnt by heart.

# %% [markdown]
# ## Receptive fields
#
# How much of a face does one location of C5 know about? Two rules. A kernel of $k$ widens the view
# by $k - 1$ steps. And behind a pooling, one step is twice as many pixels. (Below, 2 · 2 · 2 is two
# convolutions, two steps each, of two pixels.) Go on with this table to C5, then write it down once
# and for all:
#
# | | step | widened by | sees |
# | --- | --- | --- | --- |
# | C1: two convolutions | 1 | 2 · 2 · 1 | 5 |
# | pooling | 1 | 1 | 6 |
# | C2: two convolutions | 2 | 2 · 2 · 2 | 14 |

# %% [markdown] exercise="backbone.receptive_field"
# The two rules, for any stack of layers.

# %% tags=["nbval-check-output", "slide"]
layers, fields = [], {}
for i, channels in enumerate(PLAN, start=1):
    layers += [(2, 2)] if i > 1 else []  # the pooling: kernel 2, stride 2
    layers += [(3, 1)] * len(channels)
    fields[f"C{i}"] = receptive_field(layers)
print(fields)

# %% [markdown]
# Do you believe it? Ask autograd: which pixels have any influence on one location in the middle of
# C3? (Maximum pooling passes the gradient to one of four pixels, so we add up over 64 noisy images
# and 32 channels.)

# %%
small = VGG16Backbone(width=0.125).eval()
noise = torch.randn(64, 1, 96, 96, requires_grad=True)
c3 = small(noise)[0][2]  # (64, 32, 24, 24)
c3[:, :, 12, 12].sum().backward()
touched = noise.grad.abs().sum((0, 1)) > 0  # (96, 96)
print("rows touched:", int(touched.any(1).sum()), "by hand:", fields["C3"])

# %% [markdown]
# Here are the five squares on a face of the paper's size and on one of FER2013's. Look at which of
# them leave the picture.

# %% tags=["slide"]
from fercourse.datasets import synthetic

portraits = {size: synthetic.draw("surprise", size=size) for size in (224, 48)}
plots.receptive_fields({s: np.asarray(p.image) for s, p in portraits.items()}, fields)

# %% [markdown]
# This is a difference between the paper's 224 pixels and our 48 that no table shows. At 224, a
# location of C4 can see a part of the face; at 48 it can see everything. Enlarging a small
# face first, as the paper does, adds no detail, but keeps deep features local. It also costs twenty
# times the work.

# %% [markdown]
# ## What it could see, and what it listens to
#
# A pixel in the middle reaches C4 on thousands of ways through the kernels, one at the rim on a
# single one. So the rule above is the *largest* field, not the *effective* one (Luo et al., 2016).
# We measure that one on a trained network: the squared gradient of a location in the middle of each
# block, for every pixel, averaged over drawn faces. (`influence` is one call of autograd, as above;
# `half_side` widens a square until it holds half of the sum.)

# %%
from fercourse.explain import receptive
from fercourse.explain.layers import as_input

trained_net = fercourse.pretrained("fer2013", model=1).network
some = fercourse.load("synthetic", count=210, difficulty=0.1).train[:64]
x = as_input(trained_net, some)  # (64, 1, 48, 48)
listens = {f"C{i}": receptive.influence(trained_net, x, i) for i in range(1, 6)}

# %% [markdown]
# A location in the middle of a grid of 48, 24, 12, 6 or 3 is so many pixels from the rim:

# %%
centres = {f"C{i}": receptive.place(i, 48 // 2**i) for i in range(1, 6)}
half = {name: receptive.half_side(v, (centres[name],) * 2) for name, v in listens.items()}
print(half)

# %% [markdown]
# Bright is influence, the solid square holds half of it, and the dashed one is the square of the
# rule, cut off at the picture's rim. How much smaller is the solid one in C4?

# %% tags=["slide"]
plots.effective_fields({k: v.numpy() for k, v in listens.items()}, fields, half, centres)

# %% [markdown]
# So at 48 pixels a location of C4 *can* see everything and listens to a good part of it. A grid's
# location stands for a part of the face after all, which lesson 16 needs when it lays coarse maps
# on faces.

# %% [markdown]
# Now any unit, on one face. Put it on an eye and go from C1 to C5: in which block does the solid
# square leave the eye, and from which on does the unit hear the mouth?

# %%
from fercourse import widgets

widgets.unit_field(trained_net, some[:14])

# %% [markdown]
# ## What the blocks see
#
# Shapes say how much a block can hold; only a trained network shows what it does hold. This one
# learned on FER2013's photographs (model 1, bundled with the course); the face is drawn. In each
# row, the strongest channels of a block, each on its own scale, under its number. (One *answers* at
# a place where it exceeds a tenth of its highest value.) Look for three things: lines, parts, and
# how coarse it gets.

# %% tags=["slide"]
faces = fercourse.load("synthetic", count=210, difficulty=0.1).train
photographic = fercourse.pretrained("fer2013", model=1, device=lesson.device).network
plots.blocks_seen(photographic, faces.of("surprise")[2:3])

# %% [markdown]
# C1 and C2 trace lines wherever they are: hair, brows, jaw. In C3 some channels single out eyes or
# a mouth. C5 has 3x3 places and draws nothing any more; its channels say *that* something is there.
# "Low-level features with limited semantics", in the paper's words, against "strong semantic
# content".

# %% [markdown]
# ## ImageNet's weights, without downloading them
#
# Section 3.2 speaks of "the random initialization of network parameters", which sounds like
# training from scratch; whether the backbone is meant too, it does not say. torchvision offers
# VGG16-BN trained on ImageNet, and `fercourse.models.imagenet.load_imagenet` puts it into ours
# (width 1; half a gigabyte, so nothing here downloads it). Two things do not fit, and both can be
# mended *exactly*:
#
# - Their convolutions have a bias $b$. Batch norm, with running mean $\mu$ and deviation $\sigma$,
#   computes $(w{*}x + b - \mu)/\sigma$; a bias of 0 and a running mean of $\mu - b$ give the same.
# - Their input has three colours. A grey face is one with three equal planes, so the three slices
#   of the first kernel can be added up: $w_r x + w_g x + w_b x = (w_r + w_g + w_b)\,x$.

# %%
from torchvision.models.vgg import cfgs, make_layers

from fercourse.models.imagenet import load_imagenet

features = make_layers(cfgs["D"], batch_norm=True).eval()  # torchvision's, random weights
with torch.no_grad():
    for module in features.modules():
        if isinstance(module, nn.Conv2d):
            module.bias.uniform_(-0.1, 0.1)  # so that the biases matter
state = {f"features.{name}": value for name, value in features.state_dict().items()}

# %% [markdown]
# The same face must come out the same: through torchvision's layers as a grey RGB image, without
# their last layer (the fifth pooling), and through ours in one channel.

# %%
grey = VGG16Backbone(in_channels=1).eval()
load_imagenet(grey, state)
with torch.no_grad():
    rgb = features[:-1](x.expand(-1, 3, -1, -1))  # (2, 512, 3, 3)
    torch.testing.assert_close(grey(x)[0][-1], rgb, rtol=1e-3, atol=1e-5)
print("C5 is the same, from one plane and from three")

# %% [markdown]
# ## Model 1
#
# Section 3.4 calls model 1 of Table 1 "the original VGG16 model". Whether it kept the fifth pooling
# and the fully connected layers is not said. We give all six models section 2.2's backbone, so that
# each step of the table changes one thing. Model 1 has nothing else. Something must turn C5 into an
# answer, and on this the paper is brief. We take the mean of every channel, a linear layer to an
# **embedding** (lesson 10 will need it), a ReLU, and a linear layer to seven logits.

# %%
model = fercourse.FERNet(fercourse.ModelConfig.table1(1, width=0.125)).eval()
c5 = model.backbone(x)[0][-1]  # (2, 64, 3, 3)
embedding = model.embed(c5.mean((2, 3)))  # (2, 128)
logits = model.classify(embedding.relu())  # (2, 7)
torch.testing.assert_close(logits, model(x).logits)

# %% [markdown]
# `width` multiplies every channel count, to keep a laptop in the game. Parameters go with its
# square:

# %% tags=["nbval-check-output", "slide"]
for width in (1.0, 0.5, 0.375, 0.125):
    with torch.device("meta"):  # shapes without numbers: nothing is initialised
        net = fercourse.FERNet(fercourse.ModelConfig.table1(1, width=width))
    print(f"width {width}: {sum(p.numel() for p in net.parameters()):,} parameters")

# %% [markdown]
# ## Trained for a moment
#
# A few epochs are enough to see it learn: on drawn faces, unless you are in the full mode. Before
# you look: with seven classes, what accuracy does guessing give?

# %%
data = lesson.data(1400)
config = fercourse.preset(lesson.pick(smoke="smoke", full="cpu"), model=1)
config = config.change(**{"train.epochs": lesson.pick(smoke=6, full=8)})
fit = lesson.fit("model1", config, data)

# %% [markdown]
# Top left, look at the distance between the two curves; top right, at where the validation loss is
# lowest. (Below them are the learning rate and two losses that are only watched here: lessons 11
# and 10.) The kept epoch is chosen on the validation split; the test split chooses nothing.

# %% tags=["slide"]
plots.learning_curves(fit.history)

# %% [markdown]
# ## Open experiment: a hand on the face
#
# The mean over all places makes no difference between them. So how much does it matter if a part of
# the face is covered? We cover a strip of twelve pixels with grey, at the top, in the middle or at
# the bottom, and count the answers that change, among drawn faces and with model 1 trained on such.
# **Predict first**: an interval that you would bet on four to one. Replace 0 and 100, and run the
# cell.

# %%
guess = course.predict("answers that change when the lowest quarter is covered, %", 0, 100)

# %% [markdown]
# Now the change, and the measurement. Try the other strips afterwards, each with a prediction.

# %%
from fercourse.evaluation.predict import probabilities

top = 36  # the strip's first row: 0, 18 or 36
judged = fercourse.load("synthetic", count=1400, difficulty=0.1, seed=1).test
net = fercourse.pretrained("synthetic", model=1, device=lesson.device).network
covered = judged.images.clone()
covered[:, top : top + 12] = 128
was, now = (probabilities(net, images).argmax(1) for images in (judged.images, covered))

# %% [markdown]
# The bar is your interval, the diamond what came out. Does the diamond lie on the bar?

# %%
guess.beside(100 * (was != now).float().mean())

# %% [markdown]
# Which strip matters most, and is that the network's doing, or the painter's, who puts most of what
# tells expressions apart there?

# %% [markdown]
# ## Summary
#
# - The backbone is VGG16's thirteen convolutions in five blocks, with batch norm, four poolings and
#   no fully connected layer: a tenth of VGG16's parameters.
# - Each pooling halves the side: at 48 pixels C1 to C5 are 48, 24, 12, 6 and 3 wide. Outputs are
#   taken before the pooling.
# - One location sees 5, 14, 40, 92 and 196 pixels; at 48 pixels that is the whole face from C4 on.
# - Model 1 is this backbone, an average, an embedding and seven logits. The next lessons add to it.
