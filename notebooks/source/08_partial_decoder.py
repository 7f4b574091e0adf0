# ---
# jupyter:
#   fercourse:
#     title: "The partial decoder: one map out of three depths"
#     learn:
#       - say what section 2.4 fixes, what it leaves open, and where the gaps are filled from
#       - build the cascaded partial decoder step by step, and show that it equals the package's
#       - resize a map to its partner, and know why "times two" breaks at 44 pixels
#       - count parameters and operations, and hold a claim about complexity to the count
#       - read one step of an ablation table together with its error
#     needs: [5, 6, 7]
#     seed: 7
#     boxes: [C3, C4, C5, decoder]
# ---

# %% [markdown]
# ## What the paper says
#
# Deep features know *what* is in a picture, shallow ones know *where* its edges are. Section 2.4
# wants both, at a bearable price:
#
# > The PD module exclusively integrates high-level features while discarding lower-resolution
# > shallow features […] culminating in the creation of a preliminary global map
# > $P_d = pd(C_3, C_4, C_5)$.
#
# One slip before we start: the shallow features C1 and C2 have the *higher* resolution. The caption
# of Fig. 4 says so correctly ("discarding the larger resolution features from the low-level
# layers").

# %% [markdown]
# ## What it does not say
#
# How are three maps of different sizes and channel counts "amalgamated"? The text has no equation
# for $pd(\cdot)$; it cites Wu, Su and Huang (2019), *Cascaded partial decoder*. So we read that:
#
# 1. reduce each level to the same 32 channels;
# 2. bring deep levels up to the size of shallower ones and **multiply**: what both see remains;
# 3. **concatenate** the deep level back in, and convolve;
# 4. one last 1×1 convolution gives a map with a single channel: $P_d$.
#
# From deep to shallow, one level at a time: hence *cascaded*. *Partial*, because C1 and C2 are left
# out.

# %% [markdown]
# ## Shapes first
#
# Three levels come in. Work out their sizes for a 48-pixel face before you run the next cell: a
# pooling stands between any two blocks, and lesson 05 listed the channels.

# %% tags=["nbval-check-output", "slide"]
backbone = fercourse.FERNet(fercourse.ModelConfig.table1(3)).backbone.eval()
with torch.no_grad():
    (_, _, c3, c4, c5), _ = backbone(torch.rand(2, 1, 48, 48))
for name, c in (("C3", c3), ("C4", c4), ("C5", c5)):
    print(name, tuple(c.shape))

# %% [markdown]
# ## Step 1: the same 32 channels for everyone
#
# A 3×3 convolution from 512 to 512 channels has 2.4 million weights; from 32 to 32 it has nine
# thousand. Everything that follows costs little because of this first step, a 1×1 convolution with
# batch norm and ReLU on each level.
#
# The brick we need again and again is `conv_bn`: a convolution that keeps the size, without a bias,
# batch norm, and a ReLU unless it says otherwise (`fercourse/modules/blocks.py` has all six lines).

# %% tags=["nbval-check-output"]
from fercourse.modules.blocks import conv_bn

D = 32
x3, x4, x5 = (conv_bn(c.shape[1], D, 1)(c) for c in (c3, c4, c5))
for name, x in (("x3", x3), ("x4", x4), ("x5", x5)):
    print(name, tuple(x.shape))

# %% [markdown]
# ## Step 2: up to a partner's size
#
# To multiply x5 with x4 they must have the same size. From 3×3 to 6×6: "up-sample by two" is what
# the original does.

# %% tags=["nbval-check-output"]
twice = nn.Upsample(scale_factor=2, mode="bilinear", align_corners=False)
print(tuple(x5.shape), "->", tuple(twice(x5).shape), "to meet", tuple(x4.shape))

# %% [markdown]
# It works at 48 pixels, and at 224. Now a face of 44 pixels, a crop that is common for FER2013:
# 44 → 22 → 11 → 5 → 2. A pooling rounds down, and doubling cannot know that.

# %% tags=["nbval-check-output"]
with torch.no_grad():
    (_, _, _, odd4, odd5), _ = backbone(torch.rand(2, 1, 44, 44))
try:
    twice(odd5[:, :D]) * odd4[:, :D]
except RuntimeError as error:
    print("C4 is", tuple(odd4.shape[2:]), "and doubled C5 is", tuple(twice(odd5).shape[2:]))
    print("RuntimeError:", str(error)[:58], "…")


# %% [markdown]
# So we never name a factor. We name the *partner*.

# %% [markdown] exercise="decoder.resize_like"
# Bring a deep map to the size of a shallower one, whatever the two sizes are.

