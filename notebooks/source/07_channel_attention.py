# ---
# jupyter:
#   fercourse:
#     title: "Channel attention: GCCA"
#     learn:
#       - pool a feature map in three ways, and say what stochastic pooling draws, and when
#       - write a grouped 1x1 convolution as a loop, and order its input so that no two channels mix
#       - build GCCA from eq. 1 and eq. 2, and show that it equals the package's
#       - tell GCCA, SE, CBAM and ECA apart by what they pool and how many numbers they learn
#       - test whether a trained attention module attends to anything
#     needs: [5, 6]
#     seed: 6
#     boxes: [gcca]
# ---

# %% [markdown]
# ## The question
#
# Behind its last convolution, block 3 holds 256 pictures of a face, one a channel. One may answer
# to the corners of a mouth, another to hair. Section 2.3 complains that a plain network treats them
# alike: "if each channel is assigned an equal weight, the significance of the individual channels
# in feature extraction remains inadequately addressed".
#
# **Channel attention** computes a weight for every channel, from the face at hand, and multiplies
# the channel by it. The paper's version is called GCCA, *group convolutional channel attention*.
# It stands behind each of the five blocks (highlighted above).

# %% [markdown] tags=["slide"]
# ## Fig. 3 in one table
#
# $N$ faces, $C$ channels, $H \times W$ places. Fig. 3 and its text describe seven steps. We build
# them in this order, and every shape below should be plain to you by the end:
#
# | step | shape | in the paper |
# | --- | --- | --- |
# | input | (N, C, H, W) | feature map $F$ |
# | three poolings | (N, C), three times | $F_{avg}, F_{max}, F_{rdm}$ |
# | side by side | (N, 3C) | "the global information of the same channel was spliced together" |
# | grouped convolution $G$, ReLU | (N, C) | "adaptively fused together" |
# | convolution $W_1$, ReLU | (N, C/16) | "the number of channels … was $C/16$" |
# | convolution $W_2$, sigmoid | (N, C) | "the weight coefficients of different channels" |
# | multiply, add | (N, C, H, W) | eq. 2 |

# %% [markdown]
# ## A channel in one number
#
# A weight for a channel has to be computed from that channel, and a channel is an image. So it is
# first pooled to one number. Which number? Take five channels of nine places:

# %%
spot = torch.tensor([[0.0, 0, 0], [0, 9, 0], [0, 0, 0]])
line = torch.tensor([[0.0, 0, 0], [3, 3, 3], [0, 0, 0]])
even = torch.ones(3, 3)
noisy = torch.tensor([[1.0, 1, 1], [1, 9, 1], [1, 1, 1]])
dead = torch.zeros(3, 3)
toy = torch.stack((spot, line, even, noisy, dead))[None]  # (N, C, H, W) = (1, 5, 3, 3)

# %% [markdown]
# The two usual answers are the average and the maximum over all places. Before you run the next
# cell: which channels does each of them confuse?

# %% tags=["nbval-check-output"]
average, maximum = toy.mean((2, 3)), toy.amax((2, 3))  # (1, 5) each
for name, row in (("average", average), ("maximum", maximum)):
    print(name, [round(v, 2) for v in row[0].tolist()], "for spot, line, even, noisy, dead")

# %% [markdown]
# To the average, a spot, a line and an even grey are the same. To the maximum, a clean spot and a
# noisy one are. GCCA therefore keeps both, and adds a third: "random pooling".

# %% [markdown] tags=["slide"]
# ## Random pooling: the paper is silent, Zeiler and Fergus are not
#
# The paper gives no formula for $F_{rdm}$ and no reference. A pooling of this kind that has one is
# **stochastic pooling** (Zeiler and Fergus, 2013), and that is how we read it
# (`docs/design.md`). Let $a_l \ge 0$ be the activation at place $l$:
#
# $$p_l = \frac{a_l}{\sum_k a_k}, \qquad
# \underbrace{s = a_l,\; l \sim p}_{\text{training}}, \qquad
# \underbrace{s = \sum_l p_l\,a_l = \frac{\sum_l a_l^2}{\sum_l a_l}}_{\text{evaluation}}$$
#
# In training a place is drawn, the stronger the likelier, and its value is taken. In evaluation
# nothing is drawn: the result is what the draw gives on average.

# %% [markdown]
# By hand, for the noisy channel: its sum is 17, so the middle is drawn with probability 9/17, and
# each other place with 1/17.

# %%
p = noisy.flatten() / noisy.sum()  # (9,)
place = torch.multinomial(p, 10_000, replacement=True)  # (10000,) places
values = noisy.flatten()[place]
print(f"the middle was drawn {(values == 9).float().mean():.1%} of the time; 9/17 is {9 / 17:.1%}")

# %% [markdown]
# The mean of all draws approaches $\sum a^2 / \sum a = (81 + 8) / 17$:

# %%
print(f"mean of the draws {values.mean():.2f}, expectation {(81 + 8) / 17:.2f}")

