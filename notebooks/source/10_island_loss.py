# ---
# jupyter:
#   fercourse:
#     title: "From the softmax loss to the island loss"
#     learn:
#       - write the centre loss, the pair sum and the joint loss from eq. 5, 6 and 7
#       - say which term moves the network, which moves the centres, and which rule moves them
#       - derive why the pair sum of seven classes cannot go below 35, and what it leaves open
#       - read a two-dimensional embedding while it trains under three losses
#     needs: [5, 9]
#     seed: 9
#     boxes: [head, island]
# ---

# %% [markdown]
# ## What the paper says
#
# Section 2.6 (printed with the heading of 2.5 once more) finds a fault in the softmax loss: it
# keeps classes apart, but "it can misjudge samples of the same FE when there are substantial
# discrepancies". It asks nothing of two happy faces but that both lie on the happy side.
#
# The cure comes from Cai et al. (2018): pull the faces of a class together, and push the classes
# apart, like islands.
#
# $$L = L_S + \lambda\,L_I \quad\text{(7)}, \qquad L_I = L_C + \lambda_1 L_{I\text{-}COS}
# \quad\text{(5)}$$
#
# Eq. 7 writes $L_f$ where eq. 5 says $L_I$; they are the same. We build the three parts from left
# to right.

# %% [markdown]
# ## Where the loss acts
#
# The paper does not say which features the island loss sees. We take the **embedding**, the vector
# just before the last ReLU and the classifier: there, coordinates can be negative, so that
# two centres can point in opposite directions.

# %% tags=["nbval-check-output"]
model = fercourse.FERNet(fercourse.ModelConfig.table1(6, width=0.125, embedding=32)).eval()
faces = torch.randn(4, 1, 48, 48)  # (B, 1, H, W)
output = model(faces)
print("embedding", tuple(output.embedding.shape), "-> logits", tuple(output.logits.shape))

# %% [markdown]
# A batch of eight embeddings of length $D = 3$ is enough to see every shape. We keep three names:
# `x` is the embedding (N, D), `y` the labels (N,), and `c` the centres (K, D), one a class.

# %%
x = torch.randn(8, 3)  # (N, D)
y = torch.tensor([0, 0, 1, 2, 3, 4, 5, 6])  # (N,)
c = torch.randn(7, 3)  # (K, D)

# %% [markdown] tags=["slide"]
# ## Softmax loss
#
# $$L_S = -\frac1N\sum_i \log \frac{e^{z_{i,y_i}}}{\sum_j e^{z_{i,j}}}$$
#
# for logits $z$ (N, K). The field calls it cross-entropy.

# %%
z = torch.randn(8, 7)  # (N, K)
by_hand = -z.log_softmax(1)[torch.arange(8), y].mean()
torch.testing.assert_close(by_hand, F.cross_entropy(z, y))

# %% [markdown]
# Only differences of logits count. Scale all logits of rightly classified faces up, and the loss
# goes to zero: it can always be lowered by *longer* embeddings, however loose the classes are.

# %%
right = 5 * F.one_hot(y, 7).float()
for scale in (1, 2, 4):
    print(f"logits x {scale}: loss {F.cross_entropy(scale * right, y):.6f}")

# %% [markdown] tags=["slide"]
# ## Centre loss
#
# The paper names $L_C$ without printing it. Wen et al. (2016) define it: half the squared distance
# of each face to the centre of its class. They sum over the batch; we take the mean, so that
# $\lambda$ means the same at every batch size.
#
# $$L_C = \frac{1}{2N}\sum_{i=1}^{N} \lVert x_i - c_{y_i} \rVert_2^2$$
#
# `c[y]` picks the right centre for every face.

# %% [markdown] exercise="island.center_loss"
# Write $L_C$ as one expression. Mind the three things ports get wrong: the 1/2, the sum over
# coordinates, the mean over faces.

# %%
center_term = center_loss(x, y, c)
print(f"L_C = {center_term:.4f}")

# %% [markdown]
# The package holds its centres itself. With ours put in, it must agree.

# %%
from fercourse.losses import CenterLoss, IslandLoss, JointLoss, pair_bound, pair_sum

package = CenterLoss(num_classes=7, dim=3).eval()
package.centers.copy_(c)
torch.testing.assert_close(center_term, package(x, y))

