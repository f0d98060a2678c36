"""Programs that try to get out of the sandbox, each in every kind of isolation that this machine offers.

After each attempt an ordinary program still runs, and nothing of the attempt is left.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from threading import Thread

import psutil
import pytest

from shared.sandbox.choose_isolation import why_not
from shared.sandbox.interpreter import interpreter
from shared.sandbox.isolated_run import run_isolated
from shared.sandbox.isolation import KINDS, Isolation
from shared.sandbox.limits import MIB, Ended, Limits

pytestmark = [pytest.mark.functional, pytest.mark.timeout(240)]

ROOT = Path(__file__).resolve().parents[2]
PATIENT = 60.0
"""Wall seconds where something else is to end the program, on however slow a machine."""
GONE_WITHIN_S = 10
SECRET = "a planted secret 7f3a"

Run = Callable[..., Ended]

ATTEMPT = """
import os, sys
def attempt(action):
    "Prints what came of it: a value, or the name of the error."
    try:
        print("DONE", action())
    except BaseException as error:
        print("REFUSED", type(error).__name__, getattr(error, "errno", None))
"""


@pytest.fixture(params=KINDS, ids=[kind.name for kind in KINDS])
def isolation(request: pytest.FixtureRequest) -> Isolation:
    kind: Isolation = request.param
    reason = why_not(kind)
    if reason is not None:
        pytest.skip(f"no {kind.name} here ({reason}): `make sandbox` installs bubblewrap")
    return kind


@pytest.fixture
def run(isolation: Isolation) -> Iterator[Run]:
    """Runs an attempt. Afterwards nothing of it is left, and an ordinary program works."""

    def run_it(program: str, stdin: str = "", **limits: float) -> Ended:
        return run_isolated(isolation, ATTEMPT + program, stdin, Limits(**({"wall_s": PATIENT} | limits)))

    yield run_it
    deadline = time.monotonic() + GONE_WITHIN_S
    while left := inside():
        assert time.monotonic() < deadline, f"still there: {left}"
        time.sleep(0.05)
    ordinary = run_isolated(
        isolation, "print(sum(map(int, input().split())))", "40 2", Limits(wall_s=PATIENT)
    )
    assert (ordinary.stdout, ordinary.exit_code) == ("42\n", 0), ordinary


def inside() -> list[int]:
    """Processes of this machine that run a program in a sandbox of ours, or in one that lost its starter."""
    python, found = interpreter().inside, []
    for process in psutil.process_iter(["cmdline", "status"]):
        if (process.info["cmdline"] or [""])[0] != python or process.info["status"] == psutil.STATUS_ZOMBIE:
            continue
        with suppress(psutil.NoSuchProcess):
            above = process.parents()
            elsewhere = any(parent.name() in ("bwrap", "unshare") for parent in above)
            if not elsewhere or os.getpid() in [parent.pid for parent in above]:
                found.append(process.pid)
    return found


def results(ended: Ended) -> list[str]:
    """First words of the lines that `attempt` printed."""
    assert ended.stdout, ended
    return [line.split()[0] for line in ended.stdout.splitlines()]


def test_no_connection_reaches_this_machine_or_another(run: Run) -> None:
    """TCP and UDP to loopback and outside, and every other family of socket, are refused."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        ended = run(f"""
