# ---
# jupyter:
#   fercourse:
#     title: "Reading critically"
#     learn:
#       - ask five questions of any paper, and answer them by computing
#       - tell a slip from a gap from an unsupported claim, and know what each calls for
#       - weigh a difference against two errors, that of the runs and that of the test set
#       - show that a printed percentage cannot be, with arithmetic alone
#       - write down what you would have to ask the authors
#     needs: [1, 12, 14]
#     seed: 16
# ---

# %% [markdown]
# You know this paper by now better than most who cite it. Today you referee it.
#
# Two remarks on manners first. Every long text has slips, this course included, and most of those
# below cost nothing but a frown. And a paper from which one can rebuild a whole network has
# earned a careful reading. We look for what is wrong because we want to know **what of it we can
# rely on**.
#
# Have the paper at hand. Five questions, from cheap to dear:
#
# 1. Do two places of it agree?
# 2. Does it agree with its sources and its data?
# 3. Can the numbers be?
# 4. Are the differences larger than their errors?
# 5. Could I do it again?
#
# The sections below stop before each answer. Try to find it first.

# %% [markdown]
# ## 1 · Do two places agree?
#
# Section 3.4 ends: "we attained an accuracy of 74.08% and 98.66% on the CK+ and FER2013 datasets,
# respectively." Before you go on: what did Table 1 say? The ledger holds the paper's numbers as
# claims.

# %% tags=["nbval-check-output", "slide"]
from fercourse.runs.ledger import Ledger

ledger = Ledger()
claims = ledger.claims(plan="table1")
for row in claims:
    if row.variant == "model6":
        print(f"{row.dataset:8} {row.test_accuracy:.2%}  ({row.source})")

# %% [markdown]
# The two names are swapped. Abstract, Table 1 and Table 2 agree against this one sentence, so we
# know which to believe. Somebody who copies the sentence reports 98.66 % on FER2013, which would be
# sensational.
#
# Next, section 2.4: the decoder works by "discarding lower-resolution shallow features". Which
# features have the lower resolution? Ask the backbone.

# %% tags=["nbval-check-output", "slide"]
from fercourse.models.vgg import VGG16Backbone

laterals, _ = VGG16Backbone(width=0.125)(torch.zeros(1, 1, 224, 224))
for i, c in enumerate(laterals, start=1):
    print(f"C{i}: {c.shape[2]:3} x {c.shape[3]:3}", "(discarded)" if i < 3 else "(decoded)")

# %% [markdown]
# Shallow features have the *higher* resolution. That is why leaving them out saves work, and the
# caption of Fig. 4 says so: "discarding the larger resolution features from the low-level layers".
#
# More of the kind, found by laying captions, headings and formulas side by side:
#
# | place | says | elsewhere |
# | --- | --- | --- |
# | caption of Fig. 2 | "CBAM was introduced in every block" | sections 2.2 and 2.3, Fig. 3: GCCA |
# | heading 2.3 | "Backbone Network", as 2.2 | it describes GCCA |
# | heading 2.6 | "Reverse Attention Module", as 2.5 | it describes the loss |
# | eq. 1 and eq. 2 | the weights are $P(F)$ | the weights are $M_c(F)$ |
# | eq. 7 | $L = L_s + \lambda L_f$ | eq. 5 calls it $L_I$; nothing defines $L_f$ |
# | below eq. 8 | Sta is the "mean square error" | eq. 9 is the root: a standard deviation |
# | eq. 4 | $U(C_{i+1})$, hundreds of channels | the text: "the upsampling prediction", one map |
#
# All of these can be decided from the paper itself. Only the last decides what we build: a formula
# and a sentence part ways, and [docs/design.md](../docs/design.md) says whom we followed.

# %% [markdown]
# ## 2 · Does it agree with its sources and its data?
#
# **The data.** "The number of sad images in the training set was only approximately 500, whereas
# the number of happy images was more than 7,000." The counts of FER2013 are public, and the package
# knows them.

# %% tags=["nbval-check-output"]
from fercourse.datasets.fingerprint import COUNTS
from fercourse.labels import BASIC

