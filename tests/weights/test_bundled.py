"""Bundled weights: there, small, what the ledger says they are, and as good as it says."""

import pytest
import torch

import fercourse
from fercourse.errors import FercourseError
from fercourse.pages import card
from fercourse.runs.ledger import Ledger
from fercourse.weights import FOLDER, bundled, pretrained

pytestmark = pytest.mark.numeric

ALL = bundled()


def test_what_is_bundled():
    drawn = [("synthetic", k) for k in range(1, 7)]
    assert [("fer2013", 1), ("fer2013", 6), *drawn, ("synthetic-supervised", 5)] == ALL


def test_small_enough_for_a_wheel():
    sizes = [path.stat().st_size for path in FOLDER.glob("*.safetensors")]
    assert max(sizes) < card.LIMIT
    assert sum(sizes) < 40 * 2**20


@pytest.mark.parametrize(("data", "model"), ALL)
def test_the_card_says_what_the_ledger_says(data, model):
    weights = FOLDER / f"{data}-model{model}.safetensors"
    trained = pretrained(data, model)
    row = card.row_of(trained.run, Ledger())
    assert trained.about["key"] == row.key
    name, _, kind = data.partition("-")
    assert (row.dataset, row.variant) == (name, f"model{model}" + f"-{kind}" * bool(kind))
    assert bool(trained.run.loss.map_weight) == (kind == "supervised")
    assert f'pretrained("{data}", model={model})' in card.card(row, weights)
    assert card.card_path(weights).read_text(encoding="utf-8") == card.card(row, weights)
    assert trained.run.model == fercourse.ModelConfig.table1(
        model, width=trained.run.model.width, embedding=trained.run.model.embedding
    )


def test_unknown_weights_are_named():
    with pytest.raises(FercourseError, match=r"No weights of model 3 on 'fer2013'.*fer2013 6"):
        pretrained("fer2013", 3)


@pytest.mark.slow
def test_half_precision_costs_nothing_on_drawn_faces():
    trained = pretrained("synthetic", 6)
    from fercourse.datasets.load import load_config

    row = card.row_of(trained.run, Ledger())
    data = load_config(trained.run.data)
    assert data.fingerprint == row.faces, "on every processor"
    found = fercourse.evaluate(trained.network, data.test[:200]).accuracy
    assert found == pytest.approx(row.test_accuracy, abs=0.03)  # 200 of 598 faces


@pytest.mark.slow
def test_the_real_model_is_as_good_as_its_row(fer2013_zip):
    trained = pretrained("fer2013", 1)
    row = card.row_of(trained.run, Ledger())
    faces = fercourse.load(fer2013_zip).test[:1000]
    found = fercourse.evaluate(trained.network, faces).accuracy
    assert found == pytest.approx(row.test_accuracy, abs=0.045)  # three standard errors of 1,000


def test_bundling_needs_a_row(tmp_path):
    run = fercourse.preset("smoke", 1, seed=99)
    from fercourse.weights.trained import save_weights

    save_weights(tmp_path / "m.safetensors", fercourse.FERNet(run.model), run)
    with pytest.raises(FercourseError, match="no row"):
        card.bundle(tmp_path / "m.safetensors", Ledger(tmp_path / "empty.jsonl"), tmp_path)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["m.safetensors"]


def test_bundling_halves_and_keeps_the_answers(tmp_path, monkeypatch, capsys):
    trained = pretrained("synthetic", 1)
    net = trained.network
    from fercourse.cli import main
    from fercourse.weights.trained import save_weights

    save_weights(tmp_path / "m.safetensors", net, trained.run)
    words = ["ledger", "bundle", tmp_path / "m.safetensors", "--folder", tmp_path]
    monkeypatch.setattr("sys.argv", ["fercourse", *map(str, words)])
    with pytest.raises(SystemExit) as end:
        main()
    assert not end.value.code
    target = tmp_path / "synthetic-model1.safetensors"
    assert str(target) in capsys.readouterr().out
    assert card.card_path(target).is_file()
    again = fercourse.load_weights(target).network
    x = torch.randn(4, 1, 48, 48)
    # the weights were halved before: nothing is rounded, and the operations are the same
    assert torch.equal(again(x).logits, net(x).logits)
