# ---
# jupyter:
#   fercourse:
#     title: "Start here"
#     learn:
#       - let a trained network read a face, and say what you would have to know to believe it
#       - check that everything needed is installed, and mend what is not
#       - choose a mode, and say what it means for the numbers you see
#       - find your way through the lessons
#       - read a paper in three passes, and work on an exercise
#     needs: []
# ---

# %% [markdown]
# Welcome. This course takes **one paper** from its first figure to a trained, examined model:
#
# > Jianzeng Chen and Ningning Chen, *A Framework for Facial Expression Recognition Combining
# > Contextual Information and Attention Mechanism*, Journal of Information Processing Systems,
# > 2024, <https://doi.org/10.3745/JIPS.01.0107>. Open access; keep it beside you.
#
# You rebuild each component from its equation, check it against the package, train it, and find out
# what it is worth. You should know some Python and PyTorch (tensors, modules, a training loop). You
# need no account, no download and no GPU.

# %% [markdown]
# ## The first minute
#
# Before any plan: something that works. The course brings a network along that was trained on
# 28,709 photographs of faces (FER2013), with every component of the paper in it. Here it reads the
# official portrait of Grace Hopper, who wrote one of the first compilers. Run the cell (Shift +
# Enter) and look at the bars: which expression comes second?

# %%
from matplotlib import cbook

from fercourse.detection import crop
from fercourse.evaluation.recognise import read_photo

trained = fercourse.pretrained("fer2013", model=6)
portrait = read_photo(cbook.get_sample_data("grace_hopper.jpg", asfileobj=False))
(her,) = fercourse.predict(portrait, trained)  # finds the face, cuts it out, reads it
plots.from_photo(portrait, crop(portrait, her.found.box, 48), her)

# %% [markdown]
# One portrait proves nothing. So now faces of which we *know* what they show, because a program
# drew them, muscle by muscle. The network has never seen a drawing. **How many does it read as they
# were meant?** Say so before you look: two numbers, between which you expect the share to lie, such
# that you would bet on it four to one. Replace 0 and 100. (Guessing is right once in seven times.)

# %%
guess = course.predict("drawn faces that are read as they were meant, %", 0, 100)

# %% [markdown]
# Seven of them, one an expression. Beneath each face, dark blue is what the answer hangs on, says
# Grad-CAM, a method that many papers use; beneath that, the three likeliest answers. Look at
# the maps: does the network look at what *you* look at?

# %%
from fercourse import explain
from fercourse.evaluation.predict import probabilities

drawn = fercourse.load("synthetic", count=1400, difficulty=0.1, seed=1).test
row = drawn[[int((drawn.labels == k).nonzero()[0]) for k in range(7)]]
heats = explain.gradcam(trained.network, row)
plots.first_look(row, probabilities(trained.network, row.images), heats)

# %% [markdown]
# And all of them. The bar is what you predicted, the diamond what came out.

# %%
read = probabilities(trained.network, drawn.images).argmax(1)
guess.beside(100 * (read == drawn.labels).float().mean())

# %% [markdown]
# That is the course in small: a result, a picture that explains it, and the question **whether to
# believe either**. Is the share high or low, and against what? Would another seed have answered
# alike? Do the maps show where the expression is made, or where faces have their middle? By lesson
# 16 you will be able to say, with numbers. Each lesson has an *open experiment* like this one, and
# keeps your predictions; lesson 19 tells how good they were.

# %% [markdown]
# ## If Jupyter is new to you
#
# - **Shift + Enter** runs a cell and goes to the next one; the number at its left says in which
#   order cells were run. Run them from the top.
# - When things are in a muddle: menu *Kernel*, *Restart Kernel and Run All Cells…* Everything
#   starts afresh; what you typed stays.
# - `No module named 'fercourse'` means the wrong kernel: choose *Python 3* at the upper right, in a
#   JupyterLab that was started by `make lab`.

# %% [markdown]
# ## Is everything there?
#
# The same check runs in a terminal as `fercourse doctor`. It may take half a minute.

# %%
from fercourse.course.checkup import checkup

table = checkup()
red = table.style.map(lambda state: "color: #B00020" if state == "FAIL" else "", subset="state")
red.set_uuid("doctor")

# %% [markdown]
# | state | what to do |
# | --- | --- |
# | OK | nothing |
# | optional | nothing yet; a later lesson will say when it wants it. Real data sets are optional |
# | FAIL | what stands at the right; mostly `make setup`, then *Restart Kernel* |
#
# If it still fails, open an issue and paste this table; long paths in it are shortened.

# %%
failed = table.index[table["state"] == "FAIL"]
print("FAIL:", ", ".join(failed) if len(failed) else "nothing. You can go on.")

# %% [markdown]
# ## Three modes, one set of notebooks
#
# The cells are the same; a *mode* decides how much they do.

# %% tags=["nbval-check-output", "slide"]
for name, meaning in course.MODES.items():
    print(f"{name:8} {meaning}")

# %% [markdown]
# You are in the mode that the first cell printed. To change it, set it before JupyterLab starts
# (`FERCOURSE_MODE=full make lab`), or put `%env FERCOURSE_MODE=full` into a new cell **above** the
# first one of a notebook and restart its kernel.
#
# Why it matters: a tiny network on drawn faces shows that code works. It says nothing about how
# good a method is. So every measured number of this course carries a label, and code reads it from
# a ledger of runs; nobody typed it:

# %%
from fercourse.runs.ledger import Ledger

labels = [row.label for row in Ledger().entries()]
for label in ("paper", "smoke", "cpu", "full"):
    print(f"{label:6} {labels.count(label):3} rows")

