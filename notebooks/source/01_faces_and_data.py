# ---
# jupyter:
#   fercourse:
#     title: "Faces and data"
#     learn:
#       - tell FER2013, CK+ and the built-in faces apart, and name what each is good for
#       - label faces yourself, and see what rare classes and wrong labels do to a model's score
#       - recognise a tampered copy of a data set, and find the same photograph on both sides
#       - split by people, and show what happens if one does not
#     needs: [0]
#     boxes: [faces]
# ---

# %% [markdown]
# ## What the paper says
#
# Section 3.1 uses two data sets. **FER2013**: 35,887 faces from web searches, seven expressions;
# their "collection was conducted in an uncontrolled environment". **CK+**: 593 sequences of 123
# people who were asked to make faces in a laboratory, from neutral to peak; 327 have a label, and
# contempt is left out for its small number. How CK+ was split into training and test, the paper
# does not say; keep that in mind until the end of this lesson.
#
# A third set comes with this course: **built-in faces**, drawn from the muscles of the face. They
# need no download, no consent, and we know everything about them. Every picture below is one.

# %% tags=["slide"]
data = fercourse.load("synthetic", count=840, difficulty=0.3)
plots.sample_grid(data.train, per_class=3)

# %% [markdown]
# ## One type for all of them
#
# Whatever is read becomes a `FaceDataset` of three `Faces`, and each has one job: `train` trains,
# `val` selects, `test` reports. For FER2013 they are the contest's Training, PublicTest and
# PrivateTest. The test split has a type of its own, and training refuses it: nothing can be chosen
# on it by accident.

# %% tags=["nbval-check-output"]
for name, faces in data.splits.items():
    people = len(set(faces.subjects))
    print(
        f"{name:5} {len(faces):3} images {tuple(faces.images.shape[1:])}, {people:2} people, "
        f"type {type(faces).__name__}"
    )

# %% [markdown]
# ## Expressions are made of action units
#
# Ekman and Friesen took the face apart into **action units**, each what one muscle or a few of them
# do. Their system EMFACS says which units make an expression:

# %% tags=["nbval-check-output", "slide"]
from fercourse.datasets import synthetic

for expression, units in synthetic.PROTOTYPES.items():
    names = ", ".join(f"{u} {synthetic.UNIT_NAMES[u]}" for u in units)
    print(f"{expression.title:9} {names or 'nothing'}")

# %% [markdown]
# The built-in faces are drawn from these. So one can ask of every pixel which unit changed it: draw
# the face again with that unit at rest and everything else equal, and compare. The pixels that
# differ are the unit's **mask**, against which lesson 16 holds the attention maps. No data set of
# photographs has such a truth. Bright is what a unit changes:

# %% tags=["slide"]
drawn = synthetic.draw("happy", identity=5, size=96, margin=0.0)
shown = {"happy": drawn.image}
for unit, mask in drawn.masks.items():
    name = f"{unit} {synthetic.UNIT_NAMES[unit]}"
    shown[name] = np.where(mask, 0.45 * drawn.image + 140, 0.7 * drawn.image).astype(np.uint8)
plots.pictures(
    shown, f"A smile of {len(drawn.masks)} action units, and what each of them changes", width=5.4
)

# %% [markdown]
# Paint a face yourself. Which of a smile's two units can you take away and still have a smile, if
# an insincere one?

# %%
from fercourse import widgets

widgets.action_units()

# %% [markdown]
# ## Some expressions are rare
#
# People upload smiles. These are FER2013's counts, kept in the package as reference figures:

# %% tags=["nbval-check-output", "slide"]
from fercourse.datasets.fingerprint import COUNTS
from fercourse.labels import BASIC, Expression

print(" " * 11 + "".join(f"{e.title:>9}" for e in BASIC))
for name, row in zip(("Training", "PublicTest", "PrivateTest"), COUNTS, strict=True):
    print(f"{name:11}" + "".join(f"{n:9,}" for n in row))
print(
    f"{COUNTS.sum():,} faces; in Training {COUNTS[0].max() / COUNTS[0].min():.1f} happy ones to "
    "one of the rarest class"
)

# %% [markdown]
# Hold this table beside a sentence of section 3.5: "The number of sad images in the training set
# was only approximately 500." Which class has about 500?

# %% tags=["nbval-check-output"]
rare = Expression(int(np.abs(COUNTS[0] - 500).argmin()))
print(f"{rare.title}: {COUNTS[0, rare]}; sad: {COUNTS[0, Expression.SAD]:,}")

