"""Where methods stand: the right rows are taken, with the interval they deserve."""

from dataclasses import replace

import pytest
from made_rows import made_row

from fercourse.config import ModelConfig
from fercourse.runs.groups import group_by_config
from fercourse.runs.paper import paper_claims
from fercourse.runs.rivals import RIVALS
from fercourse.runs.table2 import (
    CLASSIC,
    accuracy_of,
    before_networks,
    best_classic,
    in_words,
    one_recipe,
    order,
    standings,
)
from fercourse.shallow import METHODS


def network(name, seed, accuracy, **changes):
    """A row of a rival, or of model 1 or 6."""
    number = int(name[-1]) if name.startswith("model") else 1
    row = made_row(number, seed=seed, accuracy=accuracy, plan="table2", variant=name, **changes)
    if name.startswith("model"):
        return row
    run = row.run
    run = replace(run, model=ModelConfig.table1(1, architecture=name, width=run.model.width))
    return replace(row, config=run.to_dict(), hash=run.hash, key=f"{run.hash}-{seed}")


@pytest.fixture
def entries():
    rows = [network(n, s, a + s / 100) for n, a in ACCURACIES.items() for s in range(3)]
    return [*paper_claims(), *rows]


ACCURACIES = {"inception": 0.60, "skip": 0.62, "channels": 0.5, "model1": 0.61, "model6": 0.59}


def test_every_claim_of_table_2_has_a_rival_and_every_rival_a_method():
    claimed = {c.variant for c in paper_claims() if c.plan == "table2"}
    assert {r.claim for r in RIVALS} == claimed - {"Proposed method"}
    names = {r.variant for r in RIVALS}
    assert names == {"landmarks", "motion", "inception", "skip", "channels"}
    assert set(CLASSIC) | {"landmarks", "motion"} == set(METHODS)
    for rival in RIVALS:
        for part in (rival.has, rival.kept, rival.dropped, rival.why):
            assert len(part) > 30


def test_standings_are_in_the_tables_order_with_claims(entries):
    found = standings(entries, "fer2013")
    assert [s.variant for s in found[:7]] == [*(r.variant for r in RIVALS), "model6", "model1"]
    inception = found[2]
    assert inception.claimed.mean == pytest.approx(0.5872)
    assert inception.measured.mean == pytest.approx(0.61, abs=1e-3)
    assert inception.runs == 3
    assert found[0].measured is None
    assert found[1].why == "undefined: stills"
    assert found[6].claimed is None


def test_of_two_recipes_the_fullest_is_taken_and_never_both(entries):
    longer = [network("skip", s, 0.9, **{"train.epochs": 99}) for s in range(5)]
    assert all(row not in longer for row in one_recipe([*entries, *longer], "fer2013"))
    assert len(one_recipe([*entries, *longer], "fer2013")) == 15
    assert one_recipe(longer, "fer2013") == longer
    assert one_recipe(paper_claims(), "fer2013") == []


def test_the_wider_interval_counts():
    rows = [network("skip", s, 0.5 + s / 10) for s in range(3)]
    seeds, alone = accuracy_of(rows), accuracy_of(rows[1:2])
    assert seeds.mean == pytest.approx(alone.mean)
    assert seeds.high - seeds.low > 3 * (alone.high - alone.low)  # t over three seeds is wide
    same = accuracy_of([network("skip", s, 0.6) for s in range(3)])
    assert same.high - same.low == pytest.approx(alone.high - alone.low, rel=0.05)
    assert accuracy_of([]) is None


def test_the_sentence_has_the_order_and_both_distances(entries):
    found = standings(entries, "fer2013")
    said = in_words(found)
    assert said.startswith("skips to the end 63.0 > plain VGG16 (model 1) 62.0 > inception")
    assert said.endswith("claimed methods 12.0 points apart, in Table 2 15.4")
    assert [s.variant for s in order(found)][-1] == "channels"
    assert in_words(found[:2]) == "too few methods were run to compare them"
    plain = [replace(s, claimed=None) for s in found]
    assert "Table 2" not in in_words(plain)


def test_classics_stand_beside_model_1_of_table_1():
    rows = [made_row(1, seed=s, accuracy=0.66) for s in range(3)]
    rows += [
        made_row(1, seed=s, accuracy=0.6, best_epoch=3, **{"train.epochs": 8}) for s in range(5)
    ]
    found = before_networks(rows, "fer2013")
    assert found[0].variant == "model1"
    assert found[0].measured.mean == pytest.approx(0.66, abs=1e-3)
    assert found[0].runs == 3
    assert [s.variant for s in found[1:]] == list(CLASSIC)
    assert best_classic({"FER2013": found}).startswith("not run yet")


def test_a_rival_shares_its_recipe_with_the_models_of_table_1(entries):
    rows = [row for row in entries if row.label != "paper"]
    (together,) = group_by_config([row for row in rows if row.variant != "channels"])
    assert len(together) == 12
    assert len(group_by_config(rows)) == 1  # the made rows of channels have no triplet loss
