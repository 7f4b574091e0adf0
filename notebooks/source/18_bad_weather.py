# ---
# jupyter:
#   fercourse:
#     title: "Bad weather"
#     learn:
#       - write fog as one equation, and say what each of its letters does to a face
#       - spoil faces in seven ways at five severities, the same for every network
#       - count errors so that easy and hard corruptions weigh alike
#       - measure four cures and one kind of training, beside doing nothing
#       - say with intervals whether attention helps in bad weather
#     needs: [4, 12, 14, 17]
# ---

# %% [markdown]
# The paper's introduction gives image dehazing a paragraph: it "can enhance the image clarity and
# visibility", which is "particularly crucial for capturing expressions in low-light conditions or
# for conducting real-time facial analyses in outdoor environments". Then the subject is dropped.
# No experiment has fog, a dark room or a blurred face in it, and no sentence says whether attention
# helps there.
#
# This lesson measures what the introduction asks for. First we make weather, then we count what it
# costs, then we try what is said to help.

# %% [markdown] tags=["slide"]
# ## Fog is one equation
#
# Light from a face at distance $d$ is scattered on its way: every metre takes the same share of
# what is left. What arrives is $t = e^{-\beta d}$ of it, the **transmission**. And the fog is
# bright itself, because it scatters daylight into the camera: the further away the face, the more
# of that light $A$. With $J$ for the clear picture (Koschmieder, 1924),
#
# $$I = J\,t + A\,(1 - t).$$
#
# Shapes by hand: $J$, $t$ and $I$ are pictures, $(N, 1, H, W)$; $A$ is one number a picture,
# $(N, 1, 1, 1)$, and is spread over all pixels.

# %%
from fercourse.datasets import synthetic

drawn = synthetic.draw("happy", identity=9, seed=5, size=48, margin=0.0, difficulty=0.2)
face = torch.from_numpy(drawn.image)  # uint8 (48, 48)
J = face[None, None].float() / 255  # (1, 1, 48, 48)
A = 0.9
for t in (1.0, 0.5, 0.1):
    behind = J * t + A * (1 - t)  # I
    print(f"t = {t:3}: grey values {behind.min():.2f} to {behind.max():.2f}")

# %% [markdown]
# Now for a whole picture of thickness.

# %% [markdown] exercise="bad_weather.through_fog"
# Write the equation of fog for one face and a picture of its thickness.

# %% [markdown]
# The contrast shrinks to the share $t$, and everything moves towards $A$. That is the whole harm:
# not a pixel is lost as long as $t > 0$, and with exact numbers the equation could be solved for
# $J$. Eight bits are not exact, and nobody tells us $t$ and $A$.
#
# Real fog is not even. So $d$ becomes a smooth random field, four by four numbers interpolated to
# the size of the face. `fog` draws it, and $A$, for each face. Here both are read back from what
# it did to a black and to a white picture.

# %%
from fercourse.weather import fog

generator = torch.Generator().manual_seed(3)
black = fog(torch.zeros(1, 1, 48, 48), 1.4, generator)
generator.manual_seed(3)
white = fog(torch.ones(1, 1, 48, 48), 1.4, generator)
t = white - black  # J t at J = 1, and what the air adds cancels
A = (black / (1 - t)).mean()
print(f"A = {A:.2f}, t from {t.min():.2f} to {t.max():.2f}")

# %% [markdown]
# With these, the equation gives what `fog` gives:

# %%
generator.manual_seed(3)
thickness = -t.log() / 1.4  # t = exp(-density * thickness)
behind = through_fog(J[0, 0], thickness[0, 0], 1.4, A)
torch.testing.assert_close(behind, fog(J, 1.4, generator)[0, 0], rtol=0, atol=1e-4)

# %% [markdown]
# ## Seven kinds of weather
#
# ImageNet-C (Hendrycks and Dietterich, 2019) set the custom: fifteen **corruptions**, each at five
# **severities**, applied to the test images alone, and the same for everybody. We take seven that a
# face meets. Every one is a function of a page in `fercourse/weather`: faces, a strength and a
# random generator in, faces out.

# %% tags=["slide"]
from fercourse.weather import CORRUPTIONS, SEVERITIES, corrupt

for kind in CORRUPTIONS.values():
    print(f"{kind.title:10} {kind.meaning:14}", *kind.strengths)

