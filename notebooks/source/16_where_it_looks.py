# ---
# jupyter:
#   fercourse:
#     title: "Where it looks, and how to know"
#     learn:
#       - read every internal map of the framework off one forward pass
#       - write Grad-CAM in five lines, and show that it equals a published package's
#       - hold a map to a truth by three scores, beside baselines that learnt nothing
#       - run two sanity checks that most heat maps in papers were never put to
#       - say what a picture of attention allows you to claim, and what it does not
#     needs: [7, 8, 9]
#     seed: 14
#     boxes: [C1, C2, C3, C4, C5, edge, decoder, reverse]
# ---

# %% [markdown]
# ## Heat maps persuade too easily
#
# The paper says that its modules "steer the network's focus toward target regions" and shows no
# measurement of it. Many papers show a few pictures instead: a face with a red blob on the mouth.
# Faces are in the middle of pictures and mouths are in the middle of faces, so *any* blob in the
# middle looks like insight.
#
# In this lesson we look first, because looking is fun, and then measure what we saw. Four
# questions:
#
# 1. What maps does the network have?
# 2. Which pixels carry an expression? (Drawn faces know.)
# 3. Do the maps find them better than a map that has learnt nothing?
# 4. Do the maps depend on what the network learnt?

# %% [markdown]
# ## Faces and models
#
# The six models of Table 1, trained on drawn faces; and faces of people none of them has seen.
# Drawn faces are used in every mode: nobody knows the truth of a photograph.

# %%
from fercourse import explain
from fercourse.datasets.load import load_config
from fercourse.explain.layers import as_input

data = load_config(fercourse.DataConfig(count=350, difficulty=0.1, seed=1))
faces = data.test
trained = {k: fercourse.pretrained("synthetic", model=k) for k in range(1, 7)}
models = {k: each.network for k, each in trained.items()}
for k, model in models.items():
    answers = explain.maps(model, faces).logits.argmax(1)
    print(f"model {k}: {(answers == faces.labels).sum()} of {len(faces)} right")

# %% [markdown]
# ## 1 · The network's own maps
#
# The plainest map of all is a feature map's **energy**: the root mean square over its channels.
# Where it is high, many of the block's channels are active, for whatever reason. For C3 of model 6,
# read off by a hook:

# %% tags=["nbval-check-output"]
model = models[6]
heard = {}
handle = model.backbone.blocks[2].register_forward_hook(lambda m, i, out: heard.update(c3=out))
with torch.no_grad():
    model(as_input(model, faces))
handle.remove()
energy = heard["c3"].square().mean(1, keepdim=True).sqrt()  # (N, 1, 12, 12)
print(tuple(heard["c3"].shape), "->", tuple(energy.shape))

# %% [markdown]
# Laid on the face, it is what `explain.maps` calls "before3" (block 3, before GCCA):

# %% tags=["nbval-check-output"]
on_face = F.interpolate(energy, size=(48, 48), mode="bilinear", align_corners=False)[:, 0]
maps = explain.maps(model, faces)
torch.testing.assert_close(on_face, maps["before3"])
print(len(maps.on_face), "maps:", ", ".join(maps.on_face))

# %% [markdown] tags=["slide"]
# ## Grad-CAM in five lines
#
# Energy asks for no class. **Grad-CAM** (Selvaraju et al., 2017) asks: which channels speak for
# *this* class, and where are they active? With activations $A^k$ of a layer and the logit $y^c$ of
# a class:
#
# $$\alpha_k = \frac{1}{hw} \sum_{ij} \frac{\partial y^c}{\partial A^k_{ij}}, \qquad
# L = \text{ReLU}\Big(\sum_k \alpha_k A^k\Big)$$
#
# A channel's weight is its gradient, averaged over places. The ReLU drops what speaks against the
# class.

# %% [markdown] exercise="looking.class_map"
# Grad-CAM, from activations and gradients, at the layer's own resolution.