# %% [markdown]
# For a batch, the expectation is two sums. One thing can go wrong: a dead channel is $0/0$. We
# want 0 there. Public versions get this pooling wrong in many ways; the check knows most of them.

# %% [markdown] exercise="gcca.stochastic_pool"
# Write stochastic pooling for a whole batch, both ways.

# %% [markdown]
# It equals the package's in evaluation, for the toy channels and for a batch as a ReLU leaves it:

# %%
from fercourse import modules

x = torch.randn(2, 64, 12, 12).relu()  # (N, C, H, W)
for given in (x, toy):
    packaged = modules.stochastic_pool(given, training=False)
    torch.testing.assert_close(stochastic_pool(given, training=False), packaged)

# %% [markdown]
# Here are the toy channels with all three poolings. Look along each colour: does it tell the four
# living channels apart?

# %% tags=["slide"]
plots.poolings({"spot": spot, "line": line, "even": even, "noisy": noisy, "dead": dead})

# %% [markdown]
# The expectation lies between the other two, always: it is an average in which strong places count
# more. (Do not conclude that it is simply better. For any one number there are two channels that it
# confuses; try to draw them. That is the case for keeping three.)

# %%
expected = stochastic_pool(x, training=False)  # (N, C)
assert (x.mean((2, 3)) <= expected).all()
assert (expected <= x.amax((2, 3))).all()

# %% [markdown]
# Why draw at all, when the expectation is at hand? Chance is a regulariser, as in dropout: the
# network cannot rely on one place, and the gradient reaches a different one at each step.
# The price is that evaluation must switch it off. If it does not, one face gets two answers:

# %% tags=["nbval-check-output"]
for training in (True, False):
    once, again = (stochastic_pool(x, training) for _ in range(2))
    print(f"training={training}: the same twice? {torch.equal(once, again)}")

# %% [markdown]
# Now draw by hand. Type activations into the grid, or pick a ready channel; then raise the number
# of draws, and watch the orange shares settle on the blue probabilities. Tick the box to see what a
# softmax would make of the same channel.

# %%
from fercourse import widgets

widgets.stochastic_pooling()

# %% [markdown]
# ## Side by side
#
# Three descriptors, each (N, C). "The three channel descriptors were grouped according to different
# channels, and the global information of the same channel was spliced together." So the three
# numbers *of one channel* must become neighbours. To see the order, let the tens name the channel,
# and the ones the pooling:

# %% tags=["nbval-check-output"]
avg, top, rdm = torch.tensor([[10, 20]]), torch.tensor([[11, 21]]), torch.tensor([[12, 22]])
print("cat:  ", torch.cat((avg, top, rdm), 1).tolist())
print("stack:", torch.stack((avg, top, rdm), 2).flatten(1).tolist())

# %% [markdown]
# `cat` puts all averages first. Cut into threes, its first group is 10, 20, 11: two channels in one
# group. Nothing would crash, the shapes are right, the network would even train. This is the
# quietest way to get GCCA wrong; `stack` along a new axis is right.

# %% [markdown] exercise="gcca.side_by_side"
# Put the three descriptors in the order that the grouped convolution needs.


# %%
def descriptors(x: Tensor, training: bool) -> Tensor:
    """Average, maximum and stochastic pooling of each channel: (N, C, H, W) -> (N, 3C, 1, 1)."""
    drawn = stochastic_pool(x, training)  # (N, C)
    return side_by_side(x.mean((2, 3)), x.amax((2, 3)), drawn)


packaged = modules.GCCA(64).eval().descriptors(x)  # (N, C, 3)
torch.testing.assert_close(descriptors(x, False), packaged.flatten(1)[..., None, None])

# %% [markdown]
# ## The grouped convolution: four numbers a channel
#
# $G$ fuses the three numbers of a channel into one. A convolution with `groups=C` cuts its $3C$
# inputs into $C$ runs of three, and gives each run its own little kernel:

# %% tags=["nbval-check-output"]
C = 4
group = nn.Conv2d(3 * C, C, 1, groups=C)
print("weight", tuple(group.weight.shape), "bias", tuple(group.bias.shape))
print("numbers to learn:", sum(p.numel() for p in group.parameters()), "= 4 a channel")

# %% [markdown]
# Three weights and a bias: how much this channel's average, maximum and draw should count. There is
# nothing more to it, as the loop shows:

# %%
d = torch.rand(2, C, 3)  # (N, C, 3)
by_loop = [d[:, k] @ group.weight[k].flatten() + group.bias[k] for k in range(C)]  # C times (N,)
by_group = group(d.flatten(1)[..., None, None])[..., 0, 0]  # (N, 3C, 1, 1) -> (N, C)
torch.testing.assert_close(by_group, torch.stack(by_loop, 1))

# %% [markdown]
# The empty axes `[..., None, None]` are there because a convolution wants an image; ours has one
# place. Compare it with an ordinary 1x1 convolution as a matrix: rows are outputs, columns inputs,
# white is no connection.

# %% tags=["slide"]
full = nn.Conv2d(3 * C, C, 1)
plots.groups(
    {
        "ordinary": full.weight.flatten(1),
        "grouped": torch.block_diag(*group.weight.flatten(1)[:, None]),
    }
)