# %% [markdown]
# | | what it does |
# | --- | --- |
# | fog | $J t + A(1 - t)$, as above |
# | low light | a power of the grey value, then whole photons: Poisson noise |
# | defocus | every point becomes a disc |
# | motion | every point becomes a line, in a direction of each face's own |
# | JPEG | 8 × 8 pixels as 64 cosines, each rounded coarsely |
# | noise | Gaussian, of a sensor |
# | occlusion | a grey square somewhere |
#
# Look for the severity at which you would no longer see that she smiles.

# %% tags=["slide"]
copies = {
    kind.title: [corrupt(face[None], name, s)[0] for s in SEVERITIES]
    for name, kind in CORRUPTIONS.items()
}
plots.weather_sheet(face, copies, "One drawn face in seven kinds of weather")

# %% [markdown]
# Three rules keep the comparison fair. The draws are **seeded**: the n-th face meets the same fog
# whichever network is asked. The draws do **not change with severity**: only the strength does, so
# a curve over severities is about the same faces in the same fog. And nothing is trained or
# chosen on corrupted faces.

# %%
again = corrupt(face[None], "fog", 3)
assert torch.equal(again[0], copies["fog"][2])
assert not torch.equal(corrupt(face[None], "fog", 3, seed=1), again)

# %% [markdown]
# ## Three networks go outside
#
# Models 1, 3 and 6 of Table 1, trained on drawn faces (their weights are bundled), read two hundred
# faces of the test split in every weather. Accuracy is counted at severities 1 to 5, and in clear
# air.

# %%
from fercourse.evaluation.predict import probabilities

bundled = {f"model {k}": fercourse.pretrained("synthetic", k) for k in (1, 3, 6)}
networks = {name: trained.network for name, trained in bundled.items()}
data = bundled["model 1"].run.data  # all three had these faces, and never saw the test split
test = fercourse.load("synthetic", count=data.count, difficulty=data.difficulty).test[:200]


def errors(network, name):
    """Error rates at the five severities."""
    read = [probabilities(network, corrupt(test.images, name, s)) for s in SEVERITIES]
    return [(p.argmax(1) != test.labels).float().mean().item() for p in read]


# %% tags=["slide"]
found = {name: {c: errors(net, c) for c in CORRUPTIONS} for name, net in networks.items()}
for name, net in networks.items():
    clear = (probabilities(net, test.images).argmax(1) == test.labels).float().mean()
    fogged = "  ".join(f"{1 - e:.0%}" for e in found[name]["fog"])
    print(f"{name}: clear {clear:.0%}; in fog {fogged}")

# %% [markdown]
# ## Open experiment: which weather is worst?
#
# You have seen how the face looks in each weather. Choose one and a severity, and **predict** what
# model 6 reads rightly there of the same two hundred faces: an interval that you would bet on four
# to one. Here it is noise, the sensor's, at severity 3.

# %%
guess = course.predict("accuracy of model 6 in noise of severity 3, %", 0, 100)

# %%
weather, severity = "noise", 3
rate = found["model 6"][weather][severity - 1]
guess.beside(100 * (1 - rate))

# %% [markdown]
# The bar is your interval, the diamond what came out. What looks bad to you need not be bad for the
# network, and the other way round: which pair of pictures above shows that best?

# %% [markdown]
# ## Counting errors so that all corruptions weigh alike
#
# A mean over everything would be decided by whatever is hardest. ImageNet-C divides by a
# baseline's errors first. With $E_{s,c}$ for the error at severity $s$ of corruption $c$,
#
# $$\mathrm{CE}_c = \frac{\sum_{s=1}^5 E_{s,c}}{\sum_{s=1}^5 E^{\text{base}}_{s,c}}, \qquad
# \mathrm{mCE} = \operatorname{mean}_c \mathrm{CE}_c.$$
#
# There the baseline is AlexNet; here it is plain VGG16, model 1. Below 1 is better than it.

# %% [markdown] exercise="bad_weather.mean_ce"
# Compute mCE from two tables of error rates.

# %%
base = found["model 1"]
for name, table in found.items():
    ce = {c: sum(table[c]) / sum(base[c]) for c in CORRUPTIONS}
    print(f"{name}: mCE {mean_ce(table, base):.2f};", {c: f"{v:.2f}" for c, v in ce.items()})

