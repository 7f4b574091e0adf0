# ---
# jupyter:
#   fercourse:
#     title: "Before deep learning"
#     learn:
#       - describe a face by eigenfaces, binary patterns, Gabor waves and gradients, and see each
#       - write local binary patterns as eight shifted comparisons of whole pictures
#       - train a linear classifier on hand-made features, choosing its strength on validation faces
#       - say how far the classics come on photographs, what they cost, and where they fail
#     needs: [1, 3]
# ---

# %% [markdown]
# ## What the paper says
#
# Before its own method, the introduction looks back:
#
# > Traditional FER methods predominantly rely on shallow learning and manually engineered features.
# > These techniques include principal component analysis (PCA) [5], local binary patterns (LBP)
# > [6], Gabor transformation [7] … constrained by their reliance on prior knowledge, limited
# > generalization capabilities, and inability to meet the precision and efficiency demands of
# > real-world applications.
#
# Two claims: they are imprecise, and they are slow. The paper measures neither. All of these
# methods have the same two halves: **features** that somebody thought of, which learn nothing or
# little, and a simple **classifier** that learns. So we can run them in minutes, on the faces, with
# the splits and under the rules of the networks to come.

# %%
from fercourse.labels import BASIC

data = lesson.data(1400)
one_each = [int((data.train.labels == k).nonzero()[0]) for k in range(7)]
faces = data.train[one_each]
face = faces.images[3]  # uint8 (48, 48)
print(f"{len(data.train)} faces to learn from, {len(data.val)} to choose by; {BASIC[3].title}")

# %% [markdown]
# ## Eigenfaces: a face as a sum of faces
#
# $N$ faces of 48 x 48 pixels are $N$ points in a space of 2,304 dimensions. PCA finds the
# directions in which these points differ most. Each direction is as long as a face and can be drawn
# as one: an **eigenface** (Turk and Pentland, 1991). Subtract the mean face, then the singular
# value decomposition has the directions as its rows.

# %%
pixels = data.train.images.flatten(1).float()  # (N, 2304)
mean = pixels.mean(0)
_, spread, directions = torch.linalg.svd(pixels - mean, full_matrices=False)
shares = spread**2 / (spread**2).sum()
print(f"128 of {len(directions)} directions hold {shares[:128].sum():.0%} of the variance")

# %% [markdown]
# Look at what the first ones are about. Is any of them a smile?


# %% tags=["slide"]
def grey(values):
    """Any numbers (P,) as a grey picture."""
    low, high = values.min(), values.max()
    return (255 * (values - low) / (high - low)).byte().reshape(48, 48)


named = {"mean": grey(mean)} | {f"eigenface {k + 1}": grey(directions[k]) for k in range(9)}
plots.pictures(named, "The first eigenfaces are about light and hair; an open mouth comes later")

# %% [markdown]
# The first directions hold what differs most from picture to picture, and that is not the
# expression: an open mouth has to wait for the seventh. A face is now a few numbers: how much of
# each eigenface is in it.

# %% [markdown] exercise="classics.rebuild"
# A face from its eigenfaces.

# %% [markdown]
# Look at how many it takes until you recognise the expression.

# %% tags=["slide"]
rebuilt = {"the face": face}
for k in (8, 32, 128):
    rebuilt[f"of {k}"] = grey(rebuild(face.flatten().float(), mean, directions[:k]))
plots.pictures(rebuilt, "The expression comes with the later eigenfaces", columns=4, width=5)

# %% [markdown]
# `fercourse.shallow` has this as `pca`, with scikit-learn's PCA, 128 components, and each face
# first brought to the same mean and contrast.

# %% [markdown]
# ## Local binary patterns: eight neighbours, one number
#
# For each pixel, ask its eight neighbours: are you at least as bright as I am? Eight answers are
# eight bits, a number from 0 to 255. Light that changes slowly changes no answer. By hand:

# %% tags=["nbval-check-output"]
patch = torch.tensor([[9, 9, 9], [1, 5, 7], [1, 2, 3]])
ring = [(0, 0), (0, 1), (0, 2), (1, 2), (2, 2), (2, 1), (2, 0), (1, 0)]  # clockwise
bits = [int(patch[place] >= patch[1, 1]) for place in ring]
print("bits", bits, "number", sum(bit << k for k, bit in enumerate(bits)))

# %% [markdown]
# Four bright ones in a row, then four dark ones: an edge. Now for every pixel of every face:

# %% [markdown] exercise="classics.lbp_codes"
# Local binary patterns of a whole batch at once: eight shifted pictures, eight comparisons.

# %%
around = tuple((down - 1, right - 1) for down, right in ring)
numbers = lbp_codes(faces.images, around)  # (7, 46, 46)
print(tuple(numbers.shape), "numbers from", int(numbers.min()), "to", int(numbers.max()))

