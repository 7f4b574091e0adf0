"""Whether a process of this machine can be closed in, as grading does with code of others."""

import platform
import sys

import pytest

from fercourse.course import landlock, seccomp

LINUX = (
    sys.platform == "linux"
    and landlock.version() > 0
    and platform.machine() in seccomp.ARCHITECTURES
)

on_linux = pytest.mark.skipif(not LINUX, reason="no Linux with Landlock: grading says so")
anywhere = pytest.mark.skipif(
    not LINUX and sys.platform != "darwin",
    reason="no Linux with Landlock and no Mac: grading refuses, and says so",
)