# %% [markdown]
# ## The bottleneck
#
# So far no channel has heard of any other. That is the work of two ordinary 1x1 convolutions: $W_1$
# squeezes $C$ numbers to $C/16$, $W_2$ brings them back to $C$. Whatever a channel's weight is to
# depend on has to pass through these few numbers. At width 1, the five blocks leave this many:

# %% tags=["nbval-check-output"]
for block, channels in enumerate((64, 128, 256, 512, 512), start=1):
    print(f"block {block}: {channels} -> {channels // 16} -> {channels}")

# %% [markdown]
# Our networks are often narrower than the paper's, and 16 channels would leave a single number. We
# never squeeze below 4, what the paper's own block 1 has. This deviates from the paper for narrow
# models only.

# %% [markdown] exercise="gcca.layers"
# Make the three layers of eq. 1. How many groups has the first?

# %%
group, squeeze, excite = layers(64)

# %% [markdown] tags=["slide"]
# ## Eq. 1
#
# $$P(F) = \sigma(W_2(\delta(W_1(\delta(G(F_{avg}; F_{max}; F_{rdm})))))) \qquad (1)$$
#
# Read it from inside out: pool, $G$, ReLU ($\delta$), $W_1$, ReLU, $W_2$, sigmoid ($\sigma$). Eq. 2
# will call the result $M_c(F)$; the paper does not say that the two are one, but nothing else makes
# sense. We write $M$.


# %% paper="eq. 1"
def attention(x: Tensor, training: bool = False) -> Tensor:
    """M: one weight in (0, 1) for every channel, (N, C, H, W) -> (N, C, 1, 1)."""
    fused = group(descriptors(x, training)).relu()  # (N, 3C, 1, 1) -> (N, C, 1, 1)
    squeezed = squeeze(fused).relu()  # (N, C/16, 1, 1)
    return excite(squeezed).sigmoid()  # (N, C, 1, 1)


# %% tags=["nbval-check-output"]
m = attention(x)
print("F", tuple(x.shape), "-> M", tuple(m.shape))
print("every weight between 0 and 1?", bool(((m > 0) & (m < 1)).all()))

# %% [markdown]
# ## Eq. 2, and why $F$ is added
#
# $$F' = M_c(F) \otimes F + F \qquad (2)$$
#
# $\otimes$ multiplies every place of a channel by that channel's weight. The paper explains the
# second term: since the sigmoid keeps $M$ below 1, multiplying alone would weaken the response. How
# much? An untrained sigmoid gives about 0.5, and there are five modules in a row:

# %% tags=["nbval-check-output", "slide"]
print(f"multiplied only:    0.5 ** 5 = {0.5**5:.3f}")
print(f"multiplied + added: 1.5 ** 5 = {1.5**5:.2f}")


# %% paper="eq. 2"
def reweight(x: Tensor, m: Tensor) -> Tensor:
    """F' of eq. 2: (N, C, H, W) and (N, C, 1, 1) -> (N, C, H, W)."""
    return m * x + x


# %% [markdown]
# With $x$ factored out, eq. 2 says $F' = (1 + M)\,F$: a factor between 1 and 2. That answers two
# questions the paper leaves open:
#
# - Can GCCA switch a channel off? No. The strongest channel can gain at most a factor of two over
#   the weakest. "Suppressing irrelevant" channels is meant relatively.
# - Does a factor shared by all channels and faces matter? No. The next convolution is followed by
#   batch norm, which divides it out again (where the pooled channels go to the head instead, its
#   linear layer can learn to):

# %%
following = nn.Sequential(nn.Conv2d(64, 32, 3, bias=False), nn.BatchNorm2d(32))  # in training mode
torch.testing.assert_close(following(1.5 * x), following(x), rtol=1e-3, atol=1e-3)
assert not torch.allclose(following(reweight(x, m)), following(x), atol=1e-3)

# %% [markdown]
# Only *differences* between channels' weights, or between faces', reach the next block. Keep this
# in mind; we shall measure both.

# %% [markdown]
# ## GCCA, assembled
#
# The pieces go into a module. It holds three layers and nothing else, for poolings learn nothing.


# %% paper="Fig. 3"
class OurGCCA(nn.Module):
    """Fig. 3: (N, C, H, W) in and out."""

    def __init__(self, channels: int, reduction: int = 16) -> None:
        super().__init__()
        self.group, self.squeeze, self.excite = layers(channels, reduction)  # G, W_1, W_2

    def attention(self, x: Tensor) -> Tensor:
        fused = self.group(descriptors(x, self.training)).relu()  # (N, C, 1, 1)
        return self.excite(self.squeeze(fused).relu()).sigmoid()  # (N, C, 1, 1), eq. 1

    def reweight(self, x: Tensor, m: Tensor) -> Tensor:
        return m * x + x  # eq. 2

    def forward(self, x: Tensor) -> Tensor:
        return self.reweight(x, self.attention(x))


