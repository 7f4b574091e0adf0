"""A unit's field, the parts of the fused vector, and the flat map: held to the network itself."""

import pytest
import torch

import fercourse
from fercourse.errors import FercourseError
from fercourse.explain import fused, receptive
from fercourse.explain.flatten import flat_map
from fercourse.explain.layers import as_input


def tiny(row):
    torch.manual_seed(0)
    return fercourse.FERNet(fercourse.ModelConfig.table1(row, width=0.125)).eval()


@pytest.fixture(scope="module")
def faces():
    return fercourse.load("synthetic", count=70, difficulty=0.1).train[:9]


def test_the_rule_is_the_lessons_table():
    assert [receptive.rule(i) for i in range(1, 6)] == [5, 14, 40, 92, 196]


@pytest.mark.parametrize(("block", "unit"), [(1, (7, 30)), (2, (12, 3)), (3, (6, 6)), (3, (0, 11))])
def test_no_pixel_outside_the_rules_square_is_heard(block, unit):
    noise = torch.randn(16, 1, 48, 48, generator=torch.Generator().manual_seed(1))
    heard = receptive.influence(tiny(1), noise, block, *unit)
    touched = heard > 0
    for axis, at in zip((1, 0), unit, strict=True):
        hit = touched.any(axis).nonzero()[:, 0]
        middle, reach = receptive.place(block, at), receptive.rule(block) / 2
        assert hit.min() >= middle - reach - 1
        assert hit.max() < middle + reach + 1
    y, x = (int(receptive.place(block, at)) for at in unit)
    assert touched[y, x]


def test_the_middle_is_what_is_taken_unless_told():
    x = torch.randn(2, 1, 48, 48)
    model = tiny(1)
    torch.testing.assert_close(
        receptive.influence(model, x, 4), receptive.influence(model, x, 4, 3, 3)
    )
    with pytest.raises(FercourseError, match="C5 has 3 x 3 units"):
        receptive.influence(model, x, 5, 3, 0)


def test_half_a_map():
    flat = torch.ones(20, 20)
    assert receptive.half_side(flat, (10.0, 10.0)) == 16  # 14 x 14 of 400 is 196: not yet half
    peak = torch.zeros(20, 20)
    peak[4, 15] = 1.0
    assert receptive.half_side(peak, (4.5, 15.5)) == 1
    assert receptive.half_side(peak, (4.5, 10.5)) == 11


def test_the_parts_give_the_networks_own_answer(faces):
    model = tiny(2)
    parts = fused.parts_of(model, faces, batch=4)
    assert list(parts) == list(fused.PARTS)
    with torch.no_grad():
        own = model(as_input(model, faces)).logits.softmax(1)
    torch.testing.assert_close(fused.head(model, parts), own, rtol=1e-4, atol=1e-5)
    usual = {name: part.mean(0) for name, part in parts.items()}
    assert fused.silenced(parts, usual, ())["C5"] is parts["C5"]
    mute = fused.head(model, fused.silenced(parts, usual, fused.PARTS))
    torch.testing.assert_close(mute, mute[:1].expand_as(mute))  # all faces are answered alike
    with pytest.raises(FercourseError, match="model 2 or 3"):
        fused.parts_of(tiny(1), faces)
    with pytest.raises(FercourseError, match="model 2 or 3"):
        fused.parts_of(tiny(4), faces)


@pytest.mark.parametrize("row", [4, 5, 6])
def test_a_flat_map_is_its_mean_and_only_inside(row, faces):
    model = tiny(row)
    x = as_input(model, faces)
    with torch.no_grad():
        before = model(x)
        with flat_map(model):
            flat = model(x)
        after = model(x)
    wanted = before.maps["global"].mean((2, 3), keepdim=True).expand_as(before.maps["global"])
    torch.testing.assert_close(flat.maps["global"], wanted)
    assert not torch.equal(flat.logits, before.logits)
    torch.testing.assert_close(after.logits, before.logits)
    assert not model.decoder._forward_hooks


def test_a_flat_map_averages_evenly_in_model_4(faces):
    model = tiny(4)
    x = as_input(model, faces)
    with torch.no_grad(), flat_map(model):
        flat = model(x)
        _, c2, c3, c4, c5 = model.backbone(x)[0]
        decoded, _ = model.decoder(c3, c4, c5)
        parts = [m.mean((2, 3)) for m in (c5, model.edge(c2), c3, c4, decoded)]
        torch.testing.assert_close(flat.embedding, model.embed(torch.cat(parts, 1)))


def test_there_must_be_a_decoder():
    with pytest.raises(FercourseError, match="no partial decoder"), flat_map(tiny(3)):
        pass