for expression, n in sorted(zip(BASIC, COUNTS[0].tolist(), strict=True), key=lambda pair: pair[1]):
    print(f"{expression.title:9}{n:6,}")
print(f"three splits together: {COUNTS.sum():,}")

# %% [markdown]
# Find the two claims in the figure. Which class are the "approximately 500"?

# %% tags=["nbval-check-output", "slide"]
plots.claimed_counts({"sad": 500, "happy": 7000})

# %% [markdown]
# This slip is not harmless, because an **explanation** hangs on it: sad is recognised badly, the
# paper says, because there are so few of it. There are not. If scarcity were the reason, classes of
# like size would be recognised alike. Our own network, from the ledger:

# %% tags=["slide"]
trained = ledger.rows(dataset="fer2013", plan="table1")
for row in trained[:1]:
    print(f"recall of {row.variant} on PrivateTest")
    for expression, n, recall in zip(BASIC, COUNTS[0], row.recall, strict=True):
        print(f"{expression.title:9}{n:6,} training images  {recall:6.1%}")

# %% [markdown]
# Neutral has hardly more images than sad, surprise a third fewer, and both are recognised far
# better. Lesson 12's confusion matrix shows where the sad faces go instead.
#
# **The sources.** Four statements you can check in a minute each:
#
# - "as much as 55% of the conveyed information is transmitted via FEs" (section 1, citing [4]).
#   [4] is a paper on a recognition network; the number is Mehrabian's (1967). In his experiments
#   people rated how much a speaker *likes* them, from single words whose tone and face might
#   contradict them. Words counted 7 %, tone 38 %, the face 55 % of that liking. He measured neither
#   information nor everyday talk.
# - "While the SENet exclusively employs maximum pooling" (caption of Fig. 3). The squeeze of
#   SENet, the paper's [17], is global *average* pooling (lesson 07 builds it).
# - "NVIDIA GTX 1080Ti 8 G GPU". That card has 11 GB; the GTX 1080 has 8. So we do not know on which
#   card this ran.
# - "multi-task cascaded convolutional networks (MTC-NN)": the authors of MTCNN write no hyphen. A
#   spelling, nothing more. Do not let a list of faults grow by such.

# %% [markdown]
# **The rivals.** Table 2 compares five earlier methods on both data sets, each with an accuracy and
# a Sta. (Lesson 15 runs compact versions of all five on one field.) Three questions to it:
#
# - *Can the method be run on these data?* FER2013 has single still images. [9] tracks how pixels
#   move from frame to frame, and [14] "processed image sequences", as the paper itself says two
#   lines above the table. Neither can read a single image as it stands. Something was changed, and
#   it is not said what.
# - *Whose numbers are they?* Every method has a Sta over runs. So either all five were trained
#   again here, ten times each, on two data sets, and the paper does not mention it; or they were
#   copied, and then each Sta must stand in its original.
# - *What do the originals report?* Look it up for [11], Mollahosseini et al. (2016), who tested on
#   several data sets: what do they print for FER2013 and for CK+, under which split? Hold it
#   against Table 2's 58.72 % and 95.36 %. A copied number is equal to its original; for one that is
#   not, somebody has to say how it was made.

# %% [markdown]
# ## 3 · Can the numbers be?
#
# With $n$ test images only $n + 1$ accuracies exist: $0/n, 1/n, \dots, n/n$. So a printed
# percentage can be impossible, whatever the network. Psychologists test the means of questionnaires
# this way (the GRIM test; Brown and Heathers, 2017).
#
# Of Fig. 8 the text names two numbers: sad is recognised with 55.98 %, fear with 61.01 %. How many
# right answers is that?

# %% paper="Fig. 8" tags=["slide"]
recall = ledger.claims(plan="fig8")[0].recall
splits = {"PublicTest": COUNTS[1], "PrivateTest": COUNTS[2], "both": COUNTS[1] + COUNTS[2]}
for k in (4, 2):
    for name, counts in splits.items():
        n, percent = int(counts[k]), 100 * recall[k]
        low = int(percent / 100 * n)
        near = ", ".join(f"{r}/{n} = {100 * r / n:.2f}" for r in (low, low + 1))
        print(f"{BASIC[k].title:5}{percent:.2f} %  {name:12}{near}")