import socket
attempt(lambda: socket.create_connection(("127.0.0.1", {port}), 5))
attempt(lambda: socket.create_connection(("192.0.2.1", 80), 5))
attempt(lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", ("127.0.0.1", {port})))
for family in range(1, 46):
    attempt(lambda: socket.socket(family, socket.SOCK_STREAM))
    attempt(lambda: socket.socket(family, socket.SOCK_RAW))
""")
        listening.setblocking(False)
        with pytest.raises(BlockingIOError):
            listening.accept()
    assert set(results(ended)) == {"REFUSED"}


def test_the_namespace_alone_has_no_network(isolation: Isolation) -> None:
    """Without the filter of system calls, a socket of the sandbox's network still reaches nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        address = listening.getsockname()
        program = (
            f"import socket\ntry: socket.create_connection({address}, 5)\nexcept OSError: print('nothing')"
        )
        tried = subprocess.run(
            [*isolation.command(interpreter()), "-I", "-S", "-c", program],
            capture_output=True,
            text=True,
            timeout=PATIENT,
            check=False,
        )
        listening.setblocking(False)
        with pytest.raises(BlockingIOError):
            listening.accept()
    assert tried.stdout == "nothing\n", tried


def test_no_name_is_resolved(run: Run) -> None:
    """There is no DNS, not even for localhost."""
    ended = run("""
import socket
attempt(lambda: socket.getaddrinfo("example.org", 80))
attempt(lambda: socket.gethostbyname("localhost"))
""")
    assert results(ended) == ["REFUSED", "REFUSED"]


def test_no_unix_socket_of_the_machine_is_reached(run: Run, tmp_path: Path) -> None:
    """Neither one with a path nor one without: nobody is asked."""
    with socket.socket(socket.AF_UNIX) as named, socket.socket(socket.AF_UNIX) as abstract:
        named.bind(str(tmp_path / "s"))
        hidden = f"\0levelfield-test-{os.getpid()}"
        abstract.bind(hidden)
        for listening in (named, abstract):
            listening.listen()
            listening.setblocking(False)
        ended = run(f"""
import socket
for address in ({str(tmp_path / "s")!r}, {hidden!r}):
    attempt(lambda: socket.socket(socket.AF_UNIX).connect(address))
""")
        for listening in (named, abstract):
            with pytest.raises(BlockingIOError):
                listening.accept()
    assert results(ended) == ["REFUSED", "REFUSED"]


def test_a_fork_bomb_stays_small(run: Run) -> None:
    """Never more processes than the limit, whoever forks, and all are gone afterwards."""
    seen: list[int] = []
    watching = True

    def watch() -> None:
        while watching:
            seen.append(len(inside()))
            time.sleep(0.1)

    watcher = Thread(target=watch)
    watcher.start()
    try:
        ended = run(
            """
while True:
    try:
        os.fork()
    except OSError:
        pass
""",
            wall_s=5,
            processes=4,
        )
    finally:
        watching = False
        watcher.join()
    assert ended.how in ("cpu_limit", "wall_limit")
    assert 2 <= max(seen) <= 4 + 2, (
        seen
    )  # the waiting process 1, and one that was just about to become somebody else


def test_threads_count_as_processes(run: Run) -> None:
    """The limit is on both together."""
    ended = run(
        """
import threading, time
started = 0
try:
    while True:
        threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
        started += 1
except RuntimeError:
    print(started, flush=True)
    os._exit(0)
""",
        processes=4,
    )
    assert ended.stdout == "3\n", ended


def test_a_memory_bomb_gets_an_error(run: Run) -> None:
    """Each process has at most its limit, and can still say so."""
    ended = run(
        """
held = []
try:
    while True:
        held.append(bytearray(1 << 20))
except MemoryError:
    got = len(held)
    del held
    print(got)
""",
        memory_bytes=128 * MIB,
    )
    assert 16 < int(ended.stdout) < 128, ended


def test_memory_that_no_limit_counts_is_refused(run: Run) -> None:
    """Memory files, shared memory of the older kind and own file systems in memory."""
    ended = run("""
import ctypes, ctypes.util
libc = ctypes.CDLL(None, use_errno=True)
def call(name, *arguments):
    if getattr(libc, name)(*arguments) == -1:
        raise OSError(ctypes.get_errno(), name)
attempt(lambda: os.memfd_create("more"))
attempt(lambda: call("shmget", 0, ctypes.c_size_t(1 << 30), 0o1600))
attempt(lambda: call("msgget", 0, 0o1600))
attempt(lambda: call("mount", b"tmpfs", b"/scratch", b"tmpfs", ctypes.c_ulong(0), None))
attempt(lambda: call("unshare", 0x10000000))
attempt(lambda: call("syscall", 56 if os.uname().machine == "x86_64" else 220, 0x10000000 | 17, 0, 0, 0, 0))
""")
    assert set(results(ended)) == {"REFUSED"}, ended


def test_nothing_of_the_machine_can_be_read(run: Run, tmp_path: Path) -> None:
    """Neither the users' list nor results, the project, homes, keys or devices are there at all."""
    results_file = tmp_path / "results" / "experiment" / "manifest.json"
    results_file.parent.mkdir(parents=True)
    results_file.write_text(SECRET)
    paths = [
        *(
            "/etc/passwd",
            "/etc/shadow",
            "/etc/hostname",
            "/proc/1/environ",
            "/dev/mem",
            "/sys/kernel",
            "/tmp",
        ),
        *(
            str(results_file),
            str(ROOT / "README.md"),
            str(Path.home() / ".bashrc"),
            str(Path.home() / ".ssh"),
        ),
        *(f"../../..{results_file}", f"/proc/self/root{results_file}"),
    ]
    ended = run(f"""
for path in {paths!r}:
    attempt(lambda: open(path).read())
    attempt(lambda: os.listdir(path))
""")
    assert {tuple(line.split()[:2]) for line in ended.stdout.splitlines()} == {
        ("REFUSED", "FileNotFoundError")
    }
    assert SECRET not in ended.stdout + ended.stderr


def test_all_files_there_are_the_interpreters(run: Run) -> None:
    """What a program can find by walking is Python, the libraries that it loads, and its own folder."""
    ended = run("""
for folder, _, names in os.walk("/"):
    for name in names:
        print(os.path.join(folder, name))
""")
    python = interpreter()
    given = [inside for _, inside in python.binds]
    found = ended.stdout.splitlines()
    assert "/scratch/program.py" in found
    assert not ended.cut
    for path in found:
        assert path == "/scratch/program.py" or any(
            path == there or path.startswith(f"{there}/") for there in given
        )
        assert not any(path.startswith(folder) for folder in python.hidden), path


def test_no_variable_of_ours_is_seen(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """A key in our environment is in none of the places where a program finds variables."""
    monkeypatch.setenv("LEVELFIELD_LLM_API_KEY", SECRET)
    ended = run("""
import ctypes
print(dict(os.environ), sys.argv, sys.orig_argv)
where = ctypes.cast(ctypes.c_void_p.in_dll(ctypes.CDLL(None), "environ").value, ctypes.POINTER(ctypes.c_char_p))
place = 0
while where[place]:
    print(where[place])
    place += 1
attempt(lambda: open("/proc/self/environ").read())
""")
    assert "PYTHONHASHSEED" in ended.stdout
    assert SECRET not in ended.stdout + ended.stderr


def test_nothing_outside_its_folder_can_be_written(run: Run, tmp_path: Path) -> None:
    """Not the root, not the interpreter, not a folder of the machine."""
    victim = tmp_path / "victim"
    victim.write_text("whole")
    python = interpreter()
    folders = ["/", "/etc", "/tmp", "/lib", "/python", python.inside.rpartition("/")[0], *python.hidden]
    ended = run(f"""
for folder in {folders!r}:
    attempt(lambda: open(os.path.join(folder, "new"), "w"))
    attempt(lambda: os.mkdir(os.path.join(folder, "newer")))
for path in ({str(victim)!r}, {python.inside!r}, {python.binds[1][1]!r} + "/os.py"):
    attempt(lambda: open(path, "a"))
    attempt(lambda: os.unlink(path))
    attempt(lambda: os.chmod(path, 0o777))
attempt(lambda: os.chroot("."))
""")
    assert set(results(ended)) == {"REFUSED"}, ended
    assert victim.read_text() == "whole"
    assert not Path("/newer").exists()


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_endless_output_is_cut(run: Run, stream: str) -> None:
    """Not a byte more than the limit is kept."""
    ended = run(f"while True: sys.{stream}.write('x' * 1000)", file_bytes=100_000)
    assert ended.cut
    assert len(getattr(ended, stream)) == 100_000


def test_output_that_is_no_text_is_still_read(run: Run) -> None:
    """Bytes that are no UTF-8 are replaced, and nulls and escapes come through as they are."""
    ended = run(r"sys.stdout.buffer.write(b'\xff\xfe\x00\x1b[31m ok')")
    assert ended.stdout == "��\x00\x1b[31m ok"


def test_its_output_cannot_be_made_larger_afterwards(run: Run) -> None:
    """Seeking, cutting off and mapping standard output stay within the limit."""
    ended = run(
        """
attempt(lambda: os.ftruncate(1, 1 << 40))
attempt(lambda: os.pwrite(1, b"x", 1 << 40))
attempt(lambda: os.posix_fallocate(1, 0, 1 << 40))
attempt(lambda: os.write(0, b"x"))
attempt(lambda: os.ftruncate(0, 0))
""",
        stdin="question",
    )
    assert results(ended) == ["REFUSED"] * 5, ended


@pytest.mark.parametrize(
    "program",
    [
        "while True: pass",
        "import signal; signal.signal(signal.SIGXCPU, signal.SIG_IGN)\nwhile True: pass",
        "while True:\n    try:\n        while True: pass\n    except BaseException: pass",
    ],
    ids=["plain", "deaf", "catching"],
)
def test_an_endless_loop_ends(run: Run, program: str) -> None:
    """By its processor time, whatever it does with signals and exceptions."""
    assert run(program, cpu_s=1).how == "cpu_limit"


def test_a_sleeper_is_ended(run: Run) -> None:
    """By the wall clock, with its children, and what it wrote before is kept."""
    ended = run("print('first', flush=True)\nos.fork()\nimport time; time.sleep(3600)", wall_s=3)
    assert (ended.how, ended.exit_code, ended.stdout) == ("wall_limit", None, "first\n")


def test_a_daemon_does_not_outlive_its_program(run: Run) -> None:
    """A grandchild in its own session, deaf to all signals, is gone with the rest (the fixture looks)."""
    ended = run("""
import signal, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        for number in range(1, 65):
            try:
                signal.signal(number, signal.SIG_IGN)
            except (OSError, ValueError):
                pass
        print("alive", flush=True)
        time.sleep(3600)
    os._exit(0)
os.wait()
time.sleep(0.5)
""")
    assert (ended.how, ended.stdout) == ("exited", "alive\n")


def test_no_signal_leaves(run: Run) -> None:
    """It sees no process of ours; its waiting parent does not hear it and says how it ended."""
    ended = run(f"""
import signal
for number in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL, signal.SIGSTOP, signal.SIGHUP):
    os.kill(os.getppid(), number)
    try:
        os.kill(-1, number) if number != signal.SIGSTOP else None
    except OSError:
        pass
attempt(lambda: os.kill({os.getpid()}, signal.SIGKILL))
sys.exit(7)
""")
    assert (ended.how, ended.exit_code) == ("exited", 7)
    assert results(ended) == ["REFUSED"]


def test_its_own_death_is_told(run: Run) -> None:
    """A program that kills itself ended by that signal, whatever its parent was sent."""
    ended = run("import signal; os.kill(os.getpid(), signal.SIGTERM)")
    assert (ended.how, ended.signal) == ("killed", signal.SIGTERM)


def test_its_files_stay_small(run: Run) -> None:
    """One file, all files together and their number are bounded, holes and folders included."""
    ended = run(
        """
def grow(name):
    with open(name, "wb", buffering=0) as file:
        while True:
            file.write(bytes(10_000))
attempt(lambda: grow("huge"))
print(os.path.getsize("huge"))
attempt(lambda: os.truncate("huge", 1 << 40))
made = 0
try:
    while True:
        open(f"large{made}", "wb").write(bytes(400_000))
        made += 1
except OSError:
    print(made)
for name in os.listdir("."):
    os.unlink(name)
made = 0
try:
    while True:
        os.mkdir(str(made))
        made += 1
except OSError:
    print(made)
""",
        file_bytes=500_000,
        scratch_bytes=2_000_000,
        scratch_files=20,
    )
    refused, size, holes, large, many = ended.stdout.splitlines()
    assert (refused, int(size)) == ("REFUSED OSError 27", 500_000)
    assert holes == "REFUSED OSError 27"
    assert 1 <= int(large) <= 4
    assert 15 <= int(many) <= 21


def test_deep_recursion_ends_the_program_alone(run: Run) -> None:
    """As an error of Python's, or as a crash of the interpreter where the program lifts Python's limit."""
    asked = "def deeper(n): return deeper(n + 1) + 1\n"
    usual = run(f"{asked}deeper(0)")
    assert (usual.how, usual.exit_code) == ("exited", 1)
    assert "RecursionError" in usual.stderr
    crashed = run(
        f"{asked}sys.setrecursionlimit(10 ** 9)\nclass A:\n    def __repr__(self): return repr(self)\nrepr(A())"
    )
    assert crashed.how in ("killed", "cpu_limit") or crashed.exit_code == 1, crashed
    assert crashed.how != "exited" or "Error" in crashed.stderr


def test_links_lead_nowhere(run: Run, tmp_path: Path) -> None:
    """A link out of its folder is one to a place that is not there; what it leaves there nobody follows."""
    (tmp_path / "secret").write_text(SECRET)
    ended = run(f"""
for place, path in enumerate(("/etc/passwd", {str(tmp_path / "secret")!r}, "/proc/1/root", "../../../../etc")):
    os.symlink(path, f"link{{place}}")
    attempt(lambda: open(f"link{{place}}").read())
    attempt(lambda: os.listdir(f"link{{place}}"))
    attempt(lambda: os.link(path, f"hard{{place}}"))
os.unlink("program.py")
os.symlink("/etc/passwd", "program.py")
""")
    assert set(results(ended)) == {"REFUSED"}
    assert ended.exit_code == 0


def test_processes_of_the_machine_are_not_seen(run: Run) -> None:
    """There is no /proc, none can be mounted, and no number up to our own belongs to anybody."""
    program = f"""
import ctypes
attempt(lambda: os.listdir("/proc"))
libc = ctypes.CDLL(None, use_errno=True)
os.mkdir("proc")
print("REFUSED" if libc.mount(b"proc", b"proc", b"proc", ctypes.c_ulong(0), None) else "DONE")
for number in range(3, {os.getpid() + 1}):
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        continue
    print("DONE", number)
"""
    assert set(results(run(program, cpu_s=60))) == {"REFUSED"}  # there may be millions of numbers


def test_no_process_can_be_traced_or_read(run: Run) -> None:
    """Not the one that waits for it, and not its own child either."""
    ended = run("""
import ctypes, signal
libc = ctypes.CDLL(None, use_errno=True)
libc.ptrace.argtypes = [ctypes.c_long] * 4
child = os.fork()
if child == 0:
    signal.pause()
for pid in (1, child):
    for request in (16, 0x4206):
        attempt(lambda: libc.ptrace(request, pid, 0, 0) == 0 or 1 / 0)
    vector = (ctypes.c_size_t * 2)(0, 1)
    attempt(lambda: libc.process_vm_readv(pid, vector, 1, vector, 1, 0) >= 0 or 1 / 0)
    attempt(lambda: libc.syscall(438, os.pidfd_open(pid), 0, 0) >= 0 or 1 / 0)
os.kill(child, signal.SIGKILL)
""")
    assert results(ended) == ["REFUSED"] * 8


def test_no_open_file_of_ours_is_left_to_it(run: Run) -> None:
    """Its three standard streams are all; in particular not the one on which its end is told."""
    ended = run("""
for number in range(3, 64):
    attempt(lambda: os.fstat(number))
""")
    assert results(ended) == ["REFUSED"] * 61


def test_no_privilege_is_left_or_to_be_had(run: Run) -> None:
    """It is an ordinary user without capabilities, and cannot become another."""
    ended = run("""
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
header, data = (ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)()
libc.capget(header, data)
print("REFUSED" if not any(data) and os.geteuid() != 0 else "DONE", list(data))
attempt(lambda: os.setuid(0))
attempt(lambda: os.setgroups([0]))
attempt(lambda: os.nice(-5))
attempt(lambda: __import__("resource").setrlimit(__import__("resource").RLIMIT_NPROC, (1000, 1000)))
""")
    assert results(ended) == ["REFUSED"] * 5, ended


def test_where_nothing_can_isolate_nothing_is_run() -> None:
    """Without bubblewrap and unshare a program is refused, in words that say what to do."""
    tried = subprocess.run(
        [sys.executable, "-c", "from shared.sandbox.run_program import run_program; run_program('print(1)')"],
        env={"PATH": "/nonexistent"},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=PATIENT,
        check=False,
    )
    last = tried.stderr.strip().splitlines()[-1]
    assert last.startswith("shared.errors.SandboxUnavailable: No sandbox can be had on this machine")
    assert "make sandbox" in last
    assert tried.stdout == ""


def test_a_program_ends_in_time_though_nobody_waits(isolation: Isolation) -> None:
    """When the process that started it is killed, its sandbox still ends at the wall limit."""
    program = f"""
from shared.sandbox.isolated_run import run_isolated
from shared.sandbox.isolation import KINDS
from shared.sandbox.limits import Limits
[kind] = [kind for kind in KINDS if kind.name == {isolation.name!r}]
run_isolated(kind, "import time; time.sleep(3600)", "", Limits(wall_s=3))
"""
    deadline = time.monotonic() + PATIENT
    starter = subprocess.Popen([sys.executable, "-c", program], cwd=ROOT)
    try:
        while not inside():
            assert time.monotonic() < deadline, "it never started"
            time.sleep(0.05)
    finally:
        starter.kill()
        starter.wait()
    while inside():
        assert time.monotonic() < deadline, "it outlived its starter"
        time.sleep(0.05)
