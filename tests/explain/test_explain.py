"""Maps, class activation maps, scores against arithmetic of their own, figures and misuse."""

import gc
import json

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from made_faces import bars
from PIL import Image
from sklearn.metrics import average_precision_score
from tolerances import DOUBLE, NETWORK, SUM, about

from fercourse import FercourseError, ModelConfig, explain, load, preset
from fercourse.datasets.data_config import DataConfig
from fercourse.datasets.faces import Faces
from fercourse.explain.sanity import rank_correlation
from fercourse.explain.score import bootstrap, rescale
from fercourse.models.fernet import FERNet
from fercourse.runs.score_book import ScoreBook, ScoreRow, weights_digest
from fercourse.weights.trained import Trained

pytestmark = pytest.mark.numeric

DRAWN = DataConfig(count=21, size=32, difficulty=0.2)


def tiny(row: int = 6, seed: int = 0, **changes) -> FERNet:
    torch.manual_seed(seed)
    model = FERNet(ModelConfig.table1(row, width=0.05, embedding=16, **changes))
    for module in model.modules():  # statistics that differ from the first day's
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.1)
            module.running_var.uniform_(0.5, 1.5)
    return model.eval()


def trained(row: int = 6) -> Trained:
    return Trained(tiny(row), preset("smoke", row).change(data=DRAWN))


def hooks(model: torch.nn.Module) -> int:
    return sum(
        len(m._forward_hooks) + len(m._forward_pre_hooks) + len(m._backward_hooks)
        for m in model.modules()
    )


@pytest.fixture(scope="module")
def drawn():
    return load("synthetic", size=32, count=21, difficulty=0.2)


@pytest.fixture(scope="module")
def measured(drawn):
    """Rows of every kind."""
    return explain.measure(
        trained(),
        drawn,
        methods=("gradcam",),
        count=7,
        slow_count=3,
        sanity=True,
        faithful=True,
        draws=2,
    )


# Maps


@pytest.mark.parametrize("row", range(1, 7))
def test_maps_of_every_model_lie_on_the_face(row):
    found = explain.maps(tiny(row), bars(3).images)
    assert len(found) == 3
    assert all(
        m.shape == (3, 32, 32) and m.dtype == torch.float32 and m.isfinite().all()
        for m in found.on_face.values()
    )
    assert ("edge" in found.on_face) == (row >= 2)
    assert bool(found.weights) == (row >= 3)
    assert ("global" in found.on_face) == (row >= 4)
    assert ("reverse5" in found.on_face) == (row >= 5)
    assert set(found.on_face) <= set(explain.TITLES)


def test_maps_obey_the_papers_equations():
    model = tiny(6)
    found = explain.maps(model, bars(4).images)
    c5 = explain.features(model, bars(4).images, "block5")  # (N, C, 2, 2)
    w = found.weights[5][..., None, None]
    after = ((c5 * (1 + w)) ** 2).mean(1).sqrt()  # eq. 2, then energy
    up = torch.nn.functional.interpolate(after[:, None], (32, 32), mode="bilinear")[:, 0]
    torch.testing.assert_close(found["after5"], up, **SUM)
    average, largest, drawn_value = found.descriptors[5].unbind(2)
    torch.testing.assert_close(average, c5.mean((2, 3)), **SUM)
    torch.testing.assert_close(largest, c5.amax((2, 3)), **SUM)
    expected = (c5**2).sum((2, 3)) / c5.sum((2, 3)).clamp_min(1e-30)
    torch.testing.assert_close(drawn_value, expected, **SUM)
    # Eq. 3 and 4 at the block's own locations: what is erased and what is left add up to C.
    raw = model(normalised(bars(4).images))
    a = raw.maps["reverse5"]  # (N, 1, 2, 2)
    energy = (((c5 * (1 + w)) ** 2).mean(1, keepdim=True)).sqrt()
    left = torch.nn.functional.interpolate(energy * a, (32, 32), mode="bilinear")[:, 0]
    torch.testing.assert_close(found["remaining5"], left, **SUM)
    assert (found["added5"] != 0).any()


def normalised(images):
    from fercourse.preprocess import normalise

    return normalise(images)


def test_maps_in_one_batch_or_several_are_the_same_and_the_model_is_left_alone():
    model, images = tiny(6).train(), bars(5).images
    whole, parts = explain.maps(model, images), explain.maps(model, images, batch_size=2)
    torch.testing.assert_close(whole["refined3"], parts["refined3"], **NETWORK)
    torch.testing.assert_close(whole.descriptors[3], parts.descriptors[3], **NETWORK)
    assert model.training
    assert hooks(model) == 0