# %% [markdown]
# Neither number is among its neighbours, on no official test split nor on both together. So these
# are not the recalls of one run on one of those sets. What else could they be? Means over the ten
# runs, counts on augmented test images (15 for each), another split, a slip of the keyboard. The
# paper does not say, and **that** is the finding: we cannot tell what was counted. (With 10,000
# images and more, every percentage with two digits is possible, and the test falls silent.)
#
# Another number to hold against the light: "a set random dropout rate of 0.001". How many of the
# numbers in front of the classifier does it set to zero?

# %% tags=["slide"]
length = fercourse.FERNet(fercourse.ModelConfig(dropout=0.001)).embed.in_features
print(f"{length} numbers a face; dropped on average: {0.001 * length:.1f}, at 0.5 {length / 2:.0f}")

# %% [markdown]
# Dropout rates are usually between 0.1 and 0.5. At 0.001 it can hardly "mitigate model
# overfitting", as section 3.3 has it. Perhaps 0.001 is the learning rate, which the paper gives
# nowhere. We cannot know, and keep 0.001 in the preset "paper", odd as it is.

# %% [markdown]
# ## 4 · Are the differences larger than their errors?
#
# Two errors surround an accuracy (lesson 12). **Sta** is what another seed does. The **binomial
# error** $\sqrt{a(1-a)/n}$ is what another test set of the same size would do, to one and the same
# network. Table 2 prints the first for every method. Look at how far to the left of the second it
# lies.

# %% paper="Table 2" tags=["nbval-check-output", "slide"]
folds = ledger.rows(plan="ckplus-subject")
tested = {"fer2013": int(COUNTS[2].sum())}
if folds:  # every face of CK+48 is tested once over the folds
    tested["ckplus"] = sum(row.splits["test"] for row in folds if row.seed == folds[0].seed)
plots.sta_beside_error(ledger.claims(plan="table2"), tested)

# %% [markdown]
# This is no contradiction: the ten runs saw *the same* test images, whose luck they share. Sta
# answers "would training again give the same?", and is read as if it answered "is 74.08 the
# accuracy?". A smaller Sta makes the accuracy no surer. (The paper does not say how many CK+ images
# it tested on; we grant it all of CK+48's.)
#
# Two methods judged on the same images differ more surely than either is known, so the binomial
# error must not be laid over *differences*. For those, ask about runs: ten against ten, with
# Welch's test. It needs only the mean, Sta and $N$; eq. 9 divides by $N$, so the spread is
# $\text{Sta}\sqrt{N/(N-1)}$.

# %%
from itertools import pairwise

from scipy.stats import ttest_ind_from_stats


def p_value(a, b):
    runs = [(r.test_accuracy, r.stability * (r.runs / (r.runs - 1)) ** 0.5, r.runs) for r in (a, b)]
    return ttest_ind_from_stats(*runs[1], *runs[0], equal_var=False).pvalue


for dataset in ("fer2013", "ckplus"):
    for a, b in pairwise(row for row in claims if row.dataset == dataset):
        gain = 100 * (b.test_accuracy - a.test_accuracy)
        step = f"{a.variant} -> {b.variant[-1]}"
        print(f"{dataset:8} {step}  {gain:+.2f} points  p = {p_value(a, b):.2g}")

# %% [markdown]
# Read the list slowly.
#
# - The step from model 3 to 4, the partial decoder, changes nothing. The paper says so itself: "not
#   obvious". That is good style, and rarer than it should be.
# - On FER2013 reverse attention and the joint loss stay within what seeds do. The text counts both
#   as improvements.
# - Small p-values are only as good as the assumption that the ten runs were chosen by nothing but
#   their seeds: not by their test accuracy, and not with settings that were.
#
# Of the decoder the paper also says that it "significantly improved the stability". Sta fell from
# 0.34 to 0.26. A ratio of variances has a test, too.

# %%
from fercourse.runs.statistics import variance_ratio