# %% [markdown]
# For block 5 and the class each face was given:

# %%
kept = {}
handle = model.backbone.blocks[4].register_forward_hook(lambda m, i, out: kept.update(a=out))
logits = model(as_input(model, faces)).logits
handle.remove()

activations = kept["a"]  # (N, C, 3, 3)
best = logits.max(1).values.sum()  # faces do not mix, so one backward pass serves all
(gradients,) = torch.autograd.grad(best, activations)
cam = class_map(activations, gradients).detach()  # (N, 3, 3)

# %% [markdown]
# The grad-cam package also resizes the map to the face and stretches it from 0 to 1. With these two
# steps, ours is equal:

# %% tags=["nbval-check-output"]
from fercourse.explain.score import rescale

large = F.interpolate(cam[:, None], size=(48, 48), mode="bilinear", align_corners=False)[:, 0]
by_hand, package = rescale(large), explain.gradcam(model, faces)
torch.testing.assert_close(by_hand, package, atol=1e-4, rtol=1e-4)
print("equal for", len(faces), "faces, each map from", tuple(cam.shape[1:]), "locations")

# %% [markdown]
# Keep two things in mind when you look at such a map. It has **3×3 locations** here: all finer
# detail is interpolation. And it was **stretched**, each face by itself: how strong the evidence is
# cannot be seen any more.
#
# The package has relatives of Grad-CAM: *Grad-CAM++* weighs gradients by their powers; *Layer-CAM*
# keeps a weight for every place; *Eigen-CAM* takes the first principal component and asks for no
# class at all, and since a component has no sign, its map may come out light for dark;
# *Ablation-CAM* switches channels off one by one. Look at the next figure: do the methods agree
# with one another? The dashes mark the pixels that the expression really changed; how we know them
# comes next.

# %% tags=["slide"]
marked = explain.truth(faces)  # bool (N, 48, 48)
plots.cam_grid(model, faces[[45, 5]], targets=marked[[45, 5]])

# %% [markdown]
# And the same happy face through four of the six models. "–": the model lacks the map's component.

# %% tags=["slide"]
plots.through_models({k: models[k] for k in (1, 3, 5, 6)}, faces[45:46], marked[45])

# %% [markdown]
# Convinced of anything yet? Write down which map you would trust, and go on.
#
# ## 2 · The truth, exactly
#
# For every action unit of a drawn face, the painter draws a **twin**: the same person, pose, light,
# noise and every other unit, and only this one at rest. The pixels that differ by eight grey levels
# or more are the unit's **mask**. The truth of a face is the union over the units that make its
# expression. A model can see nothing else of the expression: everything else is equal.
#
# That is not the same as where a muscle *may* move the skin. Those **regions** are known as well,
# and they fill most of a close crop. Compare the last two columns:

# %% tags=["slide"]
plots.truths(faces[[1, 45, 5]])

# %% [markdown]
# ## 3 · Three scores
#
# **Pointing game**: is the highest pixel inside? **Energy inside**: what share of the map's sum is?
# **PR-AUC**: rank all pixels by the map; how pure does the top stay as you go down? The first needs
# two lines:

# %% [markdown] exercise="looking.pointing"
# The first score, for a whole batch.

# %%
there = marked.flatten(1).any(1)  # neutral faces move nothing
heat, truth = maps["before3"][there], marked[there]
hits = pointing(heat, truth)
print(f"C3 points at changed pixels in {hits.sum()} of {len(hits)} faces")

# %% [markdown] exercise="looking.energy_inside"
# The second score. What must a flat map get?

# %%
share = energy_inside(heat, truth).mean()
print(f"{share:.0%} of C3's energy lies on changed pixels; they fill {truth.float().mean():.0%}")

# %% [markdown]
# For the third, sort the pixels of a face by the map. Behind each pixel, **precision** is the share
# of changed pixels so far; average it over the changed pixels:

# %%
order = heat[0].flatten().argsort(descending=True)
inside = truth[0].flatten()[order].double()
precision = inside.cumsum(0) / torch.arange(1, len(inside) + 1)
area = (precision * inside).sum() / inside.sum()
packaged = explain.precision_recall_area(heat[:1], truth[:1])[0]
print(f"PR-AUC of the first face: {area:.3f}; the package: {packaged:.3f}")

# %% [markdown]
# ## Baselines: maps that have learnt nothing
#
# A score means nothing by itself. Three blind maps to beat: **random** pixels; a **Gaussian in the
# centre**; the **edges of the mean face**, that is, where any face has eyes, brows and a mouth. A
# fourth one sees the face and knows nothing of expressions: the face's **own edges**, blurred by a
# pixel. An expression changes edges, so this one will not be easy to beat.

# %% tags=["slide"]
blind = explain.baselines(faces, data.train)
plots.compared(
    faces[45:46],
    {name: found[45:46] for name, found in blind.items()},
    "Three blind maps, and one that sees edges and nothing else",
    marked[45:46],
)

# %% [markdown]
# And a fifth rival, the fairest of all: **the same network, untrained**. What its maps find, the
# architecture finds in the picture; only what lies above was learnt. Initialisations differ, so we
# draw five:

# %%
from fercourse.explain.baselines import untrained

width = model.config.width
newborns = [untrained(faces, width, seed) for seed in range(5)]
for name in newborns[0]:
    areas = [explain.score(each[name], faces)["pr_auc"]["all"].value for each in newborns]
    print(f"{name:19s} PR-AUC {min(areas):.2f} to {max(areas):.2f}")

# %% [markdown]
# Now everything at once, live, for model 6. Each cell is a mean over the faces with an expression.
# This is the lesson's **open experiment**: where will the Gaussian in the centre end up, against
# the changed pixels? (A map that says nothing gets their share of the picture, printed above.) An
# interval that you would bet on four to one.

# %%
guess = course.predict("PR-AUC of a Gaussian in the centre, changed pixels, %", 0, 100)

# %%
import pandas as pd

candidates = {
    explain.TITLES[n].replace("$", ""): maps[n]
    for n in ("before2", "before3", "before5", "global", "refined3")
}
candidates |= {
    name: explain.gradcam(model, faces, m)
    for m, name in (("gradcam", "Grad-CAM"), ("eigencam", "Eigen-CAM"))
}
rivals = blind | newborns[0]
scores = {}
for name, found in (candidates | rivals).items():
    for kind, target in (("regions", explain.truth(faces, regions=True)), ("changed", marked)):
        of = explain.score(found, faces, masks=target)
        scores[name, kind] = [100 * of[metric]["all"].value for metric in of]
live = pd.DataFrame(scores, index=list(of)).T.unstack().round(0)
live.sort_values(("pr_auc", "changed"), ascending=False)

# %% [markdown]
# Your prediction (the bar) beside what came out (the diamond). Against the loose regions, what does
# the same Gaussian get?

# %%
(centre,) = (name for name in blind if "centre" in name)
guess.beside(live["pr_auc", "changed"][centre])

# %%
for kind in ("regions", "changed"):
    column = live["pr_auc", kind].drop(list(rivals))
    best = live["pr_auc", kind][list(rivals)].max()
    print(f"{kind}: {(column > best).sum()} of {len(column)} maps beat the best rival ({best:.0f})")

# %% [markdown]
# ## Try it
#
# Choose a face, a model and a map. Beside it stand the rivals: the same map of an untrained twin,
# the face's own edges, the Gaussian in the centre. Which trained map beats all three, and on how
# many of the faces?

# %%
from fercourse import widgets

widgets.attention({f"model {k}": m for k, m in models.items()}, faces[:14], marked[:14])

# %% [markdown]
# ## What was recorded
#
# The same scores, on more faces, with two training seeds a model and intervals over people, lie in
# the score book `results/scores.jsonl`. (Slow Ablation-CAM has one seed, and fewer faces.) Dots are
# seeds; lines are rivals, and the grey band is what the same map of ten untrained networks reached.
# Two things to look for: which panels lie clearly above lines and band? And is the difference
# between *models* larger than that between *seeds* of one model?

