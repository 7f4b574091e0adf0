"""FER2013 in every layout it is passed around in (Goodfellow et al. 2013).

Training becomes ``train``, PublicTest ``val`` and PrivateTest ``test``, as in the contest.
"""

from __future__ import annotations

from fercourse.datasets.archive import Archive
from fercourse.datasets.fer2013.csv import read_csv
from fercourse.datasets.fer2013.folders import read_folders
from fercourse.datasets.fer2013.parquet import read_parquet
from fercourse.datasets.fingerprint import check
from fercourse.datasets.table import Table

_CSV = ("fer2013.csv", "icml_face_data.csv")
_IMAGES = (".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff", ".gif", ".pgm")


def read(archive: Archive) -> Table | None:
    """Read whichever layout the archive has, and note how it differs from the true FER2013.

    Returns:
        None where it is no FER2013.

    Raises:
        FercourseError: The official split cannot be known, columns are missing, or more than 1 %
            of the rows are bad.
    """
    table = _read(archive)
    if table is None:
        return None
    return table.with_notes(check(table.images, table.labels, table.splits).findings)


def _read(archive: Archive) -> Table | None:
    csvs = [n for n in archive.names if n.lower().endswith(".csv")]
    known = [n for n in csvs if n.rpartition("/")[2].lower() in _CSV]
    if known or len(csvs) == 1:
        return read_csv(archive, (known or csvs)[0])
    if parquets := [n for n in archive.names if n.lower().endswith(".parquet")]:
        return read_parquet(archive, parquets)
    alone = archive.names == [archive.path.name]  # one picture is no data set
    if not alone and any(n.lower().endswith(_IMAGES) for n in archive.names):
        return read_folders(archive)
    return None
