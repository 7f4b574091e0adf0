"""Fetch a data set from the hub where that is allowed, or say how to get it by hand."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from fercourse.datasets.registry import canonical, known, on_disk
from fercourse.errors import FercourseError

REPOSITORY = "Aaryan333/fer2013_train_publicTest_privateTest"
"""A copy of FER2013 on the hub that keeps the contest's three splits, as parquet."""


def get(name: str, folder: str | Path = "data", repository: str | None = None) -> Path:
    """Download a data set into ``folder``, whole or not at all.

    Args:
        name: "fer2013"; "ckplus" always ends in the sentence on how to ask for it.
        folder: Where to put it; made if it is missing.
        repository: Another copy of FER2013 on the hub, as parquet; default :data:`REPOSITORY`.

    Returns:
        The folder ``<folder>/<name>`` with the files.

    Raises:
        FercourseError: There is no network, no such copy, no permission, or something is there.
    """
    folder = Path(folder)
    name = canonical(name)
    dataset = known(name)
    if dataset.drawn:
        raise FercourseError(f"The built-in faces are drawn, not downloaded: load({name!r}).")
    if name not in on_disk():
        raise FercourseError(f"{name!r} cannot be downloaded; use one of {', '.join(on_disk())}.")
    by_hand = dataset.by_hand.format(folder=folder)
    if dataset.asked:
        raise FercourseError(f"{dataset.title} is put together by hand: {by_hand}.")
    if not dataset.download:
        raise FercourseError(
            f"{dataset.title} may not be passed on, so it is not downloaded here: {by_hand}."
        )
    target = folder / name
    if target.exists():
        raise FercourseError(f"{target} is already there; delete it to download it again.")
    try:
        from huggingface_hub import snapshot_download
    except ImportError:
        raise FercourseError(
            f"Downloading needs huggingface_hub: pip install 'fercourse[data]'; or {by_hand}."
        ) from None
    # Always the same one: what a killed download has finished is not fetched again.
    part = folder / f".{name}.part"
    part.mkdir(parents=True, exist_ok=True)
    try:
        snapshot_download(
            repository or REPOSITORY,
            repo_type="dataset",
            local_dir=part,
            allow_patterns=["*.parquet"],
        )
        if not any(part.rglob("*.parquet")):
            raise FercourseError(
                f"{repository or REPOSITORY} holds no parquet; by hand: {by_hand}."
            )
        shutil.rmtree(part / ".cache", ignore_errors=True)  # the client's own notes
        os.replace(part, target)
    except FercourseError:
        shutil.rmtree(part, ignore_errors=True)
        raise
    except Exception as error:  # the client's own kinds and those of its transport
        shutil.rmtree(part, ignore_errors=True)
        reason = str(error).strip().splitlines() or [type(error).__name__]
        raise FercourseError(
            f"{name} could not be downloaded ({reason[0].rstrip('.')}); by hand: {by_hand}."
        ) from error
    return target
