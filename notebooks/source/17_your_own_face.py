# ---
# jupyter:
#   fercourse:
#     title: "Your own face"
#     learn:
#       - go from a photograph to a face to seven probabilities, and name each step
#       - measure whether a probability can be taken at its word, and mend it with one number
#       - find out what a margin, a lamp or a tilted head does to an answer
#       - check for a difference between groups, with its error
#       - say what the answer does not mean, and where the law forbids asking for it
#     needs: [2, 12, 16]
#     seed: 15
#     boxes: [faces, head]
# ---

# %% [markdown]
# So far faces came in data sets, cut and labelled. Here one comes as people bring them: in a
# photograph, with a room around it. We take a trained network, follow one picture through it, and
# then spend most of the lesson on the question the number itself does not answer: **how much is it
# worth?**
#
# **Nothing leaves this machine.** Detector and network run in this notebook's own process; no
# cell of this lesson opens the network. One thing to know all the same: JupyterLab stores outputs
# in the notebook's file. If you set `path` below to a picture of your own, clear the outputs
# (*Edit → Clear Outputs of All Cells*) before you pass the notebook on.

# %% [markdown]
# ## From a photograph to a face
#
# The example is the official portrait of Rear Admiral Grace Hopper, who wrote one of the first
# compilers. It is in the public domain and comes with matplotlib. `read_photo` gives an RGB picture
# and turns it upright: phones store a photograph as the sensor saw it and write "turn me" into its
# EXIF data, and a face lying on its side is lost on every network of this course.

# %%
from pathlib import Path

import matplotlib

from fercourse.evaluation.recognise import read_photo, recognise

path = Path(matplotlib.get_data_path()) / "sample_data" / "grace_hopper.jpg"
picture = read_photo(path)
print(picture.mode, picture.size)

# %% [markdown]
# **Find.** MTCNN (lesson 02) gives a box, its own probability that the box holds a face, and five
# landmarks. It has no opinion about the expression.

# %% tags=["slide"]
from fercourse.detection import crop, detect

found = detect([picture])[0]
print(len(found), "face")
print("box", [round(v) for v in found[0].box], f"p = {found[0].probability:.4f}")

# %% [markdown]
# **Cut.** The box becomes a square on its longer side, so that nothing is distorted, and is scaled
# to the 48 pixels of the data the network knows. Colour goes: FER2013 is grey.

# %% tags=["nbval-check-output"]
face = crop(picture, found[0].box, size=48)
print(face.dtype, tuple(face.shape))

# %% [markdown]
# **Answer.** The weights are those of model 6 trained on FER2013 (its card says how, and how well:
# `fercourse/weights/fer2013-model6.md`). They are used in every mode, for a photograph deserves a
# network that has seen photographs. Grey values are scaled to [-2, 2], and one softmax turns seven
# logits into seven numbers that sum to 1.

# %% tags=["nbval-check-output"]
from fercourse.preprocess import normalise

trained = fercourse.pretrained("fer2013")
model = trained.network
x = normalise(face[None])
with torch.inference_mode():
    logits = model(x).logits
answer = logits.softmax(1)
print(tuple(x.shape), "->", tuple(logits.shape))

# %% [markdown]
# `probabilities` does the same for many faces at a time, and `recognise` does all of it, from the
# photograph on. One thing it does besides: it divides the logits by a **temperature** that is
# stored with the weights. What that is good for comes below.

# %%
from fercourse.evaluation.predict import probabilities

torch.testing.assert_close(probabilities(model, face[None], device="cpu", bf16=False), answer)
reading = recognise(trained, picture, device="cpu")[0]
said = (logits / trained.temperature).softmax(1)
torch.testing.assert_close(torch.tensor([reading.probabilities]), said, rtol=0, atol=1e-4)
[(expression.title, f"{q:.1%}") for expression, q in reading.ranked()[:3]]

# %% [markdown]
# Look at the middle picture for a moment: these 48 × 48 grey values are all the network knows of
# Grace Hopper.

# %% tags=["slide"]
plots.from_photo(picture, face, reading)

# %% [markdown]
# What does such an answer say? The labels of FER2013 were given by people who saw nothing but the
# picture. So the network has learnt **what label an annotator would give to these pixels**. What
# the person felt was never in the data: faces at rest look stern, people smile out of politeness,
# and a review of over a thousand studies found no expression that shows an emotion both reliably
# and specifically (Barrett et al., 2019, *Psychological Science in the Public Interest* 20(1)).