# %% [markdown]
# Do not read more into these than two hundred faces and one run of each network can bear. The
# numbers that count come next.

# %% [markdown]
# ## What was measured
#
# `fercourse run weather` trained models 1, 3 and 6 on FER2013 and on drawn faces, several seeds
# each, in clear air and with fog; `fercourse weather` judged all of them on the whole test splits
# in every weather, and the classics of lesson 04 beside them. The records lie in
# `results/weather.jsonl`; each line has the counts of one recogniser.

# %%
from fercourse.runs.weather_row import WeatherBook

rows = WeatherBook().rows(cure="none")
measured = {}
for dataset in ("fer2013", "synthetic"):
    mine = [row for row in rows if row.dataset == dataset]
    measured[dataset] = mine
    print(f"{dataset}: {len(mine)} recognisers, {mine[0].n:,} faces each")

# %% [markdown]
# The networks of one recipe, by variant, and the classics. On FER2013 the three seeds are short
# runs of narrow networks; the two long runs of the bundled weights have another recipe, and stand
# apart.

# %%
from fercourse.pages.weather import curves_finding, field_by_title
from fercourse.runs.weather import recipes

for dataset in measured:
    shown = field_by_title(rows, dataset)
    print(dataset, {name: len(runs) for name, runs in shown.items()})
    print("  ", recipes(rows, dataset)[0][0].recipe)

# %% [markdown]
# Look for two things: which weather is worst, and whether any line leaves its neighbours by more
# than its band of seeds.

# %% tags=["nbval-check-output", "slide"]
titles = {name: kind.title for name, kind in CORRUPTIONS.items()}
shown = field_by_title(rows, "fer2013")
plots.weather_curves(shown, titles, curves_finding(shown, "FER2013"))

# %% tags=["nbval-check-output"]
shown = field_by_title(rows, "synthetic")
plots.weather_curves(shown, titles, curves_finding(shown, "drawn faces"))

# %% [markdown]
# Mean corruption errors of the same, plain VGG16 at 1:

# %% tags=["nbval-check-output"]
from fercourse.runs.weather import mean_corruption_error

for dataset in measured:
    shown = field_by_title(rows, dataset)
    mce = {n: mean_corruption_error(r, shown["model 1"]) for n, r in shown.items()}
    print(dataset, {name: f"{value:.2f}" for name, value in mce.items()})

# %% [markdown]
# A warning that belongs to every table of mCE: it counts errors, so a recogniser that is better in
# clear air looks better in fog as well. Robustness would be to lose *less*. The next figure has
# both.

# %% [markdown]
# ## Does attention help in bad weather?
#
# For each seed, the accuracy of model 3 (fusion and GCCA) minus that of model 1, and of model 6
# (everything) minus that of model 1: in clear air, in all weather, and what is lost on the way from
# one to the other. Look at which intervals leave zero out.

# %% tags=["nbval-check-output", "slide"]
from fercourse.pages.weather import attention_finding, attention_gains

gains = {
    "FER2013": attention_gains(recipes(rows, "fer2013")[0]),
    "drawn faces": attention_gains(recipes(rows, "synthetic")[0]),
}
plots.weather_gains(gains, "difference, points", attention_finding(gains))

# %% [markdown]
# And once for the two long runs, whose weights the package ships. One run of each says nothing of
# other seeds; the interval is that of the test faces alone, and since the 35 copies of a face are
# no 35 faces, it counts faces.

# %% tags=["nbval-check-output"]
from fercourse.runs.weather import difference

long = next(found for found in recipes(rows, "fer2013") if len(found) == 2)
print("model 6 minus 1, long runs, in bad weather:", difference(long, "model1", "model6"), "points")

# %% [markdown]
# ## Cures
#
# What is said to help is to mend the picture before the network sees it. Four cures, the plain one
# first:
#
# - **standardise**: every face to the mean and deviation of the training faces;
# - **gamma**: the power that brings the face's mean to mid-grey;
# - **CLAHE**: histogram equalisation, tile by tile, with a limit to contrast;
# - **dehaze**: the dark-channel prior, the classic of the literature that the paper quotes.
#
# The last deserves a look. If every patch of a clear picture has something nearly black in it, then
# the **dark channel** of a hazy one, the least value of each patch, shows the haze itself:
# $\min J = 0$ leaves $\min I = A(1 - t)$. So $t = 1 - \min(I / A)$, and the equation is solved for
# $J$.