def test_hooks_are_removed_after_an_error(monkeypatch):
    model = tiny(6)
    monkeypatch.setattr(model.classify, "forward", lambda x: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        explain.maps(model, bars(2).images)
    assert hooks(model) == 0


@pytest.mark.slow
def test_a_thousand_calls_leave_no_tensor_behind():
    model, images = tiny(6), bars(1).images
    gc.collect()

    def tensors() -> int:
        return sum(type(o) is torch.Tensor for o in gc.get_objects())

    explain.maps(model, images)
    before = tensors()
    for _ in range(1000):
        explain.maps(model, images)
    assert tensors() <= before  # without a collection: nothing waits in a cycle either
    assert hooks(model) == 0


def test_map_scale_spreads_every_map_out():
    flat, scaled = tiny(6), tiny(6, map_scale=2.0)
    x = normalised(bars(4).images)
    for name in ("global", "refined5", "refined4", "refined3"):
        logits = scaled(x).maps[name]
        torch.testing.assert_close(logits.mean((1, 2, 3)), torch.zeros(4), **SUM)
        deviation = logits.std((1, 2, 3), correction=0)
        assert ((deviation > 1) & (deviation < 2.01)).all()  # less than 2 where eps is felt
    within = [
        explain.map_statistics(explain.maps(m, bars(4).images)["global"]).within
        for m in (flat, scaled)
    ]
    assert within[1] > 3 * within[0]


# Class activation maps


@pytest.mark.parametrize("method", explain.METHODS)
def test_gradcam_of_every_method(method):
    model = tiny(6)
    grads = [p.grad for p in model.parameters()]
    found = explain.gradcam(model, bars(2).images, method, target="happy")
    assert found.shape == (2, 32, 32)
    assert found.min() >= 0
    assert found.max() <= 1
    assert hooks(model) == 0
    assert grads == [p.grad for p in model.parameters()]  # all None still


def test_gradcam_is_its_formula():
    """Selvaraju et al. 2017, eq. 1 and 2, with autograd and no library."""
    model, images = tiny(3), bars(3).images
    x = normalised(images)
    activations = []
    handle = model.backbone.blocks[2].register_forward_hook(lambda m, i, o: activations.append(o))
    logits = model(x).logits
    handle.remove()
    (gradient,) = torch.autograd.grad(logits[:, 4].sum(), activations[0])
    map_ = (gradient.mean((2, 3), keepdim=True) * activations[0]).sum(1).relu()  # (N, 8, 8)
    found = explain.gradcam(model, images, target=4, layer="block3")
    up = torch.nn.functional.interpolate(map_[:, None], (32, 32), mode="bilinear")[:, 0]
    for mine, theirs in zip(up, found, strict=True):
        if mine.any():
            # the library adds 1e-7 to the largest it divides by, and resizes with OpenCV
            torch.testing.assert_close(
                rescale(mine[None])[0], rescale(theirs[None])[0], atol=2e-3, rtol=0
            )


def test_gradcam_explains_the_predicted_class_unless_told():
    model, images = tiny(6), bars(4).images
    answers = explain.maps(model, images).logits.argmax(1)
    torch.testing.assert_close(
        explain.gradcam(model, images), explain.gradcam(model, images, target=answers), **NETWORK
    )
    frozen = tiny(6).requires_grad_(False)
    torch.testing.assert_close(
        explain.gradcam(frozen, images), explain.gradcam(model, images), **NETWORK
    )


# Scores


maps_and_masks = st.integers(0, 2**32 - 1)


@settings(max_examples=40, deadline=None)
@given(maps_and_masks, st.booleans())
def test_precision_recall_area_is_sklearns(seed, ties):
    rng = np.random.default_rng(seed)
    heat = rng.random((3, 6, 5)).astype(np.float32)
    heat = np.round(4 * heat) if ties else heat
    mask = rng.random((3, 6, 5)) < 0.3
    mask[:, 0, 0] = True
    found = explain.precision_recall_area(torch.tensor(heat), torch.tensor(mask))
    for i in range(3):
        expected = average_precision_score(mask[i].ravel(), heat[i].ravel())
        assert found[i].item() == about(expected, **SUM)


def test_scores_of_a_perfect_a_wrong_and_a_flat_map():
    mask = torch.zeros(1, 4, 4, dtype=torch.bool)
    mask[0, :2] = True  # half of the picture
    perfect, wrong, flat = mask.float(), (~mask).float(), torch.full((1, 4, 4), 0.3)
    for metric in (explain.energy_inside, explain.pointing_game, explain.precision_recall_area):
        assert metric(perfect, mask).item() == about(1, **SUM)
        assert metric(flat, mask).item() == about(0.5, **SUM)
    assert explain.energy_inside(wrong, mask).item() == 0
    assert explain.pointing_game(wrong, mask).item() == 0
    half = torch.zeros(1, 4, 4)
    half[0, 0, 0], half[0, 3, 3] = 3, 1
    assert explain.energy_inside(half, mask).item() == about(0.75, **SUM)


def test_truth_holds_the_expressions_own_units_and_not_the_idle_ones(monkeypatch):
    from fercourse.datasets.synthetic.units import UNITS

    masks = torch.zeros(2, 32, 32, dtype=torch.int32)
    masks[0, 5, 5] = 1 << UNITS.index(12)  # happy pulls the lip corners
    masks[0, 6, 6] = 1 << UNITS.index(4)  # and does not lower the brow
    masks[1, 7, 7] = 1 << UNITS.index(25)  # neutral faces may part their lips
    faces = Faces(torch.zeros(2, 32, 32, dtype=torch.uint8), torch.tensor([3, 6]))
    monkeypatch.setattr(Faces, "masks", masks)
    assert explain.truth(faces).nonzero().tolist() == [[0, 5, 5]]
    assert len(explain.truth(faces, idle=True).nonzero()) == 3


def test_bootstrap_covers_and_widens_with_groups():
    rng = np.random.default_rng(0)
    inside = 0
    for k in range(100):
        values = rng.normal(0.5, 0.2, 60)
        found = bootstrap(values, seed=k, draws=300)
        inside += found.low <= 0.5 <= found.high
        assert found.low < found.value < found.high
    assert 85 <= inside <= 100
    people = np.repeat(np.arange(10), 6)
    alike = np.repeat(rng.normal(0.5, 0.2, 10), 6)
    alone, grouped = bootstrap(alike), bootstrap(alike, people)
    assert grouped.high - grouped.low > 1.7 * (alone.high - alone.low)


def test_baselines_know_no_face():
    faces = bars(3)
    found = explain.baselines(faces, bars(20, 5))
    assert list(found) == ["random", "centre", "mean-face edges", "own edges"]
    assert all(m.shape == (3, 32, 32) and m.min() >= 0 for m in found.values())
    assert torch.equal(found["centre"][0], found["centre"][2])  # copies of one map
    y, x = divmod(int(found["centre"][0].argmax()), 32)
    assert y in (15, 16)
    assert x in (15, 16)


def test_own_edges_are_where_the_face_has_them():
    faces = bars(3)
    found = explain.baselines(faces, faces)["own edges"]
    for image, heat in zip(faces.images.float(), found, strict=True):
        bar = image.mean(1)  # bright rows, where the class is
        rim = int((bar[1:] - bar[:-1]).abs()[2:-2].argmax()) + 2
        assert heat[rim - 1 : rim + 3].mean() > 1.5 * heat.mean()


def test_untrained_maps_change_with_the_weights_and_not_with_the_call():
    from fercourse.explain.baselines import UNTRAINED, untrained

    faces = bars(2)
    state = torch.get_rng_state()
    first, again, other = (untrained(faces, 0.05, seed) for seed in (0, 0, 1))
    assert torch.equal(torch.get_rng_state(), state)
    assert list(first) == list(UNTRAINED)
    for name in UNTRAINED:
        assert first[name].shape == faces.images.shape
        torch.testing.assert_close(first[name], again[name], **NETWORK)
    assert not torch.allclose(first["untrained C3"], other["untrained C3"])


def test_score_leaves_neutral_faces_out(drawn):
    faces = drawn.train
    found = explain.score(explain.truth(faces).float(), faces)
    assert found["pr_auc"]["all"].value == about(1, **SUM)
    assert "neutral" not in found["energy"]
    assert found["energy"]["all"].n == int((faces.labels != 6).sum())


def test_spread_tells_a_flat_map_from_a_live_one():
    mask = torch.zeros(4, 8, 8, dtype=torch.bool)
    mask[:, :4] = True
    flat, live = (
        explain.map_statistics(torch.full((4, 8, 8), 0.5), mask),
        explain.map_statistics(mask.float(), mask),
    )
    assert flat.within == about(0, **SUM)
    assert flat.entropy == about(1, **SUM)
    assert flat.correlation == about(0, **SUM)
    assert live.within == about(0.5, **SUM)
    assert live.entropy == about(np.log(32) / np.log(64), **SUM)
    assert live.correlation == about(1, **SUM)


# Without masks, and sanity


def test_deletion_and_insertion_begin_and_end_where_they_must():
    model, faces = tiny(6), bars(3)
    p = explain.maps(model, faces.images).logits.softmax(1).amax(1)
    found = explain.curves(model, faces, torch.rand(3, 32, 32))
    np.testing.assert_allclose(found.deletion[:, 0], p, **NETWORK)
    np.testing.assert_allclose(found.insertion[:, -1], p, **NETWORK)
    np.testing.assert_allclose(found.deletion[:, -1], found.insertion[:, 0], **NETWORK)
    assert found.deletion.shape == (3, len(found.shares))
    assert explain.road(model, faces, torch.rand(3, 32, 32), (50,)).shape == (3,)


def test_deletion_prefers_the_map_that_holds_the_evidence():
    """A model that only reads the middle; one map marks the middle, the other all but that."""
    model, faces = tiny(1), bars(4)
    middle = torch.zeros(4, 32, 32)
    middle[:, 8:24, 8:24] = 1

    class Middle(torch.nn.Module):
        config = model.config

        def __init__(self):
            super().__init__()
            self.one = torch.nn.Parameter(torch.ones(1))

        def forward(self, x):
            contrast = x[:, 0, 8:24, 8:24].std((1, 2))
            logits = torch.stack([10 * contrast] + [torch.zeros_like(contrast)] * 6, 1)
            return type("Output", (), {"logits": logits})

    good, bad = (explain.curves(Middle(), faces, m) for m in (middle, 1 - middle))
    assert (good.areas[0] < bad.areas[0]).all()
    assert (good.areas[1] > bad.areas[1]).all()


def test_rank_correlation_is_spearmans():
    from scipy.stats import spearmanr

    rng = np.random.default_rng(0)
    a, b = np.round(5 * rng.random((2, 3, 8, 8)))
    found = rank_correlation(torch.tensor(a), torch.tensor(b))
    for i in range(3):
        assert found[i].item() == about(spearmanr(a[i].ravel(), b[i].ravel())[0], **DOUBLE)


def test_randomising_changes_gradcam_but_not_a_map_of_the_face_alone():
    model, faces = tiny(6), bars(4)
    before = weights_digest(model)
    face_only = explain.randomise(model, faces, lambda m, x: x.float(), draws=3)
    ones = torch.ones(3, 4).double()
    assert all(torch.allclose(v, ones, **DOUBLE) for v in face_only.values())
    of_model = explain.randomise(model, faces, lambda m, x: explain.maps(m, x)["global"], draws=3)
    assert list(of_model)[:3] == ["trained", "logits", "embedding"]
    assert list(of_model)[-1] == "block1"
    # made before it, by the same operations on the same shapes, so no rank changes
    torch.testing.assert_close(of_model["embedding"], ones, **DOUBLE)
    assert of_model["decoder"].mean() < 0.9
    assert of_model["decoder"].mean(1).std() > 0  # every draw of weights is another one
    assert weights_digest(model) == before


def test_flips_are_one_for_a_map_that_turns_with_the_face_and_less_for_one_that_stays():
    model, faces = tiny(1), bars(3)
    turns = explain.flips(model, faces, lambda m, x: x.float())
    ramp = torch.arange(32.0).expand(3, 32, 32)
    torch.testing.assert_close(turns, torch.ones(3).double(), **DOUBLE)
    stays = explain.flips(model, faces, lambda m, x: ramp)
    torch.testing.assert_close(stays, -torch.ones(3).double(), **DOUBLE)


# The score book


def test_measured_rows_are_recorded_once_and_read_back(drawn, measured, tmp_path):
    rows = measured
    book = ScoreBook(tmp_path / "scores.jsonl")
    assert book.append(rows) == len(rows)
    assert book.append(rows) == 0
    assert book.rows() == rows
    kinds = {row.kind for row in rows}
    assert kinds == {"map", "cam", "baseline", "gate", "sanity", "faithful"}
    one = book.rows(name="gradcam", kind="cam")[0]
    assert one.run.endswith("-0")
    assert one.weights == weights_digest(tiny(6))
    assert one.fingerprint == drawn.fingerprint
    sane = book.rows(name="gradcam", kind="sanity")[0].scores
    assert len(sane["draws"]) == 2 * len(sane["randomised"])
    last = [v[0] for step, v in sane["draws"].items() if step.startswith("block1")]
    assert sane["randomised"]["block1"][0] == pytest.approx(np.mean(last), abs=2e-4)
    newborn = book.rows(kind="baseline", name="untrained C3")[0].scores["pr_auc"]["all"]
    assert newborn[1] < newborn[0] < newborn[2]
    assert one.scores["pr_auc"]["all"][3] == int((drawn.test[:7].labels != 6).sum())
    assert all(json.loads(line) for line in book.path.read_text().splitlines())


def test_a_damaged_book_says_which_line(tmp_path):
    path = tmp_path / "scores.jsonl"
    path.write_text('{"variant": "model1"}\n')
    with pytest.raises(FercourseError, match="line 1"):
        ScoreBook(path).rows()
    with pytest.raises(FercourseError, match="not a value inside its interval"):
        ScoreRow(
            variant="m",
            kind="map",
            name="x",
            fingerprint="",
            split="test",
            n=1,
            scores={"energy": {"all": [0.5, 0.6, 0.7, 1]}},
        )


# Figures


@pytest.mark.slow
def test_every_figure_draws(drawn, measured, tmp_path):
    from fercourse import plots

    model, faces = tiny(6), drawn.train[:3]
    figures = [
        plots.cascade(model, faces),
        plots.gcca(model, faces),
        plots.through_models({k: tiny(k) for k in (1, 4, 6)}, faces, explain.truth(faces)[0]),
        plots.cam_grid(model, faces[:2], targets=explain.truth(faces)),
        plots.truths(faces),
    ]
    figures += [
        plots.score_models(measured),
        plots.score_expressions(measured),
        plots.sanity(measured),
        plots.faithfulness(measured),
    ]
    for k, figure in enumerate(figures):
        figure.savefig(tmp_path / f"{k}.png", dpi=40)
    assert figures[0].axes[0].images
    with Image.open(plots.cascade_gif(model, faces, tmp_path / "a.gif")) as gif:
        assert gif.n_frames > 10


# Misuse


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (lambda m, f: explain.gradcam(m, f, layer="block9"), "no layer 'block9'.*block1, block2"),
        (lambda m, f: explain.gradcam(m, f, "magic"), "no method 'magic'.*gradcam"),
        (lambda m, f: explain.gradcam(m, f, target=9), "9"),
        (lambda m, f: explain.gradcam(m, f, target=[1]), "1 target classes for 2 faces"),
        (lambda m, f: explain.maps(tiny(4), f)["reverse5"], "reverse off"),
        (lambda m, f: explain.maps(m, f)["nose"], "no map 'nose'"),
        (lambda m, f: explain.maps(m, f[:0]), "empty"),
        (lambda m, f: explain.gradcam(m, f[:0]), "empty"),
        (lambda m, f: explain.maps(m, f.images[..., None].expand(-1, -1, -1, 3)), "RGB"),
        (lambda m, f: explain.maps(m, f.images.float()), "uint8"),
        (lambda m, f: explain.score(torch.rand(2, 32, 32), f), "no masks"),
        (lambda m, f: explain.score(torch.rand(2, 16, 16), f), "sizes differ"),
        (lambda m, f: plot("cascade", tiny(4), f), "no reverse attention"),
        (lambda m, f: plot("cascade_gif", tiny(4), f, "x.gif"), "erases nothing"),
        (lambda m, f: plot("gcca", tiny(2), f), "no GCCA"),
        (lambda m, f: plot("cascade", m, f[:0]), "no faces"),
    ],
)
def test_misuse_is_answered_in_one_sentence(call, told):
    with pytest.raises(FercourseError, match=told) as error:
        call(tiny(6), bars(2))
    assert "\n" not in str(error.value)


