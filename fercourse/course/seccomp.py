"""A filter of system calls: what a Linux process that only computes needs, and nothing else.

Landlock keeps files from being opened, and knows nothing of ``chmod``, new processes, signals, or
limits set for other processes. So the filter is a list of what is allowed. Without ``socket`` there
is no network, without ``execve`` and ``fork`` no other program, without ``kill`` no signal.

Through the kernel's own interface rather than libseccomp, which is not on every machine.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import struct

# name: numbers on x86-64 and on 64-bit ARM; None where an architecture lacks the call
CALLS: dict[str, tuple[int | None, int | None]] = {
    # files that are open, or that Landlock lets open
    "read": (0, 63),
    "write": (1, 64),
    "close": (3, 57),
    "stat": (4, None),
    "fstat": (5, 80),
    "lstat": (6, None),
    "newfstatat": (262, 79),
    "statx": (332, 291),
    "lseek": (8, 62),
    "pread64": (17, 67),
    "readv": (19, 65),
    "writev": (20, 66),
    "access": (21, None),
    "faccessat": (269, 48),
    "faccessat2": (439, 439),
    "readlink": (89, None),
    "readlinkat": (267, 78),
    "getdents64": (217, 61),
    "getcwd": (79, 17),
    "dup": (32, 23),
    "dup2": (33, None),
    "dup3": (292, 24),
    "pipe2": (293, 59),
    "eventfd2": (290, 19),
    "poll": (7, None),
    "ppoll": (271, 73),
    "select": (23, None),
    "pselect6": (270, 72),
    # memory
    "mmap": (9, 222),
    "mprotect": (10, 226),
    "munmap": (11, 215),
    "brk": (12, 214),
    "mremap": (25, 216),
    "madvise": (28, 233),
    # threads of its own, and their signals
    "futex": (202, 98),
    "set_tid_address": (218, 96),
    "set_robust_list": (273, 99),
    "rseq": (334, 293),
    "membarrier": (324, 283),
    "sched_yield": (24, 124),
    "sched_getaffinity": (204, 123),
    "getcpu": (309, 168),
    "arch_prctl": (158, None),
    "rt_sigaction": (13, 134),
    "rt_sigprocmask": (14, 135),
    "rt_sigreturn": (15, 139),
    "sigaltstack": (131, 132),
    "restart_syscall": (219, 128),
    "exit": (60, 93),
    "exit_group": (231, 94),
    # time and chance
    "nanosleep": (35, 101),
    "clock_nanosleep": (230, 115),
    "clock_gettime": (228, 113),
    "clock_getres": (229, 114),
    "gettimeofday": (96, 169),
    "time": (201, None),
    "times": (100, 153),
    "getrandom": (318, 278),
    # who and where am I
    "getpid": (39, 172),
    "getppid": (110, 173),
    "gettid": (186, 178),
    "getuid": (102, 174),
    "geteuid": (107, 175),
    "getgid": (104, 176),
    "getegid": (108, 177),
    "uname": (63, 160),
    "sysinfo": (99, 179),
    "getrusage": (98, 165),
    "getrlimit": (97, None),
}

OPENAT, CLONE, FCNTL, IOCTL, PRCTL, PRLIMIT = (
    (257, 56),
    (56, 220),
    (72, 25),
    (16, 29),
    (157, 167),
    (302, 261),
)
"""Calls that are allowed with some arguments only."""

CLONE3 = 435
ARCHITECTURES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}
"""Machine to its column above, and the kernel's number of it."""

ALLOW = 0x7FFF0000
REFUSE = 0x00050000 | errno.EPERM
UNKNOWN = 0x00050000 | errno.ENOSYS
KILL = 0x80000000

THREAD = 0x00010000
TRUNCATE_ONLY, OPEN_BITS = os.O_TRUNC, os.O_TRUNC | 0b11
NUMBER, ARCHITECTURE, FIRST_ARGUMENT = 0, 4, 16
"""Places in what the kernel shows a filter."""

DUPLICATE_AND_FLAGS = (0, 1, 2, 3, 4, 1030)
TERMINAL_AND_CLOSE = (0x5401, 0x5413, 0x541B, 0x5421, 0x5450, 0x5451)
NAME_OF_THREAD = (15, 16)


