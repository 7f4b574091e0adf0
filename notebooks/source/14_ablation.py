# ---
# jupyter:
#   fercourse:
#     title: "The ablation board: Table 1, live"
#     learn:
#       - write Table 1's six models as six values of one config, and count those it leaves out
#       - put the paper's claims beside measured runs, with intervals that say what is certain
#       - compute a paired difference by hand, and say why pairing pays
#       - count what each component costs, and test two claims about complexity and speed
#       - design an experiment about one component alone
#     needs: [5, 6, 7, 8, 9, 10, 12]
#     seed: 13
#     boxes: [edge, gcca, fusion, decoder, reverse, island]
# ---

# %% [markdown]
# Every component of the framework has had its lesson. Does it earn its place? The paper's answer
# is Table 1: start with VGG16, add one component a row, and print the mean accuracy and its
# spread over ten runs. "Ablation" is the medical word for removing tissue; the table adds
# instead, which is not quite the same, as we shall see.
#
# ## Six models, five switches
#
# `ModelConfig` has one switch a component. Row $k$ of the table has the first $k - 1$ of them on.

# %% tags=["nbval-check-output", "slide"]
from fercourse import ModelConfig

parts = ["fusion", "gcca", "decoder", "reverse", "joint_loss"]
for row in range(1, 7):
    config = ModelConfig.table1(row)
    print(row, *("on " if getattr(config, part) else "off" for part in parts))

# %% [markdown]
# Five switches make $2^5$ combinations. Reverse attention starts from the decoder's map, so it
# cannot stand without the decoder. How many combinations are possible, and how many does Table 1
# visit?

# %% tags=["nbval-check-output"]
from itertools import pairwise, product

possible = [on for on in product((False, True), repeat=5) if on[2] or not on[3]]
print(f"{2**5} combinations, {len(possible)} possible, {6} in Table 1")

# %% [markdown]
# Keep these numbers in mind. The table walks one path of five steps through a space with far more
# corners; whatever it says about a component, it says about that component *after the ones before
# it*.
#
# ## What the paper claims
#
# The paper's numbers are in our ledger as claims, each with its source.

# %% tags=["slide"]
from fercourse.runs.ledger import Ledger

ledger = Ledger()
claims = ledger.claims(plan="table1")
for row in claims:
    print(f"{row.source:18} {row.dataset}: {row.test_accuracy:.2%} ± {row.stability:.2%}")

# %% [markdown]
# Now the steps. A gain is the difference of two rows. If the ten runs of a row are independent,
# the standard error of its mean is $\text{Sta}/\sqrt{N-1}$ (lesson 12 says why $N-1$), and the
# errors of two rows add as squares. Look for the steps that are smaller than twice their error.

# %% tags=["slide"]
for name in ("fer2013", "ckplus"):
    print(f"{name}:")
    for a, b in pairwise(row for row in claims if row.dataset == name):
        gain = b.test_accuracy - a.test_accuracy
        error = np.hypot(a.stability, b.stability) / np.sqrt(a.runs - 1)
        step = f"{a.variant} to {b.variant[-1]}"
        print(f"  {step}: {100 * gain:+.2f} points, error {100 * error:.2f}")

# %% [markdown]
# On FER2013, by the paper's own spread, two steps stand out: fusion and GCCA. The other three move
# accuracy by about as much as chance does. (They are said to lower Sta instead. A spread estimated
# from ten runs is itself uncertain by about a quarter.)
#
# On CK+ every step but the decoder's stands out. But the paper does not say how it cut CK+ into
# training and test, and the cut alone moves a score by more than most of these steps (lesson 12).
#
# ## Table 1, live
#
# Here it is with our runs beside the paper's: mean (Acc, eq. 8), spread (Sta, eq. 9), the 95 %
# interval of the mean, and the number of runs $n$. Runs of two recipes never share a table: for
# each data set we take the recipe that most of the six models were trained with.

# %%
from fercourse.runs.groups import group_by_config

