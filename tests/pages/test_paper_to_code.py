"""The paper-to-code map is complete and true."""

import ast
from importlib import import_module

import pytest
from conftest import ROOT
from made_rows import made_row

from fercourse.pages.paper_to_code import (
    ADDED,
    ITEMS,
    OPEN,
    PAGE,
    STATED,
    config_fields,
    effect,
    places,
    render,
)


@pytest.fixture(scope="module")
def cells():
    return places()


def test_every_item_of_the_paper_is_there_once():
    wanted = [f"eq. {k}" for k in range(1, 10)]
    wanted += [f"Fig. {k}" for k in range(1, 9)] + ["Table 1", "Table 2"]
    assert [item.name for item in ITEMS] == wanted


@pytest.mark.parametrize("item", ITEMS, ids=lambda item: item.name)
def test_each_function_can_be_imported(item):
    parts = item.function.split(".")
    for cut in range(len(parts) - 1, 0, -1):
        try:
            found = import_module(".".join(parts[:cut]))
        except ModuleNotFoundError:
            continue
        break
    for name in parts[cut:]:
        found = getattr(found, name)
    assert callable(found)


@pytest.mark.parametrize("item", ITEMS, ids=lambda item: item.name)
def test_each_test_exists(item):
    file, _, name = item.test.partition("::")
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    assert name in {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


@pytest.mark.parametrize("item", ITEMS, ids=lambda item: item.name)
def test_each_item_has_a_cell(item, cells):
    assert item.name in cells, f'tag a cell with paper="{item.name}"'


def test_no_cell_is_tagged_with_what_the_paper_lacks(cells):
    assert set(cells) <= {item.name for item in ITEMS}


def test_every_departure_says_why():
    for item in ITEMS:
        assert item.status in ("as printed", "our reading", "deviates")
        assert item.note or item.status == "as printed", item.name


def test_every_config_field_is_open_stated_or_added():
    kinds = [set(OPEN), STATED, ADDED]
    assert set().union(*kinds) == config_fields()
    assert sum(map(len, kinds)) == len(config_fields())


@pytest.mark.slow
def test_the_page_is_what_the_code_says():
    assert PAGE.read_text(encoding="utf-8") == render(), "run: fercourse course map"


def test_effects_are_paired_over_seeds_and_name_the_value():
    rows = [
        made_row(seed=0, accuracy=0.70),
        made_row(seed=1, accuracy=0.72),
        made_row(seed=0, accuracy=0.71, **{"loss.weight": 0.01}),
        made_row(seed=1, accuracy=0.71, **{"loss.weight": 0.01}),
        made_row(seed=2, accuracy=0.10, **{"loss.weight": 0.01}),  # no partner
        made_row(seed=0, accuracy=0.50, **{"loss.weight": 0.01, "train.lr": 0.3}),  # nor has this
    ]
    accuracy = {(row.value("loss.weight"), row.seed): row.test_accuracy for row in rows[:4]}
    mean = sum(accuracy[0.01, s] - accuracy[0.005, s] for s in (0, 1)) / 2
    said = effect("loss.weight", rows)
    assert said.startswith(f"0.01: {100 * mean:+.2f} points")
    assert "n = 2" in said
    assert said.endswith("on fer2013")
    assert said.count("points") == 1
    assert effect("train.lr", rows[:4]) == "not measured"


def test_tags_are_found_with_the_heading_above(tmp_path):
    (tmp_path / "07_decoder.py").write_text(
        '# %% [markdown]\n# ## The map\n# text\n\n# %% paper="Fig. 4"\nx = 1\n\n# %%\ny = 2\n',
        encoding="utf-8",
    )
    assert places(tmp_path) == {"Fig. 4": [(7, "07_decoder", "The map")]}
