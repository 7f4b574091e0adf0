# ---
# jupyter:
#   fercourse:
#     title: "Edges and multi-feature fusion"
#     learn:
#       - measure how much of a face's edges each block of a backbone still holds
#       - say what a 1x1 convolution can and cannot do, and write it as a matrix product
#       - fuse features of different sizes into one vector, and count its numbers by hand
#       - read a contradictory sentence of a paper, list its readings, and price them
#       - ask a trained head which of its inputs it uses
#     needs: [5]
#     seed: 5
#     boxes: [C2, edge, fusion]
# ---

# %% [markdown]
# ## What the paper says
#
# Section 2.1, on the first two blocks: "To bolster the extraction of boundary features, these
# features pass through a convolutional layer with a single kernel, thereby enhancing the edge
# mapping accuracy." And at its end: "Finally, multiple features are fused to generate the ultimate
# FER outcome."
#
# That is all there is on the second row of Table 1, *multi-feature fusion*. Its idea is older than
# this paper: shallow features know *where* lines run, deep ones know *what* they mean; let the
# classifier have both. We look at the edges first, then at the branch, then at the fusion.

# %% [markdown] tags=["slide"]
# ## Edges by formula
#
# What an edge is can be said without any learning: a place where grey changes quickly. Sobel's two
# kernels estimate the slope from left to right and from top to bottom, smoothed over three pixels:
#
# $$g = \sqrt{(K * x)^2 + (K^{\mathsf T} * x)^2}, \qquad
# K = \tfrac18\left(\begin{matrix} -1 & 0 & 1\\ -2 & 0 & 2\\ -1 & 0 & 1 \end{matrix}\right)$$

# %% [markdown] exercise="fusion.sobel"
# The slope's length at every pixel. Mind the frame of the picture: it is no edge.

# %% [markdown]
# A ramp that rises by one grey level a pixel has slope 1 everywhere, except at its ends:

# %% tags=["nbval-check-output"]
ramp = torch.arange(6.0).expand(1, 1, 4, 6)  # rises from left to right
print(sobel(ramp)[0, 0, 1].tolist())

# %% [markdown]
# On drawn faces, at C2's size: half the side of the picture.

# %%
faces = fercourse.load("synthetic", count=210, difficulty=0.1).train[:128]
grey = faces.images[:, None].float() / 255  # (N, 1, 48, 48)
edges = F.avg_pool2d(sobel(grey), 2)  # (N, 1, 24, 24)

# %% [markdown]
# ## Are there edges in C2?
#
# The paper takes it for granted. We ask it of a network that was trained on photographs, in exactly
# the terms of the branch that is to come: **what can a 1x1 convolution read out of a block?** At
# each place it may add up that place's channels with fixed weights, no more. So the best it can do
# is linear regression: channels are the regressors, Sobel's value is the target, places are the
# samples. The score is $R^2$, the share of the target's variance that is explained: 1 is perfect,
# and 0 no better than guessing the mean. Every block is first resized to the target's 24x24.


# %%
def readout(features: Tensor, target: Tensor) -> tuple[Tensor, float]:
    """The best 1x1 convolution from features to target, fitted on half of the faces.

    Returns the target's estimate (N, h, w), and R^2 on the other half.
    """
    features = F.interpolate(features, size=target.shape[2:], mode="bilinear")  # (N, C, h, w)
    x = features.permute(0, 2, 3, 1)  # (N, h, w, C)
    x = torch.cat((x, torch.ones_like(x[..., :1])), 3)  # and a bias
    y, half = target[:, 0], len(target) // 2  # (N, h, w)
    weight = torch.linalg.lstsq(x[:half].flatten(0, 2), y[:half].reshape(-1, 1)).solution
    estimate = (x @ weight)[..., 0]  # (N, h, w)
    rest = (estimate - y)[half:].square().mean() / y[half:].var()
    return estimate, 1 - float(rest)


# %% [markdown]
# Two checks of the tool itself: from Sobel's values it must read Sobel's values, and from
# brightness it must not.

# %%
print(f"from the edges themselves: R² = {readout(edges, edges)[1]:.2f}")
print(f"from brightness:           R² = {readout(F.avg_pool2d(grey, 2), edges)[1]:.2f}")

# %% [markdown]
# Now the five blocks of model 1, trained on FER2013:

# %% tags=["slide"]
from fercourse.explain import features

photographic = fercourse.pretrained("fer2013", model=1, device=lesson.device).network
estimates, scores = {}, {}
for i in range(1, 6):
    c = features(photographic, faces, f"block{i}")  # (N, C_i, h_i, w_i), on the CPU
    estimates[f"C{i}"], scores[f"C{i}"] = readout(c, edges)
    print(f"C{i}: R² = {scores[f'C{i}']:.2f}")

# %% [markdown]
# Before we believe the fall from C2 to C5, two lines that any such curve needs.
#
# **The ceiling.** C4 has 6x6 places, C5 3x3. Whatever lies there is drawn by bilinear
# interpolation, and fine lines cannot come out of it. How much of the edges could a grid hold at
# best? We fit the values on the grid to the edges themselves: nothing that a block could learn does
# better.
#
# **The floor.** Faces are alike. The mean edge map of the fitted half knows no face, and explains
# some of the others.


# %%
def ceiling(target: Tensor, side: int) -> float:
    """R^2 of the best map on a grid of side x side places, drawn bilinearly over the target."""
    h = target.shape[-1]
    basis = F.interpolate(torch.eye(side)[:, None], size=h, mode="linear")[:, 0]  # (side, h)
    project = torch.linalg.pinv(basis) @ basis  # (h, h): onto what the grid can draw
    y = target[:, 0]  # (N, h, h)
    rest = project.T @ y @ project - y
    return 1 - float(rest.square().mean() / y.var())


sides = {"C1": 24, "C2": 24, "C3": 12, "C4": 6, "C5": 3}  # C1 was resized to the target's 24
best = {name: ceiling(edges, side) for name, side in sides.items()}
y, half = edges[:, 0], len(edges) // 2
mean_edges = 1 - float((y[:half].mean(0) - y[half:]).square().mean() / y[half:].var())
print({name: round(value, 2) for name, value in best.items()}, f"mean map {mean_edges:.2f}")

# %% [markdown]
# One of the faces that nothing was fitted to. From left to right, watch the drawing dissolve: where
# do you stop recognising it? Under each block stands what it holds and what its grid could.

# %% tags=["slide"]
k = 70
plots.edge_readouts(
    faces.images[k].numpy(),
    edges[k, 0].numpy(),
    {name: e[k].numpy() for name, e in estimates.items()},
    scores,
    best,
    mean_edges,
)

# %% [markdown]
# So the paper is right that low blocks hold edges. That high ones hold none is partly their grid's
# doing: compare C4 and C5 with their ceilings, and with the floor of a map that knows no face. Only
# what lies between the two is the block's own. The paper is silent on two more things. C1 holds
# more of them than C2, but at four times the places; C2 is the compromise. And how much of this was
# *learned*? The same question to a network that has learned nothing:

# %% tags=["slide"]
torch.manual_seed(0)
untrained = fercourse.FERNet(photographic.config).to(lesson.device).eval()
for i in (1, 2, 3):
    _, score = readout(features(untrained, faces, f"block{i}"), edges)
    print(f"C{i}: untrained R² = {score:.2f}, trained {scores[f'C{i}']:.2f}")

# %% [markdown]
# Random kernels respond to edges, too: most random differences of neighbouring pixels do. A good
# part of what one finds in low layers is the architecture's doing, not the training's. Always ask.

# %% [markdown]
# ## The edge branch
#
# "A convolutional layer with a single kernel." A kernel of which size, and a single *what*? Two
# readings:
#
# - **one output channel**: a single edge map. After pooling it is one number for the whole face,
#   which can hardly help.
# - **a 1x1 kernel**: it mixes channels and moves nothing. It may have many outputs.
#
# We take the second, with 64 outputs, batch norm and a ReLU (`docs/design.md`).

# %% tags=["nbval-check-output"]
edge = nn.Sequential(nn.Conv2d(128, 64, 1, bias=False), nn.BatchNorm2d(64), nn.ReLU())
c2 = torch.rand(2, 128, 24, 24)  # (N, C2, H / 2, W / 2)
print("C2", tuple(c2.shape), "-> edge map", tuple(edge(c2).shape))
print("parameters:", sum(p.numel() for p in edge.parameters()), "= 128 * 64 + 2 * 64")

# %% [markdown]
# A 1x1 convolution mixes channels at every place alone. So it must be possible without any:

# %% [markdown] exercise="fusion.one_by_one"
# Show that a 1x1 convolution is only a matrix: compute it without any convolution.

# %%
matrix = edge[0].weight.flatten(1)  # (64, 128)
torch.testing.assert_close(edge[0](c2), one_by_one(c2, matrix, torch.zeros(64)))

# %% [markdown]
# It is the package's `EdgeBranch`, checked by loading the weights of one into the other:

# %%
from fercourse.modules import EdgeBranch

packaged = EdgeBranch(128, 64)
packaged.conv.load_state_dict(edge.state_dict())
torch.testing.assert_close(packaged.eval()(c2), edge.eval()(c2))

# %% [markdown] tags=["slide"]
# ## Fusion
#
# The edge map has 24x24 places, C3 has 12x12, C4 6x6 and C5 3x3. Maps of different size cannot be
# put side by side; their means can. So each map is pooled to one number a channel, and the vectors
# are concatenated. How many numbers describe a face at width 1? Count, then write it.

# %% [markdown] exercise="fusion.fuse"
# Maps of any sizes in, one vector a face out.

# %% tags=["nbval-check-output"]
maps = [torch.rand(2, 512, 3, 3), edge(c2), torch.rand(2, 256, 12, 12), torch.rand(2, 512, 6, 6)]
print(tuple(fuse(maps).shape), "=", " + ".join(str(m.shape[1]) for m in maps))

# %% [markdown]
# Inside the package, model 2 does nothing else. With its own layers, in our order:

# %%
model = fercourse.FERNet(fercourse.ModelConfig.table1(2, width=0.125)).eval()
x = torch.randn(2, 1, 48, 48)
_, c2, c3, c4, c5 = model.backbone(x)[0]
vector = fuse([c5, model.edge(c2), c3, c4])  # (2, 168)
logits = model.classify(model.embed(vector).relu())
torch.testing.assert_close(logits, model(x).logits)

# %% [markdown]
# What did pooling cost? Every trace of *where*. An edge map and the same map with its places
# shuffled have the same mean. The branch can tell the head how much of some kind of line there is,
# not where it runs:

# %% tags=["nbval-check-output"]
m = edge(torch.rand(2, 128, 24, 24))  # (2, 64, 24, 24)
shuffled = m.flatten(2)[..., torch.randperm(24 * 24)].view_as(m)
print("the same descriptor?", torch.allclose(m.mean((2, 3)), shuffled.mean((2, 3)), atol=1e-5))

# %% [markdown]
# ## A sentence that cannot be right
#
# Between the two sentences we quoted stands a third: "The low-level feature $C_2$ is subsequently
# directed to the last three high-level blocks within the backbone network." Section 2.2 and Fig. 2
# show something else: lateral *outputs*, and "the ultimate result was derived by fusing the
# high-level and low-level features". Both cannot be the whole truth.

# %% [markdown] tags=["slide"]
# List the readings before choosing one:
#
# 1. C2 is an extra *input* of blocks 3, 4 and 5. So says the sentence; but Fig. 2 draws no such
#    arrow, and it would be no VGG16 any more.
# 2. C2 simply goes on into block 3, as in any network. True, but then why say so, and why "three"?
# 3. C2's edges meet the high-level features at the end. So say Fig. 2 and section 2.2; the sentence
#    does not.

# %% [markdown]
# We take the third. The first has a price that can be counted: C2, resized, would be concatenated
# to what each of the three blocks takes in, and only their first convolutions grow.

# %% [markdown] exercise="fusion.extra_weights"
# The first reading, priced for any backbone.

# %% tags=["nbval-check-output"]
extra = extra_weights(128, [256, 512, 512])  # the first convolutions of blocks 3, 4 and 5
print(f"reading 1 adds {extra:,} weights, reading 3 a branch of {128 * 64 + 128:,}")

# %% [markdown]
# When a paper leaves such a gap, three things help: say which reading you took, make it a switch if
# it is cheap, and look whether the results depend on it. (`fercourse.ModelConfig.fusion` switches
# this branch; the table of all our readings is in `docs/design.md`.)

# %% [markdown]
# ## Does the head use the edges?
#
# There is a question that one trained network *can* answer: which parts of the fused vector does
# its head listen to? We silence a part, by giving every face the mean of that part over training
# faces, and see how many answers go wrong. (Zeros would be worse than silence: no face has such a
# descriptor.)