# %% tags=["nbval-check-output", "slide"]
book = explain.ScoreBook()
runs = [each.key for each in trained.values()]
known = book.rows(run=runs, kind="map")
rows = book.rows(faces=known[0].faces) if known else []
if rows:
    display(plots.score_models(rows))
else:
    print("The score book holds nothing of these models: run python benchmarks/explain.py")

# %% [markdown]
# The live table held one seed of model 6: look how far its two dots lie apart. So a higher mean is
# not enough. Here a map "beats" the baselines if its interval lies above theirs for every seed:
# first above the blind maps and the face's own edges, then above the best of ten untrained networks
# as well.


# %%
ORDER = [*explain.METHODS, *(f"before{i}" for i in range(2, 6)), "edge", "global", "refined3"]


def verdicts(bar: float) -> pd.DataFrame:
    found = {}
    for r in rows:
        if r.kind in ("map", "cam") and r.model.isdigit() and r.name in ORDER:
            above = r.scores["pr_auc"]["all"][1] > bar  # the interval's lower end
            found.setdefault((r.name, r.model), []).append(above)
    table = pd.Series({key: all(seeds) for key, seeds in found.items()}).unstack()
    return table.map(lambda v: "" if pd.isna(v) else "yes" if v else "no").loc[ORDER]


# %%
if rows:
    nothing = [r for r in rows if r.kind == "baseline"]
    seeing = [r for r in nothing if not r.name.startswith("untrained")]
    for what, rivals in (("blind maps and own edges", seeing), ("untrained networks too", nothing)):
        name, bar = explain.highest_baseline(rivals, "pr_auc")
        print(f"{what}: the bar is {bar:.2f} ({name})")
        display(verdicts(bar))

# %% [markdown]
# Rows are maps ("before3" is the energy of C3), columns are the six models. The plain energies of
# C2 and C3 beat what is blind, and they do in model 1 already. One lucky draw of random weights
# beats even those. So: does any component of Table 1 make the network look more at the acting
# muscles? If along the rows of the class activation maps (the first five) "no" turned into "yes",
# one could say so. Does it?
#
# By expression, for model 6:

# %% tags=["nbval-check-output", "slide"]
if rows:
    display(plots.score_expressions(rows))

# %% [markdown]
# ## 4 · Does the map depend on what was learnt?
#
# Adebayo et al. (2018) asked a question that is embarrassing in its simplicity: **throw the weights
# away** and draw the map again. If it looks the same, it never showed the model. Only the last
# layer first, the one that turns the embedding into logits:

# %%
import copy

from fercourse.explain.sanity import rank_correlation

forgetful = copy.deepcopy(model)
forgetful.classify.reset_parameters()
few, classes = faces[:28], answers[:28]
for method, name in explain.METHODS.items():
    if method != "ablationcam":  # slow
        before, after = (explain.gradcam(m, few, method, classes) for m in (model, forgetful))
        print(f"{name:11s} rank correlation {rank_correlation(before, after).mean():.2f}")

# %% [markdown]
# A method that explains a class should lose all likeness when the classes are shuffled. Eigen-CAM
# cannot: it never asked for a class. The recorded check goes on, layer by layer, down to the
# pixels (left), with ten draws of fresh weights: bands are intervals over draws, and at the right
# end every draw is a point. Beside it is a second check: mirror the face, draw its map, mirror that
# back. A map of what is in the face would come out as before, at 1.

# %% tags=["nbval-check-output", "slide"]
if rows:
    display(plots.sanity(rows))

# %% [markdown]
# Look how far the points of one method lie apart: a paper that draws random weights once can find
# almost anything. What remains at the right end on average is not the model. Is it the face, then?
# Ask as before, with a baseline: how like is the random network's map of *another* face?