for dataset in ("fer2013", "ckplus"):
    of = {r.variant: r for r in claims if r.dataset == dataset}
    for one, other in (("model3", "model4"), ("model1", "model6")):
        ratio, p = variance_ratio(of[one].stability, of[other].stability, of[one].runs)
        print(f"{dataset:8} {one} to {other[-1]}: variance ratio {ratio:.2f}, p = {p:.2g}")

# %% [markdown]
# With ten runs a standard deviation is known to about a quarter of itself. The decoder's ratios
# come about by chance, and "significantly" is a word with a meaning. Fairness asks for the other
# half: from the first model to the last, the spread on CK+ shrinks by more than chance would
# explain. What the paper claims of one component it could have claimed, on CK+, of all of them
# together.
#
# **Claims with no number at all** are the same question with nothing to compare: the decoder
# "effectively reduced the computational complexity", reverse attention works "while increasing the
# processing speed". No operations, no seconds. Counting takes a minute.

# %% tags=["nbval-check-output"]
from torch.utils.flop_counter import FlopCounterMode

for k in (3, 4, 5):
    net = fercourse.FERNet(fercourse.ModelConfig.table1(k)).eval()
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        net(torch.zeros(1, 1, 48, 48))
    size = sum(q.numel() for q in net.parameters()) / 1e6
    print(f"model {k}: {size:.2f} million weights, {counter.get_total_flops() / 1e9:.3f} GFLOP")

# %% [markdown]
# In our reading each component *adds* weights and operations, as additions do. A partial decoder is
# cheaper than a **full** one, which no row of Table 1 contains; perhaps that was meant.

# %% [markdown]
# ## 5 · Could I do it again?
#
# To rebuild the network, this course had to decide a number of things. Every decision that became a
# field of a config is listed in the paper-to-code map. These are the questions to send the authors:

# %%
from fercourse.pages.paper_to_code import OPEN

for name, question in OPEN.items():
    print(f"{name:24}{question}")

# %% [markdown]
# Three gaps matter more than all of these, because they decide what the final number *means*.
#
# **On which images was $\lambda$ chosen?** Section 3.3 sweeps fourteen settings by "the recognition
# accuracy for the FER2013 dataset" and reports the best one's accuracy on the same data set. If
# both are the test split, the 74.08 is the luckiest of many, and not a held-out result. A type in
# this package makes that impossible: `HeldOutFaces` cannot be trained on or selected with.
#
# **Was CK+ split by people, or by recordings?** Frames of one recording are nearly one picture, and
# recordings of one person look alike. If either is on both sides, a network may remember instead of
# recognise. The ledger has two networks under each way of cutting, plain VGG16 first:

# %% tags=["slide"]
from fercourse.runs.findings import by_cut

cuts = {"subject": "no person in two folds", "sequence": "no recording", "random": "random folds"}
for k in (1, 6):
    for by, row in by_cut(ledger.rows(), k).items():
        print(f"model {k}, {cuts[by]:22} {row.test_accuracy:.2%} of {row.splits['test']} faces")

# %% [markdown]
# Compare them with the paper's 92.14 % for plain VGG16 and 98.66 % for the whole framework (CK+48
# is not quite its data: there is no neutral class). Under random folds a plain, narrow VGG16
# reaches what the paper claims for everything together; kept together by recording or by person,
# the whole framework does not reach what it claims for plain VGG16. This does not prove how the
# paper cut. It shows that the cut can explain the whole column, and that the column shows nothing
# without it.
#
# **Were images augmented before the split, or after it?** The image samples "increased to 15 times
# the number". If all images were rotated first and split afterwards, rotated copies of a test image
# are in training.
#
# FER2013 leaks even so, by no fault of the paper: the web repeats itself, and 311 images of
# PrivateTest have a near-duplicate in Training, by the count the literature uses (ours, at a
# correlation of 0.99, finds one fewer). What did they do to *our* networks?

