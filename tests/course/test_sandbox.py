"""What code in the sandbox may not do, tried: each in a process of its own, locked for real."""

import json
import os
import platform
import socket
import subprocess
import sys
import threading

import pytest
from closed import anywhere as some_sandbox
from closed import on_linux as linux

from fercourse.course import sandbox, seccomp
from fercourse.errors import FercourseError

BEGIN = """
import sys, types, json, os
from pathlib import Path
course = types.ModuleType("fercourse.course")  # without its lessons, which load torch
course.__path__ = [{course!r}]
sys.modules["fercourse.course"] = course
from fercourse.course import sandbox
home, other, port, parent = Path({home!r}), Path({other!r}), {port}, os.getppid()
import ctypes, fcntl, mmap, resource, signal, socket, subprocess, threading
call = ctypes.CDLL(None, use_errno=True).syscall
def raw(*words):
    if call(*words) < 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))
sandbox.limit(2**30, 20)
sandbox.lock()
try:
    outcome = repr({attack})
except BaseException as error:
    outcome = f"{{type(error).__name__}}: {{error}}"
print(json.dumps(outcome))
"""

ANYWHERE = {
    "reads a secret at home": "(home / 'secret').read_text()",
    "lists the home": "os.listdir(home)",
    "writes at home": "(home / 'new').write_text('x')",
    "writes over a file": "(home / 'secret').write_text('x')",
    "adds to a file": "open(home / 'secret', 'a').write('x')",
    "writes beside its folder": "(other / 'new').write_text('x')",
    "writes into its folder": "Path('new').write_text('x')",
    "writes into the package": "(Path(course.__path__[0]) / 'new.py').write_text('x')",
    "deletes a file": "(home / 'secret').unlink()",
    "renames a file": "(home / 'secret').rename(home / 'public')",
    "makes a folder": "(home / 'new').mkdir()",
    "makes a link": "Path('link').symlink_to(home / 'secret')",
    "changes a mode": "(home / 'secret').chmod(0)",
    "changes a time": "os.utime(home / 'secret', (0, 0))",
    "empties a file": "os.truncate(home / 'secret', 0)",
    "empties a file it opens to read": "os.open(home / 'secret', os.O_RDONLY | os.O_TRUNC)",
    "connects": "socket.create_connection(('127.0.0.1', port))",
    "sends a datagram": "socket.socket(type=socket.SOCK_DGRAM).sendto(b'x', ('127.0.0.1', port))",
    "listens": "socket.create_server(('127.0.0.1', 0))",
    "forks": "os.fork()",
    "starts a program": "subprocess.run(['/bin/true'])",
    "kills its parent": "os.kill(parent, signal.SIGKILL)",
    "kills its parent's group": "os.killpg(os.getpgid(parent), signal.SIGKILL)",
}

ON_LINUX = {
    "becomes a program": "os.execv('/bin/true', ['true'])",
    "spawns a program": "os.posix_spawn('/bin/true', ['true'], {})",
    "opens a pair of sockets": "socket.socketpair()",
    "gives a file away": "os.chown(home / 'secret', 1, 1)",
    "marks a file": "os.setxattr(home / 'secret', 'user.x', b'x')",
    "reads its parent's environment": "Path(f'/proc/{parent}/environ').read_bytes()",
    "reads its parent's memory": "open(f'/proc/{parent}/mem', 'rb')",
    "reads passwords' names": "Path('/etc/passwd').read_text()",
    "limits its parent": "resource.prlimit(parent, resource.RLIMIT_CPU, (1, 1))",
    "lifts its own limit": "resource.setrlimit(resource.RLIMIT_CPU, (99999, 99999))",
    "slows its parent down": "os.setpriority(os.PRIO_PROCESS, parent, 19)",
    "binds its parent to a processor": "os.sched_setaffinity(parent, {0})",
    "has signals sent to its parent": "fcntl.fcntl(1, 8, parent)",
    "types into a terminal": "fcntl.ioctl(0, 0x5412, b'x')",
    "makes a file of memory": "os.memfd_create('x')",
    "opens its parent by a handle": "os.pidfd_open(parent)",
    "leaves its session": "os.setsid()",
    "traces its parent": "raw(101 if 'x86' in os.uname().machine else 117, 16, parent, 0, 0)",
    "makes namespaces": "raw(272 if 'x86' in os.uname().machine else 97, 0x10000000)",
    "has calls made by a ring": "raw(425, 8, 0)",
}


def attacked(attack, tmp_path, port=9):
    """The outcome's words."""
    folders = {name: tmp_path / name for name in ("home", "mine", "other")}
    for folder in folders.values():
        folder.mkdir(exist_ok=True)
    (folders["home"] / "secret").write_text("A secret.")
    script = BEGIN.format(
        course=str(sandbox.PACKAGE / "course"),
        home=str(folders["home"]),
        other=str(folders["other"]),
        port=port,
        attack=attack,
    )
    done = subprocess.run(
        sandbox.command(["-c", script], folders["mine"]),
        capture_output=True,
        stdin=subprocess.DEVNULL,
        cwd=folders["mine"],
        env=sandbox.environment(folders["mine"]),
        timeout=100,
        start_new_session=True,
    )
    assert done.stdout, done.stderr.decode()[-600:]
    assert (folders["home"] / "secret").read_text() == "A secret."
    assert (folders["home"] / "secret").stat().st_mode & 0o777 == 0o644
    assert sorted(p.name for p in tmp_path.rglob("*")) == ["home", "mine", "other", "secret"]
    return json.loads(done.stdout)