# %% tags=["nbval-check-output"]
print(tuple(resize_like(odd5, odd4).shape[2:]), "to meet", tuple(odd4.shape[2:]))

# %% [markdown]
# ## Step 3: multiply, so that what both see remains
#
# A product is a soft "and". Where either factor is near zero, the result is. Take a deep map that
# knows roughly where the mouth is, and a shallow one that marks every edge:

# %% tags=["nbval-check-output", "slide"]
deep = torch.tensor([0.0, 0.0, 1.0, 1.0, 1.0, 0.0])  # "a mouth, about here"
edges = torch.tensor([0.9, 0.0, 0.8, 0.0, 0.7, 0.9])  # "edges: hair, lip, lip, collar"
print(deep * edges)

# %% [markdown]
# The hair and the collar are gone, and the two lips keep their fine positions. In the decoder each
# deep level first passes a 3×3 convolution, a **gate**. It has batch norm but *no ReLU*, as in
# Wu's published code: behind a ReLU a gate could only scale or block; with a sign it can also say
# "the opposite".
#
# For levels 5 and 4, the product at level 4 is `gate5_to4(up5) * x4`. Now all three levels, at
# level 3, each deep one through a gate of its own:

# %% [markdown] exercise="decoder.agree"
# Three levels must agree: write the product at level 3. The two gates are given, as callables.

# %% tags=["nbval-check-output"]
gate5_to4, gate5_to3, gate4_to3 = (conv_bn(D, D, 3, relu=False) for _ in range(3))
up5 = resize_like(x5, x4)
agreed4 = gate5_to4(up5) * x4
agreed3 = agree(x3, x4, x5, gate5_to3, gate4_to3)
print("levels 5 and 4 agree on", tuple(agreed4.shape))
print("levels 5, 4 and 3 agree on", tuple(agreed3.shape))

# %% [markdown]
# ## Step 4: concatenate, so that nothing is lost
#
# A product forgets what only one level saw. So the deep level is carried along beside it, and the
# channels grow: 32, then 64, then 96.

# %% tags=["nbval-check-output"]
carry5, merge4 = conv_bn(D, D, 3, relu=False), conv_bn(2 * D, 2 * D, 3, relu=False)
carry4, merge3 = (conv_bn(n * D, n * D, 3, relu=False) for n in (2, 3))
merged4 = merge4(torch.cat((agreed4, carry5(up5)), 1))
carried4 = carry4(resize_like(merged4, x3))
merged3 = merge3(torch.cat((agreed3, carried4), 1))
print("merged4", tuple(merged4.shape), "  merged3", tuple(merged3.shape))

# %% [markdown]
# ## Step 5: features, and a map
#
# One more convolution (this one with ReLU) gives the decoder's **features**. A 1×1 convolution
# turns their 96 channels into one: the global map $P_d$. It is in *logits*: any sign, a sigmoid
# comes later.

# %% tags=["nbval-check-output"]
features = conv_bn(3 * D, 3 * D, 3)(merged3)
p_d = nn.Conv2d(3 * D, 1, 1)(features)
print("features", tuple(features.shape), "  P_d", tuple(p_d.shape))


# %% [markdown]
# ## Assemble
#
# The same steps as a module. First its layers (named as in the package, so that weights can move
# between the two):


# %%
class Decoder(nn.Module):
    def __init__(self, channels: tuple[int, int, int], outputs: int = 32) -> None:
        super().__init__()
        d = outputs
        self.reduce3, self.reduce4, self.reduce5 = (conv_bn(c, d, 1) for c in channels)
        for name in ("gate5_to4", "gate5_to3", "gate4_to3", "carry5"):
            setattr(self, name, conv_bn(d, d, 3, relu=False))
        for name in ("merge4", "carry4"):
            setattr(self, name, conv_bn(2 * d, 2 * d, 3, relu=False))
        self.merge3 = conv_bn(3 * d, 3 * d, 3, relu=False)
        self.features = conv_bn(3 * d, 3 * d, 3)
        self.map = nn.Conv2d(3 * d, 1, 1)


# %% [markdown]
# Then the way through them. Read it beside Fig. 4: deep on the left, and the cascade climbs.


