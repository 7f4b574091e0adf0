# ---
# jupyter:
#   fercourse:
#     title: "The clinic: five sick runs"
#     learn:
#       - read a run's curves, confusion matrix and occlusion map together
#       - tell apart the illnesses that look alike, by the one sign that separates them
#       - recognise five mistakes that people make in every field, and their cure
#       - use three examinations that find most of them before a night of training is lost
#     needs: [11, 12, 16]
#     seed: 17
# ---

# %% [markdown]
# A training run that crashes is kind: it tells you. The runs in this lesson all finish. Each of
# them has one thing wrong, a thing that people do get wrong, and your task is to say what.
#
# The paper says of its training only that "a validation set was tested, and the loss and accuracy
# were recorded" (section 3.3). Recording is half of it. The other half is knowing how a healthy
# record looks.

# %%
from fercourse import clinic as ward

for name, meaning in ward.ILLNESSES.items():
    print(f"{name:28} {meaning}")

# %% [markdown]
# Ten names; five of them are in the ward, each once. (One of the ten means that all is well.)
#
# ## A healthy run
#
# All runs here train the same net, model 6 at an eighth of VGG16's width, on the same drawn faces,
# with the same seed. The chart of a run shows four things:
#
# - **accuracy** over the epochs, on the training and the validation faces;
# - **losses**: cross-entropy (CE) on both, and the total of eq. 7 that the optimiser is given;
# - the **confusion matrix** of the validation faces, by the weights that were kept, those of the
#   best epoch;
# - **where it looks**: a grey square is slid over faces, and the colour says how far the
#   probability of the answer falls when the square lies there.
#
# The headline gives the validation accuracy of these kept weights, computed twice. Look first at
# the order of the two CE curves, then at the diagonal, then at where the map is bright.

# %% tags=["nbval-check-output", "slide"]
healthy = ward.recorded("healthy")
plots.patient_chart(healthy, "Healthy")

# %% [markdown]
# What makes it look well: the training loss falls at every epoch, and validation's follows (its
# leap at the start is batch norm's statistics and a high rate finding their feet, and is gone an
# epoch later); training is a little ahead of validation, as it should be without augmentation;
# mistakes are few and scattered; the map is bright on brows and mouth; and judging twice gives the
# same number.
#
# One number is worth remembering. A net that knows nothing and admits it gives every class a
# seventh, and its cross-entropy is

# %% tags=["nbval-check-output", "slide"]
print(f"ln 7 = {np.log(7):.3f}, accuracy 1/7 = {100 / 7:.1f} %")

# %% [markdown]
# A loss that stands at 1.95 says "nothing was learned"; one that stays above it says "something
# wrong was learned, and is believed".
#
# ## One patient together, live
#
# This one you make ill yourself: the learning rate is twenty times the healthy one. Everything else
# is `ward.recipe()`.

# %%
rate = ward.recipe().train.lr
sick = ward.fast(lesson.data(420), lr=20 * rate)
print(f"healthy rate {rate}, this one {sick.config.train.lr}")

# %%
short = sick.config.change(**{"train.epochs": 3, "data.name": sick.data.name})
fit = lesson.fit("rate", short, sick.data)
for epoch in fit.history:
    print(*(f"{key} {epoch[key]:8.3f}  " for key in ("train_ce", "val_loss", "val_accuracy")))

# %% [markdown]
# Validation leaps far above ln 7: the first long steps have thrown the weights out, and the net
# believes something wrong. From there two things can happen. Either the loss becomes infinite (the
# package stops then, and says so), or most units die, every face gets nearly the same answer, and
# the losses settle at ln 7 and stay. Which classes does it still answer?

# %%
answers = fercourse.evaluate(fit.model, sick.data.val).confusion.sum(0)
print({e.title: int(n) for e, n in zip(fercourse.Expression, answers, strict=False)})

# %% [markdown]
# The cure is known before the diagnosis is certain, which is why it is tried first: divide the rate
# by ten, again and again, until the first hundred steps go down. A run at the healthy rate, equally
# short:

# %%
well = short.change(**{"train.lr": rate})
cured = lesson.fit("cured", well, sick.data)
for epoch in cured.history:
    print(*(f"{key} {epoch[key]:8.3f}  " for key in ("train_ce", "val_loss", "val_accuracy")))

# %% [markdown]
# It has hardly begun in three short epochs, and that is the point: a healthy start is dull. The
# loss stays near ln 7 or below; one leap that is gone an epoch later, as in the healthy chart, is
# no illness.
#
# ## How to examine
#
# Before guessing, three questions in this order save most of the time:
#
# 1. **Does it learn the training faces?** If not, look at the optimiser, the loss and the training
#    labels. Validation cannot be the cause.
# 2. **Does validation follow?** If training is well and validation is not, compare how the two are
#    treated: labels, preprocessing, mode of the network, order of the faces.
# 3. **Is it better than it has any right to be?** If so, ask what else in the image, or in the
#    split, gives the answer away.
#
# ## The ward
#
# Dashed grey, in every chart, is the healthy run's validation accuracy. Write down your suspicion
# for each patient before you go to the exercises; there the check will tell you what speaks against
# a wrong one, without naming the right one.
#
# ### Patient A
#
# Look at which of the four panels is well, and which is not.