# %%
from fercourse.explain import fused

trained = fercourse.pretrained("synthetic", model=2, device=lesson.device).network
drawn = fercourse.load("synthetic", count=1400, difficulty=0.1, seed=1)
usual = {name: part.mean(0) for name, part in fused.parts_of(trained, drawn.train).items()}
parts = fused.parts_of(trained, drawn.val)  # by name, (N, C)


# %%
def right(*quiet: str) -> Tensor:
    answers = fused.head(trained, fused.silenced(parts, usual, quiet)).argmax(1)
    return answers == drawn.val.labels  # (N,)


without = {name: right(name) for name in parts}

# %% [markdown]
# The longer the bar, the more the head relies on that part. Before you look: which one do you
# expect at the top, and how long is the edge map's bar?

# %% tags=["slide"]
lengths = {name: part.shape[1] for name, part in parts.items()}
plots.parts_used(right(), without, lengths)

# %% [markdown]
# ## Open experiment: two parts at once
#
# One by one you have seen. Now silence the *two* parts that cost most each. If the head used them
# independently, the costs would add up. **How many points of accuracy are lost** with both silent?
# An interval that you would bet on four to one. Replace 0 and 100, and run the cell.

# %%
lost = {name: 100 * float((right().float() - r.float()).mean()) for name, r in without.items()}
most = sorted(lost, key=lost.get)[-2:]
print({name: f"{value:.1f} points" for name, value in lost.items()})
guess = course.predict("points lost with the two most used parts of model 2 silent", 0, 100)

# %% [markdown]
# The bar is your interval, the diamond what came out. Is it more than the sum of the two?

# %%
both = 100 * float((right().float() - right(*most).float()).mean())
print(f"{' and '.join(most)}: {sum(lost[name] for name in most):.1f} expected, {both:.1f} lost")
guess.beside(both)

# %% [markdown]
# If it is more, each of the two had stood in for the other. Are there other such parts? Silence
# them in twos and threes; then leave one alone speaking.

# %%
from fercourse import widgets

widgets.silence(trained, drawn.train, drawn.val)

# %% [markdown]
# A part whose silence costs nothing is not useless for that reason: C4, say, may carry what C5
# carries as well, and be spared because C5 is there. But it does say that, once trained, this head
# decides without it. And the network above, which the paper calls edge-enhanced, was never *asked*
# for edges: no loss compares its edge map with one. Let us see what became of it:

# %% tags=["slide"]
edge_map = features(trained, drawn.val, "edge")  # (N, 8, 24, 24)
target = F.avg_pool2d(sobel(drawn.val.images[:, None].float() / 255), 2)
for name, given in (("C2", features(trained, drawn.val, "block2")), ("edge map", edge_map)):
    print(f"edges readable from {name} of model 2: R² = {readout(given, target)[1]:.2f}")

# %% [markdown]
# The branch passes on most of what C2 has. It can add no information, for a 1x1 convolution sees no
# neighbours; its ReLU could have made edges easier to read, and did not. And this C2, of a small
# network trained on drawings, holds fewer edges than the one above. A module does not do what its
# name says unless some loss asks for it: if you want edges, put them into a loss.

# %% [markdown]
# ## Ablation: model 1 → 2
#
# What the paper claims for fusion, and what our runs say so far. Each line is a difference with its
# 95 % interval, over seeds, and on CK+ over folds. A hollow circle is a single seed, which has no
# interval. Look at whether an interval contains zero, and at how many runs it rests on.

# %% paper="Table 1" tags=["nbval-check-output", "slide"]
from fercourse.runs.ledger import Ledger

plots.ablation_step(Ledger().entries(plan="table1"), 1, 2)

# %% [markdown]
# ## Summary
#
# - Low blocks hold edges, high ones do not: measured by what a 1x1 convolution can read from each.
#   A good part of that is there before training.
# - The edge branch is a 1x1 convolution of C2, a matrix at every place; fusion concatenates the
#   means of C5, the edge map, C3 and C4: 1,344 numbers at width 1.
# - The paper's "directed to the last three blocks" contradicts its Fig. 2. We list the readings,
#   price them, and say which we took.
# - Pooling discards where an edge runs, no loss asks for edges, and silencing a part shows what the
#   head really uses.