# %% [markdown]
# ## Who moves the centres?
#
# A centre should be the mean of its class, over faces that change at every step. Wen and Cai
# do not leave this to the optimiser. After each batch, with $n_j$ faces of class $j$ in it,
#
# $$\Delta c_j = \frac{\sum_{i:\,y_i=j} (c_j - x_i)}{1 + n_j}, \qquad c_j \leftarrow c_j -
# \alpha\,\Delta c_j$$
#
# with a rate $\alpha$ of 0.5. The 1 does two things: a class the batch lacks divides by 1 instead
# of 0 and stays, and a single face cannot drag its centre far.

# %% [markdown] exercise="island.move_centers"
# Write the published update for the centre loss, for a batch that may lack some classes.

# %%
moved = move_centers(x, y, c, rate=0.5)  # (K, D)

# %% [markdown]
# In training mode the package does this after every call. The loss is taken first, from the old
# centres.

# %%
package.centers.copy_(c)
package.train()
package(x, y)
torch.testing.assert_close(moved, package.centers)

# %% [markdown]
# What if the centres were ordinary parameters? Then their gradient would be that of
# $\lambda L_C$, and $\lambda$ is 0.005: what should be a gentle pull on the *network* would also
# brake the *centres*. Here faces stay fixed around seven points, and only centres learn, with the
# learning rate of our presets, 0.05.

# %%
labels = torch.arange(7).repeat(16)  # (112,)
cloud = 3 * torch.randn(7, 3)[labels] + 0.2 * torch.randn(112, 3)
means = cloud.view(16, 7, 3).mean(0)  # (7, 3)
start = torch.randn(7, 3)


def off(centers: Tensor) -> float:
    """Mean distance of the centres to the means of their classes."""
    return (centers - means).norm(dim=1).mean().item()


# %%
def by_autograd(weight: float) -> float:
    centers = nn.Parameter(start.clone())
    optimiser = torch.optim.SGD([centers], lr=0.05)
    for _ in range(20):
        optimiser.zero_grad()
        (weight * (cloud - centers[labels]).square().sum(1).mean() / 2).backward()
        optimiser.step()
    return off(centers.detach())


published = CenterLoss(7, 3)
published.centers.copy_(start)
for _ in range(20):
    published(cloud, labels)

# %%
print(f"before                          {off(start):.3f}")
print(f"20 steps, the published rule    {off(published.centers):.3f}")
print(f"20 steps, autograd, lambda      {by_autograd(0.005):.3f}")
print(f"20 steps, autograd, lambda gone {by_autograd(1.0):.3f}")

# %% [markdown]
# The published rule arrives; autograd under $\lambda$ has hardly left. Several public ports have
# this fault. Our option `centers="learned"` divides the centres' gradient by $\lambda$, as in the
# last line. That takes one brake away and leaves two: the mean over all faces, of which a seventh
# are a class's own, and the optimiser's small rate. The default is the published rule.

# %% [markdown] tags=["slide"]
# ## The pair sum
#
# $$L_{I\text{-}COS} = \sum_{c_j\in N}\ \sum_{c_k\in N}\left(\frac{c_k\cdot c_j}{\lVert
# c_k\rVert_2\,\lVert c_j\rVert_2} + 1\right) \tag{6}$$
#
# $N$ is the set of labels here, not the number of faces. A cosine of $-1$ (opposite) costs nothing,
# a cosine of 1 (same direction) costs 2. Lengths do not matter, so divide by them first.

# %%
unit = F.normalize(c, dim=1)  # (K, D)
cosines = unit @ unit.T  # (K, K)
print(cosines.shape, f"diagonal: {cosines.diagonal().mean():.2f}")

# %% [markdown]
# As printed, the sum includes $j = k$. A centre's cosine with itself is 1 whatever it does, so the
# diagonal adds $2K = 14$: a constant, without a gradient. Cai et al. leave it out, and so do we.
# Leave it out *after* adding 1: a diagonal set to zero before would still add $K$.

# %% [markdown] exercise="island.cosine_pairs"
# Write eq. 6 over pairs $j \ne k$, so that a centre of length 0 does no harm.

# %% paper="eq. 6"
pairs = cosine_pairs(c)
torch.testing.assert_close(pairs, pair_sum(c))
print(f"{pairs:.2f} over 42 ordered pairs; with the diagonal {(cosines + 1).sum():.2f}")

# %% [markdown]
# The double sum meets every pair twice, once in each order. Somebody who sums over $j<k$ gets
# half, and needs twice the $\lambda_1$ for the same loss.

# %% [markdown] exercise="island.island_loss"
# Put both together: eq. 5, from a batch and the centres.

# %% paper="eq. 5"
island = island_loss(x, y, c, pair_weight=7.0)  # lambda_1 = 7