models = [f"model{k}" for k in range(1, 7)]
ours = {}
for name in ("fer2013", "synthetic"):
    recipes = group_by_config(ledger.rows(plan="table1", dataset=name, variant=models))
    ours[name] = recipes[0] if recipes else []
    print(f"{name}: {len(ours[name])} runs", *(f"({row.recipe})" for row in ours[name][:1]))

# %% paper="Table 1"
plots.table1(claims + ours["fer2013"])

# %% [markdown]
# Three questions to put to any such table. *What is $n$?* With $n = 1$ there is no interval, and
# a difference of a point may be a seed; eq. 9 then gives a Sta of 0, which means nothing. *Where
# do the numbers stand?* Runs of half an hour on a CPU are not the paper's runs: compare gains,
# not levels. *Who chose the epoch?* Ours is chosen on the validation split (lesson 11); the paper
# does not say.
#
# The same on built-in faces, where all six models are cheap enough for several seeds. These say
# nothing about photographs; the six nets are tiny and the faces drawn.

# %%
if ours["synthetic"]:
    display(plots.table1(ours["synthetic"]))
else:
    print("No such runs yet: fercourse run table1 --data synthetic --preset smoke")

# %% [markdown]
# And as a figure, on photographs: means with their 95 % intervals, the paper's from its Sta and ten
# runs. A model of one seed has no interval. Look at how long ours are: they reach $t$ standard
# errors to either side, and with few seeds $t$ is large: 12.7 for two, 4.3 for three, 2.3 for ten.

# %% tags=["nbval-check-output", "slide"]
plots.table1_figure(claims + ours["fer2013"])

# %% [markdown]
# ## Paired differences
#
# The seeds of our runs are shared: seed 3 of model 4 sees the same batches in the same order as
# seed 3 of model 3. As far as a lucky seed lifts both, the difference *within* a seed is steadier
# than one between two seeds. For differences $d_1, \dots, d_n$:
#
# $$\bar d \;\pm\; t_{n-1}\,\frac{s}{\sqrt n}, \qquad s^2 = \frac{1}{n-1}\sum_i (d_i - \bar d)^2 .$$
#
# First with made-up runs, where we know the truth: a gain of half a point, seeds that differ by one
# point, and a little noise of its own in each run.

# %%
rng = np.random.default_rng(0)
seeds = rng.normal(0, 0.010, 10)  # what both models share
first = 0.700 + seeds + rng.normal(0, 0.002, 10)
second = 0.705 + seeds + rng.normal(0, 0.002, 10)

# %%
from scipy.stats import t

d = second - first  # (10,)
half = t.ppf(0.975, len(d) - 1) * d.std(ddof=1) / np.sqrt(len(d))
print(f"paired:   {100 * d.mean():+.2f} ± {100 * half:.2f} points")

# %%
apart = np.sqrt(first.var(ddof=1) + second.var(ddof=1)) / np.sqrt(10)
unpaired = t.ppf(0.975, 18) * apart
print(f"unpaired: {100 * d.mean():+.2f} ± {100 * unpaired:.2f} points")

# %% [markdown]
# The same twenty runs; read with pairing they show a gain, read without they show nothing. This is
# the package's:

# %% tags=["slide"]
from fercourse.runs.statistics import paired
from fercourse.runs.summaries import compare

result = paired(first, second)
np.testing.assert_allclose([result.low, result.high], [d.mean() - half, d.mean() + half])
print(result)

# %% [markdown]
# Pairing helps only as far as seeds matter alike to both models. All six share the batches of a
# seed. Models 5 and 6 are one network and start from the same weights; models 1 and 2 start from
# the same trunk, and so do models 3 to 6; models 2 and 3 share the batches alone. So the gain from
# pairing may be small. It has a price, too: $n-1$ degrees of freedom instead of $2(n-1)$, so that
# $t$ is 4.3 instead of 2.8 for three seeds.
#
# All five steps of a table at once:

# %% [markdown] exercise="ablation.steps"
# Compute every step of a table of seeds and models, with its error.