# %% [markdown]
# Is it the package's? The layers have the same names, so that the weights of one load into the
# other. Then both must give the same output *and* the same gradient, for any input.

# %%
ours, theirs = OurGCCA(64).eval(), modules.GCCA(64).eval()
ours.load_state_dict(theirs.state_dict())
torch.testing.assert_close(ours(x), theirs(x))


# %%
def gradient(module: nn.Module) -> Tensor:
    """Of the sum of squares of the output, with respect to the input."""
    given = x.clone().requires_grad_()
    module(given).square().sum().backward()
    return given.grad


torch.testing.assert_close(gradient(ours), gradient(theirs))

# %% [markdown]
# In training both draw, each in its own way, so single outputs differ. Their means over many draws
# must agree. (Not exactly with evaluation's output, for the mean of a ReLU is not the ReLU of a
# mean.)

# %%
with torch.no_grad():
    a, b = (
        torch.stack([module.train().attention(x) for _ in range(300)])  # (300, N, C, 1, 1)
        for module in (ours, theirs)
    )
print(f"a weight differs from draw to draw by up to {np.ptp(a.numpy(), axis=0).max():.4f}")
print(f"the two means differ by at most {(a.mean(0) - b.mean(0)).abs().max():.4f}")

# %% [markdown]
# ## Beside its relatives: SE
#
# GCCA did not fall from the sky. **SE** (Hu et al., 2018) came first: one pooling, the same
# bottleneck, no residual.
#
# The caption of Fig. 3 says that "the SENet exclusively employs maximum pooling". Does it?
# torchvision carries SE, written by other hands. We compute it with the one and with the other
# pooling:

# %% tags=["nbval-check-output"]
from torchvision.ops import SqueezeExcitation

se = SqueezeExcitation(64, 4)  # F * M(F), with 64 / 16 = 4
for name, pooled in (("average", x.mean((2, 3), True)), ("maximum", x.amax((2, 3), True))):
    m = se.fc2(se.fc1(pooled).relu()).sigmoid()  # (N, C, 1, 1)
    print(f"SE by the {name}: equal to torchvision's? {torch.allclose(m * x, se(x), atol=1e-6)}")

# %% [markdown]
# SE pools by the **average**; the caption is wrong. It matters for what GCCA adds: not the average,
# but the maximum and the draw.

# %% [markdown]
# ## CBAM's channel part
#
# **CBAM** (Woo et al., 2018) pools by average and maximum, sends *both* through one shared
# bottleneck, and adds the results before the sigmoid. (The caption of Fig. 2 calls our module CBAM.
# The text, Fig. 3 and Table 1 say GCCA, and so do we. At the end of this lesson each stands in the
# other's place.)


# %%
class CBAMChannels(nn.Module):
    """sigmoid(MLP(avg) + MLP(max)), multiplied with F."""

    def __init__(self, channels: int, reduction: int = 16) -> None:
        super().__init__()
        squeezed = channels // reduction
        self.mlp = nn.Sequential(
            nn.Conv2d(channels, squeezed, 1), nn.ReLU(), nn.Conv2d(squeezed, channels, 1)
        )

    def attention(self, x: Tensor) -> Tensor:
        return (self.mlp(x.mean((2, 3), True)) + self.mlp(x.amax((2, 3), True))).sigmoid()

    def forward(self, x: Tensor) -> Tensor:
        return self.attention(x) * x


# %% [markdown]
# ## CBAM's other half: places
#
# GCCA stops here; CBAM goes on. Behind the weights of *channels* comes a weight for every *place*:
# mean and maximum over the channels are two maps, (N, 2, H, W), and a 7x7 convolution makes one map
# of weights of them, (N, 1, H, W). In block 5 the map has 3x3 places, so each sees the whole face.


# %%
def places(x: Tensor, kernel: Tensor) -> Tensor:
    """(N, C, H, W) and a kernel (1, 2, 7, 7) -> one weight a place, (N, 1, H, W)."""
    two = torch.cat((x.mean(1, True), x.amax(1, True)), 1)  # (N, 2, H, W)
    return nn.functional.conv2d(two, kernel, padding=3).sigmoid()


cbam = modules.CBAM(64).eval()  # the package's, both halves
halfway = cbam.attention(x) * x
torch.testing.assert_close(cbam(x), halfway * places(halfway, cbam.locate.weight))

# %% [markdown]
# ## ECA
#
# **ECA** (Wang et al., 2020) drops the bottleneck. A one-dimensional convolution slides over the
# channels' averages, so that each weight depends on a few *neighbouring* channels. Its kernel grows
# with the logarithm of $C$.