check = IslandLoss(num_classes=7, dim=3, pair_weight=7).eval()
check.centers.copy_(c)
torch.testing.assert_close(island, check(x, y))

# %% [markdown]
# ## It cannot be zero
#
# Can all seven centres be opposite to one another? Let $u_j$ be the unit centres. The squared
# length of their sum is not negative:
#
# $$0 \le \Bigl\lVert \sum_j u_j \Bigr\rVert^2 = \sum_j\sum_k u_j\cdot u_k = K + \sum_{j\ne k}
# \cos_{jk}$$
#
# So the $K(K-1)$ cosines sum to $-K$ at least, and
#
# $$L_{I\text{-}COS} = K(K-1) + \sum_{j\ne k}\cos_{jk} \;\ge\; K(K-1) - K = K(K-2).$$

# %% tags=["nbval-check-output", "slide"]
for k in (2, 3, 7, 8):
    print(f"{k} classes: the pair sum is never below {pair_bound(k)}")

# %% [markdown]
# With $\lambda_1 = 7$ and $\lambda = 0.005$, 35 puts a floor of $0.005\cdot 7\cdot 35 = 1.225$
# under the joint loss that no training can lower. So the histories here log the **excess**, the
# pair sum minus 35. Let us reach it: seven random vectors, and nothing but gradient descent.

# %%
for dim in (2, 3, 6, 128):
    free = nn.Parameter(torch.randn(7, dim))
    adam = torch.optim.Adam([free], lr=0.05)
    for _ in range(300):
        adam.zero_grad()
        pair_sum(free).backward()
        adam.step()
    table = F.normalize(free.detach(), dim=1) @ F.normalize(free.detach(), dim=1).T
    off_diagonal = table[~torch.eye(7, dtype=torch.bool)]
    print(
        f"D = {dim:3}: excess {abs(pair_sum(free).item() - 35):.4f}, cosines from "
        f"{off_diagonal.min():+.2f} to {off_diagonal.max():+.2f}"
    )

# %% [markdown]
# The bound is reached in every dimension, even in the plane. But look at the cosines. In a regular
# **simplex**, the most even arrangement of seven points (it needs $D \ge 6$), every cosine is
# $-1/6$. Nothing of the sort was found. The bound asks one thing only: $\sum_j u_j = 0$.
#
# Look at the three sets below: which of them would you want as centres?

# %%
turn = 2 * np.pi * torch.arange(7) / 7
heptagon = torch.stack([turn.cos(), turn.sin()], 1)  # (7, 2)
third = 2 * np.pi * torch.arange(3) / 3 + np.pi / 2
triangle = torch.stack([third.cos(), third.sin()], 1)  # (3, 2)
crowded = torch.cat([triangle, torch.tensor([[1.0, 0], [1, 0], [-1, 0], [-1, 0]])])
sets = {"random": torch.randn(7, 2), "evenly around": heptagon, "two doubled": crowded}

# %% tags=["slide"]
excess = [pair_sum(vectors).item() - 35 for vectors in sets.values()]
plots.center_directions(sets, excess)

# %% [markdown]
# On the right, two classes lie exactly on two others, and the pair sum is as low as it can be.
# So an excess of 0 does not show that classes are apart. What keeps them apart in training is
# mostly the cross-entropy. The paper does not mention this.

# %% [markdown]
# ## Who feels the pair sum?
#
# $L_{I\text{-}COS}$ contains centres and nothing else. Under the published rule centres are not
# parameters, so it has no gradient for the network at all.

# %% tags=["slide"]
probe = torch.randn(8, 3, requires_grad=True)
terms = IslandLoss(7, 3).terms(probe, y)
print("centre term reaches the network:", terms.center.requires_grad)
print("pair sum reaches the network:   ", terms.pairs.requires_grad)

# %% [markdown]
# It moves the centres instead, as a second part of their step: $\alpha\lambda_1$ times the gradient
# of a centre's **mean** cosine to the other $K-1$,
#
# $$\frac{1}{K-1}\sum_{k\ne j}\left(\frac{c_k}{\lVert c_k\rVert\,\lVert c_j\rVert} -
# \frac{c_k\cdot c_j}{\lVert c_k\rVert\,\lVert c_j\rVert^3}\,c_j\right)$$
#
# The loss, however, prints the sum. Autograd on it meets every pair twice and divides by nothing:
# it gives $2(K-1) = 12$ times as much.

# %%
leaf = check.centers.clone().requires_grad_()
(gradient,) = torch.autograd.grad(pair_sum(leaf), leaf)
torch.testing.assert_close(gradient, 12 * check.push())