# %% [markdown] exercise="bad_weather.dark_channel"
# Write the dark channel of grey pictures.

# %%
from fercourse.weather.dehaze import dehaze

hazy = corrupt(face[None], "fog", 3)[:, None].float() / 255
dark = dark_channel(hazy, 7)
print(f"dark channel from {dark.min():.2f} to {dark.max():.2f}: haze, says the prior")
mended = dehaze(hazy)
print(f"contrast: clear {J.std():.2f}, in fog {hazy.std():.2f}, dehazed {mended.std():.2f}")

# %% [markdown]
# A cheek breaks the prior: it is pale over a whole patch, and passes for haze. (In colour it would
# be dark in blue; FER2013 is grey.) Look at what each cure makes of fog and of a dark room.

# %% tags=["slide"]
from fercourse.weather import CURES, cure

sick = {name: corrupt(face[None], name, 4) for name in ("fog", "low_light", "defocus")}
mended = {
    titles[name]: [seen[0], *(cure(seen, how)[0] for how in CURES)] for name, seen in sick.items()
}
columns = ["severity 4", *CURES]
plots.weather_sheet(face, mended, "Cures bring contrast back, and noise with it", columns)

# %% [markdown]
# They look better to us. Do they read better? The accuracy of model 1 with a cure minus without, in
# points, mean over the severities, paired by seed. Note the first row as well: what a cure costs
# where nothing is wrong.

# %% tags=["nbval-check-output", "slide"]
from fercourse.pages.weather import cure_finding, cure_gains

every = WeatherBook().rows()
by_cure = cure_gains(recipes(every, "fer2013")[0], "model1")
plots.weather_gains(by_cure, "gain, points", cure_finding(by_cure, "FER2013"))

# %% tags=["nbval-check-output"]
by_cure = cure_gains(recipes(every, "synthetic")[0], "model1")
plots.weather_gains(by_cure, "gain, points", cure_finding(by_cure, "drawn faces"))

# %% [markdown]
# ## The other way: train in the fog
#
# Instead of mending the picture, show the network such pictures: half of the training faces stand
# in fog of any density (`train.fog = 0.5`), everything else is the same, and the best epoch is
# chosen in clear air. This is the one trained control here, and it bends ImageNet-C's rule not to
# train on what is tested; so look also at the weather it was *not* trained on.

# %% tags=["nbval-check-output", "slide"]
from fercourse.pages.weather import training_finding, training_gains

by_training = {
    "FER2013": training_gains(recipes(rows, "fer2013")[0]),
    "drawn faces": training_gains(recipes(rows, "synthetic")[0]),
}
plots.weather_gains(by_training, "gain of model 1, points", training_finding(by_training))

# %% [markdown]
# ## Where does it look in the fog?
#
# One face from clear air to severity 5, and three maps of model 6: the global map $P_d$, what
# reverse attention makes of it, and where the energy of block 3 lies. Each row has one scale, so
# that fading shows. Look for the column in which the answer changes: does any map tell?

# %% tags=["slide"]

from fercourse.explain import maps

six = networks["model 6"]
thick = torch.stack([face, *(corrupt(face[None], "fog", s)[0] for s in SEVERITIES)])
seen = maps(six, thick)
answers = [fercourse.Expression(int(k)).title for k in seen.logits.argmax(1)]
shown = {"$P_d$": "global", "$S_3$": "refined3", "block 3": "before3"}
plots.weather_maps(thick, {t: list(seen.on_face[n]) for t, n in shown.items()}, answers)

# %% [markdown]
# ## Your turn
#
# Choose a face, a weather, a severity and a cure, and guess before you look.

# %%
from fercourse import widgets

widgets.weather({name: networks[name] for name in ("model 1", "model 6")})

# %% [markdown]
# ## Summary
#
# - Fog is $J t + A (1 - t)$: contrast shrinks, everything moves towards the air's own light.
# - A corruption test needs fixed seeds, five severities, whole test splits, and a baseline to
#   divide by; mCE then weighs all weather alike, and still mixes up "better" and "more robust".
# - A cure is judged in clear air too, and beside the plain baseline of standardising.
# - What a network has seen in training it copes with; ask what that does to all other weather.
# - Claims about attention in bad weather need seeds and intervals like any other.