def plot(name, *arguments):
    from fercourse import plots

    return getattr(plots, name)(*arguments)


# The page and the command


def test_the_page_is_written_from_the_rows(drawn, tmp_path):
    from fercourse.pages.where_it_looks import write

    rows = []
    for k in (2, 3):
        rows += explain.measure(trained(k), drawn, methods=("gradcam",), count=7, draws=2)
    page = tmp_path / "page.md"
    tables = ("pr_auc", "steps", "flatness", "gates", "expressions", "runs")
    page.write_text("Before.\n" + "".join(f"<!-- table: {t} -->old<!-- end -->\n" for t in tables))
    assert write(page, rows, [])
    assert not write(page, rows, [])  # twice is the same as once
    text = page.read_text()
    assert "old" not in text
    line = next(x for x in text.splitlines() if x.startswith("| Grad-CAM |"))
    value = {r.variant: r.value("pr_auc") for r in rows if r.name == "gradcam"}
    assert f"{100 * value['model2']:.1f} (" in line.split("|")[3]
    assert f"{100 * value['model3']:.1f} (" in line.split("|")[4]
    gain = 100 * (value["model3"] - value["model2"])
    assert f"{gain:+.1f}" in next(x for x in text.splitlines() if x.startswith("| GCCA | 2 to 3"))
    page.write_text("<!-- table: nonsense --><!-- end -->")
    with pytest.raises(FercourseError, match="nonsense"):
        write(page, rows, [])


