"""A process that may compute, and nothing else: for code that nobody here has read.

On Linux the process loads what it needs and then gives its rights up for good: Landlock takes the
files (it reads Python's and the course's folders, and writes nowhere), a filter takes all system
calls but a list (:mod:`fercourse.course.seccomp`: no network, no other program, no signals, no
``chmod``), and limits hold its memory and its time. On macOS ``sandbox-exec`` starts it in a
profile of the same meaning. Elsewhere there is no sandbox, and whoever asks for one is refused.

Each time, before foreign code comes, the process tries what it must not be able to do
(:func:`probe`); where one of these things works, it is refused as well. The kernel is trusted, and
so is everything that is loaded before.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import sysconfig
from collections.abc import Callable
from pathlib import Path

from fercourse.errors import FercourseError
from fercourse.settings import ledger_path

PACKAGE = Path(__file__).resolve().parents[1]
ELSEWHERE = (
    "Grade in a virtual machine or a container of Linux (on Windows: in WSL 2), or, only for "
    "notebooks you wrote yourself, with --no-sandbox."
)
SYSTEM = ("/usr/lib", "/usr/lib64", "/lib", "/lib64", "/etc/ld.so.cache", "/usr/share/zoneinfo")
"""What libraries may read when they are loaded late."""

PROFILE = """\
(version 1)
(deny default)
(allow process-exec)
(allow sysctl-read)
(allow process-info* (target self))
(allow file-read*)
(deny file-read* (subpath (param "HOME")) (subpath "/Users") (subpath "/Volumes")
  (subpath "/private/tmp") (subpath "/private/var/folders"))
