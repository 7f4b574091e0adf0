"""``fercourse doctor``: is everything here that the course needs?"""

from __future__ import annotations


def doctor() -> None:
    """Check this machine: versions, device, memory, data, notebook kernel; say what to mend."""
    from fercourse.doctor import doctor as examine

    examine()