# %%
for row in ledger.rows(dataset="fer2013", plan="table1"):
    if row.test_accuracy_clean is not None:
        leaked = row.splits["test"] - row.splits["test_clean"]
        print(
            f"{row.variant}, {row.value('train.epochs')} epochs, seed {row.seed}:",
            f"{row.test_accuracy:.2%}, without {leaked} copies {row.test_accuracy_clean:.2%}",
        )

# %% [markdown]
# ## Open experiment: how good a predictor are you?
#
# In each lesson you gave an interval that you would bet on four to one, before you measured. If you
# know what you know, four in five of them hold. Most people's hold less often: they are too narrow,
# in study after study (Lichtenstein, Fischhoff and Phillips, 1982). **A last prediction**: how many
# of yours?

# %%
guess = course.predict("of my intervals, those that held, %", 0, 100)

# %%
mine = course.predictions().query("what != @guess.what")
none = "None yet: predictions are kept where somebody runs cells."
mine.style.format(precision=1) if len(mine) else print(none)  # a style shows whole sentences

# %% [markdown]
# The score is an interval's width and ten times its miss, so an interval of 0 to 100 is never wrong
# and never good. Which of your predictions was the most expensive?

# %%
if len(mine):
    display(guess.beside(100 * mine["inside"].mean()))

# %% [markdown]
# A paper, too, makes predictions: each "effectively" is one. This is a fair way to hold it to them.

# %% [markdown]
# ## What is left?
#
# A fair referee ends with what stands. The idea of the paper is clear and can be built: every
# component trains and does something that can be watched (lessons 07 to 10, 16). It repeats its
# runs ten times and prints a spread, which many papers do not. It admits a component without gain.
# And its two large claimed steps, fusion and GCCA, are far beyond the error of their runs.
#
# Do they show up for us? Here is the course's answer, all of it from the ledger. Each row is a
# question; look at whether the paper's diamond lies inside our interval.

# %% tags=["nbval-check-output", "slide"]
from fercourse.runs.findings import findings

answers = findings(ledger.entries())
plots.claimed_against_measured(answers)

# %%
for answer in answers:
    print(f"{answer.question}, {answer.where}: {answer.measured} points; {answer.scope}")

# %% [markdown]
# **The finding.** Trained from scratch under one recipe, the framework is not shown to be better
# than plain VGG16, on either data set, and the gains that the paper claims lie outside our
# intervals. More epochs of the same network bring more than all components together.
#
# **Its scope.** Faces of 48 pixels, where the paper has 224. Networks narrower than the paper's, by
# the factor printed above. As many seeds as are printed above, where the paper has ten. No weights
# from ImageNet. A gain that needs large images, full width or other starting weights would not show
# here. What does not depend on any of this is the protocol: without its split, the column of CK+
# cannot be read.

# %% [markdown]
# What you would write to the editor fits on a page: five corrections, three questions on protocol,
# and the wish for one number beside each "effectively" and "significantly".

# %% [markdown]
# ## Summary
#
# - Slips are cheap to find by laying places side by side, and matter when an explanation hangs on
#   them: disgust is rare in FER2013, not sad.
# - Counting is a tool: percentages have denominators, and points are so and so many images.
# - Sta says how steady training is, the binomial error how sure an accuracy; a difference needs a
#   test of its own.
# - The gravest gaps are about protocol: which split chose, who is on both sides, what was leaked,
#   and whose numbers the rivals' are.
# - Our answer: no gain of the components is shown at 48 pixels and reduced width; training longer
#   and cutting differently change accuracy by more.

# %% [markdown]
# ## Exercises

# %% [markdown] exercise="reading.name_the_slip"
# Eight sentences from the paper, all of which you have met. What is wrong with each?

# %% [markdown] exercise="reading.in_images"
# Table 1's smallest step is from 73.85 to 73.84. Write the function, then ask it about that step on
# 3,589 images, and about the 0.11 points of the joint loss.

# %% [markdown] exercise="reading.attainable"
# Turn the third question into a function. Then find the smallest class of FER2013 and list which
# recalls it can have at all.

# %% [markdown] exercise="reading.without_leaks"
# If all 311 leaked images were recognised, what would the paper's 74.08 % be without them? It is a
# bound, not a measurement: how much less than 1 is `recognised` for our networks above?