# %% [markdown]
# So the explanation given there for the poor recognition of sad faces does not hold. Lesson 19
# collects such slips. Meanwhile: what does imbalance do? We give the drawn training faces the same
# proportions and fit the simplest of models, a logistic regression on coarse pixels; once as it is,
# and once with each class weighted by the inverse of its frequency. We look at **recall**, the
# share of a class's test faces that are recognised.

# %% [markdown] exercise="data.class_weights"
# Weights that give every class the same say in a loss, without changing the loss's scale.

# %%
from sklearn.linear_model import LogisticRegression


def coarse(images):
    """uint8 (N, 48, 48) -> float (N, 256): 16 by 16 means, about -0.5 to 0.5."""
    return F.avg_pool2d(images[:, None].float(), 3).flatten(1).numpy() / 255 - 0.5


x, y = coarse(data.train.images), data.train.labels.numpy()
x_test, y_test = coarse(data.test.images), data.test.labels.numpy()
share = COUNTS[0] / COUNTS[0].max()
counts = np.ceil(share * np.bincount(y).min()).astype(int)
rows = np.concatenate([np.flatnonzero(y == k)[:n] for k, n in enumerate(counts)])


# %% tags=["slide"]
def recall(weights):
    model = LogisticRegression(C=0.3, max_iter=300, class_weight=weights).fit(x[rows], y[rows])
    right = model.predict(x_test) == y_test
    return [right[y_test == k].mean() for k in range(7)]


weights = class_weights(torch.from_numpy(y[rows]), 7).tolist()
found = {"as it is": recall(None), "weighted": recall(dict(enumerate(weights)))}
for name, values in found.items():
    print(f"{name}: mean recall {np.mean(values):.2f}")
plots.recalls(counts, found, np.bincount(y_test, minlength=7))

# %% [markdown]
# Weights do not make a model wiser; they move its mistakes from rare classes to frequent ones.
# Which is better depends on what a mistake costs. The paper reports plain accuracy, in which a
# class counts as much as it has images: always answering "happy" would score this much:

# %%
print(f"{COUNTS[2, Expression.HAPPY] / COUNTS[2].sum():.1%} of PrivateTest")

# %% [markdown]
# ## Label it yourself
#
# FER2013's labels came from search words and a quick look. Would you have given the same? Here are
# twenty faces, drawn ones in bad light and from the side (in the full mode twenty of FER2013's
# validation split). Label them, quickly: which classes do you confuse, and which of your
# "mistakes" would you defend? At the end stands how far people agreed with FER2013's own labels.

# %%
to_label = fercourse.load("synthetic", count=210, difficulty=0.8, seed=1).train
if lesson.mode == "full":
    to_label = lesson.data().val
mine = widgets.label_yourself(to_label)
mine

# %% [markdown]
# Accuracy counts hits that chance gives, too. **Cohen's κ** takes them out: with $p$ the share of
# equal labels and $p_0$ what two labellers with these habits would reach blindly,
# $\kappa = (p - p_0) / (1 - p_0)$. Your answers are kept; the next cell counts yours.

# %%
same = [int(a) == int(b) for a, b in zip(mine.answers, mine.faces.labels, strict=False)]
print(f"{sum(same)} of your {len(same)} answers are the label")

# %% [markdown]
# ## Some labels are wrong
#
# What do wrong labels do? Spoil a share of ours.

# %% [markdown] exercise="data.mislabel"
# Make a given share of labels wrong. Wrong means wrong.

# %% [markdown]
# Look at the two full lines. The dashed one needs no experiment: even a perfect model is only right
# where the label is.

# %% tags=["slide"]
shares, by_true, by_noisy = (0.0, 0.2, 0.4, 0.6), [], []
for s in shares:
    noisy, noisy_test = (mislabel(torch.from_numpy(v), s, 7).numpy() for v in (y, y_test))
    model = LogisticRegression(C=0.3, max_iter=300).fit(x, noisy)
    by_true.append(model.score(x_test, y_test))
    by_noisy.append(model.score(x_test, noisy_test))
plots.label_noise(shares, by_true, by_noisy)

# %% [markdown]
# Training suffers, and so does the ruler: a test set with wrong labels has a **ceiling** below
# 100 %, and close to it, gains of tenths of a point say little.