# %%
class ECA(nn.Module):
    """sigmoid of a 1-D convolution over the channels' averages, multiplied with F."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        size = int(np.log2(channels) / 2 + 0.5)
        size += 1 - size % 2  # odd
        self.conv = nn.Conv1d(1, 1, size, padding=size // 2, bias=False)

    def attention(self, x: Tensor) -> Tensor:
        row = x.mean((2, 3))[:, None]  # (N, 1, C)
        return self.conv(row)[:, 0, :, None, None].sigmoid()  # (N, C, 1, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.attention(x) * x


# %% [markdown]
# ## A pooling that attends
#
# All of these pool first and weigh afterwards. **Self-attention pooling** lets the map say which
# places count while it is pooled. A learned query $q$ scores every place, a softmax makes shares of
# the scores, and the descriptor is the mean under these shares:
#
# $$d_c = \sum_l s_l\, f_{lc}, \qquad s = \mathrm{softmax}_l(q \cdot f_l / \sqrt{C})$$


# %%
def attention_pool(x: Tensor, query: Tensor) -> Tensor:
    """Mean over places under shares that a query (C,) scores: (N, C, H, W) -> (N, C)."""
    flat = x.flatten(2)  # (N, C, L), L places
    share = (query @ flat / len(query) ** 0.5).softmax(1)  # (N, L)
    return (flat * share[:, None]).sum(2)


# %% [markdown]
# A query of zeros finds all places alike, and average pooling is what remains. And random pooling?
# **Guess which score makes it**, when every channel scores its places for itself.

# %%
torch.testing.assert_close(attention_pool(x, torch.zeros(64)), x.mean((2, 3)))
share = x.clamp_min(1e-12).log().flatten(2).softmax(2)  # (N, C, L)
torch.testing.assert_close((x.flatten(2) * share).sum(2), expected)

# %% [markdown]
# The logarithm of the activation: $e^{\log a} = a$, so the shares are $a/\sum a$. GCCA's third
# descriptor is, on average, an attention pooling with nothing to learn in it.

# %% [markdown]
# ## What they cost
#
# All of them learn next to nothing, beside the 14.7 million numbers of the backbone they stand in.


# %% tags=["nbval-check-output"]
def count(module: nn.Module) -> int:
    return sum(p.numel() for p in module.parameters())


makers = {
    "SE": lambda c: SqueezeExcitation(c, c // 16),
    "CBAM's channels": CBAMChannels,
    "CBAM, both": modules.CBAM,
    "ECA": ECA,
    "GCCA": OurGCCA,
}
for name, make in makers.items():
    row = [count(make(c)) for c in (64, 128, 256, 512, 512)]
    print(f"{name:15}", *(f"{n:>7,}" for n in row), f"  together {sum(row):>7,}")

# %% [markdown]
# GCCA is SE and four numbers a channel: $4C$ more, as counted above. CBAM's channels cost what SE
# costs, because its two paths share one bottleneck; the places cost one kernel of 2x7x7 a block.

# %% [markdown]
# ## What they can see
#
# Cost is one thing, sight another. Two maps with the same averages: in the first each channel is
# one bright spot, in the second it is even grey. Which modules can give them different weights?

# %% tags=["nbval-check-output"]
spots, greys = (t.expand(1, 64, 3, 3) for t in (spot, even))  # averages all 1
with torch.no_grad():
    for name, make in makers.items():
        module = make(64).eval()
        m = [(module(t) / t)[..., 1, 1] for t in (spots, greys)]  # the factor, at the middle
        print(f"{name:15} sees a difference: {not torch.allclose(*m)}")

# %% [markdown]
# SE and ECA are blind to it: their only descriptor is the average. (The others see it as a rule.
# Their weights here are random, and now and then all units of a bottleneck stay silent; we come
# back to that.)

# %% [markdown]
# ## In the network: model 3
#
# Model 3 of Table 1 is model 2 with a GCCA behind every block. At width 1 it has this many numbers
# more to learn:

# %% tags=["nbval-check-output"]
sizes = [count(fercourse.FERNet(fercourse.ModelConfig.table1(k))) for k in (2, 3)]
gccas = sum(count(modules.GCCA(c)) for c in (64, 128, 256, 512, 512))
print(f"model 2: {sizes[0]:,}; model 3: {sizes[1]:,}; five GCCAs: {gccas:,}")
assert sizes[1] - sizes[0] == gccas

# %% [markdown]
# Our own class fits into the trained network, weights and all, and does not change a single logit.
# From here on we use the package's.

# %%
from fercourse.preprocess import normalise

model = lesson.trained(lesson.pick(smoke=3, full=6)).eval()
inside = model.backbone.attentions
swapped = nn.ModuleList(OurGCCA(a.excite.out_channels).to(lesson.device).eval() for a in inside)
swapped.load_state_dict(inside.state_dict())
faces = fercourse.load("synthetic", count=210, difficulty=0.1).train  # built-in faces
batch = normalise(faces.images[:8].to(lesson.device))  # (8, 1, 48, 48)

# %%
with torch.no_grad():
    before = model(batch).logits
    model.backbone.attentions = swapped
    after = model(batch).logits
    model.backbone.attentions = inside
torch.testing.assert_close(before, after)

# %% [markdown]
# What do the weights look like on a face? In each row, bars are the channels' weights from high to
# low; beside them is what the four strongest channels see. Look at how far the bars stray from 0.5.

# %%
plots.gcca(model, faces.of("happy"))

# %% [markdown]
# Now compare faces. Choose two different expressions and a block: which channels change places?

# %%
widgets.gcca_weights(model, faces)

# %% [markdown]
# ## Does it attend?
#
# If you found the bars hard to move: so did we. "Attention" is a promise that the weights depend on
# the input. It can be tested. $M$ varies for two reasons: channels differ, and faces differ. Only
# the second is attention; the first could be had by a constant for each channel, which the next
# convolution could simply absorb. `maps` runs the network and notes, by block, every face's $M$
# (`weights`) and its three descriptors (`descriptors`).

# %%
from fercourse.explain import maps

data = lesson.data(1400)
found = maps(model, data.val)
for block, m in found.weights.items():  # (N, C), N faces
    channels, over_faces = m.mean(0).std(), m.std(0).mean()
    print(f"block {block}: between channels {channels:.3f}, between faces {over_faces:.3f}")

# %% [markdown]
# Where could the dependence on the face get lost? Eq. 1 has two ReLUs. A squeezed unit that is
# negative for *every* face is silent, and says nothing about any. If all units of a block are
# silent, then $M = \sigma(b_2)$, a constant. We count the units that answer to at least one face,
# in a new network of the same shape and in the trained one:


# %%
@torch.no_grad()
def living(model: nn.Module, three: dict[int, Tensor]) -> list[tuple[int, int]]:
    """By block: squeezed units that answer to any face, and how many there are."""
    counts = []
    for module, d in zip(model.backbone.attentions, three.values(), strict=True):
        compared = module.normalise(d.to(lesson.device).flatten(1)[..., None, None])
        fused = module.group(compared).relu()
        squeezed = module.squeeze(fused).relu()  # (N, units, 1, 1)
        counts.append((int((squeezed.amax(0) > 0).sum()), squeezed.shape[1]))
    return counts


fresh = fercourse.FERNet(model.config).to(lesson.device).eval()
print("before training:", living(fresh, maps(fresh, data.val).descriptors))
print("after training: ", living(model, found.descriptors))

# %% [markdown]
# A silent unit gets no gradient through its ReLU, and may never wake; training can silence more.
# Now both together. Compare the orange bar with the blue one in each block, and read below how many
# units answer.

# %% tags=["slide"]
plots.gate_spread(found.weights, living(model, found.descriptors))

# %% [markdown]
# The decisive test is to take the attention away. We freeze every weight at its mean over training
# faces, so that all faces get the same; then we set all weights to 0.5, so that all channels do.
# What becomes of the validation faces?


# %%
class Fixed(nn.Module):
    """In GCCA's place: the same weights (C,) for every face."""

    def __init__(self, weights: Tensor) -> None:
        super().__init__()
        self.weights = weights

    def attention(self, x: Tensor) -> Tensor:
        return self.weights.expand(len(x), -1)[..., None, None].to(x)

    def reweight(self, x: Tensor, m: Tensor) -> Tensor:
        return reweight(x, m)