# %% [markdown]
# So there are two readings of one equation, and $\lambda_1 = 7$ in one is 84 in the other. Here
# `"published"` takes Cai's step and `"learned"` takes autograd.
#
# Either way the chain is: the pair sum moves centres, centres pull embeddings through $L_C$, and
# only there does $\lambda$ come in.

# %% [markdown]
# ## The joint loss
#
# Eq. 7, by hand and by the package. `JointLoss` returns its terms apart, for the curves; `island`
# is the excess there, and `total` holds the whole pair sum.

# %% paper="eq. 7"
total = F.cross_entropy(z, y) + 0.005 * (center_term + 7 * pairs)

joint = JointLoss(7, 3, fercourse.LossConfig(weight=0.005, pair_weight=7)).eval()
joint.island.centers.copy_(c)
torch.testing.assert_close(total, joint(z, x, y).total)
joint(z, x, y)

# %% [markdown]
# **Always in float32.** Between 32 and 64, bf16 knows steps of 0.25 only, and 35 lies there. An
# excess of 0.1 would read 0. So the loss switches mixed precision off for itself.

# %% tags=["nbval-check-output"]
print(torch.tensor([35.0, 35.1, 35.2, 35.3]).bfloat16().tolist())

# %% [markdown]
# ## Watch an embedding train
#
# With $D = 2$ we can see everything. A small network, three convolutions and a linear layer to two
# numbers, learns drawn faces under three losses. With so short a training, $\lambda$ has to be
# larger than the paper's to show: 0.1.

# %%
data = lesson.data(700)
grey = data.train.images[:350, None].float() / 127.5 - 1  # (N, 1, 48, 48)
answers = data.train.labels[:350]


def small_net() -> nn.Sequential:
    """(N, 1, 48, 48) -> (N, 2)."""
    layers = []
    for a, b in ((1, 16), (16, 32), (32, 64)):
        layers += [nn.Conv2d(a, b, 3, stride=2, padding=1), nn.BatchNorm2d(b), nn.ReLU()]
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(64 * 6 * 6, 2))


# %% [markdown]
# One epoch is a loop you have seen before. Note that the loss, too, is put into training mode: that
# is when its centres move.


# %%
def one_epoch(net: nn.Module, head: nn.Module, loss: JointLoss, optimiser) -> None:
    net.train(), loss.train()
    for rows in torch.randperm(len(grey)).split(35):
        embedding = net(grey[rows])
        terms = loss(head(embedding), embedding, answers[rows])
        optimiser.zero_grad()
        terms.total.backward()
        optimiser.step()


# %% [markdown]
# To put a number on what we see: the **spread**, the mean distance of a face to its centre over
# the mean distance between two centres. Near 0: tight islands, far apart.


# %%
def spread(points: Tensor, labels: Tensor) -> float:
    means = torch.stack([points[labels == k].mean(0) for k in range(7)])  # (K, D)
    within = (points - means[labels]).norm(dim=1).mean()
    between = torch.cdist(means, means).sum() / 42
    return (within / between).item()


# %%
losses = {"softmax": (0.0, 0.0), "centre": (0.1, 0.0), "island": (0.1, 7.0)}
epochs = (1, 4, 8, 12, 16)


def watch() -> dict[str, Tensor]:
    points, centers = [], []
    for weight, pair_weight in losses.values():
        torch.manual_seed(0)
        net, head = small_net(), nn.Linear(2, 7)
        loss = JointLoss(7, 2, fercourse.LossConfig(weight=weight, pair_weight=pair_weight))
        optimiser = torch.optim.AdamW([*net.parameters(), *head.parameters()], lr=4e-3)
        for epoch in range(1, 1 + max(epochs)):
            one_epoch(net, head, loss, optimiser)
            if epoch in epochs:
                with torch.no_grad():
                    points.append(net.eval()(grey))  # (N, 2)
                centers.append(loss.island.centers.clone())  # (7, 2)
    return {"points": torch.stack(points), "centers": torch.stack(centers)}


# %%
seen = lesson.recall("planes", watch)
points = seen["points"].view(3, len(epochs), -1, 2)
centers = seen["centers"].view(3, len(epochs), 7, 2)
spreads = [[spread(p, answers) for p in row] for row in points]

# %% [markdown]
# Each panel shows the 350 training faces, at a scale of its own. Under the softmax loss look for
# rays that point away from the origin (the cross): being far out is cheap. Under the other two
# look for clumps around the centres (black rings), and under the island loss at how evenly the
# centres stand around the origin.

# %% tags=["slide"]
plots.embedding_planes(points, centers, answers, epochs, list(losses), spreads)

