"""The loop: it learns, it resumes bit for bit after a kill, it never sees the held-out split."""

import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from dataclasses import replace

import pytest
import torch
from conftest import ROOT
from made_faces import bar_dataset, bars
from tolerances import STEP, TRAINED, about

from fercourse import FercourseError, preset, train
from fercourse.config import TrainConfig
from fercourse.datasets.faces import held_out
from fercourse.training.learner import Learner
from fercourse.training.loop import _check
from fercourse.training.optim import make_average, make_optimizer, make_schedule, update_average
from fercourse.weights.trained import load_weights

TINY = {
    "model.width": 0.125,
    "model.embedding": 16,
    "data.size": 32,
    "train.epochs": 4,
    "train.batch_size": 16,
    "train.precision": "float32",
}


def tiny(model=6, **changes):
    return preset("smoke", model, **(TINY | changes))


def same(a, b):
    """To the bit: what is compared was made by the same operations on the same shapes."""
    return all(torch.equal(x, y) for x, y in zip(a.values(), b.values(), strict=True))


def test_it_learns_and_writes_what_it_says(tmp_path):
    data = bar_dataset(160)
    seen = []
    fit = train(
        tiny(**{"train.epochs": 6}), data, tmp_path, "cpu", on_epoch=seen.append, progress=False
    )
    assert fit.val_accuracy > 0.5, "chance is 0.14"
    assert seen == fit.history == json.loads((tmp_path / "history.json").read_text())
    accuracies = [e["val_accuracy"] for e in fit.history]
    assert fit.best_epoch == accuracies.index(max(accuracies))
    assert all(e["train_island"] > -1e-3 for e in fit.history)
    again = load_weights(tmp_path / "model.safetensors")
    assert same(again.network.state_dict(), fit.model.state_dict())
    assert again.run == tiny(**{"train.epochs": 6})
    assert again.about["best_epoch"] == fit.best_epoch
    assert 0.05 < again.temperature < 20, "fitted on the validation split"
    assert sum(again.about["shares"]) == pytest.approx(1, abs=1e-4)
    assert not [p for p in tmp_path.iterdir() if p.name.startswith(".")]


def test_same_seed_same_weights_other_seed_other_weights():
    data = bar_dataset(48)
    runs = [
        train(tiny(**{"train.epochs": 1, "seed": s}), data, device="cpu", progress=False)
        for s in (0, 0, 1)
    ]
    a, b, c = (r.model.state_dict() for r in runs)
    assert same(a, b)
    assert not same(a, c)


HERE = [str(ROOT / "tests"), str(ROOT / "tests" / "training")]
"""Where the helpers lie that another process imports."""