# %%
from copy import deepcopy

from fercourse.evaluation.predict import probabilities

means = [m.mean(0) for m in maps(model, data.train[:500]).weights.values()]
choices = {
    "as trained": None,
    "mean of training faces": means,
    "0.5 everywhere": [torch.full_like(m, 0.5) for m in means],
}
probability = {}
for name, weights in choices.items():
    other = deepcopy(model)
    if weights is not None:
        other.backbone.attentions = nn.ModuleList(Fixed(w.to(lesson.device)) for w in weights)
    p = probability[name] = probabilities(other, data.val.images)  # (N, 7)
    changed = (p.argmax(1) != probability["as trained"].argmax(1)).sum()
    right = (p.argmax(1) == data.val.labels).float().mean()
    print(f"{name:24} {right:.1%} right, {changed} of {len(p)} answers changed")

# %% [markdown]
# If the second line equals the first, these five modules act as constants: to answer, the network
# does not need weights computed for each face anew. If the third equals it as well, then not even
# the differences between channels matter to the answers any more.
#
# Two cautions. This says something about *our* runs: of its initialisation the paper says "random"
# and no more, and it prints neither weights nor code. And a module may help training without being
# needed afterwards. But it shows what a picture of attention weights can hide, and how cheap it is
# to ask.

# %% [markdown]
# ## Open experiment: weights by a coin
#
# The trained weights lie about 0.5, so 0.5 everywhere was no great change. Now let them be as wrong
# as eq. 1 allows. For each channel of every block a coin says 0 or 1, once for all faces: by eq. 2
# the channel stays as it is, or is doubled. **Predict** how many answers change, an interval that
# you would bet on four to one, before you run the rest.

# %%
guess = course.predict("answers that change with GCCA's weights by a coin, %", 0, 100)

# %%
chosen = (1, 2, 3, 4, 5)  # the blocks whose weights are thrown
thrown = [torch.randint(2, m.shape).float() if b in chosen else m for b, m in enumerate(means, 1)]
gambling = deepcopy(model)
gambling.backbone.attentions = nn.ModuleList(Fixed(w.to(lesson.device)) for w in thrown)
p = probabilities(gambling, data.val.images)
changed = p.argmax(1) != probability["mean of training faces"].argmax(1)