# %% [markdown]
# ## The field around FER2013
#
# If people disagree, ask several. **FER+** (Barsoum et al., 2016) has ten votes for each face of
# FER2013; `Faces.votes` holds their shares. Lie its votes beside your copy (data/README.md), and
# they are read here. If not, we make votes and call them **synthetic**: ten draws a face from a
# network's softened answers to drawn faces. They show the arithmetic, not what people would say.

# %%
from fercourse.errors import FercourseError
from fercourse.evaluation.predict import probabilities

try:
    voted, kind = fercourse.load("ferplus").val, "FER+"
except FercourseError:
    voted, kind = to_label if lesson.mode != "full" else data.train, "synthetic votes"
votes = voted.votes
if votes is None:
    p = probabilities(fercourse.pretrained("synthetic", 6).network, voted.images)
    torch.manual_seed(0)
    drawn_votes = torch.multinomial(p.sqrt(), 10, replacement=True)  # (N, 10)
    votes = F.one_hot(drawn_votes, 7).float().mean(1)  # (N, 7), rows that sum to 1

# %% [markdown]
# How many agree with the majority? And if somebody's vote is a *target*, what is the best that a
# network can do? Cross-entropy with the shares, $-\sum_k v_k \log p_k$, is least for $p = v$, and
# what is left is their entropy: a floor that no network gets below. A hard label pretends it is 0.

# %%
top = votes.amax(1)  # (N,), share of the most frequent answer
floor = -(votes * votes.clamp_min(1e-12).log()).sum(1)  # nats
for share in (1.0, 0.8, 0.5):
    print(
        f"{kind}: at least {share:.0%} agree on {(top >= share - 1e-6).float().mean():.0%} of faces"
    )
differ = 10 / 9 * (1 - votes.square().sum(1))  # of two of the ten people, how often
print(f"{kind}: two people differ on {differ.mean():.0%}; floor of the loss {floor.mean():.2f}")

# %% [markdown]
# One face on which all agree, and three on which nobody does. Would one label do them justice?

# %%
shown = {}
for i in [int(top.argmax()), *top.argsort()[:3].tolist()]:
    best = votes[i].topk(3)
    said = [f"{10 * v:.0f} {Expression(int(k)).title}" for v, k in zip(*best, strict=True) if v > 0]
    shown[f"face {i}:\n" + "\n".join(said)] = voted.images[i]
if kind != "FER+":  # photographs are not shown
    finding = f"Ten votes a face ({kind}): one sure, three torn"
    display(plots.pictures(shown, finding, columns=4, width=5.6))

# %% [markdown]
# And other collections? Each row names its source. Look at how many people stand behind a label.

# %%
import pandas as pd

from fercourse.datasets import field

pd.set_option("display.max_colwidth", None)
pd.DataFrame(field.collections()).set_index("name")

# %% [markdown]
# What do published **single networks** reach on FER2013? Before you compare two of these numbers,
# compare their columns: where does a network begin, and what is averaged to judge it? Ten crops are
# ten looks at each face; weights from ImageNet are a million more pictures. Compare the accuracies
# with yours above, and with what people reached.

# %%
display(pd.DataFrame(field.networks()).set_index("network"))
people = field.people()
print(f"people: {people.accuracy:.0%} ± {people.error:.0%} ({people.source})")
for row in field.left_out():
    print(f"left out: {row['accuracy']} % by {row['network']}, {row['why']} ({row['source']})")

# %% [markdown]
# A network above people? It has learnt the *labels*, habits of the labellers included. That is
# agreement with a data set, not insight into faces.

# %% [markdown] tags=["slide"]
# ## Is this still FER2013?
#
# Copies in circulation were resized, equalised, cut short. A model's accuracy on one says nothing
# about another. So a copy is measured. **Flatness** says how close the grey values are to being
# equally frequent. **Sharpness** is the variance of the Laplacian $\nabla^2 x$ (each pixel of $x$
# against its four neighbours) in units of the picture's own variance; the median over all pictures:
#
# $$\text{sharpness} =
# \operatorname{median}\; \frac{\operatorname{Var}(\nabla^2 x)}{\operatorname{Var}(x)}$$

# %%
from fercourse.datasets import fingerprint

for name, v in (("built-in faces", data.train.images), ("FER2013", None)):
    sharp = fingerprint.SHARPNESS if v is None else fingerprint.sharpness(v)
    flat = fingerprint.FLATNESS if v is None else fingerprint.flatness(v)
    print(f"{name:15} sharpness {sharp:.2f}, flatness {flat:.2f}")