# %% [markdown]
# ## Softmax is not confidence
#
# A softmax gives positive numbers that sum to 1. That alone makes them no probabilities. For that,
# of all faces answered with 0.8, eight in ten would have to be right. Networks trained on
# cross-entropy usually claim more than they keep (Guo et al., 2017): once every training face is
# recognised, the loss still falls when logits grow.
#
# It takes labelled faces that the network has not seen to find out. Here they are drawn ones, of
# people on whom nothing was trained and under harder light and pose than in training; in the full
# mode they are FER2013's validation split.

# %%
drawn = fercourse.load("synthetic", count=1400, difficulty=0.3, seed=1)
judge = lesson.trained(6)
faces = lesson.data().val if lesson.mode == "full" else drawn.train
p = probabilities(judge, faces.images)
print(
    f"{len(faces)} faces: accuracy {(p.argmax(1) == faces.labels).float().mean():.3f},",
    f"mean confidence {p.amax(1).mean():.3f}",
)

# %% [markdown] tags=["slide"]
# **Temperature scaling** mends this with a single number. Logits $z$ are divided by a temperature
# $T$ before the softmax,
#
# $$p_k = \frac{e^{z_k / T}}{\sum_j e^{z_j / T}},$$
#
# and $T$ is chosen so that the labels of some held-out faces become most likely. $T > 1$ makes
# every answer more modest. The order of the classes stays, and so does the accuracy.
#
# We hold probabilities, not logits. That is enough: $\log p_k = z_k - \text{const}$, and a softmax
# does not see a constant.


# %%
def cooled(p, T):
    return (p.clamp_min(1e-12).log() / T).softmax(1)


def cost(p, labels, T):
    return F.nll_loss(cooled(p, T).log(), labels).item()


torch.testing.assert_close(cooled(p, 1.0), p, rtol=1e-4, atol=1e-6)

# %% [markdown]
# One half of the faces chooses $T$, the other half judges: a number is never judged on what chose
# it, not even when there is only one.

# %% tags=["slide"]
halves = torch.randperm(len(faces), generator=torch.Generator().manual_seed(0)).chunk(2)
(p_fit, y_fit), (p_test, y_test) = ((p[h], faces.labels[h]) for h in halves)
temperatures = torch.linspace(0.5, 4, 141)
T = min(temperatures.tolist(), key=lambda T: cost(p_fit, y_fit, T))
print(
    f"T = {T:.2f}; loss on the other half {cost(p_test, y_test, 1.0):.3f} ->",
    f"{cost(p_test, y_test, T):.3f}",
)

# %% [markdown]
# How far is confidence from accuracy, as one number? The *expected calibration error* is asked for
# in every paper on this.

# %% [markdown] exercise="photo.calibration_error"
# Compute it. Then think of a network that says 0.5 to everything and is right half the time: what
# is its error, and is it any use?

# %%
for name, q in (("softmax", p_test), (f"T = {T:.2f}", cooled(p_test, T))):
    print(f"{name:9} expected calibration error {calibration_error(q, y_test):.3f}")

# %% [markdown]
# A **reliability diagram** puts faces of like confidence together and asks how many were right.
# Each point is a bin, larger where it holds more faces, with a 95 % interval; on the dashed line
# confidence keeps its word. Look at which side of the line the points lie on before and after.

# %% tags=["slide"]
plots.reliability({"softmax": p_test, f"T = {T:.2f}": cooled(p_test, T)}, y_test)

# %% [markdown]
# Two warnings. A temperature belongs to a network *and* to a kind of data: the one just found says
# nothing of another network or of your phone's pictures. And calibration holds on the average over
# faces like those it was made with. It turns no single answer into knowledge.

# %% [markdown]
# Each training of this course fits a temperature on its validation split when it ends, and
# `recognise` uses it. For the bundled networks that was FER2013's PublicTest; PrivateTest, which
# chose nothing, judges here. Look for a difference between the columns: these two were trained
# with label smoothing, which asks for modest answers from the start.

# %% tags=["nbval-check-output", "slide"]
from fercourse.pages.photographs import calibrated, photograph_record

record = photograph_record()
calibrated(record)

# %% [markdown]
# **Doubt** is the use of it. An answer below a stated confidence is better called *unsure*: fewer
# answers, and more of them right. `fercourse predict` does so below one half, where being wrong is
# the likelier; `--sure 0.8` asks for more.

# %% tags=["nbval-check-output", "slide"]
for row in record["model6"]["calibration"]["sure"]:
    print(
        f"from {row['from']:.1f}: {row['share']:5.1%} answered, {row['accuracy']:.1%} of them right"
    )

