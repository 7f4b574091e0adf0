# ---
# jupyter:
#   fercourse:
#     title: "Reverse attention: erase what is known, look at the rest"
#     learn:
#       - read eq. 3 and 4 critically, and say what they must mean
#       - build one stage, the cascade from block 5 to block 3, and the whole of model 5 around it
#       - prove each piece equal to the package's
#       - see a trained cascade at work, step by step
#       - measure whether its maps matter to the answer, and explain what you find
#       - give the maps back the supervision they were made for, and measure again
#     needs: [5, 8]
#     seed: 8
#     boxes: [reverse, decoder, C3, C4, C5]
# ---

# %% [markdown]
# ## The idea
#
# Ordinary attention strengthens what a network already looks at. **Reverse** attention does the
# opposite: it *erases* the place that was found and lets the network search the remainder. Somebody
# who looks for their keys does not search the cleared table twice.
#
# The paper's form of it was made for finding salient objects (Chen et al., 2018). A coarse map from
# the deepest layer claims the middle of an object. Erase the middle, and a shallower layer, which
# sees finer detail, finds the rim. Add the rim to the map, erase both, go on. The paper takes this
# over for faces, with the partial decoder's map $P_d$ (lesson 08) as the first claim.

# %% [markdown]
# ## What the paper says
#
# > The RA module methodically erases the presently predicted region from the high-level lateral
# > output features, sequentially unveiling the missing details […]. The RA weight $A_i$ can be
# > obtained by simply subtracting the upsampling prediction of the $(i+1)$-th lateral output from
# > 1.
#
# $$R_i = D(C_i \cdot A_i) \quad (3) \qquad\qquad A_i = 1 - \text{sigmoid}(U(C_{i+1})) \quad (4)$$
#
# with $i = 3, 4, 5$, $D(\cdot)$ "the dot multiplication operation" and $U(\cdot)$ "the upsampling
# operation".
#
# **Stop here for a minute.** Could you program this? Write down what you would have to ask the
# authors, then compare.

# %% [markdown]
# ## What is unclear, and how we read it
#
# 1. **$U(C_{i+1})$ in eq. 4.** $C_{i+1}$ has 512 channels and is no prediction, while the sentence
#    above says "prediction". And for $i = 5$ there is no $C_6$. *Our reading:* a running prediction
#    $S_{i+1}$ with one channel; the first is $P_d$.
# 2. **$D(C_i \cdot A_i)$ in eq. 3.** The dot multiplies already, and a dot *product* would sum the
#    channels away. But the sentence above eq. 3 speaks of an "element-wise multiplication". *Our
#    reading:* just that, the one channel of $A_i$ broadcast over all of $C_i$'s channels.
# 3. **$U$ is called up-sampling.** But $P_d$ has C3's size, so for $i = 5$ it must go *down*.
#    *Our reading:* resize to the partner's size.
# 4. **Nothing says how $S_i$ comes from $R_i$.** *Our reading*, from Chen et al.: a small head
#    reads $R_i$, and its finding is *added* to $S_{i+1}$.
# 5. **"Multiple features are fused":** what reaches the classifier? *Our reading:* $R_5$, $R_4$ and
#    $R_3$, each averaged over the face.
#
# So, in symbols that can be programmed, with $S_6 = P_d$ and for $i = 5, 4, 3$:
#
# $$A_i = 1 - \sigma(U(S_{i+1})), \qquad R_i = C_i \odot A_i, \qquad S_i = U(S_{i+1}) + g_i(R_i)$$
#
# All $S_i$ are in **logits**: any real number, and a sigmoid makes it a share in (0, 1).

# %% [markdown]
# ## By hand, on a picture
#
# Before any network: let a face stand for one channel of $C_i$, and let us *claim* the mouth by
# hand, with a map $S$ that is +6 on it and falls off around it. Look at the last panel: where did
# the mouth go, and how hard is the border?

# %% tags=["slide"]
from fercourse.datasets.load import load_config

drawn = fercourse.DataConfig(count=350, difficulty=0.1, seed=1)
faces = load_config(drawn).test
y, x = torch.meshgrid(torch.arange(48.0), torch.arange(48.0), indexing="ij")
claim = 6 - ((x - 24) / 5) ** 2 - ((y - 37) / 3) ** 2  # (48, 48), logits
plots.erasing(faces.images[3], claim)