# %% [markdown]
# The bar is your interval, the diamond what came out. Does it lie on the bar?

# %%
guess.beside(100 * changed.float().mean())

# %% [markdown]
# Then throw for one block alone, and predict again: where is a wrong weight felt most? If a block
# does not mind what its weights are, what do they say?
#
# ## Why it does not answer
#
# Look at one squeezed unit *before* its ReLU. It adds up fused descriptors with weights of either
# sign. Descriptors are averages and maxima of what a ReLU left: none is ever negative, and a
# channel that is strong for one face is strong for the next. Take a new-born GCCA, feed it real
# descriptors, and compare two numbers for each unit: its mean over faces, and how far it strays
# from it. **Guess the ratio.**


# %%
def squeezed(module: nn.Module, three: Tensor) -> Tensor:
    """What W_1 says of descriptors (N, C, 3), before the ReLU: (N, units)."""
    compared = module.normalise(three.flatten(1)[..., None, None])
    return module.squeeze(module.group(compared).relu())[..., 0, 0]


with torch.no_grad():
    for block, three in found.descriptors.items():
        ratio, one_sign = [], []
        for draw in range(10):
            torch.manual_seed(draw)
            unit = squeezed(modules.GCCA(three.shape[1]).eval(), three)  # (N, units)
            ratio.append((unit.mean(0).abs() / unit.std(0)).median())
            one_sign.append(((unit > 0).all(0) | (unit <= 0).all(0)).float().mean())
        mean, same = torch.stack(ratio).mean(), torch.stack(one_sign).mean()
        print(f"block {block}: mean {mean:.1f} times the spread, {same:.0%} of units of one sign")

# %% [markdown]
# There it is. In the first three blocks, what all faces share is several times larger than what
# tells them apart, and half of the units or more have one sign for every face. Such a unit is a
# straight line behind its ReLU, or nothing at all. So a module that should compare faces compares
# each face with *zero*, where few faces are.
#
# ## A mend, and two more
#
# Which change makes a unit compare a face with other faces? Stop and find one before you read on.
#
# - **Normalise the descriptors** over the batch (`gcca_descriptor_norm`): each one then says how
#   far this face is from the average face.
# - **Start at zero sum** (`gcca_zero_sum`): every row of $W_1$ sums to 0, so that what all channels
#   share cancels. It costs nothing, and training may undo it.
# - **Normalise in the squeeze** (`gcca_norm`): batch norm behind $W_1$ moves every unit's threshold
#   to where the faces are.
#
# First new-born modules again, ten of each: how much does $M$ change from face to face?

# %%
mends = {
    "as read": {},
    "normalised descriptors": {"descriptor_norm": True},
    "zero-sum start": {"zero_sum": True},
    "norm in the squeeze": {"norm": True},
}
with torch.no_grad():
    for name, how in mends.items():
        moved = []
        for three in found.descriptors.values():
            torch.manual_seed(0)
            module = modules.GCCA(three.shape[1], **how).train()  # judged by this batch
            m = module.excite(squeezed(module, three)[..., None, None].relu()).sigmoid()
            moved.append((m - m.mean(0)).abs().mean())
        print(f"{name:23s}", "  ".join(f"{value:.4f}" for value in moved))

# %% [markdown]
# A new-born module that answers is not yet one that is *useful*. So model 3 was trained with each
# mend, and without any GCCA, ten seeds each, on drawn faces of difficulty 0.5. From left to right:
# does $M$ change from face to face after training? Do answers depend on it, if one freezes it at
# its mean? Does accuracy gain, against GCCA as read? And do class activation maps come nearer to
# what the expression changed?

# %% tags=["nbval-check-output", "slide"]
from fercourse.runs.attention_record import attention_records, difference

records = attention_records("gcca")
plots.gcca_mends(records)

# %% tags=["nbval-check-output"]
for variant in ("gcca-none", "gcca-norm", "gcca-descriptors", "gcca-start"):
    accuracy = difference(records, "gcca-as-read", variant, lambda r: 100 * r["accuracy"])
    if accuracy:
        reach = f"[{accuracy.low:+.1f}, {accuracy.high:+.1f}]"
        clear = "clear" if accuracy.clear else "cannot tell"
        print(f"{variant:17s} {accuracy.mean:+.1f} {reach} points of accuracy: {clear}")

# %% [markdown]
# So the fault was real, and it can be mended with one layer: $M$ then depends on the face. Whether
# that is worth anything is the next question, and it has its own answer in the lines above. A
# component can be dead without harm, and alive without use.
#
# Drawn faces are not photographs. The same networks on FER2013, trained briefly (the rows of the
# ledger say how), three seeds each. Compare the last two columns with what you saw above:

# %% tags=["nbval-check-output"]
from fercourse.runs.attention_record import comparison

mended = ("gcca-none", "gcca-as-read", "gcca-norm", "gcca-descriptors", "gcca-start")