# %% [markdown]
# ## Open experiment: a probability on a drawing
#
# The temperature of the bundled FER2013 network was fitted on photographs. Ask it about drawn
# faces. Say what share of the answers it gives with 0.5 or more is right: **predict**, an interval
# that you would bet on four to one. (By the temperature's promise, it should be well above one
# half.)

# %%
guess = course.predict("sure answers on drawn faces that are right, %", 0, 100)

# %%
q = cooled(probabilities(model, drawn.train.images), trained.temperature)
sure = q.amax(1) >= 0.5
kept = q.argmax(1)[sure] == drawn.train.labels[sure]
print(f"{sure.float().mean():.0%} of {len(q)} answers are sure")
guess.beside(100 * kept.float().mean())

# %% [markdown]
# The bar is your interval, the diamond what came out. Raise 0.5 to 0.8, with a new prediction: does
# a network that was never shown a drawing know that it does not know?

# %% [markdown]
# ## Two views of one face
#
# A mirrored face shows the same expression. Averaging the probabilities of both views costs twice
# the time and usually helps a little, because the mistakes of the two are not quite the same.
# Reports must say so when they use it: the ledger keeps single-view and flip-averaged accuracies
# in separate columns.

# %% [markdown] exercise="photo.flip_average"
# Average both views. `classify` is any network: faces in, logits out.

# %%
some = normalise(faces.images[:8].to(lesson.device))
with torch.no_grad():
    by_hand = flip_average(lambda x: judge(x).logits, some).cpu()
both = probabilities(judge, faces.images, views="flip", bf16=False)
torch.testing.assert_close(by_hand, both[:8], rtol=1e-3, atol=1e-4)
for name, views in (("single", p), ("flip", both)):
    print(f"{name:7} accuracy {(views.argmax(1) == faces.labels).float().mean():.3f}")

# %% [markdown]
# ## One face, many pictures of it
#
# The photographer might have stood a step closer, or turned the lamp. If the answer were about
# the face, it would not mind. We change one thing at a time in Grace Hopper's portrait: the margin
# around the box (0 is how FER2013 is framed), the brightness, and the rotation.


# %%
def read(faces):
    return probabilities(model, torch.stack(faces), bf16=False)


box = found[0].box
margins = [-0.3, -0.2, -0.1, 0, 0.1, 0.2, 0.4, 0.6, 0.8, 1.0]
by_margin = read([crop(picture, box, 48, m) for m in margins])
shifts = [-90, -60, -30, 0, 30, 60, 90]
by_light = read([(face.int() + s).clamp(0, 255).byte() for s in shifts])

# %%
middle = ((box[0] + box[2]) / 2, (box[1] + box[3]) / 2)
angles = [-30, -20, -10, -5, 0, 5, 10, 20, 30]
by_angle = read([crop(picture.rotate(a, center=middle, resample=2), box, 48) for a in angles])

# %% [markdown]
# Follow the blue line, and mark where another one crosses it. The dotted line is the picture as it
# is.

# %% tags=["slide"]
plots.sensitivity(
    {
        "margin (share of the box)": (margins, by_margin),
        "brightness (grey levels)": (shifts, by_light),
        "rotation (degrees)": (angles, by_angle),
    },
    at=[0, 0, 0],
)

# %% [markdown]
# What can be mended before the network is asked? The eyes say how far a head leans: `recognise`
# turns a face upright when it leans by ten degrees or more. It was measured on all of PublicTest,
# turned by known angles, with MTCNN's eyes. Look at the last columns, and at what levelling *costs*
# an upright face, because landmarks err by some degrees.

# %% tags=["nbval-check-output"]
for angle, measured in record["turned"]["val"]["angles"].items():
    print(f"{angle:>4}°", {how: f"{a:.1%}" for how, a in measured.items()})

# %% [markdown]
# The margin was measured the same way: cut by MTCNN's box, photographs and drawn faces alike are
# read best without any.

# %% tags=["nbval-check-output"]
for where, measured in record["framing"].items():
    print(where, {m: f"{a:.1%}" for m, a in measured["margin"]["accuracy"].items()})

# %% [markdown]
# The network was trained on upright, tightly framed faces and with small distortions. Where the
# picture leaves what training covered, it does not say "I do not know": there is no eighth class
# for that. It answers something else, often with a straight face.