def test_the_command_scores_and_records(tmp_path):
    from typer.testing import CliRunner

    from fercourse.cli.explain import app
    from fercourse.weights.trained import save_weights

    model = tiny(6)
    save_weights(tmp_path / "m.safetensors", model, trained().run.change(model=model.config))
    book = tmp_path / "scores.jsonl"
    arguments = [
        "score",
        "-w",
        str(tmp_path / "m.safetensors"),
        "--methods",
        "layercam",
        "--count",
        "7",
        "--scores",
        str(book),
    ]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    assert "layercam" in result.output
    assert len(ScoreBook(book).rows(kind="cam")) == 1
    wrong = CliRunner().invoke(app, [*arguments, "--layers", "block7"])
    assert isinstance(wrong.exception, FercourseError)


def test_the_command_judges_by_the_folds_that_trained_the_model(tmp_path, monkeypatch):
    """Another cut would call faces held out that it was trained on."""
    from typer.testing import CliRunner

    from fercourse.cli.explain import app
    from fercourse.weights.trained import save_weights

    asked = []

    def load_config(config, source=None):
        asked.append((config.fold, config.seed, config.crop, source))
        raise FercourseError("That is enough.")

    monkeypatch.setattr("fercourse.datasets.load.load_config", load_config)
    model = tiny(6)
    place = {"data.name": "ckplus", "data.fold": 3, "data.seed": 1, "data.crop": True}
    run = trained().run.change(model=model.config).change(**place)
    save_weights(tmp_path / "m.safetensors", model, run)
    for words in ([], ["--data", "ck.zip"], ["--data", "synthetic"]):
        CliRunner().invoke(app, ["score", "-w", str(tmp_path / "m.safetensors"), *words])
    assert asked == [(3, 1, True, None), (3, 1, True, "ck.zip"), (3, 1, False, "synthetic")]