# %% [markdown]
# The numbers behind it. A logit of 0 means "undecided" and keeps half; the sigmoid saturates, so
# beyond ±4 little changes:

# %% tags=["nbval-check-output", "slide"]
for s in (-4.0, -1.0, 0.0, 1.0, 4.0):
    claimed = torch.tensor(s).sigmoid()
    print(f"S = {s:4.0f}   claimed {claimed:.2f}   A = {1 - claimed:.2f}")


# %% [markdown] tags=["slide"]
# ## Eq. 4: the reversed weights
#
# Shapes first. For a 48-pixel face at full width, and N faces:
#
# | $i$ | $C_i$, $R_i$ | $S_{i+1}$ comes in as | $A_i$, $S_i$ |
# |---|---|---|---|
# | 5 | N, 512, 3, 3 | N, 1, 12, 12 (it is $P_d$) | N, 1, 3, 3 |
# | 4 | N, 512, 6, 6 | N, 1, 3, 3 | N, 1, 6, 6 |
# | 3 | N, 256, 12, 12 | N, 1, 6, 6 | N, 1, 12, 12 |
#
# Resizing comes first, then the sigmoid, then the reversal.

# %% [markdown] exercise="reverse.reversed_weights"
# Write eq. 4 as we read it, for any two sizes.

# %% paper="eq. 4" tags=["nbval-check-output", "slide", "slide-code"]
c5 = torch.randn(2, 512, 3, 3)
p_d = torch.randn(2, 1, 12, 12)
a5 = reversed_weights(c5, p_d)
print("A5", tuple(a5.shape), "  inside (0, 1):", bool(((a5 > 0) & (a5 < 1)).all()))

# %% [markdown]
# A quick test of the sign, because this is the mistake everybody makes once: where $S$ is high
# (claimed), $A$ must be low.

# %% tags=["nbval-check-output"]
certain = torch.full((1, 1, 3, 3), 9.0)
print(f"claimed everywhere: A = {reversed_weights(c5[:1], certain).mean():.4f}")
print(f"claimed nowhere:    A = {reversed_weights(c5[:1], -certain).mean():.4f}")


# %% [markdown]
# ## Eq. 3: what is left
#
# $A_i$ has one channel and $C_i$ has 512. All of them are to lose the same places.

# %% [markdown] exercise="reverse.erase"
# Write eq. 3. One line; the question is which one.

# %% [markdown]
# What is erased and what is left add up to what there was. Nothing is lost and nothing is invented:

# %% paper="eq. 3" tags=["nbval-check-output"]
left, taken = erase(c5, a5), erase(c5, 1 - a5)
torch.testing.assert_close(left + taken, c5)
print("R5", tuple(left.shape), "  left + taken = C5")

# %% [markdown]
# Had we read $D$ as a true dot product over channels, one number a place would be left, and the
# classifier would get one number from each stage. From stage 5, it gets 512:

# %% tags=["nbval-check-output"]
print("dot product:", tuple((c5 * a5).sum(1, keepdim=True).shape))
print("element-wise, pooled:", tuple(left.mean((2, 3)).shape))


# %% [markdown]
# ## The refinement: look at the rest, and add
#
# A small head reads $R_i$ and says, in logits, what to add to the prediction. Its layers follow
# Chen et al.: a 1×1 convolution to 64 channels, two 3×3 convolutions, one 3×3 to a single channel.


# %%
from fercourse.modules.blocks import conv_bn, resize_like  # lesson 08's


def head(channels: int, hidden: int = 64) -> nn.Sequential:
    return nn.Sequential(
        conv_bn(channels, hidden, 1),
        conv_bn(hidden, hidden, 3),
        conv_bn(hidden, hidden, 3),
        nn.Conv2d(hidden, 1, 3, padding=1),
    )


# %% [markdown]
# Why *add*, rather than replace? The head cannot see what was erased: that is the point of erasing.
# If $S_i$ were the head's output alone, the mouth that $S_{i+1}$ knew would be forgotten in the
# very next step. Our hand-made claim again, with a head that finds nothing:

# %% tags=["nbval-check-output"]
nothing_found = torch.zeros(1, 1, 48, 48)
known = claim[None, None]
print(f"replaced: the mouth is claimed with {nothing_found[0, 0, 37, 24].sigmoid():.3f}")
print(f"added:    the mouth is claimed with {(known + nothing_found)[0, 0, 37, 24].sigmoid():.3f}")


# %% [markdown]
# ## Assemble one stage

# %% [markdown] exercise="reverse.stage"
# Put one stage together. The head is given.


# %%
class Stage(nn.Module):
    """C_i (N, C, h, w) and S_(i+1) (N, 1, h', w') to R_i, A_i and S_i."""

    def __init__(self, channels: int, hidden: int = 64) -> None:
        super().__init__()
        self.residual = head(channels, hidden)

    def forward(self, features: Tensor, deeper: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        return stage(features, deeper, self.residual)


# %% [markdown]
# Is it the package's `ReverseAttention`? The same weights, random inputs, sizes that fit and sizes
# that do not, training and evaluation mode:

# %% tags=["nbval-check-output"]
from fercourse.modules import ReverseAttention

ours, packaged = Stage(256), ReverseAttention(256)
ours.load_state_dict(packaged.state_dict())
for small, large in ((6, 12), (5, 11), (12, 3)):
    for mode in (True, False):
        c, s = torch.randn(2, 256, large, large), torch.randn(2, 1, small, small)
        for a, b in zip(ours.train(mode)(c, s), packaged.train(mode)(c, s), strict=True):
            torch.testing.assert_close(a, b)
print("R, A and S are equal")

# %% [markdown]
# ## The cascade
#
# From deep to shallow. Each stage hands its $S_i$ to the next; only the first starts from $P_d$.

# %% [markdown] exercise="reverse.cascade"
# Run three stages in the right order and pool what each one left.

# %% tags=["nbval-check-output", "slide"]
levels = {5: c5, 4: torch.randn(2, 512, 6, 6), 3: torch.randn(2, 256, 12, 12)}
stages = {i: Stage(c.shape[1]) for i, c in levels.items()}
print("for the classifier:", tuple(cascade(p_d, levels, stages).shape), "= 512 + 512 + 256")

# %% [markdown]
# The pooled $R_5, R_4, R_3$ join the 1,440 numbers that model 4 has already (lesson 08), and that
# is model 5:

# %% tags=["nbval-check-output"]
for k in (4, 5):
    with torch.device("meta"):  # shapes without numbers
        net = fercourse.FERNet(fercourse.ModelConfig.table1(k))
    print(f"model {k}: {net.embed.in_features} numbers go into the embedding")

# %% [markdown]
# ## The whole of model 5
#
# The last test of our reading: rebuild the *entire* forward pass around our cascade, with a trained
# model's parts, and compare logits. `edit` is a door that we leave shut for now: it lets us tamper
# with $A_i$ later.
#
# One more choice of ours is in here. The last map $S_3$ has no use in the paper. The decoder's
# features are averaged under it, as they were under $P_d$ in lesson 08.

# %%
from fercourse.models.fernet import weighted_avg_pool


def classify(net: fercourse.FERNet, x: Tensor, edit=lambda attention: attention) -> Tensor:
    (_, c2, c3, c4, c5), _ = net.backbone(x)  # and GCCA's weights
    decoded, s = net.decoder(c3, c4, c5)  # S_6 = P_d
    vectors = [c.mean((2, 3)) for c in (c5, net.edge(c2), c3, c4)]
    for c, level in ((c5, net.reverse5), (c4, net.reverse4), (c3, net.reverse3)):
        remaining = erase(c, edit(reversed_weights(c, s)))
        s = resize_like(s, c) + level.residual(remaining)
        vectors.append(remaining.mean((2, 3)))
    vectors.append(weighted_avg_pool(decoded, s))  # (N, 3D), where S_3 says to look
    return net.classify(net.embed(torch.cat(vectors, 1)).relu())


# %% tags=["nbval-check-output"]
from fercourse.explain.layers import as_input

model = fercourse.pretrained("synthetic", model=5).network
x = as_input(model, faces)  # (N, 1, 48, 48), normalised
with torch.no_grad():
    torch.testing.assert_close(classify(model, x), model(x).logits)
print("the same logits, face by face")

# %% [markdown]
# From here on we use the package's `ReverseAttention` and `FERNet`.
#
# ## A trained cascade, step by step
#
# This model 5 was trained on drawn faces, of other people than these. Walk through the cascade:
# what is claimed, what is erased, what the head adds. Is the claim of the next step larger?
# (Features have many channels; a picture shows their **energy**, the root mean square over them.)

# %%
from fercourse import widgets

widgets.reverse_steps(model, faces[:14])

# %% [markdown]
# The same for one face of each expression, side by side. Each column has one colour scale whose
# ends are printed below it: **read those numbers before the colours.** A scale that runs from 0.49
# to 0.51 makes a flat map look alive. (The logits $P_d$ and $S_i$ are shown behind the sigmoid.)

# %% tags=["slide"]
one_each = faces[[int((faces.labels == k).nonzero()[0]) for k in range(7)]]
plots.cascade(model, one_each)

# %% [markdown]
# ## Are the maps alive?
#
# Four numbers for each map, averaged over faces: its mean; how much it varies *within* a face; how
# much a pixel varies *between* faces; and its correlation with the mask of what the expression
# changed, which drawn faces carry. A map in (0, 1) could vary by up to 0.5 within a face.

# %%
import pandas as pd

from fercourse import explain

found, masks = explain.maps(model, faces), explain.truth(faces)
names = ("global", "reverse5", "refined5", "reverse4", "refined4", "reverse3", "refined3")
table = {explain.TITLES[n].replace("$", ""): explain.map_statistics(found[n], masks) for n in names}
columns = ["mean", "within", "between", "correlation"]
pd.DataFrame(table.values(), index=table.keys())[columns].round(3)

# %% [markdown]
# Compare "within" with the 0.5 that would be possible: the maps exist, but they are nearly flat.
# And where a claim's mean is far above one half, the reversed weights are low nearly everywhere:
# most of the face counts as found already. (A flat map near 0 or 1 is called *saturated*.)
#
# ## Do they matter?
#
# A map can be faint and still decide. So we ask the trained model. Through the door `edit` we
# replace $A_i$, for the same faces, by
#
# - its own mean over the face (flat, so there is no *where* any more),
# - the weights of another face,
# - its reverse, $1 - A_i$ (it erases what it should keep),
# - zeros: $R_5 = R_4 = R_3 = 0$, as if the three stages had nothing to say,
#
# and count how many answers change. This is the lesson's **open experiment**: predict first, an
# interval that you would bet on four to one. Replace 0 and 100, and run the cell.

# %%
guess = course.predict("answers of model 5 that change with A flattened, %", 0, 100)

# %% [markdown]
# The door is `edit`. Add edits of your own to the table: what would the weights of a sleeping face
# do?

# %%
edits = {
    "as trained": lambda a: a,
    "flattened": lambda a: a.mean((2, 3), keepdim=True).expand_as(a),
    "of another face": lambda a: a.roll(1, 0),
    "reversed": lambda a: 1 - a,
    "zero: all erased": torch.zeros_like,
}
net = lesson.trained(lesson.pick(smoke=5, full=6))
judged = lesson.data(1400).test
with torch.no_grad():
    answers = {
        name: torch.cat(
            [
                classify(net, as_input(net, part), edit).argmax(1).cpu()
                for part in (judged[i : i + 256] for i in range(0, len(judged), 256))
            ]
        )
        for name, edit in edits.items()
    }

# %% tags=["slide"]
whole = answers["as trained"]
for name, answer in answers.items():
    right = (answer == judged.labels).float().mean()
    print(f"{name:17s} accuracy {right:.1%}   {(answer != whole).sum():4d} of {len(whole)} changed")

# %% [markdown]
# Your prediction (the bar) beside what came out (the diamond):

# %%
guess.beside(100 * (answers["flattened"] != whole).float().mean())

# %% [markdown]
# If you expected the accuracy to collapse, and it did not: this is why one measures. (This is one
# trained model, and drawn faces are easy. The full mode asks the same of a model of FER2013's
# photographs.)

# %% [markdown]
# ## Why a flat map costs nothing
#
# Follow the loss backwards. It reaches the maps on two roads only, and neither minds if they are
# flat:
#
# 1. **Through $R_i$**, which is averaged over the face. With $A_i = a$ everywhere, the average of
#    $a \, C_i$ is $a$ times the average of $C_i$, and the next linear layer undoes a factor.
#    Besides, the averages of C3, C4 and C5 are in the head already (multi-feature fusion, lesson
#    06): $R_i$ tells the head little that is new.
# 2. **Through the pooling under $S_3$**: a weighted average, divided by its weights. With a flat
#    map it is plain average pooling, a perfectly good descriptor.
#
# Watch the first road. A flat $A_i$ of 0.2, undone by a factor of 5 in the next layer:

# %% tags=["nbval-check-output"]
linear = nn.Linear(256, 7, bias=False)
c = torch.randn(4, 256, 12, 12)
flat = erase(c, torch.full((4, 1, 12, 12), 0.2)).mean((2, 3))
same = torch.allclose(F.linear(flat, 5 * linear.weight), linear(c.mean((2, 3))), atol=1e-5)
print("a flat map is undone by the next layer:", same)

# %% [markdown]
# In the original, every $S_i$ is **supervised**: there are masks of objects, and each stage has its
# own loss against them. So it is in PraNet (Fan et al., 2020), which joined the same two modules to
# find polyps, and which the paper does not cite. An expression comes with a label and no mask: the
# paper keeps the architecture and drops what gave its maps a meaning.
#
# ## The supervision, given back
#
# Photographs have no masks. Drawn faces have (lesson 01): the pixels that differ between a face and
# its twin with a muscle at rest. So here we can train reverse attention as it was meant. PraNet
# asks two things of a map $S$ and its mask $G$, pixel by pixel: the right answer (cross-entropy),
# and the right *region* (one minus intersection over union). Pixels near the rim of a region weigh
# up to six times as much:
#
# $$L_G(S) = \frac{\sum w \, \text{BCE}(\sigma(S), G)}{\sum w}
# + 1 - \frac{\sum w \, \sigma(S) G + 1}{\sum w \, (\sigma(S) + G - \sigma(S) G) + 1},
# \qquad w = 1 + 5 \, |\text{mean}_{5 \times 5}(G) - G|$$


# %%
def region_loss(s: Tensor, g: Tensor) -> Tensor:
    """A map in logits (N, 1, h, w) and a mask of 0 and 1, (N, 1, H, W) -> (N,)."""
    s = resize_like(s, g)
    weight = 1 + 5 * (F.avg_pool2d(g, 5, 1, 2) - g).abs()
    entropy = F.binary_cross_entropy_with_logits(s, g, reduction="none")
    p = s.sigmoid()
    both = (weight * p * g).sum((1, 2, 3))
    either = (weight * (p + g)).sum((1, 2, 3)) - both
    right = (weight * entropy).sum((1, 2, 3)) / weight.sum((1, 2, 3))
    return right + 1 - (both + 1) / (either + 1)


# %% tags=["nbval-check-output"]
from fercourse import losses

masks = explain.truth(faces)  # bool (N, 48, 48)
s = torch.randn(len(faces), 1, 12, 12)
packaged = losses.region_loss(s, masks.byte())
torch.testing.assert_close(region_loss(s, masks[:, None].float()), packaged)
print("equal to the package's, face by face")

# %% [markdown]
# The total, in which `loss.map_weight` is $w_G$, and 0 for the paper:
#
# $$L + w_G \, (L_G(P_d) + L_G(S_5) + L_G(S_4) + L_G(S_3))$$
#
# We train model 5 for a few epochs without it and with it. Watch the correlation of $S_3$ with the
# mask, and how far it varies within a face:

# %%
small = lesson.data(350)
recipe = fercourse.preset("smoke", model=5).change(
    **{"train.epochs": lesson.pick(smoke=3, full=12)}
)
plain = lesson.fit("plain", recipe, small)
held = lesson.fit("held", recipe.change(**{"loss.map_weight": 1.0}), small)

# %%
bundled = fercourse.pretrained("synthetic-supervised", model=5).network
candidates = {
    "new-born": fercourse.FERNet(recipe.model),
    "a few epochs": plain.model,
    "a few epochs, supervised": held.model,
    "bundled, trained longer": model,
    "bundled, supervised": bundled,
}
rows = [
    explain.map_statistics(explain.maps(n, faces)["refined3"], masks) for n in candidates.values()
]
pd.DataFrame(rows, index=list(candidates))[columns].round(3)

# %% [markdown]
# Side by side, on faces that neither network has seen. Orange dashes are the truth. Which of the
# two would you show to somebody who asks where the network looks?

# %% tags=["slide"]
pair = faces[[3, 4, 5]]
plots.compared(
    pair,
    {
        "S_3 as read": explain.maps(model, pair)["refined3"],
        "S_3 supervised": explain.maps(bundled, pair)["refined3"],
        "C_3 supervised": explain.maps(bundled, pair)["before3"],
    },
    "With its supervision, the last map finds what the expression changes",
    explain.truth(pair),
)

# %% [markdown]
# ## Ten seeds
#
# Two networks prove little. So ten seeds were trained without and with supervision, on harder faces
# (difficulty 0.5), all else equal; every dot is one. Three questions, a panel each. Left: where do
# the maps point? Middle: does it help to answer? Right: if one tampers with $A_i$ as above, do the
# answers depend on it *now*?

# %% tags=["nbval-check-output", "slide"]
from fercourse.runs.attention_record import attention_records, difference

records = attention_records("supervision")
plots.supervision(records)

# %% [markdown]
# The same as differences, supervised minus not, paired over seeds, with 95 % intervals. The
# pointing game asks whether a map's highest pixel lies on the mask. A third network had a tenth of
# the weight: is there a middle way?

# %% tags=["nbval-check-output"]
values = {
    "S_3, PR-AUC": lambda r: 100 * r["maps"]["refined3"]["pr_auc"],
    "S_3, pointing game": lambda r: 100 * r["maps"]["refined3"]["pointing"],
    "Grad-CAM, PR-AUC": lambda r: 100 * r["maps"]["gradcam"]["pr_auc"],
    "accuracy": lambda r: 100 * r["accuracy"],
    "answers changed, A flattened": lambda r: 100 * r["changed"]["flattened"] / r["judged"],
}
for variant in ("model5-supervised", "model5-supervised-0.1"):
    print(variant)
    for name, value in values.items():
        d = difference(records, "model5", variant, value)
        if d:
            print(f"  {name:29s} {d.mean:+6.1f} [{d.low:+.1f}, {d.high:+.1f}] points, {d.n} seeds")

# %% [markdown]
# Read the lines one after the other. The maps are right now: supervision does what it promises. At
# full weight that costs accuracy; at a tenth of it the maps are nearly as right, and nothing is
# lost that ten seeds could show. But *where* they point matters to the answers hardly more than
# before: flattened weights, which have no where, still change about one in a hundred. (Reversing or
# erasing changes more answers than it did: then other amounts of everything are left.) A correct
# map is not a map that is *used*. The two roads by which it reaches the answer, and the reasons why
# a flat one costs nothing, are as they were. And the class activation maps do not follow.
#
# ## Does it carry over to photographs?
#
# Nobody knows the masks of a photograph. But a network can be trained on photographs *and* drawn
# faces, with the maps supervised where a mask is known (`data.drawn`), or on drawn faces first
# (`data.drawn_first`). Four arms, three seeds each, trained on FER2013 for a few minutes a run
# (`fercourse run transfer`; the photographs are seen as often in each). Two things to look for:
# accuracy on photographs, and how the answer falls if one blurs what S_3 marks (deletion: low is
# good). Where mouths are, one can know without looking: so S_3 has to beat its own *mean* over all
# faces, a blob in the centre, the face's own edges, and C_3's energy. **Which arm would you bet
# on?**

# %% tags=["nbval-check-output"]
carried = attention_records("transfer", "fer2013")
values = {
    "accuracy %": lambda r: 100 * r["accuracy"],
    "S_3 on drawn faces, PR-AUC %": lambda r: 100 * r["maps"]["refined3"]["pr_auc"],
}
heats = {"S_3": "refined3", "S_3's mean": "mean of refined3", "the centre": "centre"}
for name, heat in (heats | {"own edges": "own edges", "C_3's energy": "before3"}).items():
    values[f"deletion by {name} %"] = lambda r, heat=heat: 100 * r["photographs"][heat]["deletion"]
table = pd.DataFrame(
    {"arm": r["variant"]} | {name: value(r) for name, value in values.items()} for r in carried
)
print(table.groupby("arm", sort=False).mean().T.round(1).to_string())

# %% [markdown]
# Three seeds are few. So the same as differences from photographs alone, with intervals:

# %% tags=["nbval-check-output"]
for arm in ("both", "both-supervised", "drawn-first-supervised"):
    print(arm)
    for name, value in values.items():
        d = difference(carried, "photographs", arm, value)
        print(f"  {name:31s} {d.mean:+6.1f} [{d.low:+.1f}, {d.high:+.1f}], {d.n} seeds")

# %% [markdown]
# Accuracy: no arm differs clearly, so a supervised prior is not a better recogniser. But look at
# the deletion. On photographs, whose masks nobody has, the S_3 that learnt from *drawn* masks marks
# what the answer hangs on: blur that first, and the answer falls sooner than by the unsupervised
# S_3 (which loses to a blob in the centre), and sooner than by any blind map, its own mean, the
# face's edges and C_3's energy. Drawn faces without supervision do not do that. So the map carries
# over, and accuracy does not.
#
# Does reverse attention, with its supervision, make the network look at the acting muscles? The
# *map* does, and keeps some of it on photographs. The *network* answers nearly as before. Whoever
# wants a map that explains must see to it that the answer goes through it.
#
# ## What it adds to accuracy: model 4 → 5
#
# > The subsequent RA module supplemented the missing information […] to ensure better accuracy
# > while increasing the processing speed.
#
# Two claims in one sentence. Accuracy first: the paper's difference with the interval that its own
# Sta and N = 10 imply, and ours from the ledger, paired over seeds, on CK+ over folds. (A hollow
# circle is a single seed.) Which intervals leave out zero? An interval over seeds says what other
# seeds would give on these test faces; one over folds says what other people would give.

# %% paper="Table 1" tags=["nbval-check-output", "slide"]
from fercourse.runs.ledger import Ledger

plots.ablation_step(Ledger().entries(plan="table1"), 4, 5)

# %% [markdown]
# And the speed? Three more heads can hardly make a network faster. Counted, without running it:

# %% tags=["nbval-check-output"]
from torch.utils.flop_counter import FlopCounterMode


def operations(k: int) -> int:
    with torch.device("meta"), torch.no_grad(), FlopCounterMode(display=False) as counter:
        fercourse.FERNet(fercourse.ModelConfig.table1(k)).eval()(torch.empty(1, 1, 48, 48))
    return counter.get_total_flops()


print(f"operations a face, model 4 to 5: {operations(5) / operations(4) - 1:+.1%}")

# %% [markdown]
# ## Summary
#
# - Reverse attention: $A_i = 1 - \sigma(U(S_{i+1}))$, $R_i = C_i \odot A_i$, and a head's finding
#   is *added* to the prediction, from block 5 to block 3, starting at $P_d$. As printed, eq. 4
#   cannot be programmed, and eq. 3 leaves a choice; this is what they must mean.
# - $S$ stays in logits; the sigmoid belongs to $A$ alone. Resize to the partner; for block 5 that
#   is *down*.
# - $R_5, R_4, R_3$ are averaged into the classifier: 1,280 more numbers at full width.
# - Nothing in the paper supervises the maps, and a flat map costs nothing: they come out nearly
#   flat. Trained on masks, as the original does it, they find what an expression changes. Either
#   way, flattening them changes hardly an answer.
# - Masks of drawn faces make better maps of photographs, which have none; they do not clearly make
#   a better recogniser of them.
# - It adds operations, so it cannot "increase the processing speed"; a claimed gain in accuracy
#   needs its interval, and gets one in the figure above.
