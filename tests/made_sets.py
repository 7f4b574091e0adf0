"""Copies of a made data set in every layout that people have; random images, no face in them."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import re
import tarfile
import zipfile
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

CLASSES = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")
USAGES = {"train": "Training", "val": "PublicTest", "test": "PrivateTest"}
AFFECTNET = ("neutral", "happy", "sad", "surprise", "fear", "disgust", "angry")
RAFDB = ("surprise", "fear", "disgust", "happy", "sad", "angry", "neutral")
CK48 = ("anger", "disgust", "fear", "happy", "sadness", "surprise")

Row = tuple[str, int, np.ndarray]
Files = dict[str, bytes]


def rows(each: int = 2, size: int = 48, splits: Iterable[str] = USAGES) -> list[Row]:
    """(split, class number, pixels): ``each`` random images a split and class."""
    rng = np.random.default_rng(0)
    return [
        (split, label, rng.integers(0, 256, (size, size), dtype=np.uint8))
        for split in splits
        for label in range(7)
        for _ in range(each)
    ]


def text(pixels: np.ndarray) -> str:
    return " ".join(map(str, pixels.ravel()))


def png(pixels: np.ndarray, kind: str = "PNG") -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, kind)
    return buffer.getvalue()


def write(root: Path, files: Files) -> Path:
    root.mkdir(parents=True, exist_ok=True)
    for name, data in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(data)
    return root


def zipped(files: Files) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def tarred(files: Files, squeeze: str = "") -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=f"w:{squeeze}") as archive:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


def folders(
    name: str = "{split}/{kind}/im{n}.png", some: list[Row] | None = None, kinds=CLASSES
) -> Files:
    """Images by name; ``top`` is FER2013's folder, where PublicTest is in test, too."""
    tops = {"train": "train", "val": "test", "test": "test"}
    return {
        name.format(top=tops[s], split=s, kind=kinds[k], usage=USAGES[s], n=n): png(p)
        for n, (s, k, p) in enumerate(some or rows())
    }


OFFICIAL = "{top}/{kind}/{usage}_{n}.png"


def csv(
    some: list[Row] | None = None,
    head: str = "emotion,pixels,Usage",
    line: str = "{k},{p},{u}",
    pixels: Callable[[np.ndarray], str] = text,
    usages: dict[str, str] = USAGES,
) -> bytes:
    lines = [line.format(k=k, p=pixels(p), u=usages[s]) for s, k, p in some or rows()]
    return "\n".join([*([head] if head else []), *lines, ""]).encode()


def parquet(columns: dict, features: dict | None = None) -> bytes:
    table = pa.table(columns)
    if features:
        info = json.dumps({"info": {"features": features}})
        table = table.replace_schema_metadata({"huggingface": info})
    buffer = io.BytesIO()
    pq.write_table(table, buffer)
    return buffer.getvalue()


def numpy_print(p: np.ndarray) -> str:
    with np.printoptions(threshold=10**6):
        return f'"{p.ravel()}"'


def reduced_print(p: np.ndarray) -> str:
    return f'"{p.ravel()}"'


def listed(p: np.ndarray) -> str:
    return f'"{p.ravel().tolist()}"'


def as_columns() -> bytes:
    head = "emotion," + ",".join(f"pixel{i}" for i in range(2304)) + ",Usage"
    lines = [f"{k},{','.join(map(str, p.ravel()))},{USAGES[s]}" for s, k, p in rows()]
    return "\n".join([head, *lines]).encode()


def paths_csv(sep: str = ",", kinds: Iterable[object] = CLASSES) -> Files:
    named = list(kinds)
    files = {f"faces/{n}.png": png(p) for n, (_, _, p) in enumerate(rows())}
    lines = [
        sep.join((f"faces/{n}.png", str(named[k]), USAGES[s])) for n, (s, k, _) in enumerate(rows())
    ]
    return files | {
        "labels.csv": "\n".join([sep.join(("path", "label", "usage")), *lines]).encode()
    }


def votes_csv(change: Callable[[list[str]], list[str]] = list) -> bytes:
    """FER+'s file for :func:`rows`: eight people see the class, two another."""
    order = ("neutral", "happiness", "surprise", "sadness", "anger", "disgust", "fear", "contempt")
    place = {"angry": 4, "disgust": 5, "fear": 6, "happy": 1, "sad": 3, "surprise": 2, "neutral": 0}
    lines = []
    for n, (s, k, _) in enumerate(rows()):
        votes = [0] * 10
        votes[place[CLASSES[k]]] = 8
        votes[7] += 2  # contempt
        lines.append(f"{USAGES[s]},fer{n:07d}.png,{','.join(map(str, votes))}")
    head = f"Usage,Image name,{','.join(order)},unknown,NF"
    return "\n".join([head, *change(lines), ""]).encode()