# %% [markdown]
# `paper` is what the authors claim, `smoke` a tiny run, `cpu` one of minutes to an hour or so on a
# processor, `full` one with everything.

# %% [markdown]
# ## The whole framework at a glance
#
# This is Fig. 1 as a map, drawn from the model's config. Faces come in at the left; five blocks of
# a VGG16 run through the middle, each with channel attention (GCCA). Above them, a partial decoder
# draws a first map of where to look ($P_d$), and reverse attention refines it ($S_3$); both read C3
# to C5. Below, C2 gives the edges. At the right, averages of all of it are fused into seven scores.
# Numbers on the arrows are shapes: 256×12² is 256 channels of 12×12 places. Each lesson shows this
# map with its own part lit.

# %% paper="Fig. 1" tags=["slide"]
plots.framework()

# %% tags=["nbval-check-output"]
model = fercourse.FERNet(fercourse.ModelConfig.table1(6)).eval()
with torch.no_grad():
    out = model(torch.zeros(2, 1, 48, 48))  # two grey faces of 48 pixels
print("scores", tuple(out.logits.shape))
print(f"{sum(p.numel() for p in model.parameters()):,} parameters")

# %% [markdown] contents=true
# ## The course
#
# The order is the paper's. Lesson 04 shows what was done before networks; 05 to 10 build the model,
# one component each; 11 to 16 train it, question it and run its rivals; 17 to 19 take it to the
# world and come back to the paper. Short of time? 05, 07, 09, 12 and 18 are the spine.

# %% [markdown]
# ## How to read a paper: three passes
#
# **First pass, ten minutes: what is claimed?** Title, abstract, figures, tables, conclusion. No
# equation yet. Write the claims down as numbers, with the conditions they come with. The abstract
# of ours has two. (Sta is the spread over the runs, in points.)

# %% tags=["slide"]
claims = Ledger().claims(plan="table1")
for row in claims:
    if row.variant == "model6":
        print(
            f"{row.dataset:8} {row.test_accuracy:.2%}, Sta {100 * row.stability:.2f}, "
            f"mean of {row.runs} runs"
        )

# %% [markdown]
# **Second pass, an hour: what is shown?** Now the tables, line by line. A claim is shown when there
# are numbers for it. Table 1 switches the components on one after the other. Subtract each row from
# the next, and hold the gain against the Sta that is printed beside it:

# %% tags=["slide"]
from itertools import pairwise

fer = sorted((r for r in claims if r.dataset == "fer2013"), key=lambda r: r.variant)
parts = ("fusion", "GCCA", "partial decoder", "reverse attention", "joint loss")
gains = [after.test_accuracy - before.test_accuracy for before, after in pairwise(fer)]
for part, gain, row in zip(parts, gains, fer[1:], strict=True):
    small = "   smaller than the spread" if gain < row.stability else ""
    print(f"+ {part:18} {100 * gain:+.2f} points, Sta {100 * row.stability:.2f}{small}")

# %% [markdown]
# That is not what the abstract sounds like, and you needed no equation to see it. (Lesson 12 does
# this properly.)
#
# **Third pass, a day: what is left out?** Pretend you have to rebuild it tomorrow. Every place
# where you would have to guess goes on a list. Ours, of what a rebuilder needs from sections 3.1
# and 3.3:

# %% tags=["nbval-check-output"]
needed = {
    "when the learning rate falls": "halved after three iterations without progress",
    "dropout": "0.001",
    "learning rate": None,
    "optimiser": None,
    "batch size": None,
    "number of epochs": None,
    "which epoch is reported, chosen on which split": None,
    "how CK+ is split": None,
}
for what, said in needed.items():
    print(f"{what:48} {said or 'not said'}")
print(f"{sum(said is None for said in needed.values())} of {len(needed)} to be guessed")

# %% [markdown]
# Every guess of ours is written down in `docs/design.md`, and each lesson says where it makes one.
# None of this is an accusation: most papers leave as much out. It is what reading means.
#
# One more thing to look for in any pass: slips. Compare the last sentence of section 3.4 with the
# abstract. What was exchanged? (Lesson 19 has the answer.)

# %% [markdown]
# ## How an exercise works
#
# Each lesson has two to four. You find the task, a function to complete, and a check. The check
# does not compare with one number: it tries your function on random input, and if something is
# wrong, it says what to look at. Hints and a solution are folded away below. Where a component is
# built, **the lesson goes on with your function** as soon as it passes; until then, with ours, so
# that nothing stops.
#
# Here is somebody's attempt at the first one, the share of right answers:

# %% tags=["slide"]
from fercourse.exercises import start


def attempt(answers, labels):
    return (answers == labels).sum().item()


start.check_accuracy(attempt)

# %% [markdown]
# The ✗ comes with a reason. Now do it better below: replace the line `raise NotImplementedError…`
# by your code, run the cell, then run the check under it. Change and run as often as you like.

# %% [markdown]
# ## Summary
#
# - The doctor's table says what is missing and what to do.
# - Smoke shows that code works, lecture shows everything at once, full measures.
# - Three passes: claimed, shown, left out.
# - Checks tell you what to look at; a solution is one click away, and worth waiting for.

# %% [markdown]
# ## Exercises

# %% [markdown] exercise="start.accuracy"
# Of N answers, what share is right?

# %% [markdown] exercise="start.reading"
# Take the paper, and find out about six things whether it **shows** them (there are numbers), only
# **claims** them (there is a sentence), or **leaves them out**.
