"""FER2013 in every layout it is passed around in (Goodfellow et al. 2013).

Training becomes ``train``, PublicTest ``val`` and PrivateTest ``test``, as in the contest. Other
sets of faces in these layouts are read as well; their notes say that they are not FER2013.
"""

from __future__ import annotations

from fercourse.datasets.archive import Archive
from fercourse.datasets.fer2013.folders import images_in, read_folders
from fercourse.datasets.fer2013.parquet import read_parquet
from fercourse.datasets.fer2013.sheets import choose, looked_into, read_sheets
from fercourse.datasets.fingerprint import check
from fercourse.datasets.table import Table
from fercourse.errors import FercourseError
from fercourse.labels import Expression

VOTES = "fer2013new.csv"
"""FER+'s file, which :mod:`fercourse.datasets.ferplus` reads."""


def read(archive: Archive) -> Table | None:
    """Read whichever layout the archive has, and note how it differs from the true FER2013.

    Returns:
        None where it is no FER2013.

    Raises:
        FercourseError: Columns are missing, classes are numbered and nobody said how, or more
            than 1 % of the rows are bad.
    """
    table = read_layout(archive)
    if table is None:
        return None
    seven = table.at(table.labels != Expression.CONTEMPT)
    counted = seven.splits is not None and not table.lacks
    findings = check(seven.images, seven.labels, seven.splits if counted else None).findings
    return table.with_notes(findings) if len(seven.labels) else table


def read_layout(archive: Archive) -> Table | None:
    """:func:`read` without a look at what was done to the images."""
    endings = (".csv", ".tsv")
    sheets = [
        looked_into(archive, name)
        for name in archive.names
        if name.lower().endswith(endings) and not name.lower().endswith(VOTES)
    ]
    votes = [name for name in archive.names if name.lower().endswith(VOTES)]
    chosen, notes = choose(sheets)
    if chosen:
        return read_sheets(archive, chosen, notes)
    if parquets := [n for n in archive.names if n.lower().endswith(".parquet")]:
        return read_parquet(archive, parquets)
    images, others = images_in(archive)
    if images and archive.names != [archive.path.name]:  # one picture is no data set
        table = read_folders(archive, images)
        return table.with_notes(_passed(others))
    if votes:
        raise FercourseError(
            f"{archive.path} has FER+'s votes but no faces: put fer2013.csv, or icml_face_data.csv,"
            f" beside {votes[0]}, and ask for ferplus."
        )
    if sheets:
        where = archive.path if archive.names == [sheets[0].name] else sheets[0].name
        raise FercourseError(
            f"{where} has no column {sheets[0].missing} in line 1; FER2013 has emotion, "
            "pixels and Usage (of the contest's own files, take icml_face_data.csv)."
        )
    return None


def _passed(others: list[str]) -> list[str]:
    """What to say of files that are no images."""
    if not others:
        return []
    some = ", ".join(others[:3]) + (", ..." if len(others) > 3 else "")
    return [f"Passed over: {len(others):,} files that are no images ({some})."]