# %% [markdown]
# ## Photographs of another collection
#
# FER2013 has few faces of disgust, and a network learns how frequent each class is along with how
# it looks. Bayes' rule takes that out again: divide each probability by the class's share in
# training, and scale to sum 1. Is it right to do so? Only if where you use it all expressions are
# equally frequent. We measure it on faces that no FER2013 network has met: CK+48, posed in a
# laboratory. Its people show six of the seven; none is neutral.

# %% tags=["nbval-check-output"]
for data, measured in record["model6"]["classes"].items():
    for way in ("as trained", "even"):
        judged = measured[way]
        print(
            f"{data:8} {way:10} accuracy {judged['accuracy']:.1%},",
            f"mean recall {judged['macro_recall']:.1%}",
        )

# %% [markdown]
# On FER2013 itself it costs accuracy and gains recall of the rare classes, as it must. Elsewhere it
# depends on what is frequent there, which nobody tells you. So it is an option, `--even`, and off.
#
# In Python all of this is one call, for whatever you hold: a path, a PIL image, an array of bytes
# or of floats, with `bgr=True` for OpenCV's, or a list of them.

# %%
for (her,) in fercourse.predict([path, np.asarray(picture)], trained):
    print([f"{e.title} {q:.0%}" for e, q in her.ranked()[:2]], "sure:", her.sure)

# %% [markdown]
# ## Does it serve everybody alike?
#
# A mean accuracy hides who pays for it. The classical finding is *Gender Shades* (Buolamwini and
# Gebru, 2018): commercial classifiers of gender erred on at most 0.8 % of lighter-skinned men and
# on up to 34.7 % of darker-skinned women. Commercial readers of expressions gave Black
# faces more negative emotions than white ones with the same smile (Rhue, 2018). FER2013 was
# collected by web search, and nobody recorded who is in it, so the question cannot be asked of
# its test split.
#
# It can be asked of **drawn faces**, for there we know everything: the drawing program spreads the
# skin's reflectance evenly from deep brown to pale, independent of expression, pose and lamp. We
# sort the faces by it.

# %%
from fercourse.datasets.synthetic.identity import traits

people = drawn.train
identity = torch.tensor([int(s) for s in people.subjects])
tone = traits(identity).skin_tone.flatten()  # share of the light that the skin returns
print(f"{len(people)} faces, reflectance from {tone.min():.2f} to {tone.max():.2f}")

# %% [markdown]
# Three readings of the same faces: the FER2013 network, the same network with the faces turned by
# 15 degrees, and a network trained on drawn faces of every tone.

# %%
from fercourse.augment import warp

one = torch.ones(len(people))
turned = warp(people.images[:, None].float(), 15 * one, one, one)[:, 0].round().byte()
readings = {
    "FER2013": probabilities(model, people.images),
    "FER2013, turned 15°": probabilities(model, turned),
    "drawn faces": probabilities(fercourse.pretrained("synthetic", 6).network, people.images),
}
right = {name: q.argmax(1) == people.labels for name, q in readings.items()}

# %% [markdown]
# Look for a slope: does a line rise from the darkest fifth on the left to the lightest on the right
# by more than its intervals allow? The title names a difference of the outer fifths if it is twice
# its standard error. (Each person is drawn seven times, and seven faces of one person are less than
# seven people: the true errors are larger.)

# %% tags=["slide"]
plots.accuracy_by_group(right, tone, people.images)

# %% [markdown]
# The title gives differences with their standard errors.

# %% [markdown] exercise="photo.accuracy_gap"
# Compute one.

# %%
chance = [accuracy_gap(right["FER2013"], torch.rand(len(people)) < 0.5) for _ in range(20)]
print(f"of 20 gaps between random groups, {sum(abs(g) > 2 * e for g, e in chance)} exceed twice")
print("their standard error; none of them means anything")

# %% [markdown]
# With so few faces **this audit is underpowered**: the standard errors are as large as any
# difference one would hope to find, so that a line which rises a little shows nothing, and one
# which does not rise clears nobody. How many faces would it take? For a difference of two points to
# be two standard errors, from the numbers above:

# %%
outer = len(people) // 5  # faces in a fifth
p = right["FER2013"].float().mean().item()
now = np.sqrt(2 * p * (1 - p) / outer)
needed = 2 * 4 * p * (1 - p) / 0.02**2
print(f"standard error now {100 * now:.1f} points; two points take {needed:,.0f} faces a fifth")

# %% [markdown]
# So the audit was repeated once with as many (`benchmarks/tone_audit.py`). There the unit is the
# person, because the seven faces of one person are alike.

# %% tags=["slide"]
import json

from fercourse.settings import ledger_path