@pytest.mark.slow
def test_one_command_draws_anyones_picture(tmp_path):
    """A photograph, a class of the learner's choice, a bundled model by name; and a data set."""
    from matplotlib import cbook
    from typer.testing import CliRunner

    from fercourse.cli.explain import app

    photo = tmp_path / "hopper.png"
    with Image.open(cbook.get_sample_data("grace_hopper.jpg", asfileobj=True)) as image:
        image.save(photo)
    asked = [str(photo), "-w", "synthetic-model6", "--class", "happy", "--out", str(tmp_path / "a")]
    result = CliRunner().invoke(app, asked)
    assert result.exit_code == 0, result.output
    assert "face 1:" in result.output
    drawn = {path.name for path in (tmp_path / "a").iterdir()}
    assert drawn == {"class.png", "gcca.png", "cascade.png", "cascade.gif"}
    plain = ["show", "synthetic", "-w", "synthetic-model1", "--out", str(tmp_path / "b")]
    result = CliRunner().invoke(app, plain)
    assert result.exit_code == 0, result.output
    assert result.output.count("face ") == 7
    assert [path.name for path in (tmp_path / "b").iterdir()] == ["class.png"]  # it has no more


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["nothing.jpg"], "neither a file or folder"),
        (["synthetic", "-w", "model9"], "one of the bundled fer2013-model1"),
        (["synthetic", "-w", "synthetic-model1", "--class", "smug"], "smug"),
        (["synthetic", "-w", "synthetic-model1", "--method", "magic"], "magic"),
    ],
)
def test_what_cannot_be_shown_is_told_in_a_sentence(arguments, told, tmp_path):
    from typer.testing import CliRunner

    from fercourse.cli.explain import app

    result = CliRunner().invoke(app, [*arguments, "--out", str(tmp_path)])
    assert isinstance(result.exception, FercourseError)
    assert told in str(result.exception)
