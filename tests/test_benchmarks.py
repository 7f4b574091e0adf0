"""``make bench`` measures what it should; how fast that is, is no test's matter."""

import os
import subprocess
import sys

import pytest
import torch
from conftest import ROOT

from fercourse.config import ModelConfig
from fercourse.models.fernet import FERNet
from fercourse.modules.pooling import three_descriptors
from fercourse.pages.performance import PARTS, report
from fercourse.runs.performance import Performance


@pytest.fixture
def parts(monkeypatch):
    """benchmarks/ is a folder of programs, and no package."""
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))


def test_the_naive_poolings_do_what_the_kernel_does(parts):
    from parts.attention import naive

    torch.manual_seed(0)
    x = torch.randn(3, 5, 6, 6).relu()
    x[0, 0] = 0
    ours, theirs = three_descriptors(x, training=True), naive(x)
    torch.testing.assert_close(ours[..., :2], theirs[..., :2])
    alive = x.flatten(2) > 0
    drawn = theirs[..., 2:] == x.flatten(2)  # (N, C, H W): where the drawn value lies
    assert ((drawn & alive).any(2) | ~alive.any(2)).all()


def test_the_bare_trunk_is_the_full_models_backbone(parts):
    from parts.framework import Trunk

    def kernels(network):
        return [tuple(p.shape) for p in network.parameters() if p.ndim == 4]

    trunk, plain = Trunk(0.125).eval(), FERNet(ModelConfig.table1(1, width=0.125)).eval()
    assert kernels(trunk.features) == kernels(plain.backbone)
    x = torch.randn(2, 1, 48, 48)
    assert trunk.features(x).shape == plain.backbone(x)[0][-1].shape
    assert trunk(x).logits.shape == (2, 7)


@pytest.mark.slow
def test_a_quick_run_fills_every_part_and_leaves_the_record_alone(tmp_path):
    record = ROOT / "results" / "bench.json"
    before, out = record.read_bytes(), tmp_path / "quick.json"
    subprocess.run(
        [sys.executable, str(ROOT / "benchmarks" / "bench.py"), "--quick", "--out", str(out)],
        check=True,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )
    assert record.read_bytes() == before
    found, full = Performance.read(out), Performance.read(record)
    assert {ratio.part for ratio in found.ratios} == set(PARTS)
    assert all(ratio.faster or ratio.lacking for ratio in found.ratios)
    assert all(ratio.faster.low > 0 for ratio in found.ratios if ratio.faster)
    assert [(g.by, g.use) for g in found.growth] == [(g.by, g.use) for g in full.growth]
    assert all(m.full_model > found.about["nothing_mb"] for m in found.memory)
    assert report(found).startswith("# How fast")