# %% [markdown]
# Of the 256 numbers, 58 change between bright and dark at most twice on the way round. They are
# called **uniform**; they stand for edges, corners, spots and flat places. All others are mostly
# noise and share one number, so 59 remain.

# %% [markdown] exercise="classics.is_uniform"
# Which of the 256 numbers are uniform? Read the bits as a ring.

# %% tags=["nbval-check-output"]
uniform = torch.tensor([is_uniform(number) for number in range(256)])
print(f"{uniform.sum()} numbers are uniform, {uniform[numbers].float().mean():.0%} of our pixels")

# %% [markdown]
# scikit-image has it, with the diagonal neighbours at distance 1, on the circle.

# %%
from fercourse.shallow import lbp

codes = torch.from_numpy(np.stack([lbp.codes(image.numpy()) for image in faces.images]))
names = [BASIC[k].title for k in range(7)]
print(f"by scikit-image, {(codes < 58).float().mean():.0%} of the pixels are uniform")

# %% [markdown]
# Look for the mouth: its corners and lips are lines of one tone, whatever the light.

# %% tags=["slide"]
drawn = {name: (codes[k] * 4).byte() for k, name in enumerate(names)}
plots.pictures(drawn, "Patterns keep lips, lids and brows, and drop the light", columns=7)

# %% [markdown]
# Where a pattern lies matters, but not to the pixel. So the face is cut into 7 x 7 regions, and in
# each one counts how often each pattern occurs: $49 \cdot 59 = 2{,}891$ numbers.

# %% tags=["nbval-check-output"]
regions = lbp.region_of(48, 48)
features = lbp.histograms(codes[3].numpy(), regions)
print(features.shape, "sums to", round(float(features.sum()), 3), "over", regions.max() + 1)

# %% [markdown]
# ## Gabor energy: is there a wave of this length and direction?
#
# A Gabor filter is a wave under a bell: it answers where the picture has stripes of its length and
# direction, as simple cells of the visual cortex do. A cosine and a sine wave together, as lengths
# of the two legs of a right angle, do not mind where exactly the stripe lies: that is the
# **energy**. As a convolution whose kernel nobody learns:

# %% tags=["slide"]
from fercourse.shallow import gabor

even, odd = gabor.wave(8.0)  # (8, 1, k, k): eight directions
kernels = {f"{22.5 * k:g}°": grey_kernel for k, grey_kernel in enumerate(even[:, 0])}
shown = {n: (127 + 127 * k / k.abs().max()).byte() for n, k in kernels.items()}
plots.pictures(shown, "One wavelength, eight directions", columns=8)

# %% [markdown]
# Four wavelengths times eight directions make 32 maps of energy. Look at which parts of the face
# answer to standing stripes and which to lying ones.

# %%
energy = gabor.energy(faces.images[3:4])[0]  # (32, 24, 24), every second pixel
chosen = {"4 px, 0°": 0, "4 px, 90°": 4, "8 px, 0°": 16, "8 px, 90°": 20}
picked = {name: energy[k] for name, k in chosen.items()}
drawn = {n: (255 * e / e.max()).byte() for n, e in picked.items()}
plots.pictures({"face": face} | drawn, "Lips and lids answer to 90°, the sides of the face to 0°")

# %% [markdown]
# Averaged on a grid of 6 x 6 places: $32 \cdot 36 = 1{,}152$ numbers. Compare with a network's
# first layer in the next lesson: there, too, are 3x3 kernels that find edges, but nobody chose
# them.

# %% [markdown]
# ## HOG: which way do edges run?
#
# In each of 8 x 8 cells, gradients vote for their direction, as strongly as they are long; votes of
# neighbouring cells are brought to a common length, which takes contrast away (Dalal and Triggs,
# 2005). Look at the strokes: can you still tell the expressions apart?

# %% tags=["slide"]
from skimage.feature import hog

from fercourse.shallow.hog import settings

strokes = [hog(image.numpy(), **settings(48), visualize=True)[1] for image in faces.images]
drawn = {
    n: (255 * s / s.max()).clip(0, 255).astype(np.uint8)
    for n, s in zip(names, strokes, strict=True)
}
plots.pictures(drawn, "Strokes along the edges: brows, lids and mouth remain", columns=4)

# %% [markdown]
# ## One linear classifier for all
#
# On top of each stands the same classifier: multinomial logistic regression, a single linear layer.
# How strongly its weights are held back is chosen on the validation faces, among four strengths;
# the test faces choose nothing. Look at the times: that is all of the training.

# %%
from fercourse import shallow