# %%
worked = torch.from_numpy(0.70 + rng.normal(0, 0.003, (10, 6)))  # ten seeds, six equal models
gained, reach = steps(worked, t.ppf(0.975, 9))
print("gains ", [f"{100 * g:+.2f}" for g in gained])
print("± each", [f"{100 * r:.2f}" for r in reach])

# %% [markdown]
# (Six equal models: how many of the five intervals leave out zero? Run the cell some times.)
#
# Now ours: each model with the next one that was run, over the seeds that both have, and the last
# with the first. Where all six were run, that is all of Table 1 at once.

# %%
for name, runs in ours.items():
    print(f"{name}:")
    models = sorted({row.variant for row in runs})
    ends = [(models[0], models[-1])] if len(models) > 2 else []
    for a, b in [*pairwise(models), *ends]:
        print(f"  {a} to {b}: {compare(runs, a, b)}")

# %% [markdown]
# In the figure each thin line is a seed, and the thick one joins the models that were run with
# several seeds. Look at whether the thin lines run parallel (seeds agree about the step) or cross
# (they do not). Where the paper used the data set, its gains are drawn from our first model, so
# that gains are compared and not levels. The $p$ in the list above is that of a sign-flip test,
# which assumes no normal distribution; with $n$ seeds it cannot be smaller than $2/2^n$, however
# clear an interval looks.

# %% tags=["nbval-check-output"]
several = {name: runs for name, runs in ours.items() if len({row.variant for row in runs}) > 1}
for runs in several.values():
    display(plots.ablation_slopes(claims + runs))

# %% [markdown]
# One more trap. Each interval misses the truth once in twenty times. Five steps on two data sets
# are ten chances; were they independent (steps that share a model are not quite):

# %%
print(f"at least one false alarm among 10 true zeros: {1 - 0.95**10:.0%}")

# %% [markdown]
# ## Order matters
#
# Suppose two components repair the same fault. Whichever is added first gets the credit; the other
# looks useless. Two imaginary components, worth 3 points each alone and 4 together:

# %% tags=["nbval-check-output", "slide"]
worth = {(): 66, ("a",): 69, ("b",): 69, ("a", "b"): 70}
for one, other in (("a", "b"), ("b", "a")):
    gain = worth["a", "b"] - worth[one,]
    print(f"{one} first: {one} adds {worth[one,] - worth[()]}, then {other} adds {gain}")

# %% [markdown]
# Table 1 has a single order. That its decoder adds nothing *after* GCCA does not say that it
# would add nothing without GCCA. Two designs say more, and cost no more runs:
#
# - **leave one out**: the whole framework against the framework without one component. It
#   answers "could I drop it?";
# - **one alone**: the trunk against the trunk with that component. It answers "does it do
#   anything?".
#
# Or run *everything*. With all 24 combinations, each component's gain can be averaged over all
# orders in which the five can be added (the decoder always before reverse attention, which needs
# it). That average is its **credit** (Shapley, 1953), and the five credits sum to the whole gain.
# On drawn faces a run takes a minute, so it was done, every combination with the same seeds.

# %% [markdown] exercise="ablation.credit"
# A fair share of the whole gain for each component: the mean over all orders.

# %% [markdown]
# Look at which intervals leave out zero.

# %% tags=["nbval-check-output", "slide"]
from fercourse.runs.credit import worths

of_seed = worths(ledger.rows(plan="combinations", dataset="synthetic"))
shares = [credit(worth, parts) for worth in of_seed.values()]
credits = {part: [share[part] for share in shares] for part in parts}
if of_seed:
    display(plots.component_credits(credits))
else:
    print("Not recorded yet: fercourse run combinations --data synthetic --preset smoke")

# %% [markdown]
# These are narrow nets on drawn faces, after four epochs. They show how credit is shared out; they
# do not show what the components are worth on photographs. Compare a credit with the component's
# own step in Table 1's order:

# %%
for k, part in enumerate(parts):
    if of_seed:
        before, after = frozenset(parts[:k]), frozenset(parts[: k + 1])
        stepped = [worth[after] - worth[before] for worth in of_seed.values()]
        share = 100 * np.mean(credits[part])
        print(
            f"{part:10} in Table 1's order {100 * np.mean(stepped):+.2f}, "
            f"credit {share:+.2f} points"
        )

# %% [markdown]
# ## Open experiment: one seed each
#
# Most papers train each model once. Suppose somebody takes one seed of model 1 and one of model 6,
# any of those in our ledger, on FER2013: **in how many per cent of the pairs is model 6 ahead?** An
# interval that you would bet on four to one.

# %%
guess = course.predict("pairs of single runs in which model 6 beats model 1, %", 0, 100)

# %%
firsts, sixths = (
    np.array([row.test_accuracy for row in ours["fer2013"] if row.variant == model])
    for model in ("model1", "model6")
)
ahead = 100 * (sixths[None] > firsts[:, None]).mean()  # over all pairs of a seed and a seed
print(f"{len(firsts)} runs of model 1, {len(sixths)} of model 6")
guess.beside(ahead)

# %% [markdown]
# The bar is your interval, the diamond what came out. Whatever it is: which other pair of models
# would have given a paper its title?

# %% [markdown]
# ## An experiment about one component
#
# GCCA alone, on plain VGG16: a combination that Table 1 does not have. One switch moves, the seeds
# are shared, everything else is equal. We fix before looking: the metric (validation accuracy of
# the chosen epoch; the test split is for the end), the number of seeds, and the comparison.

# %%
data = lesson.data(560)
base = lesson.pick(
    smoke=fercourse.preset("smoke", model=1).change(**{"train.epochs": 3}),
    full=fercourse.preset("cpu", model=1),
)
arms = {"without": base, "with": base.change(**{"model.gcca": True})}
print(arms["with"].model.table1_row)


# %%
def accuracies(config):
    """Validation accuracy of the chosen epoch for two seeds."""
    runs = [config.change(seed=seed, **{"data.name": data.name}) for seed in (0, 1)]
    fits = [fercourse.train(run, data, device=lesson.device.type, progress=False) for run in runs]
    return torch.tensor([fit.val_accuracy for fit in fits])


scores = lesson.recall("gcca", lambda: {arm: accuracies(run) for arm, run in arms.items()})
print({arm: [f"{score:.1%}" for score in values] for arm, values in scores.items()})

# %%
print("GCCA alone:", paired(scores["without"], scores["with"]))

# %% [markdown]
# Two seeds give an interval that is honest and useless: with one degree of freedom, $t$ is 12.7.
# And the smallest $p$ that two seeds can give in a sign-flip test is 0.5. How many seeds would
# do? For a gain of one point, with differences that spread by one point:

# %%
for n in (2, 3, 5, 10, 20):
    print(f"{n:3} seeds: ± {t.ppf(0.975, n - 1) * 1.0 / np.sqrt(n):5.2f} points")

# %% [markdown]
# ## What it costs
#
# Section 3.4 says that the decoder "effectively reduced the computational complexity of the overall
# framework", and that reverse attention came with "increasing the processing speed". Both can be
# counted. On the *meta* device a network has shapes and no numbers, so that counting takes no time.
#
# Full width, faces of 48 pixels; operations are those of convolutions and matrix products, two
# for a multiplication with its addition.

# %%
from torch.utils.flop_counter import FlopCounterMode

with torch.device("meta"):
    nets = [fercourse.FERNet(ModelConfig.table1(k)).eval() for k in range(1, 7)]
    face = torch.empty(1, 1, 48, 48)


def operations(net, *inputs):
    with FlopCounterMode(display=False) as counter:
        net(*inputs)
    return counter.get_total_flops()


# %% tags=["nbval-check-output"]
parameters = [sum(p.numel() for p in net.parameters()) for net in nets]
for k, count in enumerate(parameters, start=1):
    print(f"model {k}: {count:,} parameters")

# %% [markdown]
# Look for a bar that is shorter than the one above it: that would be a component that makes the
# framework cheaper.