def ck48(name: str = "CK+48/{kind}/{person}_001_{frame:08d}.png", people: int = 24) -> Files:
    rng = np.random.default_rng(1)
    return {
        name.format(kind=CK48[i % 6], person=f"S{i + 10:03d}", frame=frame, n=3 * i + frame): png(
            rng.integers(0, 256, (48, 48), dtype=np.uint8)
        )
        for i in range(people)
        for frame in (11, 12, 13)
    }


def ckplus() -> tuple[Files, Files]:
    """The original release in small: frames, and emotions."""
    frames, emotions = {}, {}
    for i in range(24):
        person, code = f"S{i + 10:03d}", (1, 3, 4, 5, 6, 7)[i % 6]
        for frame in range(1, 5):
            pixels = np.random.default_rng((i, frame)).integers(0, 256, (49, 64), dtype=np.uint8)
            name = f"{person}/001/{person}_001_{frame:08d}"
            frames[f"cohn-kanade-images/{name}.png"] = png(pixels)
        emotions[f"Emotion/{name}_emotion.txt"] = f"   {code:.7e}\n".encode()
    return frames, emotions


def sized(size: Callable[[int], tuple[int, int]]) -> Files:
    """Official names; image n is scaled to ``size(n)``."""
    names = list(folders(OFFICIAL))
    return {
        name: png(np.asarray(Image.fromarray(p).resize(size(n))))
        for n, (name, (_, _, p)) in enumerate(zip(names, rows(), strict=True))
    }


def deep(p: np.ndarray, bits: int) -> bytes:
    return png(p.astype(np.uint16) << (bits - 8))


LITTER = {
    ".DS_Store": b"x",
    "train/.DS_Store": b"x",
    "train/angry/Thumbs.db": b"x",
    "train/angry/ehthumbs.db": b"x",
    "train/sad/desktop.ini": b"x",
    "readme.txt": b"words",
    "train/labels.txt": b"words",
    "train/happy/notes.md": b"words",
    "__MACOSX/train/angry/._Training_1.png": b"x",
}
SECOND = {f"archive/fer2013/{n}": d for n, d in folders(OFFICIAL).items()}
BROWSER = {n.replace(".png", " (1).png"): d for n, d in folders(OFFICIAL).items()}
CONTEMPT = {"train/contempt/Training_990.png": png(np.zeros((48, 48), np.uint8))}


def gz_of(files: Files) -> bytes:
    return tarred(files, "gz")


def hot_parquet() -> bytes:
    columns: dict = {name: [int(k == i) for _, k, _ in rows()] for i, name in enumerate(CLASSES)}
    columns["image"] = [{"bytes": png(p), "path": None} for _, _, p in rows()]
    columns["usage"] = [USAGES[s] for s, _, _ in rows()]
    return parquet(columns)


def grid_parquet() -> bytes:
    return parquet(
        {
            "image": [p.tolist() for _, _, p in rows()],
            "label": [CLASSES[k] for _, k, _ in rows()],
            "usage": [USAGES[s] for s, _, _ in rows()],
        }
    )


def path_parquet() -> Files:
    columns = {
        "image": [{"bytes": None, "path": f"faces/{n}.png"} for n in range(len(rows()))],
        "label": [CLASSES[k] for _, k, _ in rows()],
        "usage": [USAGES[s] for s, _, _ in rows()],
    }
    return {f"faces/{n}.png": png(p) for n, (_, _, p) in enumerate(rows())} | {
        "data.parquet": parquet(columns)
    }


def number_parquet(words: bool = False) -> bytes:
    return parquet(
        {
            "image": [png(p) for _, _, p in rows()],
            "label": [k for _, k, _ in rows()],
            "usage": [USAGES[s] for s, _, _ in rows()],
        }
    )


def words(each: dict[str, str]) -> Files:
    """Official names, classes called otherwise."""
    return folders(OFFICIAL, kinds=[each.get(name, name) for name in CLASSES])