# %% [markdown]
# Drawn faces are smoother than web photographs. A little film grain makes them pass for FER2013;
# then we do to them what has been done to the copies, and let `check` say what it sees.

# %%
from torchvision.transforms.v2 import functional as change

grain = 4.5 * torch.randn(data.train.images.shape)
photos = (data.train.images + grain).clamp(0, 255).byte()[:, None]  # (N, 1, 48, 48)
copies = {
    "untouched": photos,
    "blurred": change.gaussian_blur(photos, 3, 0.5),
    "to 224 and back": change.resize(change.resize(photos, [224, 224]), [48, 48]),
    "equalised": change.equalize(photos),
    "sharpened": change.adjust_sharpness(photos, 3),
}
for name, copy in copies.items():
    print(f"{name:16}", *(fingerprint.check(copy[:, 0]).findings or ("passes for FER2013",)))

# %% [markdown]
# The third one matters here: the paper saves its faces at 224 pixels. Whoever shrinks such a copy
# to 48 again trains on softer pictures than FER2013's own. Look at one face of each copy: the eye
# forgives what the number under the name does not.

# %% tags=["slide"]
sharp = {name: fingerprint.sharpness(copy[:, 0]) for name, copy in copies.items()}
left = sharp["to 224 and back"] / sharp["untouched"]
one = {f"{n}\n{sharp[n]:.2f}": copy[17, 0] for n, copy in copies.items()}
plots.pictures(one, f"To 224 and back leaves {left:.0%} of the sharpness", columns=5, width=6.0)

# %% [markdown]
# ## The same photograph on both sides
#
# The web repeats itself, and so does a data set collected there. Two images are compared by their
# **correlation**: brightness and contrast cancel, so a copy that was saved again or made brighter
# is still found.

# %% [markdown] exercise="data.correlations"
# Compare every image of one set with every image of another.

# %% [markdown]
# Two pairs:

# %%
image = data.test.images[0]
brighter = (0.7 * image.float() + 60).byte()
other = data.test.images[1]
for name, v in (("its brighter copy", brighter), ("another face", other)):
    print(f"{name:18} {correlations(image[None], v[None]).item():.3f}")

# %% [markdown]
# Now all pairs. We hide eight test images among the training images, half of them mirrored, and
# `duplicates.find` has to dig them out: pairs of a number in `train` and one in `test`, of which we
# print the planted ones. Your function is its heart.

# %% tags=["nbval-check-output"]
from fercourse.datasets import duplicates

hidden = data.test.images[:8].clone()
hidden[4:] = hidden[4:].flip(-1)
train = torch.cat([data.train.images[:100], (0.8 * hidden.float() + 20).byte()])
pairs = duplicates.find(train, data.test)
print([(int(i), int(j)) for i, j in pairs if i >= 100])

# %% [markdown]
# And in FER2013 itself? The ledger's rows count PrivateTest's images, and those without a copy in
# Training. Every score of this course on FER2013 is given for both.

# %%
from fercourse.runs.ledger import Ledger

rows = [r for r in Ledger().rows(dataset="fer2013") if "test_clean" in r.splits]
if rows:
    all_, clean = (rows[0].splits[name] for name in ("test", "test_clean"))
    print(f"{all_ - clean} of {all_:,} PrivateTest images ({1 - clean / all_:.1%}) leak")
    print(
        f"{rows[0].variant}: {rows[0].test_accuracy:.2%}, without them "
        f"{rows[0].test_accuracy_clean:.2%}"
    )
else:
    print("The ledger has no run on FER2013 yet.")

# %% [markdown]
# ## The same person on both sides
#
# CK+ shows each person several times, and its usual version holds the last **three** frames of each
# recording: the same smile, a fraction of a second apart. Cut into folds at random, and two things
# leak: nearly every test image has a sibling of its own recording in training, and nearly every
# test person is there too. We draw the like: forty people, seven expressions, three frames each, on
# the way to the peak.

# %%
from fercourse.datasets.synthetic.expression import intensities
from fercourse.datasets.synthetic.render import render

label = torch.arange(7).repeat(40)
person = torch.arange(40).repeat_interleave(7)
number = torch.arange(len(label))
peak = intensities(label, number, seed=0, difficulty=0.5)
frames = [render(s * peak, person, number, 0, 48, 0.5).images for s in (0.8, 0.9, 1.0)]
sequences = torch.cat(frames)  # (840, 48, 48)
labels, subjects = label.repeat(3).numpy(), person.repeat(3).numpy().astype(str)
recordings = np.char.add(subjects, labels.astype(str))  # one a person and expression, three frames

