"""Checkpoints that people have: of DataParallel, of torch.save, of a GPU, of somebody else."""

import io
import pickle
import zipfile

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

import fercourse
from fercourse import FercourseError, ModelConfig, RunConfig
from fercourse.models.build import build
from fercourse.weights.checkpoint import bare_names, model_of
from fercourse.weights.trained import load_weights, save_weights


@pytest.fixture(scope="module")
def trained():
    return fercourse.pretrained("synthetic", 6)


def same(loaded, network) -> bool:
    ours, theirs = loaded.network.state_dict(), network.state_dict()
    return ours.keys() == theirs.keys() and all(torch.equal(ours[k], theirs[k]) for k in ours)


@pytest.mark.parametrize("prefix", ["module.", "_orig_mod.", "module._orig_mod."])
def test_names_of_wrapped_networks(trained, tmp_path, prefix):
    class Wrapped:
        def state_dict(self):
            return {prefix + k: v for k, v in trained.network.state_dict().items()}

    save_weights(tmp_path / "w.safetensors", Wrapped(), trained.run)
    assert same(load_weights(tmp_path / "w.safetensors"), trained.network)


def test_data_parallel_by_torch_save(trained, tmp_path):
    torch.save(nn.DataParallel(trained.network).state_dict(), tmp_path / "w.pth")
    loaded = load_weights(tmp_path / "w.pth")
    assert same(loaded, trained.network)
    assert loaded.run.model == trained.run.model
    assert loaded.about == {"told by": "its tensors"}


@pytest.mark.parametrize("key", ["state_dict", "model_state_dict", "model"])
def test_a_checkpoint_with_epoch_and_optimizer(trained, tmp_path, key):
    kept = {key: trained.network.state_dict(), "epoch": 3, "optimizer": {"lr": 0.1}}
    torch.save(kept, tmp_path / "w.pt")
    assert same(load_weights(tmp_path / "w.pt"), trained.network)


def test_the_state_a_run_resumes_from(tmp_path):
    config = fercourse.preset("smoke").change(
        **{"train.epochs": 1, "model.width": 0.0625, "data.count": 140, "train.batch_size": 32}
    )
    data = fercourse.load("synthetic", count=140)
    fit = fercourse.train(config, data, out=tmp_path, device="cpu", progress=False)
    loaded = load_weights(tmp_path / "state.pt")
    assert same(loaded, fit.model)
    assert loaded.run == config
    assert load_weights(tmp_path / "model.safetensors").temperature != 1, "calibrated at the end"


def test_saved_on_cuda(trained, tmp_path):
    """A file that says its tensors lay on a GPU, made without one."""
    state = {"embed.weight": trained.network.state_dict()["embed.weight"]}
    path = tmp_path / "w.pth"
    torch.save(state, path, _use_new_zipfile_serialization=True)
    import zipfile

    with zipfile.ZipFile(path) as old:
        content = {name: old.read(name) for name in old.namelist()}
    with zipfile.ZipFile(tmp_path / "cuda.pth", "w") as new:
        for name, data in content.items():
            if name.endswith("data.pkl"):
                assert b"cpu" in data
                data = data.replace(b"X\x03\x00\x00\x00cpu", b"X\x06\x00\x00\x00cuda:0")
                assert b"cuda:0" in data
            new.writestr(name, data)
    with pytest.raises(RuntimeError, match="CUDA"):
        torch.load(tmp_path / "cuda.pth", weights_only=True)
    with pytest.raises(FercourseError, match="of another network than this course's"):
        load_weights(tmp_path / "cuda.pth")  # read, and told to lack the rest


@pytest.mark.parametrize("row", [1, 2, 3, 4, 5, 6])
def test_the_model_is_told_by_its_tensors(row):
    config = ModelConfig.table1(row, width=0.125, embedding=64)
    told = model_of(build(config).state_dict())
    assert (told.width, told.embedding) == (0.125, 64)
    assert build(told).load_state_dict(build(config).state_dict())
    if row != 5:  # only the training tells 5 from 6
        assert told.table1_row == row


@pytest.mark.parametrize("attention", ["se", "cbam", "eca"])
def test_other_attentions_are_told_too(attention):
    config = ModelConfig.table1(3, width=0.25, attention=attention)
    assert model_of(build(config).state_dict()).attention == attention


class Odd:
    pass