ALIKE: dict[str, Callable[[], Files]] = {
    "csv": lambda: {"fer2013.csv": csv()},
    "csv, usage in lower case": lambda: {
        "fer2013.csv": csv(usages={s: u.lower() for s, u in USAGES.items()})
    },
    "csv, usage with a space": lambda: {
        "fer2013.csv": csv(usages=USAGES | {"val": "Public Test", "test": "Private Test"})
    },
    "csv, usage train, val, test": lambda: {"fer2013.csv": csv(usages={s: s for s in USAGES})},
    "csv, labels 0.0": lambda: {"fer2013.csv": csv(line="{k}.0,{p},{u}")},
    "csv, labels as words": lambda: {
        "fer2013.csv": csv(some=rows(), line="{k},{p},{u}").replace(b"\n0,", b"\nangry,")
    },
    "csv, pixels as a list": lambda: {"fer2013.csv": csv(pixels=listed)},
    "csv, pixels as a list, bare": lambda: {
        "fer2013.csv": csv(pixels=lambda p: str(p.ravel().tolist()))
    },
    "csv, pixels as numpy prints them": lambda: {"fer2013.csv": csv(pixels=numpy_print)},
    "csv, a column a pixel": lambda: {"fer2013.csv": as_columns()},
    "csv, semicolons": lambda: {
        "fer2013.csv": csv(head="emotion;pixels;Usage", line="{k};{p};{u}")
    },
    "csv, tabs": lambda: {"fer2013.csv": csv(head="emotion\tpixels\tUsage", line="{k}\t{p}\t{u}")},
    "csv, UTF-16": lambda: {"fer2013.csv": csv().decode().encode("utf-16")},
    "csv, UTF-16 without its mark": lambda: {"fer2013.csv": csv().decode().encode("utf-16-le")},
    "csv, line ends of Windows": lambda: {"fer2013.csv": csv().replace(b"\n", b"\r\n")},
    "csv, a column of row numbers": lambda: {
        "fer2013.csv": csv(head=",emotion,pixels,Usage", line="5,{k},{p},{u}")
    },
    "csv without a header": lambda: {"fer2013.csv": csv(head="")},
    "csv twice, one behind the other": lambda: {"fer2013.csv": csv() + csv()},
    "csv.gz": lambda: {"fer2013.csv.gz": gzip.compress(csv())},
    "csv.bz2": lambda: {"fer2013.csv.bz2": bz2.compress(csv())},
    "tar.gz of the contest": lambda: {
        "fer2013.tar.gz": gz_of({"fer2013/fer2013.csv": csv(), "fer2013/README": b"words"})
    },
    "tar called fer2013.csv": lambda: {"fer2013.csv": tarred({"fer2013/fer2013.csv": csv()})},
    "tar.gz called fer2013.csv": lambda: {"fer2013.csv": gz_of({"fer2013/fer2013.csv": csv()})},
    "zip of a csv": lambda: {"fer2013.zip": zipped({"a/fer2013.csv": csv()})},
    "zip in a zip": lambda: {"fer2013.zip": zipped({"inner.zip": zipped({"fer2013.csv": csv()})})},
    "zip of folders in a zip": lambda: {
        "fer2013.zip": zipped({"archive.zip": zipped(folders(OFFICIAL))})
    },
    "zip with separators of Windows": lambda: {
        "fer2013.zip": zipped({n.replace("/", "\\"): d for n, d in folders(OFFICIAL).items()})
    },
    "tar.gz of folders": lambda: {"fer2013.tar.gz": gz_of(folders(OFFICIAL))},
    "csv beside the contest's others": lambda: {
        "icml_face_data.csv": csv(head="emotion, Usage, pixels", line="{k},{u},{p}"),
        "train.csv": csv(rows(splits=["train"]), "emotion,pixels", "{k},{p}"),
        "test.csv": csv(rows(splits=["val"]), "pixels", "{p}"),
        "example_submission.csv": b"emotion\n0\n",
    },
    "csv in files of train, val and test": lambda: {
        f"{s}.csv": csv([row for row in rows() if row[0] == s], "emotion,pixels", "{k},{p}")
        for s in USAGES
    },
    "csv of paths": paths_csv,
    "csv of paths, tabs": lambda: paths_csv("\t"),
    "folders": lambda: folders(OFFICIAL),
    "folders of usages": lambda: folders("{usage}/{kind}/{n}.png"),
    "folders train, val, test": folders,
    "folders, classes above splits": lambda: folders("{kind}/{split}/im{n}.png"),
    "folders Train, Validation, Test": lambda: {
        f"{ {'train': 'Train', 'val': 'Validation', 'test': 'Test'}[n.split('/')[0]] }/"
        f"{n.partition('/')[2]}".replace(" ", ""): d
        for n, d in folders().items()
    },
    "csv without a header, classes as words": lambda: {
        "fer2013.csv": re.sub(
            rb"^(\d),", lambda m: f"{CLASSES[int(m[1])]},".encode(), csv(head=""), flags=re.M
        )
    },
    "folders, deeper": lambda: folders("a/b/{split}/images/{kind}/x/im{n}.png"),
    "folders, litter": lambda: folders(OFFICIAL) | LITTER,
    "folders, there twice": lambda: folders(OFFICIAL) | SECOND,
    "zip, there twice": lambda: {"fer2013.zip": zipped(folders(OFFICIAL) | SECOND)},
    "folders and their zip": lambda: folders(OFFICIAL) | {"fer.zip": zipped(folders(OFFICIAL))},
    "folders, copies of a browser": lambda: folders(OFFICIAL) | BROWSER,
    "folders, copies renamed": lambda: (
        folders()
        | {n.replace("/im", "/copy_of_"): d for n, d in folders().items() if n.startswith("train")}
    ),
    "folders, endings in capitals": lambda: {
        n.replace(".png", ".PNG"): d for n, d in folders(OFFICIAL).items()
    },
    "folders, odd endings": lambda: {
        n.replace(".png", (".jpe", ".image", "")[i % 3]): d
        for i, (n, d) in enumerate(folders(OFFICIAL).items())
    },
    "folders, one contempt": lambda: folders(OFFICIAL) | CONTEMPT,
    "folders, classes by other names": lambda: words(
        {"neutral": "Neutrality", "angry": "0_angry", "fear": "scared", "surprise": "suprise"}
    ),
    "folders, classes by more names": lambda: words(
        {"neutral": "natural", "angry": "angry_images", "happy": "Happiness", "sad": "4-sadness"}
    ),
    "folders, 16 bits": lambda: {
        n: deep(p, 16) for n, (_, _, p) in zip(folders(OFFICIAL), rows(), strict=True)
    },
    "csv with contempt": lambda: {
        "ckextended.csv": csv([*rows(), ("train", 7, np.zeros((48, 48), np.uint8))])
    },
    "parquet, a column a class": lambda: {"data.parquet": hot_parquet()},
    "parquet of numbers": lambda: {"data.parquet": grid_parquet()},
    "parquet of paths": path_parquet,
    "parquet, there twice": lambda: {
        "train-0.parquet": grid_parquet(),
        "copy/train-0.parquet": grid_parquet(),
    },
    "FER+ beside the csv": lambda: {"fer2013.csv": csv(), "fer2013new.csv": votes_csv()},
}
"""Layouts that all hold the same 42 images in the same splits and classes, by name."""