# %% paper="Fig. 4"
def decode(self, c3: Tensor, c4: Tensor, c5: Tensor) -> tuple[Tensor, Tensor]:
    x3, x4, x5 = self.reduce3(c3), self.reduce4(c4), self.reduce5(c5)  # (N, D, h_i, w_i)
    up5 = resize_like(x5, x4)  # (N, D, h4, w4)
    agreed4 = self.gate5_to4(up5) * x4
    agreed3 = agree(x3, x4, x5, self.gate5_to3, self.gate4_to3)  # (N, D, h3, w3)
    merged4 = self.merge4(torch.cat((agreed4, self.carry5(up5)), 1))  # (N, 2D, h4, w4)
    carried4 = self.carry4(resize_like(merged4, x3))  # (N, 2D, h3, w3)
    features = self.features(self.merge3(torch.cat((agreed3, carried4), 1)))  # (N, 3D, h3, w3)
    return features, self.map(features)


Decoder.forward = decode

# %% [markdown]
# Is it the package's? Give both the same weights and random inputs, at an even and at an odd size,
# in training mode (batch statistics) and in evaluation mode:

# %% tags=["nbval-check-output"]
from fercourse.modules import PartialDecoder

ours, packaged = Decoder((256, 512, 512)), PartialDecoder((256, 512, 512))
ours.load_state_dict(packaged.state_dict())
for sizes in ((12, 6, 3), (11, 5, 2)):
    for mode in (True, False):
        levels = [torch.randn(2, c, s, s) for c, s in zip((256, 512, 512), sizes, strict=True)]
        a, b = ours.train(mode)(*levels), packaged.train(mode)(*levels)
        torch.testing.assert_close(a, b)
print("equal at even and odd sizes, in training and in evaluation")

# %% [markdown]
# From here on we use the package's `PartialDecoder`.

# %% [markdown]
# ## What is the map for, in model 4?
#
# Here the paper is silent. $P_d$ "serves as a guide" for reverse attention; but Table 1 has a model
# 4 *with* the decoder and *without* reverse attention. What does the map do there? Suppose only
# the averaged features went to the classifier:

# %% tags=["nbval-check-output"]
levels = torch.randn(4, 256, 12, 12), torch.randn(4, 512, 6, 6), torch.randn(4, 512, 3, 3)
features, p_d = packaged.train()(*levels)
loss = features.mean((2, 3)).square().sum()
(gradient,) = torch.autograd.grad(loss, packaged.map.weight, allow_unused=True)
print("gradient of the map's convolution:", gradient)

# %% [markdown] tags=["slide"]
# No gradient: the map would never learn anything. Our choice (`docs/design.md`): the features are
# averaged *where the map says to look*, with weights sigmoid$(P_d)$. What must such an average give
# if the features are the same everywhere? That decides what to divide by.

# %% [markdown] exercise="decoder.weighted_avg_pool"
# Average features where a map says to look.

# %% tags=["nbval-check-output"]
features, p_d = packaged(*levels)
pooled = weighted_avg_pool(features, p_d)  # (N, 96)
(gradient,) = torch.autograd.grad(pooled.square().sum(), packaged.map.weight)
print("pooled", tuple(pooled.shape), "  gradient", tuple(gradient.shape))

# %% [markdown]
# These 96 numbers join the others in front of the classifier. That is all that distinguishes model
# 4 from model 3:


# %% tags=["nbval-check-output"]
def unfilled(k: int) -> fercourse.FERNet:
    with torch.device("meta"):  # shapes without numbers: made at once
        return fercourse.FERNet(fercourse.ModelConfig.table1(k))


for k in (3, 4):
    print(f"model {k}: {unfilled(k).embed.in_features} numbers go into the embedding")

# %% [markdown]
# ## Inside a trained decoder
#
# Model 4, trained on drawn faces (not on these people). Follow a row from left to right: the 3×3
# level, the 6×6, the 12×12; what they agree on; the features; the map. (Many channels are shown as
# their **energy**, the root mean square over them; each picture has its own scale, printed below.)
# Do the products single out a place? And does the map say *where*, or is it a smooth blob?

# %% tags=["slide"]
from fercourse.datasets.load import load_config

drawn = fercourse.DataConfig(count=350, difficulty=0.1, seed=1)
faces = load_config(drawn).test[:7]
model = fercourse.pretrained("synthetic", model=4).network
plots.decoding(model, faces[[2, 3, 5]])

# %% [markdown]
# The products are patchy, the map is smooth, and its range (the small numbers) differs much from
# face to face. No mask ever told it where to look: only the classifier's loss reaches it. Lesson 09
# follows this up and measures what a flat map costs.

# %% [markdown]
# ## Open experiment: a map that knows nothing
#
# Model 4's head gets the decoder's features averaged under the map. Suppose the map were the same
# everywhere: plain averaging. How many answers would change? **Predict first**, an interval that
# you would bet on four to one.