def program(machine: str) -> bytes:
    """The filter, as the kernel's instructions of eight bytes.

    Raises:
        OSError: Nobody has written down this architecture's numbers.
    """
    if machine not in ARCHITECTURES:
        raise OSError(f"no list of system calls is known for {machine}")
    column, architecture = ARCHITECTURES[machine]
    code = [_load(ARCHITECTURE), _equal(architecture, 1, 0), _end(KILL), _load(NUMBER)]
    for numbers in CALLS.values():
        if (number := numbers[column]) is not None:
            code += [_equal(number, 0, 1), _end(ALLOW)]
    # A signal may be sent through fcntl, a keystroke through ioctl: so only these of them.
    code += _if(FCNTL[column], _one_of(1, DUPLICATE_AND_FLAGS))
    code += _if(IOCTL[column], _one_of(1, TERMINAL_AND_CLOSE))
    code += _if(PRCTL[column], _one_of(0, NAME_OF_THREAD))
    # Old versions of Landlock let a file be emptied that is opened for reading.
    emptied = [_load(_low(2)), _and(OPEN_BITS), _equal(TRUNCATE_ONLY, 0, 1), _end(REFUSE)]
    code += _if(OPENAT[column], [*emptied, _end(ALLOW)])
    code += _if(CLONE[column], [_load(_low(0)), _any(THREAD, 0, 1), _end(ALLOW), _end(REFUSE)])
    # Limits may be read, its own: no process, and no new limit.
    asked = [_load(_low(0)), _equal(0, 1, 0), _end(REFUSE)]
    for half in (_low(2), _low(2) + 4):
        asked += [_load(half), _equal(0, 1, 0), _end(REFUSE)]
    code += _if(PRLIMIT[column], [*asked, _end(ALLOW)])
    # Its flags lie where no filter sees them; libc then takes clone.
    code += [_equal(CLONE3, 0, 1), _end(UNKNOWN), _end(REFUSE)]
    return b"".join(code)


def restrict() -> None:
    """Refuse this thread, and those it starts, every system call that is not listed, for good.

    Raises:
        OSError: The kernel refuses, or the architecture is unknown.
    """
    code = program(platform.machine())
    instructions = ctypes.create_string_buffer(code, len(code))
    address = ctypes.addressof(instructions)
    whole = ctypes.create_string_buffer(struct.pack("@HP", len(code) // 8, address))
    control(22, 2, ctypes.addressof(whole))  # both buffers live until the kernel has read them


def control(option: int, *arguments: int) -> None:
    """``prctl``.

    Raises:
        OSError: The kernel refuses.
    """
    words = [ctypes.c_ulong(x) for x in (*arguments, 0, 0, 0, 0)[:4]]
    if ctypes.CDLL(None, use_errno=True).prctl(ctypes.c_int(option), *words) != 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))


def _if(number: int, block: list[bytes]) -> list[bytes]:
    """A block for one call; every way through it ends."""
    return [_equal(number, 0, len(block)), *block]


def _one_of(argument: int, values: tuple[int, ...]) -> list[bytes]:
    code = [_load(_low(argument))]
    for value in values:
        code += [_equal(value, 0, 1), _end(ALLOW)]
    return [*code, _end(REFUSE)]


def _low(argument: int) -> int:
    """Where the lower half of an argument stands; both architectures are little-endian."""
    return FIRST_ARGUMENT + 8 * argument


def _load(place: int) -> bytes:
    return struct.pack("=HBBI", 0x20, 0, 0, place)


def _equal(value: int, then: int, otherwise: int) -> bytes:
    return struct.pack("=HBBI", 0x15, then, otherwise, value)


def _any(bits: int, then: int, otherwise: int) -> bytes:
    return struct.pack("=HBBI", 0x45, then, otherwise, bits)


def _and(bits: int) -> bytes:
    return struct.pack("=HBBI", 0x54, 0, 0, bits)


def _end(what: int) -> bytes:
    return struct.pack("=HBBI", 0x06, 0, 0, what)