def test_what_is_none_of_ours_is_named(tmp_path):
    cases = {
        "resnet.pth": ({"conv1.weight": torch.zeros(3)}, "another network than this course's"),
        "list.pth": ([1, 2], "a checkpoint of a list"),
        "empty.pth": ({"epoch": 3}, "a checkpoint without tensors"),
        "object.pth": ({"model": Odd()}, "holds more than tensors"),
        "alike.pth": (
            {
                "backbone.blocks.0.0.0.weight": torch.zeros(8, 1, 3, 3),
                "embed.weight": torch.zeros(4, 5),
                "classify.weight": torch.zeros(7, 4),
            },
            "settings that cannot be told",
        ),
    }
    for name, (what, says) in cases.items():
        torch.save(what, tmp_path / name)
        with pytest.raises(FercourseError, match=says):
            load_weights(tmp_path / name)
    (tmp_path / "torn.pth").write_bytes((tmp_path / "resnet.pth").read_bytes()[:300])
    with pytest.raises(FercourseError, match="damaged or half-written"):
        load_weights(tmp_path / "torn.pth")
    (tmp_path / "plain.pkl").write_bytes(pickle.dumps(Odd(), protocol=2))
    with pytest.raises(FercourseError, match="holds no fercourse weights"):
        load_weights(tmp_path / "plain.pkl")


def test_some_with_a_prefix_and_some_without_stay():
    state = {"module.a": torch.zeros(1), "b": torch.zeros(1)}
    assert bare_names(state).keys() == state.keys()
    assert bare_names({}) == {}


def test_mixed_prefixes_are_no_model_of_ours(trained, tmp_path):
    state = dict(trained.network.state_dict())
    state["module.embed.weight"] = state.pop("embed.weight")
    facts = RunConfig().to_dict()
    import json

    save_file(
        {k: v.contiguous() for k, v in state.items()},
        tmp_path / "w.safetensors",
        {"config": json.dumps(facts)},
    )
    with pytest.raises(FercourseError, match="the tensors are not those"):
        load_weights(tmp_path / "w.safetensors")


def test_values_that_are_no_numbers_are_refused(trained, tmp_path):
    class Diverged:
        def state_dict(self):
            state = {k: v.clone() for k, v in trained.network.state_dict().items()}
            state["classify.weight"][0, 0] = float("nan")
            return state

    save_weights(tmp_path / "w.safetensors", Diverged(), trained.run)
    with pytest.raises(FercourseError, match=r"no finite numbers, first in classify.weight \(1 of"):
        load_weights(tmp_path / "w.safetensors")


def test_our_tensors_without_a_config_are_recognised(trained, tmp_path):
    save_file(trained.network.state_dict(), tmp_path / "w.safetensors")
    loaded = load_weights(tmp_path / "w.safetensors")
    assert same(loaded, trained.network)
    assert loaded.about == {"told by": "its tensors"}


def zip_of(*names):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        for name in names:
            file.writestr(name, "x")
    return buffer.getvalue()


FOREIGN = {
    "empty": (b"", "the file is empty"),
    "Git LFS": (b"version https://git-lfs.github.com/spec/v1\noid sha256:ab\n", "git lfs pull"),
    "a web page": (b"\n<!DOCTYPE html><html>", "a web page in place of the file"),
    "Keras": (b"\x89HDF\r\n\x1a\n" + b"x" * 99, r"Keras writes it \(.h5\)"),
    "new Keras": (zip_of("metadata.json", "config.json", "model.weights.h5"), "model of Keras"),
    "TorchScript": (zip_of("m/data.pkl", "m/constants.pkl"), "TorchScript"),
    "a zip": (zip_of("a.txt"), "no checkpoint of torch.save"),
    "half a zip": (zip_of("m/data.pkl")[:40], "half-written"),
    "numpy": (b"\x93NUMPY\x01\x00" + b"x" * 99, "an array of numpy"),
    "TensorFlow Lite": (b"\x1c\0\0\0TFL3" + b"x" * 99, "TensorFlow Lite"),
    "noise": (b"\xf0\x01noise" * 30, "holds no fercourse weights"),
}


@pytest.mark.parametrize("kind", FOREIGN)
def test_what_is_no_file_of_weights_is_named(kind, tmp_path):
    data, said = FOREIGN[kind]
    (tmp_path / "model.safetensors").write_bytes(data)
    with pytest.raises(FercourseError, match=said):
        load_weights(tmp_path / "model.safetensors")