fitted = {name: shallow.fit(name, data.train, data.val) for name in shallow.CLASSICS}
for name, f in fitted.items():
    seconds = f.seconds_features + f.seconds_fit
    print(f"{name:6}{f.dimensions:6,} numbers, strength {f.strength:g}, {seconds:5.1f} s")

# %% tags=["slide"]
from fercourse.evaluation.predict import tally

for f in fitted.values():
    judged = tally(f.probabilities(data.test), data.test)
    print(f"{f.method.title:26} {judged.accuracy:.1%} of {judged.n} test faces")

# %% [markdown]
# A few hundred faces are too few to rank methods; here everything can be tried out. The ranking
# comes from recorded runs.
#
# ## Open experiment: put the light out
#
# A binary pattern "drops the light", it was said above. Multiply every pixel of the test faces by a
# factor, and judge again. Which of the four stands it? **Predict** the accuracy of eigenfaces in
# half the light (`pca`, which brings each face to one mean and contrast first), an interval that
# you would bet on four to one, then that of the others for yourself.

# %%
guess = course.predict("accuracy of pca in half the light, %", 0, 100)

# %%
from dataclasses import replace

light = 0.5
dimmed = replace(data.test, images=(data.test.images * light).byte())
found = {name: tally(f.probabilities(dimmed), dimmed).accuracy for name, f in fitted.items()}
print({name: f"{accuracy:.1%}" for name, accuracy in found.items()})

# %% [markdown]
# The bar is your interval, the diamond what came out. Try the light of a dusk, 0.1, with a new
# prediction: what is lost then is no longer light but grey levels.

# %%
guess.beside(100 * found["pca"])

# %% [markdown]
# ## On real faces
#
# `fercourse shallow` runs the four on all of FER2013 (trained on Training, the strength chosen on
# PublicTest, judged once on PrivateTest), on CK+48 in ten folds with no person in two of them, and
# on drawn faces. Nothing in them is left to chance: one run is all there is. The interval is what
# the number of test faces leaves. Beside them: model 1, plain VGG16, of lesson 05, in the recipe
# whose validation accuracy is best. Look at the distance to it on each data set.

# %% tags=["nbval-check-output", "slide"]
from fercourse.runs.ledger import Ledger
from fercourse.runs.table2 import before_networks, best_classic

entries = Ledger().entries()
titles = {"fer2013": "FER2013", "ckplus": "CK+48", "synthetic": "drawn faces"}
fields = {title: before_networks(entries, name) for name, title in titles.items()}
plots.one_field(fields, best_classic(fields))

# %% [markdown]
# **Precision.** On photographs found on the web the classics stay far behind; on CK+48, posed in a
# laboratory and cut to the same frame, the distance is small. Drawn faces have four thousand
# pictures and one painter; a bank of waves is well matched to that. "Limited generalization", yes:
# but how limited, the data set decides.
#
# **Efficiency.** Training and prediction, measured where the runs were made:

# %% tags=["slide"]
import pandas as pd

rows = Ledger().shallow(plan="classics", dataset="fer2013")
cost = {
    row.variant: (row.dimensions, row.parameters, row.seconds / 60, row.faces_per_second)
    for row in rows
}
columns = ["numbers a face", "learned", "minutes", "faces a second"]
pd.DataFrame.from_dict(cost, "index", columns=columns).round(1)

# %% [markdown]
# Minutes of one core, where the network beside them trained for an hour and more on two. So
# "inability to meet … efficiency demands" is not what we see: they are the efficient ones. It is
# precision that they lack.

# %% [markdown]
# ## Where do they fail?
#
# The best of the four on PublicTest, and then model 1, face by face of PrivateTest. Compare the
# diagonals: which expressions gain most from learned features?

# %% tags=["nbval-check-output"]
ours = max(rows, key=lambda row: row.val_accuracy) if rows else None
if ours:
    display(plots.confusion(ours.confusion))

# %% tags=["nbval-check-output", "slide"]
runs = Ledger().rows(plan="table1", dataset="fer2013", variant="model1", label="cpu")
if runs:
    ours = max(runs, key=lambda row: row.val_accuracy)
    display(plots.confusion(ours.confusion))

# %% [markdown]
# The classic one knows happiness and surprise, a wide open mouth, and guesses at the rest; disgust,
# which has few faces to learn from, it hardly ever answers.
#
# ## Summary
#
# - A shallow method is hand-made features and a classifier; the features learn nothing.
# - Eigenfaces hold what differs most between pictures, which is light and pose.
# - Binary patterns, Gabor waves and gradients are fixed convolutions of a kind, counted by region:
#   where to look and for what was decided by hand.
# - They train in minutes; on posed faces they come near a network, on photographs they do not.