# %%
one_smile = {f"frame {k + 1}": v[52] for k, v in enumerate(frames)}
r = np.corrcoef(*(one_smile[name].flatten() for name in ("frame 1", "frame 3")))[0, 1]
plots.pictures(one_smile, f"Frames 1 and 3 of one smile correlate at {r:.3f}", columns=3, width=4.6)

# %% [markdown]
# `assign_folds` cuts ten folds, and is told what must stay in one fold: nothing, a recording, or a
# person (scikit-learn's `StratifiedGroupKFold`, which also spreads the classes evenly).

# %% tags=["slide"]
from fercourse.datasets.splits import assign_folds

together = {"random": None, "by recording": recordings, "by person": subjects}
for cut, groups in together.items():
    test = assign_folds(labels, groups, 10) == 0
    people, clips = (len(set(v[test]) & set(v[~test])) for v in (subjects, recordings))
    print(f"{cut:12} fold 0: {people} people and {clips} recordings on both sides")

# %% [markdown]
# Two models that could not be simpler: the nearest training image, and the logistic regression. The
# first only remembers. This is the lesson's **open experiment**: with no person in two folds, what
# will be left of it? An interval that you would bet on four to one. Replace 0 and 100.

# %%
guess = course.predict("accuracy of the nearest image, folds by person, %", 0, 100)

# %%
from sklearn.neighbors import KNeighborsClassifier

seen = coarse(sequences)


def over_folds(model, groups):
    fold = assign_folds(labels, groups, 10)
    scores = []
    for k in range(10):
        model.fit(seen[fold != k], labels[fold != k])
        scores.append(model.score(seen[fold == k], labels[fold == k]))
    return np.mean(scores)


# %% [markdown]
# Look at what each scores under the three cuts.

# %% tags=["slide"]
found = {}
for name, model in (
    ("the nearest image", KNeighborsClassifier(1)),
    ("logistic regression", LogisticRegression(C=0.3, max_iter=200)),
):
    found[name] = {
        f"{cut} folds" if cut == "random" else f"folds {cut}": over_folds(model, groups)
        for cut, groups in together.items()
    }
plots.fold_leak(found)

# %% [markdown]
# Your prediction (the bar) beside what came out (the diamond):

# %%
guess.beside(100 * found["the nearest image"]["folds by person"])

# %% [markdown]
# Does this happen to a real network on the real CK+48? From the ledger, all ten folds pooled, the
# same networks and recipe under each cut that was recorded:

# %%
from fercourse.runs.findings import by_cut

for k, name in ((1, "plain VGG16"), (6, "the whole framework")):
    for by, row in by_cut(Ledger().rows(), k).items():
        print(f"{name}, folds by {by}: {row.test_accuracy:.2%} of {row.splits['test']} faces")
(claim,) = Ledger().claims(plan="table1", dataset="ckplus", variant="model6")
print(f"the paper's claim: {claim.test_accuracy:.2%}, of a split it does not describe")

# %% [markdown]
# Nobody can say from outside how the paper cut CK+, or whether into folds at all. But this is the
# reason why an accuracy on CK+ without that sentence cannot be compared with anything.

# %% [markdown]
# ## The real thing
#
# In the full mode the same checks run on your copy of FER2013; only numbers are shown, never a
# picture.

# %%
if lesson.mode == "full":
    real = lesson.data()
    print(f"{len(real.train):,} training faces; findings: {real.report.notes or 'none'}")
    leaks = duplicates.leaked(real.train, real.test)
    print(f"{leaks.sum()} of {len(leaks):,} test faces have a copy in training")
else:
    print("Not in this mode. How to get FER2013 and CK+: data/README.md, or in a terminal:")
    print("fercourse data get fer2013; fercourse data check data/fer2013.zip")

# %% [markdown]
# ## Summary
#
# - Know the counts of your classes before you explain a confusion matrix.
# - Wrong labels cap the score that even a perfect model can reach.
# - Two medians tell a tampered copy; correlation tells a copied photograph.
# - Split by people, and never through a recording: random folds of CK+ measure memory.

# %% [markdown]
# ## Exercises

# %% [markdown] exercise="data.subject_split"
# A test split with a share of the *people*, and with all of their images.