KILLED = """
    import sys, time
    sys.path[:0] = {tests!r}
    from made_faces import bar_dataset
    from test_train import tiny
    from fercourse import train

    def slow(epoch):
        print(epoch["epoch"], flush=True)
        time.sleep(0.5)

    train(tiny(**{changes!r}), bar_dataset(48), {out!r}, "cpu", on_epoch=slow, progress=False)
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    "changes",
    [
        {"train.ema": 0.9, "train.augment": "course", "train.mixup": 0.2, "train.fog": 0.5},
        {"train.swa": 0.5},
        {
            "train.schedule": "plateau",
            "loss.centers": "learned",
            "train.optimizer": "adamw",
            "train.lr": 0.001,
            "train.patience": 0,
            "train.clip": 1.0,
        },
    ],
)
def test_a_killed_run_goes_on_to_the_same_weights(tmp_path, changes):
    straight = train(tiny(**changes), bar_dataset(48), device="cpu", progress=False)

    code = textwrap.dedent(KILLED).format(tests=HERE, changes=changes, out=str(tmp_path))
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    for line in process.stdout:
        if line.strip() == "1":  # epoch 1 is saved, two more to go
            break
    else:
        pytest.fail("it ended before its second epoch")
    process.kill() if os.name == "nt" else os.kill(process.pid, signal.SIGKILL)
    process.wait()
    process.stdout.close()
    assert not (tmp_path / "history.json").exists(), "it ended before it was killed"

    resumed = train(tiny(**changes), bar_dataset(48), tmp_path, "cpu", progress=False)
    assert same(resumed.model.state_dict(), straight.model.state_dict())
    assert torch.equal(resumed.centers, straight.centers)
    times = ("seconds", "images_per_second")
    plain = [
        [{k: v for k, v in e.items() if k not in times} for e in r.history]
        for r in (resumed, straight)
    ]
    assert plain[0] == plain[1]


def test_a_run_of_before_a_field_was_added_goes_on(tmp_path):
    def stop(epoch):
        raise KeyboardInterrupt

    data = bar_dataset(48)
    with pytest.raises(KeyboardInterrupt):
        train(tiny(), data, tmp_path, "cpu", on_epoch=stop, progress=False)
    state = torch.load(tmp_path / "state.pt", weights_only=True)
    del state["config"]["train"]["swa"]
    torch.save(state, tmp_path / "state.pt")
    epochs = []
    train(tiny(), data, tmp_path, "cpu", on_epoch=epochs.append, progress=False)
    assert [epoch["epoch"] for epoch in epochs] == [1, 2, 3]


def test_a_resumed_optimizer_loads_after_the_model_has_moved(tmp_path, monkeypatch):
    """Momentum goes where the parameters are when it is loaded, and stays there when they move."""
    data = bar_dataset(48)

    def stop(epoch):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(tiny(), data, tmp_path, "cpu", on_epoch=stop, progress=False)
    place, loaded = Learner.place, []

    def watched(self, fabric):
        loaded.append(len(self.optimizer.state))
        place(self, fabric)

    monkeypatch.setattr(Learner, "place", watched)
    train(tiny(), data, tmp_path, "cpu", progress=False)
    assert loaded == [0]


def flat(model):
    return torch.cat([p.detach().flatten() for p in model.parameters()])


@pytest.mark.numeric
@pytest.mark.parametrize("config", [TrainConfig(ema=0.9), TrainConfig(ema=0.9, swa=0.5)])
def test_the_average_moves_as_torchs_own_does(config):
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Conv2d(1, 4, 3), torch.nn.BatchNorm2d(4))
    ours, theirs = make_average(config, model), make_average(config, model)
    for _ in range(3):
        model(torch.randn(2, 1, 5, 5))
        torch.nn.utils.vector_to_parameters(torch.randn(48), model.parameters())
        update_average(ours, model, None if config.swa else config.ema)
        theirs.update_parameters(model)
    for name, value in theirs.state_dict().items():
        if "num_batches" not in name:  # which no average needs
            # Torch rounds the mean's 1 / (n + 1) to float32 first.
            torch.testing.assert_close(ours.state_dict()[name], value, **STEP)


@pytest.mark.numeric
def test_clipping_bounds_a_step_and_the_average_trails_the_weights():
    from lightning_fabric import Fabric

    torch.manual_seed(0)
    learner = Learner(
        tiny(
            **{
                "train.clip": 0.01,
                "train.lr": 1.0,
                "train.weight_decay": 0.0,
                "train.ema": 0.75,
                "train.schedule": "plateau",
            }
        ),
        2,
    )
    learner.place(Fabric(accelerator="cpu", devices=1))
    learner.train()
    faces, seen = bars(16), [flat(learner.model)]
    for _ in range(2):
        learner.step(faces.images, faces.labels, torch.Generator())
        seen.append(flat(learner.model))
    # Nesterov's first step is the gradient and 0.9 of it again.
    assert (seen[1] - seen[0]).norm().item() == about(1.9 * 0.01, **TRAINED)
    torch.testing.assert_close(flat(learner.eval_model), 0.75 * seen[1] + 0.25 * seen[2], **STEP)
    layouts = {
        p.is_contiguous(memory_format=torch.channels_last)
        for p in learner.eval_model.parameters()
        if p.ndim == 4
    }
    assert layouts == {True}, "laid out like the model it is compared with at every step"


@pytest.mark.numeric
def test_swa_holds_the_rate_and_keeps_the_mean_of_the_runs_end():
    from lightning_fabric import Fabric

    torch.manual_seed(0)
    swa = Learner(tiny(**{"train.swa": 0.5, "train.ema": 0.9}), 6)
    torch.manual_seed(0)
    plain = Learner(tiny(), 6)
    faces, rates, seen = bars(16), {swa: [], plain: []}, []
    for learner in (swa, plain):
        learner.place(Fabric(accelerator="cpu", devices=1))
        learner.train()
        for _ in range(6):
            rates[learner].append(learner.lr)
            learner.step(faces.images, faces.labels, torch.Generator().manual_seed(0))
            if learner is swa:
                seen.append(flat(learner.model))
                kept = torch.stack(seen[3:]).mean(0) if len(seen) > 3 else seen[-1]
                torch.testing.assert_close(flat(learner.eval_model), kept, **STEP)
    assert rates[swa][:4] == rates[plain][:4], "as without, up to the middle"
    assert rates[swa][3:] == [rates[plain][3]] * 3
    assert rates[plain][5] < rates[plain][3]


def test_a_finished_run_is_not_run_again(tmp_path):
    data, config = bar_dataset(48), tiny(**{"train.epochs": 2})
    first = train(config, data, tmp_path, "cpu", progress=False)
    started = time.perf_counter()
    called = []
    second = train(config, data, tmp_path, "cpu", on_epoch=called.append, progress=False)
    assert not called
    assert time.perf_counter() - started < 30
    assert same(first.model.state_dict(), second.model.state_dict())


def test_another_runs_folder_is_refused(tmp_path):
    train(tiny(**{"train.epochs": 1}), bar_dataset(48), tmp_path, "cpu", progress=False)
    before = (tmp_path / "config.json").read_text()
    with pytest.raises(FercourseError, match="another run"):
        train(tiny(**{"train.epochs": 2}), bar_dataset(48), tmp_path, "cpu", progress=False)
    assert (tmp_path / "config.json").read_text() == before


def test_a_damaged_state_gets_a_sentence(tmp_path):
    (tmp_path / "state.pt").write_bytes(b"not a checkpoint")
    with pytest.raises(FercourseError, match="delete it to start afresh"):
        train(tiny(), bar_dataset(48), tmp_path, "cpu", progress=False)


def test_the_held_out_split_can_neither_train_nor_select():
    data = bar_dataset(48)
    for wrong in ({"train": data.test}, {"val": data.test}):
        with pytest.raises(FercourseError, match="held-out"):
            train(tiny(), replace(data, **wrong), device="cpu", progress=False)
    with pytest.raises(FercourseError, match="HeldOutFaces"):
        replace(data, test=bars(10))


def test_a_split_of_the_held_out_faces_stays_held_out():
    assert type(held_out(bars(10))[:5]).__name__ == "HeldOutFaces"


def test_a_diverging_run_stops_with_advice():
    config = tiny(**{"train.lr": 1e6, "train.optimizer": "sgd"})
    with pytest.raises(FercourseError, match="lower the learning rate"):
        train(config, bar_dataset(48), device="cpu", progress=False)


def test_too_few_classes_are_told():
    with pytest.raises(FercourseError, match=r"num_classes to 7"):
        train(tiny(**{"model.num_classes": 3}), bar_dataset(48), device="cpu", progress=False)


@pytest.mark.parametrize(
    "changes",
    [
        {"train.lr": 1e30, "train.clip": 1.0},
        {"train.lr": 1e30, "train.epochs": 1, "train.batch_size": 48, "train.schedule": "plateau"},
    ],
    ids=["under clipping", "in the last step of all"],
)
def test_every_diverging_run_stops_with_advice(changes):
    with pytest.raises(FercourseError, match="lower the learning rate"):
        train(tiny(1, **changes), bar_dataset(48), device="cpu", progress=False)


def test_two_processes_need_four_images():
    faces = bars(3)
    _check(tiny(), faces, faces, processes=1)
    with pytest.raises(FercourseError, match="at least 4 images"):
        _check(tiny(), faces, faces, processes=2)


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has the device")
def test_a_missing_device_is_told():
    with pytest.raises(FercourseError, match="no device 'cuda' here"):
        train(tiny(), bar_dataset(48), device="cuda", progress=False)


def test_schedule_halves_on_a_plateau_of_the_validation_loss():
    config = preset("paper").train
    parameter = torch.nn.Parameter(torch.zeros(2, 2))
    net = torch.nn.Module()
    net.weight = parameter
    optimizer = make_optimizer(config, net, torch.nn.Module())
    schedule = make_schedule(config, optimizer, steps=10)
    rates = []
    for loss in (3, 2, 2, 2, 2, 2, 2):
        schedule.step(loss)
        rates.append(optimizer.param_groups[0]["lr"] / config.lr)
    # Three epochs without a fall are borne, the fourth halves.
    assert rates == [1, 1, 1, 1, 1, 0.5, 0.5]


@pytest.mark.parametrize(
    ("warmup", "steps", "highest"),
    [(0.2, 10, 1), (0.2, 5, 0), (0.5, 2, 0), (0, 3, 0), (0.2, 1, 0)],
)
def test_cosine_rises_for_its_share_of_the_steps_and_falls_to_nothing(warmup, steps, highest):
    config = replace(tiny().train, schedule="cosine", warmup=warmup)
    net = torch.nn.Linear(2, 2)
    optimizer = make_optimizer(config, net, torch.nn.Module())
    schedule = make_schedule(config, optimizer, steps)
    rates = [optimizer.param_groups[0]["lr"]]
    for _ in range(steps - 1):
        optimizer.step()
        schedule.step()
        rates.append(optimizer.param_groups[0]["lr"])
    assert rates.index(max(rates)) == highest
    assert rates[-1] < 1e-3 * config.lr
    if warmup and steps > 1:
        assert max(rates) == pytest.approx(config.lr)


def test_weight_decay_spares_biases_and_batch_norm():
    from fercourse.models import FERNet

    model = FERNet(tiny().model)
    optimizer = make_optimizer(tiny().train, model, torch.nn.Module())
    decayed = {id(p) for g in optimizer.param_groups if g["weight_decay"] for p in g["params"]}
    for name, p in model.named_parameters():
        assert (id(p) in decayed) == (p.ndim > 1), name


DDP = """
    import sys
    sys.path[:0] = {tests!r}
    from made_faces import bar_dataset
    from test_train import tiny
    from fercourse import train

    if __name__ == "__main__":
        fit = train(tiny(**{{"train.epochs": 2, "train.batch_size": 12}}), bar_dataset(96), {out!r},
                    "cpu", devices=2, progress=False)
        print(len(fit.history), fit.history[-1]["val_accuracy"])
"""


@pytest.mark.slow
def test_two_processes_train_one_model(tmp_path):
    """Real DDP over gloo: every parameter is used, centres and batches are shared out."""
    script = tmp_path / "ddp.py"
    script.write_text(textwrap.dedent(DDP).format(tests=HERE, out=str(tmp_path / "run")))
    done = subprocess.run(
        [sys.executable, str(script)], capture_output=True, text=True, timeout=240, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout.split()[-2] == "2"
    assert load_weights(tmp_path / "run" / "model.safetensors").run.train.batch_size == 12


def test_fog_is_drawn_in_training_and_not_in_validation():
    data = bar_dataset(80)
    clear, fogged = (
        train(tiny(1, **{"train.epochs": 1, "train.fog": share}), data, None, "cpu", progress=False)
        for share in (0.0, 1.0)
    )
    assert fogged.history[0]["train_loss"] != clear.history[0]["train_loss"]
    with pytest.raises(FercourseError, match=r"fog must be in \[0, 1\], not 2"):
        tiny(**{"train.fog": 2.0})