audit = json.loads((ledger_path().parent / "tone.json").read_text(encoding="utf-8"))
print(f"{audit['faces']:,} faces of {audit['people']:,} people; lightest minus darkest fifth:")
for name, of in audit["networks"].items():
    low, gap, high = (100 * of[key] for key in ("low", "gap", "high"))
    print(f"{name:20} {gap:+.1f} points, 95 % interval {low:+.1f} to {high:+.1f}")

# %% [markdown]
# Read this with care, in both directions.
#
# - These are **drawings**. The FER2013 network was made for photographs and is far below its
#   accuracy there for every tone. A slope shows that the network *can* depend on skin tone where
#   nothing else does; its size says nothing about people.
# - Where a slope stays, ask for its cause. Dark skin returns less light, so the drawn muscles move
#   fewer grey levels, and the lines would fall for every network. If a network that grew up with
#   every tone copes, that points to the training data. Points to, not proves: the two networks
#   differ in size and task as well.
# - Skin tone is one property of many. Age, gender, glasses, a veil, a scar, a paralysed cheek, a
#   culture's way to show or to hide: each is a group to check.

# %% [markdown]
# ## Consent and law
#
# *This is no legal advice, and laws change: the dates below are as of November 2026.*
#
# **Ask first.** Upload your own picture, or one whose owner said yes to exactly this. "It was on
# the web" is not consent, though it is how FER2013 came about.
#
# **EU AI Act** ([Regulation (EU) 2024/1689](https://eur-lex.europa.eu/eli/reg/2024/1689/oj)), in
# three steps:
#
# - Systems that infer emotions of people **at work and in education are prohibited**, except for
#   medical or safety reasons: Article 5(1)(f), since 2 February 2025.
# - Elsewhere emotion recognition is a high-risk use: Annex III, point 1(c). The "Digital Omnibus",
#   which Parliament endorsed on 16 June and the Council on 29 June 2026, puts the duties of such
#   uses off to 2 December 2027. People exposed to it have to be told: Article 50(3), since 2 August
#   2026.
# - A visible smile is no emotion yet (Recital 18). Concluding that somebody is happy is the
#   regulated step.

# %% [markdown]
# **GDPR**: a photograph of somebody is personal data, and needs a legal basis to be processed. It
# becomes *biometric* data, a special category (Articles 4(14) and 9), when technical means use it
# to identify a person uniquely. Reading an expression identifies nobody, but the crop, the
# landmarks and the answer are personal data all the same.
#
# **Research and teaching** have room, not a blank cheque. The licences of FER2013 and CK+ allow
# research; CK+'s forbids passing pictures on, so no notebook of this course shows one.

# %% [markdown]
# **Industry** has drawn back, too. On 21 June 2022 Microsoft
# [withdrew](https://azure.microsoft.com/en-us/blog/responsible-ai-investments-and-safeguards-for-facial-recognition/)
# emotions from its Face service, and age, gender and smiles with them; customers who had them lost
# them after 30 June 2023. Its reasons: nobody agrees what an emotion is, and how a face goes with a
# feeling differs between uses, regions and groups of people.
#
# A rule of thumb: if the answer could cost somebody something (a job, a mark, a loan, a night at
# the police station), the honest accuracy of lesson 12 says no before the law does.

# %% [markdown]
# ## Your turn
#
# Upload a picture or use the camera. Then do to *your* face what this lesson did to another's: move
# margin, light and tilt until the answer turns. Faces are searched anew in the changed picture, and
# `recognise`'s own levelling is off here; does aligning by the eyes (lesson 02) bring the answer
# back? Then lean back, smile with the mouth alone, and notice which of the seven you cannot get.

# %%
from fercourse import widgets

widgets.photo(trained)

# %% [markdown]
# ## Summary
#
# - From photograph to answer: upright, find, cut to a square, 48 grey pixels, logits, softmax.
# - A softmax is not a confidence until it is measured: a reliability diagram shows it, one
#   temperature mends it, for one network and one kind of data.
# - The answer moves with margin, light and rotation, and outside of what was trained it does not
#   say so.
# - Report accuracy by group with its error; drawn faces let you check what photographs cannot.
# - The network names a label, not a feeling; at work and in education the EU forbids the inference.

# %% [markdown]
# ## Exercises

# %% [markdown] exercise="photo.prohibited"
# Replace each `None` by `True` or `False`, and return the answers. Article 5(1)(f) in short: no
# system that infers emotions of a natural person in the areas of workplace and education
# institutions, except for medical or safety reasons.