# %% tags=["slide"]
flops = [operations(net, face) for net in nets]
plots.component_costs(parameters, flops)

# %% [markdown]
# A part that is *added* cannot lower the number of operations, and none does. Table 1 never
# replaces anything, so on its own terms the claim of lower complexity is not true of any of its
# steps.
#
# Is there a charitable reading? The original partial decoder (Wu et al. 2019) was cheaper than a
# decoder that *also* takes the two lowest levels, whose maps are large. We can count that as
# well: the same module on the three lowest levels instead of the three highest.

# %%
from fercourse.modules import PartialDecoder

with torch.device("meta"):
    high = [torch.empty(1, c, s, s) for c, s in ((256, 12), (512, 6), (512, 3))]
    low = [torch.empty(1, c, s, s) for c, s in ((64, 48), (128, 24), (256, 12))]
    cost = [operations(PartialDecoder([x.shape[1] for x in xs], 32), *xs) for xs in (high, low)]
print(f"decoder of C3 to C5: {cost[0] / 1e6:.0f} million operations")
print(f"decoder of C1 to C3: {cost[1] / 1e6:.0f} million, {cost[1] / cost[0]:.0f} times as many")

# %% [markdown]
# So: cheap for a decoder, yes. Cheaper than no decoder, no. The sentence in section 3.4 took the
# first for the second.
#
# Speed has to be measured. `benchmarks/cost.py` times all six models turn by turn, so that whatever
# else the machine does slows all alike. Its record, at full width: faces a second, and how far the
# middle half of the steps lies from their median. Models 5 and 6 are one network in prediction; how
# far their numbers lie apart is the error of the measurement.

# %% tags=["nbval-check-output"]
import json

import pandas as pd

from fercourse.experiments.cost import verdict
from fercourse.settings import ledger_path

recorded = json.loads((ledger_path().parent / "cost.json").read_text())[0]
frame = pd.DataFrame(recorded["rows"])
print(f"{recorded['size']} px, width {recorded['width']:g}, {recorded['device']}")
frame[["model", "parameters", "train", "train_spread", "predict", "predict_spread"]].round(2)

# %% tags=["nbval-check-output"]
for sentence in verdict(frame):
    print(sentence)

# %% [markdown]
# ## Your turn at the board
#
# Toggle components. A combination that was run shows its runs at once; one that was not offers to
# train, and keeps what it finds in a ledger of your own.

# %%
from fercourse import widgets

widgets.ablation_board()

# %% [markdown]
# ## The answer
#
# This is what the course measured, against what the paper claims. Each row is a question. Look at
# whether the paper's diamond lies inside our interval, and at the two rows that no component has
# part in.

# %% tags=["nbval-check-output", "slide"]
from fercourse.runs.findings import findings

answers = findings(ledger.entries())
plots.claimed_against_measured(answers)

# %%
for answer in answers:
    print(f"{answer.question}, {answer.where}: {answer.measured} points; {answer.scope}")

# %% [markdown]
# **The finding.** Trained from scratch under one recipe, no gain of the components is shown, on
# FER2013 or on CK+, and the paper's claims lie outside our intervals. Another recipe, or another
# cut of CK+, moves accuracy by far more than all components together.
#
# **Its scope.** Faces of 48 pixels, networks narrower than the paper's, and as many seeds as are
# printed above. A gain that needs 224 pixels, full width or ImageNet's weights would not show.
#
# ## Summary
#
# - Table 1 is one path through 24 possible models; each gain holds for that place in that order.
# - On FER2013, by the paper's own spread, fusion and GCCA gain; the other three steps are smaller
#   than twice their error.
# - Pair over shared seeds, give the interval, say $n$, and count how many comparisons were made.
# - No step lowers the number of operations: the decoder is cheap for a decoder, not cheaper than
#   none.
# - To learn about one component, move one switch: alone, or left out of the whole.
#
# ## Exercises

# %% [markdown] exercise="ablation.one_component"
# "Could we drop it?" Design the pair of models that answers this for each component.