def lines(records: list, reference: str, variants: tuple[str, ...]) -> None:
    """Print what each variant came to."""
    for name, of in comparison(records, reference, variants).items():
        gain = of["gain"]
        against = f"{gain.mean:+.1f} [{gain.low:+.1f}, {gain.high:+.1f}]" if gain else ""
        alive = f"{of['moved']:.4f}, {of['frozen']:4.1f} %" if of["moved"] is not None else ""
        print(f"{name:17s}{of['accuracy']:5.1f} %  {against:19s} {alive}")


print("                accuracy  against as read     M from face to face, answers if frozen")
lines(attention_records("gcca", "fer2013"), "gcca-as-read", mended)

# %% [markdown]
# The fault is worse on photographs, and the norm mends it there too: $M$ then moves several times
# as much, and more answers hang on it. Whether accuracy moves, three seeds cannot tell.
#
# ## Which attention? All of them in one place
#
# The caption of Fig. 2 says CBAM, the text says GCCA. Does it matter which? `model.attention` puts
# SE, CBAM (both halves) or ECA where GCCA stands, each as its authors publish it: multiplied with
# $F$, nothing added. The plan `slot` trains model 3 with each and with nothing there, by the same
# recipe, ten seeds on drawn faces.
#
# **Write down your order first**, and whether you expect any of them to be clearly better than
# nothing. Then look at the third panel: an interval that crosses the line is a difference that ten
# seeds cannot tell.

# %% paper="Fig. 2" tags=["nbval-check-output", "slide"]
from fercourse.runs.attention_record import slot_records

plots.relatives(slot_records())

# %% [markdown]
# Three of the four cannot be told from nothing. The fourth can: CBAM *loses*, though its weights
# answer most to the face, and most answers hang on them. So it does matter which word one believes.
# Is it that CBAM knows its training faces too well? The share of them that is answered rightly in
# the last epoch decides:

# %% tags=["nbval-check-output"]
from fercourse.runs.ledger import Ledger

book, standing = Ledger(), ("gcca-none", "slot-se", "slot-cbam", "slot-eca", "gcca-as-read")
for variant in standing:
    rows = book.rows(plan=["gcca", "slot"], variant=variant, dataset="synthetic")
    ends = [book.history(row)[-1]["train_accuracy"] for row in rows]
    print(f"{variant:17s}{np.mean(ends):.0%} of training faces, {len(ends)} seeds")

# %% [markdown]
# It knows them *less*. So it did not overfit; in the same number of steps it learnt less. Each of
# its two sigmoids can only take away, and nothing is added back. Is that the reason? A class of
# your own in `fercourse/models/attend.py`, with $F$ added as in eq. 2, and an evening would tell.
#
# On FER2013, against nothing in the place:

# %% tags=["nbval-check-output"]
print("                accuracy  against nothing     M from face to face, answers if frozen")
lines(slot_records("fer2013"), "gcca-none", standing)

# %% [markdown]
# The same at the lower end: CBAM's weights move most, and it loses. At the upper end GCCA leads, as
# the paper says; but its weights move least of all, and its interval holds zero comfortably. What
# each costs in time, measured side by side, stands in `docs/where-it-looks.md`.

# %% [markdown]
# ## Ablation: model 2 → 3
#
# In Table 1, GCCA is the step that gains most. The claims and our own runs, as far as the ledger
# has them, with 95 % intervals over seeds, on CK+ over folds. Look at whose interval contains zero,
# and at how many runs stand behind each line. (A hollow circle is a single seed, which has none.)

# %% paper="Table 1" tags=["nbval-check-output", "slide"]
plots.ablation_step(book.entries(plan="table1"), 2, 3)

# %% [markdown]
# ## Summary
#
# - Three poolings describe a channel. Stochastic pooling draws with probability $a/\sum a$ in
#   training and takes $\sum a^2 / \sum a$ afterwards; it is our reading of "random pooling".
# - The three numbers of one channel stand side by side, and a grouped convolution fuses them with
#   four numbers a channel. A bottleneck compares channels, a sigmoid makes weights.
# - $F' = (1 + M) F$: a factor between 1 and 2, which weakens nothing and switches nothing off.
# - SE pools by the average, whatever the caption says; GCCA is SE with two more poolings, four more
#   numbers a channel, and a residual.
# - Whether attention attends is a question for a measurement: freeze the weights and see.
# - As read, GCCA hardly does: its units compare every face with zero. Normalised, they compare it
#   with other faces.
# - A map can be weighed while it is pooled (self-attention pooling; random pooling is, on average,
#   one with nothing to learn), and places can be weighed as channels are (CBAM's other half).
# - In one place, by one recipe, CBAM is the worst of the relatives, and no other differs clearly
#   from nothing at all. Weights that answer to the face are not yet weights that help.

# %% [markdown]
# ## Exercises

# %% [markdown] exercise="gcca.recalibrate"
# A last one from memory: eq. 1 and eq. 2 in evaluation, with the layers given. Use
# `fercourse.modules.stochastic_pool` (or your own) for the third pooling.