# %%
guess = course.predict("answers of model 4 that change with a flat map, %", 0, 100)

# %% [markdown]
# The door is the map's own convolution: whatever it computes goes through `edit` before it is used.
# Flat is one edit; another face's map (`roll`) or the opposite (`-p_d`) are others.

# %%
from copy import deepcopy

from fercourse.evaluation.predict import probabilities


def edit(p_d: Tensor) -> Tensor:
    """(N, 1, h, w), in logits: what takes the map's place."""
    return torch.zeros_like(p_d)  # or p_d.roll(1, 0), or -p_d


judged = load_config(fercourse.DataConfig(count=1400, difficulty=0.1, seed=1)).test
altered = deepcopy(model)
altered.decoder.map.register_forward_hook(lambda layer, given, p_d: edit(p_d))

# %%
was, now = (probabilities(net, judged.images).argmax(1) for net in (model, altered))
guess.beside(100 * (was != now).float().mean())

# %% [markdown]
# Does the diamond lie on your bar? Then the opposite, with a new prediction. If the answers hardly
# mind, where does the head get what it knows? (Lesson 06's descriptors are still beside it.)

# %% [markdown]
# Does an answer hang on its map? The explorer replaces the map by its own mean, so that no place is
# preferred. Look for a face whose bars leave their ticks. Then try the last model, trained with
# masks for its maps (lesson 09), which do say *where*: what does its answer lose without them?

# %%
from fercourse import widgets

with_decoder = {f"model {k}": fercourse.pretrained("synthetic", model=k).network for k in (4, 5, 6)}
masks = fercourse.pretrained("synthetic-supervised", model=5).network
some = fercourse.load("synthetic", count=210, difficulty=0.6, seed=1).test[:21]
widgets.decoder_map(with_decoder | {"model 5, masks": masks}, some)

# %% [markdown]
# ## "Effectively reduced the computational complexity"
#
# So says section 3.4 of the decoder. Let us count. A convolution with a $k \times k$ kernel makes
# $C_{out}$ numbers at each of $h \cdot w$ places, each from $k^2 C_{in}$ products that are summed.
# A product and its addition are two operations.

# %% [markdown] exercise="decoder.operations"
# Count what one convolution costs, and do it for maps that are not square as well.

# %% [markdown]
# For all the decoder's convolutions, at 48 pixels; batch norm and products are small change:


# %% tags=["nbval-check-output"]
def flops(inputs: int, outputs: int, kernel: int, side: int) -> int:
    return operations(inputs, outputs, kernel, side, side)


by_hand = sum(
    (
        flops(256, D, 1, 12) + flops(512, D, 1, 6) + flops(512, D, 1, 3),  # reduce
        2 * flops(D, D, 3, 6) + 2 * flops(D, D, 3, 12),  # gates, carry5
        flops(2 * D, 2 * D, 3, 6) + flops(2 * D, 2 * D, 3, 12),  # merge4, carry4
        2 * flops(3 * D, 3 * D, 3, 12) + flops(3 * D, 1, 1, 12),  # merge3, features, map
    )
)
print(f"{by_hand:,} operations a face")

# %% [markdown]
# Torch can count too, and on the "meta" device it need not compute anything:

# %% tags=["nbval-check-output"]
from torch.utils.flop_counter import FlopCounterMode


def counted(net: nn.Module, *inputs: Tensor) -> int:
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        net.to("meta").eval()(*(x.to("meta") for x in inputs))
    return counter.get_total_flops()


print(counted(PartialDecoder((256, 512, 512)), c3[:1], c4[:1], c5[:1]) == by_hand)

# %% [markdown]
# Now the claim: does model 4 need fewer operations than model 3?

# %% tags=["nbval-check-output", "slide"]
for size in (48, 224):
    face = torch.empty(1, 1, size, size)
    before, after = counted(unfilled(3), face), counted(unfilled(4), face)
    print(f"{size} px: {before:,} -> {after:,} operations, {after / before - 1:+.1%}")
before, after = (sum(p.numel() for p in unfilled(k).parameters()) for k in (3, 4))
print(f"{before:,} -> {after:,} parameters, {after / before - 1:+.1%}")

# %% [markdown]
# It *adds*. Of course it does: model 4 is model 3 with something attached. What the sentence can
# mean is Wu's comparison, **partial against full**. A full decoder would carry the cascade on to C2
# and C1, whose maps have 4 and 16 times as many places as C3. One level more, C2, as a fourth step
# of the same cascade:

# %% tags=["nbval-check-output", "slide"]
one_more = sum(
    (
        flops(128, D, 1, 24),  # reduce2
        3 * flops(D, D, 3, 24),  # gates from 5, 4 and 3
        flops(3 * D, 3 * D, 3, 24),  # carry3
        2 * flops(4 * D, 4 * D, 3, 24),  # merge2, features, now with 128 channels at 24 x 24
    )
) - flops(3 * D, 3 * D, 3, 12)
print(f"with C2 as well: {(by_hand + one_more) / by_hand:.1f} times the operations")

# %% [markdown]
# So leaving the shallow levels out saves most of a decoder's cost. But among Table 1's models there
# is no full decoder, so nothing was "reduced" there. Speed on this machine is measured by
# `fercourse.experiments.cost.costs`, in faces a second for training and for prediction. A spread of
# 0.1 means that the middle half of the repetitions lies within 10 % of their median.
# Outside the full mode models are a quarter as wide here, hence slightly other percentages than
# above. `verdict` holds the claim to the numbers:

# %%
from fercourse.experiments.cost import costs, verdict

measured = costs((3, 4), width=lesson.pick(0.25, 1.0), batch=8, seconds=0.3)
print(*verdict(measured), sep="\n")
measured.round(2)

# %% [markdown]
# ## What it adds to accuracy: model 3 → 4
#
# > The effect of the PD module on improving the recognition accuracy was not obvious; however, the
# > module […] significantly improved the stability of the model.
#
# First accuracy. Each line of the figure is one comparison with its 95 % interval: the paper's from
# its own Acc, Sta and N = 10 runs, ours from the ledger, paired over seeds, on CK+ over folds. (A
# hollow circle is a single seed.) Look at which intervals contain zero.

# %% paper="Table 1" tags=["nbval-check-output", "slide"]
from fercourse.runs.ledger import Ledger

ledger = Ledger()
plots.ablation_step(ledger.entries(plan="table1"), 3, 4)

# %% [markdown]
# The paper is candid here, and its intervals agree: from them nothing can be said about accuracy.
# Ours agree as well. Should one of our intervals just leave out zero, do not trust it yet: lessons
# 06 to 09 show nearly ten of them, and chance alone moves one in twenty away from zero.
#
# Now "significantly improved the stability". Sta is a standard deviation over ten runs (eq. 9).
# Whether two standard deviations differ is a question for the F test: the ratio of their squares,
# if nothing had changed, follows the F distribution with 9 and 9 degrees of freedom. $p$ is how
# often chance alone gives a ratio as far from 1.

# %% tags=["slide"]
from scipy.stats import f as f_distribution

claims = {(r.dataset, r.variant): r for r in ledger.claims(plan="table1")}
for dataset in ("fer2013", "ckplus"):
    before, after = claims[dataset, "model3"], claims[dataset, "model4"]
    ratio = (before.stability / after.stability) ** 2
    p = 2 * f_distribution.sf(ratio, before.runs - 1, after.runs - 1)
    print(
        f"{dataset}: Sta {100 * before.stability:.2f} -> {100 * after.stability:.2f} points, "
        f"F = {ratio:.2f}, p = {p:.2f}"
    )

# %% [markdown]
# From ten runs a standard deviation is known only to about a quarter of itself, so a fall by a
# quarter or a third is what chance gives often. (The test assumes normally distributed accuracies.
# Lesson 12 returns to Sta.) What our own runs say, in points; "binomial" is the error that comes
# from the number of test faces alone, and a single run has no Sta (NaN):

# %%
from fercourse.runs.summaries import pool_folds, summarise

ours = ledger.rows(plan="table1", variant=["model3", "model4"])
if ours:
    frame = summarise(pool_folds(ours), ("dataset", "variant"))
    columns = ["mean", "sta", "binomial"]
    frame[columns] = (100 * frame[columns]).round(2)
    frame.loc[frame["n"] < 2, "sta"] = np.nan  # one run has no spread
    display(frame[["dataset", "variant", "n", *columns]])
else:
    print("The ledger holds no run of model 3 or 4 yet: run the plan table1.")

# %% [markdown]
# ## Summary
#
# - The partial decoder reduces C3, C4 and C5 to 32 channels each, multiplies deep into shallow, and
#   concatenates the deep level back in: features (96 channels) and a one-channel map $P_d$.
# - Resize to a *partner*, never by a factor: 44 pixels make odd maps.
# - In model 4 the map must be used for something, or it gets no gradient; we pool the features
#   under it. The paper does not say.
# - It adds operations and parameters to model 3; it is cheap only beside a decoder over all levels.
# - The paper claims no gain in accuracy from it, and its gain in stability is within what ten runs
#   give by chance.