# %%
newborn = fercourse.FERNet(model.config).to(lesson.device).eval()
for method in ("gradcam", "gradcam++", "layercam"):
    learned, random = (explain.gradcam(m, few, method, classes) for m in (model, newborn))
    same, other = (rank_correlation(learned, r).mean() for r in (random, random.roll(5, 0)))
    print(f"{explain.METHODS[method]:11s} the same face {same:.2f}, another {other:.2f}")

# %% [markdown]
# Where another face does as well, or nearly, little of the likeness was the face. It is what all
# such maps share: a coarse grid, interpolation, and the frame that zero padding draws.
#
# ## Without a truth: deletion and insertion
#
# On photographs nobody knows the masks. But one can ask whether the *answer* hangs on what the map
# marks. **Deletion** blurs the most relevant pixels away first: the probability should fall fast.
# **Insertion** puts them first into a blurred face: it should rise fast. Areas under both curves,
# for two maps and the three blind ones:

# %%
few = faces[:14]
for name, heat in (("Grad-CAM", package), ("C3", maps["before3"]), *blind.items()):
    deletion, insertion = explain.curves(model, few, heat[:14]).areas
    print(
        f"{name:16s} deletion {deletion.mean():.2f} (low is good)   "
        f"insertion {insertion.mean():.2f} (high is good)"
    )

# %% [markdown]
# The recorded run has more methods, more faces, and **ROAD** (Rong et al., 2022). It fills holes
# from their neighbours, so that the network sees faces rather than blots, and compares: how much
# more does the answer suffer without the most relevant pixels than without the least? 0 is chance.

# %% tags=["nbval-check-output", "slide"]
faithful = [r for r in rows if r.kind == "faithful" and r.variant == "model6"]
if faithful:
    display(plots.faithfulness(faithful))

# %% [markdown]
# ## A photograph
#
# Grace Hopper, rear admiral and inventor of the compiler, as matplotlib ships her (public domain),
# read by models 1 and 6 of FER2013. There is no truth here: an expression label says what a face
# shows to an annotator, not what a person feels.

# %%
from matplotlib import cbook

from fercourse.detection import crop, detect
from fercourse.evaluation.recognise import read_photo

photo = read_photo(cbook.get_sample_data("grace_hopper.jpg", asfileobj=False))
face = crop(photo, detect([photo])[0][0].box, 48)[None]  # uint8 (1, 48, 48)
heats = {}
for k in (1, 6):
    net = fercourse.pretrained("fer2013", model=k).network
    found = explain.maps(net, face)
    p = found.logits.softmax(1)[0]
    print(f"model {k}:", fercourse.Expression(int(p.argmax())).title, f"{p.max():.0%}")
    heats |= {
        f"Grad-CAM, model {k}": explain.gradcam(net, face),
        f"C3, model {k}": found["before3"],
    }

# %%
her = fercourse.Faces(face, p.argmax()[None])  # labelled with model 6's answer
plots.compared(her, heats, "Two models, two maps each: pictures, not measurements")

# %% [markdown]
# Look at these maps and then recall the score tables. What would you write under this figure in a
# paper?
#
# ## Summary
#
# - The framework's maps come out of one forward pass; Grad-CAM is five lines, and the rest of a
#   package is resizing and stretching.
# - If a blind map scores well against a truth, that truth cannot tell models apart: the regions of
#   muscles cover most of a close crop. The pixels that a unit changes are the truth, to the pixel.
# - A map must beat the face's own edges and an untrained network before it says anything about
#   learning. The tables above say, with intervals, which do.
# - No method loses all likeness when the network forgets everything, and Eigen-CAM does not notice
#   that the classes are gone: part of what they show is what every such map shows.
# - Show baselines, seeds and intervals with every map, or show the map as decoration.

# %% [markdown]
# ## Exercises

# %% [markdown] exercise="looking.claims"
# Five sentences from the discussion sections of papers. Which hold?