# %% tags=["nbval-check-output", "slide"]
plots.patient_chart(ward.recorded("a"), "Patient A", healthy)

# %% [markdown]
# ### Patient B
#
# Look at the order of the training and the validation curve. No augmentation was used, and dropout
# is 0.001.

# %% tags=["nbval-check-output", "slide"]
plots.patient_chart(ward.recorded("b"), "Patient B", healthy)

# %% [markdown]
# ### Patient C
#
# Look at the training curve, and at the headline.

# %% tags=["nbval-check-output", "slide"]
plots.patient_chart(ward.recorded("c"), "Patient C", healthy)

# %% [markdown]
# ### Patient D
#
# Look at the scale of the loss panel.

# %% tags=["nbval-check-output", "slide"]
plots.patient_chart(ward.recorded("d"), "Patient D", healthy)

# %% [markdown]
# ### Patient E
#
# The best of all. Would you publish it?

# %% tags=["nbval-check-output", "slide"]
plots.patient_chart(ward.recorded("e"), "Patient E", healthy)

# %% [markdown]
# ## Three examinations worth having in every project
#
# **Judge twice.** Two passes over the same faces with the same weights must agree to the last
# digit. They do not if the network is still in training mode, or if anything random is left in
# the preprocessing.

# %%
model, faces = lesson.trained(6), lesson.data(420).val
first, second = (fercourse.evaluate(model, faces).confusion for _ in range(2))
print("judged twice, equal:", bool((first == second).all()))

# %% [markdown]
# **Judge in another order.** What a face is called must not depend on its neighbours in the batch.

# %%
from fercourse.evaluation.predict import probabilities

order = torch.randperm(len(faces))
p = probabilities(model, faces.images, bf16=False)
q = probabilities(model, faces.images[order], bf16=False)
print(f"largest change by order: {(p[order] - q).abs().max():.1e}")

# %% [markdown]
# The same two examinations with `model.eval()` forgotten, on shuffled faces and on faces that come
# class after class, as they do when a folder a class is read. A batch holds nine faces, so that in
# the second case it holds a single class. Look at both columns.

# %%
by_class = faces[faces.labels.argsort(stable=True)]
for name, some in (("shuffled", faces[order]), ("class after class", by_class)):
    twice = [ward.in_training_mode(lesson.trained(6), some.images, batch_size=9) for _ in range(2)]
    right = (twice[0].argmax(1) == some.labels).float().mean()
    change = (twice[0] - twice[1]).abs().max()
    print(f"{name:18} {right:6.1%} right; judged again, a probability changes by {change:.2f}")

# %% [markdown]
# A batch in which every face is happy has the happy batch's mean and variance; batch norm subtracts
# exactly what the faces have in common, and that is the expression.
#
# **Learn one batch by heart.** A net, a loss and labels that fit together learn 16 faces to the
# last one in some dozen steps. If they do not, no amount of data will help. It needs no
# validation, and costs seconds.

# %%
from fercourse.models import FERNet
from fercourse.preprocess import normalise

torch.manual_seed(0)
small = FERNet(ward.recipe().model).to(lesson.device).train()
optimizer = torch.optim.SGD(small.parameters(), lr=0.05, momentum=0.9)
x = normalise(faces.images[:16]).to(lesson.device)  # (16, 1, 48, 48)
y = faces.labels[:16].to(lesson.device)

# %%
steps = lesson.pick(smoke=40, full=40, lecture=1)
for _ in range(steps):
    loss = F.cross_entropy(small(x).logits, y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
print(f"cross-entropy of 16 faces after {steps} step(s): {loss.item():.3f}")
if lesson.mode == "lecture":
    print("One step for show, for this mode trains nothing; the smoke mode takes forty.")

# %% [markdown]
# ## Summary
#
# - Examine in order: does it learn the training faces, does validation follow, is it too good.
# - A loss at ln 7 has learned nothing; far above it, it believes something wrong.
# - Judging twice and in another order finds what training mode leaves behind; one batch learned by
#   heart finds a net, loss or labels that do not fit together.
# - A result that is too good is an illness too. Only a map, or fresh faces, will show it.
#
# ## Exercises
#
# Answer with a name from `ward.ILLNESSES`. Each solution also says what was done to the run.

# %% [markdown] exercise="clinic.diagnose_a"
# What is patient A's illness?

# %% [markdown] exercise="clinic.diagnose_b"
# What is patient B's illness?

# %% [markdown] exercise="clinic.diagnose_c"
# What is patient C's illness?

# %% [markdown] exercise="clinic.diagnose_d"
# What is patient D's illness?

# %% [markdown] exercise="clinic.diagnose_e"
# What is patient E's illness?