(allow file-read* {readable})
(allow file-read-metadata)
(allow file-write-data (literal "/dev/null"))
(allow signal (target self))
(allow ipc-posix-sem)
(allow mach-lookup (global-name "com.apple.system.opendirectoryd.libinfo"))
"""
"""For macOS: the first rules are the weaker ones."""


def command(arguments: list[str], folder: Path, sandboxed: bool = True) -> list[str]:
    """A Python process as a command line, which on macOS begins with its sandbox.

    Args:
        arguments: For the interpreter.
        folder: Its own, to read.
        sandboxed: Else as it is.

    Raises:
        FercourseError: This system has no sandbox.
    """
    # -P: nothing is imported from the working folder; -s: nor from the user's packages.
    python = [sys.executable, "-P", "-s", "-B", *arguments]
    if not sandboxed or sys.platform == "linux":
        return python
    if sys.platform != "darwin":
        raise FercourseError(f"There is no sandbox for handed-in code on this system. {ELSEWHERE}")
    places = [*readable(), Path(sys.prefix), Path(sys.base_prefix), folder.resolve()]
    rules = " ".join(f'(subpath "{_quoted(place)}")' for place in places)
    home = f"HOME={Path.home().resolve()}"
    profile = PROFILE.format(readable=rules)
    return ["/usr/bin/sandbox-exec", "-D", home, "-p", profile, *python]


def environment(folder: Path) -> dict[str, str]:
    """Variables of such a process: nothing of ours, so no tokens, and one thread."""
    kept = ("SYSTEMROOT", "PATH") if sys.platform == "win32" else ()
    return {
        **{name: os.environ[name] for name in kept if name in os.environ},
        **dict.fromkeys(("HOME", "TMPDIR", "MPLCONFIGDIR", "FERCOURSE_CACHE"), str(folder)),
        **dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1"),
        # No threads before the sandbox is locked: torch's for a GPU, and those of pandas' arrow.
        "CUDA_VISIBLE_DEVICES": "",
        "JE_ARROW_MALLOC_CONF": "background_thread:false",
        "PYTHONPATH": str(PACKAGE.parent),
        "FERCOURSE_STATIC": "1",
        "LANG": "C.UTF-8",
    }


def readable() -> list[Path]:
    """Python's folders, the course's package and records, and what libraries are loaded from."""
    named = ("stdlib", "platstdlib", "purelib", "platlib")
    places = [Path(sysconfig.get_path(name)) for name in named]
    places += [Path(prefix) / "lib" for prefix in (sys.prefix, sys.base_prefix)]
    places = [*dict.fromkeys(place.resolve() for place in places), PACKAGE, *map(Path, SYSTEM)]
    return [*places, ledger_path()]  # an exercise asks what was measured


def limit(memory: int, seconds: int) -> None:
    """Limit this process for good; Windows has no such limits.

    Args:
        memory: Bytes of addresses it may take on top of those it has (Linux alone holds it).
        seconds: Of processor time, on top of what it has had.
    """
    if sys.platform == "win32":
        return
    import resource

    mine = resource.getrusage(resource.RUSAGE_SELF)
    used = int(mine.ru_utime + mine.ru_stime) + 1
    limits = {"RLIMIT_CPU": used + seconds, "RLIMIT_FSIZE": 0, "RLIMIT_CORE": 0}
    if sys.platform == "linux":
        pages = int(Path("/proc/self/statm").read_text().split()[0])
        limits["RLIMIT_AS"] = pages * resource.getpagesize() + memory
        limits["RLIMIT_NOFILE"] = 64
    for name, value in limits.items():
        resource.setrlimit(getattr(resource, name), (value, value))


def lock() -> None:
    """Give up this process's rights for good; it must have one thread only.

    Raises:
        OSError: Something cannot be given up here.
    """
    if sys.platform != "linux":
        return  # on macOS it was born in its sandbox
    from fercourse.course import landlock, seccomp

    if len(tasks := list(Path("/proc/self/task").iterdir())) != 1:
        names = ", ".join(sorted((task / "comm").read_text().strip() for task in tasks))
        raise OSError(f"a thread runs already, which would stay outside ({names})")
    if landlock.version() == 0:
        raise OSError("the kernel has no Landlock (Linux 5.13 or newer, and switched on)")
    seccomp.control(38, 1)  # no new privileges, through setuid programs or otherwise
    seccomp.control(4, 0)  # no core, no debugger, no look into its memory
    landlock.restrict([*readable(), Path("/dev/urandom")], [Path("/dev/null")])
    seccomp.restrict()


def probe(outside: Path) -> list[str]:
    """What this process can do that it must not: nothing, if it is locked.

    Args:
        outside: A folder that is not its own, with a file ``secret``.
    """
    tries: dict[str, Callable[[], object]] = {
        "read a file outside": lambda: (outside / "secret").read_bytes(),
        "write a file outside": lambda: (outside / "new").write_bytes(b""),
        "change a file's mode": lambda: (outside / "secret").chmod(0o600),
        "open a connection": _connect,
        "start a process": _fork,
        "signal another process": lambda: os.kill(os.getppid(), 0),
    }
    return [what for what, attempt in tries.items() if not _refused(attempt)]


def _refused(attempt: Callable[[], object]) -> bool:
    try:
        attempt()
    except PermissionError:
        return True
    except OSError:  # of another kind: the sandbox was not what stopped it
        return False
    return False


def _connect() -> None:
    with socket.socket() as end:
        end.connect(("127.0.0.1", 9))


def _fork() -> None:
    if (child := os.fork()) == 0:
        os._exit(0)
    os.waitpid(child, 0)


def _quoted(path: Path) -> str:
    return str(path).replace("\\", "\\\\").replace('"', '\\"')


def stop(process: subprocess.Popen[bytes]) -> None:
    """End a process that was started as the head of a group, and its group, and wait for it."""
    if os.name == "posix":
        import signal
        from contextlib import suppress

        with suppress(ProcessLookupError, PermissionError):  # it has ended; macOS says the latter
            os.killpg(process.pid, signal.SIGKILL)
    process.kill()
    process.wait()