# %% tags=["slide"]
for name, row, end in zip(losses, spreads, centers[:, -1], strict=True):
    print(f"{name:9} spread {row[-1]:.2f}, excess of the pair sum {pair_sum(end) - 35:.2f}")

# %% [markdown]
# These are faces the network was trained on. Tight islands in training do not promise better
# answers on other faces; whether they do is a question for a held-out split, and for more than one
# seed (lessons 12 to 14).

# %% [markdown]
# ## Model 6
#
# Models 5 and 6 of Table 1 are one and the same network. They differ by the loss alone, with the
# paper's $\lambda = 0.005$ and $\lambda_1 = 7$. Do the bundled weights show it? We embed test faces
# that neither has seen. (Of real faces only models 1 and 6 are bundled, which differ in more.)

# %% tags=["slide"]
from fercourse.preprocess import normalise

numbers = lesson.pick(smoke=(5, 6), full=(1, 6))  # of real faces, models 1 and 6 are bundled
test = data.test[:500]
with torch.inference_mode():
    for k in numbers:
        net = lesson.trained(k)
        embedded = net(normalise(test.images.to(lesson.device))).embedding.cpu()
        means = torch.stack([embedded[test.labels == j].mean(0) for j in range(7)])
        print(
            f"model {k}: spread {spread(embedded, test.labels):.2f}, excess of the class means "
            f"{pair_sum(means) - 35:.2f}"
        )

# %% [markdown]
# One run of each: another seed moves these numbers, too. What the loss is worth in accuracy, the
# paper puts in the last line of Table 1; Sta is its word for the spread of its runs.

# %%
from fercourse.runs.ledger import Ledger

claims = Ledger().claims(plan="table1", dataset="fer2013")
five, six = (next(row for row in claims if row.variant == name) for name in ("model5", "model6"))
gain = six.test_accuracy - five.test_accuracy
print(
    f"claimed gain of the joint loss on FER2013: {100 * gain:.2f} points, "
    f"with a Sta of {100 * six.stability:.2f} over {six.runs} runs"
)

# %% [markdown]
# Keep that pair of numbers in mind for lesson 12.
#
# ## Play with it
#
# Drag $\lambda$ and $\lambda_1$ and watch the centres part. Try $\lambda_1 = 0$ first: that is the
# centre loss.

# %%
from fercourse import widgets

widgets.island()

# %% [markdown]
# ## Open experiment: does the pair sum part the classes?
#
# The same points in the plane, measured: how many degrees lie between a centre and its nearest
# neighbour, as seen from the origin? Evenly around, it would be $360/7 = 51$. With the pair sum
# at $\lambda_1 = 7$, **how many do you expect** after 200 steps, on average over the seven? An
# interval that you would bet on four to one.

# %%
guess = course.predict("degrees from a centre to its nearest, lambda_1 = 7", 0, 100)


# %%
from fercourse.losses.playground import simulate


def nearest(pair_weight: float, weight: float = 0.05, seeds: int = 5) -> tuple[float, float]:
    """Mean angle in degrees from a centre's direction to the next, and the pair sum's excess."""
    found, excess = [], []
    for seed in range(seeds):
        centers = simulate(weight, pair_weight, steps=200, seed=seed).centers[-1]  # (7, 2)
        excess.append(pair_sum(centers) - 35)
        cosines = F.normalize(centers, dim=1) @ F.normalize(centers, dim=1).T
        found.append(cosines.fill_diagonal_(-1).amax(1).clamp(-1, 1).acos().rad2deg().mean())
    return float(torch.stack(found).mean()), float(torch.stack(excess).mean())


# %% [markdown]
# The bar is your interval, the diamond what came out.

# %%
measured = {pair_weight: nearest(pair_weight) for pair_weight in (0.0, 1.0, 7.0)}
for pair_weight, (angle, excess) in measured.items():
    print(f"lambda_1 = {pair_weight:g}: {angle:.1f} degrees, excess {excess:.2f}")
guess.beside(measured[7.0][0])

# %% [markdown]
# What would you have concluded from the excess of the pair sum alone?

# %% [markdown]
# ## Summary
#
# - The softmax loss separates classes and leaves them wide. The centre loss pulls each face to its
#   class's centre; the pair sum pushes centres apart.
# - Centres follow a rule of their own, $\alpha$ and $1 + n_j$, and are not driven by $\lambda$.
# - The pair sum reaches the network only by way of the centres, and cannot go below $K(K-2) = 35$.
# - It reaches 35 whenever the unit centres sum to zero; that does not make them all distinct.