def _frames_only() -> Files:
    return ckplus()[0]


def _ck_zips() -> Files:
    frames, emotions = ckplus()
    return {"cohn-kanade-images.zip": zipped(frames), "Emotion_labels.zip": zipped(emotions)}


def _numbered(start: int, some: list[Row] | None = None) -> Files:
    return folders(OFFICIAL, some, kinds=[str(k + start) for k in range(7)])


def _without(split: str) -> list[Row]:
    return [row for row in rows() if row[0] != split]


ODD: dict[str, tuple[Callable[[], Files], str, int, str]] = {
    "folders 0 to 6": (lambda: _numbered(0), "", 1, r"numbers its classes 0, .*--classes"),
    "folders 0 to 6, affectnet": (lambda: _numbered(0), "--classes affectnet", 0, "Angry"),
    "folders 1 to 7": (lambda: _numbered(1), "", 1, r"numbers its classes 1, .*rafdb"),
    "folders 1 to 7, rafdb": (lambda: _numbered(1), "--classes RAF-DB", 0, "Angry"),
    "folders 1 to 7, affectnet": (lambda: _numbered(1), "--classes affectnet", 1, "from 1"),
    "folders 0 to 6, names": (lambda: _numbered(0), "--classes " + ",".join(RAFDB), 0, "Sad"),
    "folders 0 to 6, two names": (
        lambda: _numbered(0),
        "--classes happy,sad",
        1,
        "unknown emotion 2",
    ),
    "folders 0 to 6, no order": (lambda: _numbered(0), "--classes mine", 1, "affectnet, rafdb"),
    "train and test": (
        lambda: folders(some=_without("val")),
        "",
        1,
        r"official split cannot be known.*--split",
    ),
    "train and test, --split": (
        lambda: folders(some=_without("val")),
        "--split",
        0,
        "Not the official split: val is 7 faces of train",
    ),
    "train and validation": (lambda: folders(some=_without("test")), "", 1, "no images for the te"),
    "train and validation, --split": (
        lambda: folders(some=_without("test")),
        "--split --seed 3",
        0,
        "copy's val serves as test and val is 7 .* by seed 3",
    ),
    "classes alone": (lambda: folders("{kind}/im{n}.png"), "", 1, "does not say what is to be"),
    "classes alone, --split": (lambda: folders("{kind}/im{n}.png"), "--split", 0, "test is 7"),
    "official splits, --split": (lambda: folders(OFFICIAL), "--split", 1, "leave split"),
    "csv without usage": (
        lambda: {"data.csv": csv(head="emotion,pixels", line="{k},{p}")},
        "",
        1,
        "--split",
    ),
    "csv without usage, --split": (
        lambda: {"data.csv": csv(head="emotion,pixels", line="{k},{p}")},
        "--split",
        0,
        "Not the official split",
    ),
    "the contest's train and test": (
        lambda: {
            "train.csv": csv(head="emotion,pixels", line="{k},{p}"),
            "test.csv": csv(head="pixels", line="{p}"),
        },
        "--split",
        0,
        r"test.csv was passed over: it has no column emotion",
    ),
    "csv, numpy's short print": (
        lambda: {"fer2013.csv": csv(pixels=reduced_print)},
        "",
        1,
        "pixels that numpy left out",
    ),
    "csv of other columns": (lambda: {"a.csv": b"name,age\nx,3\n"}, "", 1, "no column emotion"),
    "csv of labels by number": (
        lambda: {"a.csv": csv(head="label,pixels,usage")},
        "",
        1,
        r"numbers its classes 0, .*--classes",
    ),
    "csv of labels by number, stated": (
        lambda: {"a.csv": csv(head="label,pixels,usage")},
        "--classes fer2013",
        0,
        "Angry",
    ),
    "a class misspelt": (lambda: words({"angry": "anrgy"}), "", 1, "did you mean 'angry'"),
    "a class that is none": (lambda: words({"angry": "bored"}), "", 1, "unknown emotion 'bored'"),
    "mixed sizes": (
        lambda: sized(lambda n: (48, 48) if n % 3 else (96 + n, 100)),
        "",
        0,
        r"Of mixed sizes: 14 of 42 images .* are scaled to 48x48",
    ),
    "large images": (lambda: sized(lambda n: (300, 400)), "", 0, "more than 224 pixels are scaled"),
    "7z": (lambda: {"fer2013.7z": b"7z\xbc\xaf\x27\x1c" + b"x" * 300}, "", 1, "unpack it first"),
    "half a zip": (lambda: {"fer2013.zip": zipped(folders())[:9000]}, "", 1, "download it again"),
    "a web page": (lambda: {"fer2013.csv": b"<!DOCTYPE html>\n<html>"}, "", 1, "web page"),
    "a Git LFS pointer": (
        lambda: {"fer2013.csv": b"version https://git-lfs.github.com/spec/v1\noid sha256:1\n"},
        "",
        1,
        "Git LFS",
    ),
    "csv of paths and votes, without a header": (
        lambda: {
            n: d if n.endswith("png") else b"faces/0.png,4,0,0,6\nfaces/1.png,0,0,0,10\n"
            for n, d in paths_csv().items()
        },
        "--classes ferplus",
        1,
        "could not be read",
    ),
    "csv of paths, emotion by number": (
        lambda: {
            n: d.replace(b"path,label", b"path,emotion") if n.endswith("csv") else d
            for n, d in paths_csv(kinds=range(7)).items()
        },
        "",
        1,
        r"numbers its classes 0, .*--classes",
    ),
    "parquet of numbered labels": (
        lambda: {"data.parquet": number_parquet()},
        "",
        1,
        r"numbers its classes .*--classes",
    ),
    "parquet of numbered labels, stated": (
        lambda: {"data.parquet": number_parquet()},
        "--classes fer2013",
        0,
        "Angry",
    ),
    "CK+48": (lambda: ck48(), "", 0, r"subjects +\d+ in train"),
    "CK+48 without a folder above": (lambda: ck48("{kind}/{person}_001_{frame:08d}.png"), "", 0,
                                     "subjects"),
    "CK+48, classes in the names": (
        lambda: ck48("CK+48/{kind}_{person}_001_{frame:08d}.png"),
        "",
        0,
        "subjects",
    ),
    "CK+48, no classes": (
        lambda: ck48("CK+48/{person}_001_{frame:08d}.png"),
        "",
        1,
        "keeps a frame in a folder of its class",
    ),
    "CK+48, renamed": (lambda: ck48("CK+48/{kind}/{n}.png"), "", 0, "only random folds"),
    "CK+, zips": (_ck_zips, "", 0, "CK\\+ original release"),
    "CK+ without its labels": (_frames_only, "", 1, "no Emotion folder"),
    "FER+ without faces": (lambda: {"fer2013new.csv": votes_csv()}, "", 1, "put fer2013.csv"),
}  # fmt: skip
"""Other copies: files, options of ``data check``, its exit code and what it says."""