@some_sandbox
@pytest.mark.parametrize("attack", ANYWHERE.values(), ids=ANYWHERE)
def test_it_is_refused(attack, tmp_path):
    assert attacked(attack, tmp_path).startswith("PermissionError")


@linux
@pytest.mark.parametrize("attack", ON_LINUX.values(), ids=ON_LINUX)
def test_linux_refuses_it(attack, tmp_path):
    outcome = attacked(attack, tmp_path)
    assert "Errno 1]" in outcome or "Errno 13]" in outcome or "not allowed to raise" in outcome


@some_sandbox
def test_a_server_on_this_machine_hears_nothing(tmp_path):
    heard = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(1)

        def listen():
            try:
                heard.append(server.accept())
            except TimeoutError:
                return

        thread = threading.Thread(target=listen)
        thread.start()
        attack = f"socket.create_connection(('127.0.0.1', {server.getsockname()[1]}))"
        assert attacked(attack, tmp_path).startswith("PermissionError")
        thread.join()
    assert heard == []


@some_sandbox
def test_computing_goes_on(tmp_path):
    """Threads, chance, time, and modules that are loaded late."""
    thread = "[t := threading.Thread(target=lambda: None), t.start(), t.join()] and 7"
    assert attacked(thread, tmp_path) == "7"
    late = "(__import__('time').sleep(0.01), len(os.urandom(4)), __import__('colorsys').__name__)"
    assert attacked(late, tmp_path) == "(None, 4, 'colorsys')"


@linux
def test_no_call_gets_through_that_is_not_listed(tmp_path):
    column, _ = seccomp.ARCHITECTURES[platform.machine()]
    calls = (seccomp.OPENAT, seccomp.CLONE, seccomp.FCNTL, seccomp.IOCTL, seccomp.PRCTL)
    listed = [n[column] for n in (*seccomp.CALLS.values(), *calls, seccomp.PRLIMIT)]
    # Of uprobes on x86-64 (335, 336) the kernel asks no filter: who calls them himself is killed.
    others = sorted(set(range(480)) - {*listed, seccomp.CLONE3, 335, 336})
    assert len(others) > 350
    refused = "call(n, 0, 0, 0, 0, 0, 0) < 0 and ctypes.get_errno() == 1"
    through = f"[n for n in {others} if not ({refused})]"
    assert attacked(through, tmp_path) == "[]"
    assert "not implemented" in attacked("raw(435, 0, 0)", tmp_path)


@linux
def test_memory_ends(tmp_path):
    assert attacked("len(bytearray(2**31))", tmp_path).startswith("MemoryError")
    assert attacked("len(bytearray(2**29))", tmp_path) == str(2**29)


@linux
@pytest.mark.parametrize("abi", [1, 2, 3, 4, 5])
def test_older_kernels_refuse_files_too(abi, tmp_path):
    """What an old version of Landlock lets through, the filter of system calls does not."""
    script = BEGIN.replace(
        "sandbox.lock()",
        "from fercourse.course import landlock\n"
        "import functools\n"
        f"landlock.restrict = functools.partial(landlock.restrict, abi={abi})\n"
        "sandbox.lock()",
    )
    for attack in ("reads a secret at home", "writes at home", "empties a file it opens to read"):
        with pytest.MonkeyPatch.context() as patch:
            patch.setitem(globals(), "BEGIN", script)
            assert attacked(ANYWHERE[attack], tmp_path).startswith("PermissionError")


@linux
def test_a_process_with_threads_cannot_be_locked(tmp_path):
    start = "threading.Thread(target=threading.Event().wait, daemon=True).start()\n"
    script = BEGIN.replace("sandbox.lock()", f"{start}sandbox.lock()")
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(globals(), "BEGIN", script)
        with pytest.raises(AssertionError, match="a thread runs already"):
            attacked("1", tmp_path)


def test_an_unlocked_process_is_found_out(tmp_path):
    (tmp_path / "secret").write_text("x")
    could = sandbox.probe(tmp_path)
    assert "read a file outside" in could
    assert "write a file outside" in could
    assert len(could) >= (6 if os.name == "posix" else 3)


def test_where_there_is_no_sandbox_one_sentence_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "platform", "win32")
    with pytest.raises(FercourseError, match=r"no sandbox.*WSL 2.*--no-sandbox"):
        sandbox.command(["-c", "1"], tmp_path)
    assert sandbox.command(["-c", "1"], tmp_path, sandboxed=False)[-1] == "1"
    with pytest.raises(OSError, match="riscv64"):
        seccomp.program("riscv64")


def test_macs_start_in_a_profile(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "platform", "darwin")
    words = sandbox.command(["-c", "1"], tmp_path)
    assert words[0] == "/usr/bin/sandbox-exec"
    profile = words[words.index("-p") + 1]
    assert "(deny default)" in profile
    assert "network" not in profile
    assert "file-write*" not in profile
    assert f'(subpath "{sandbox.PACKAGE}")' in profile


def test_its_environment_has_nothing_of_ours(tmp_path, monkeypatch):
    monkeypatch.setenv("SOME_TOKEN", "secret")
    assert "secret" not in str(sandbox.environment(tmp_path))
    assert set(sandbox.environment(tmp_path).values()) <= {
        *(str(tmp_path), str(sandbox.PACKAGE.parent), "1", "", "C.UTF-8"),
        "background_thread:false",
        *(os.environ.get(name, "") for name in ("PATH", "SYSTEMROOT")),
    }
