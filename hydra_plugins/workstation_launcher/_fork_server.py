"""The process that starts the jobs: it has the application loaded already, and outlives none of them.

A child of the launcher, and the parent of the jobs. Each job is forked from it in milliseconds, before CUDA or any
thread pool has been started; where that cannot work, each job is a new interpreter. When the launcher ends, however
that happens, the pipe to it closes and all jobs are killed.

``multiprocessing``'s own fork server does not fit: its children keep it alive when their parent is killed, a job that
hangs in C code would then never end, and Python 3.11's does not preload the main module.
"""

import contextlib
import importlib
import json
import os
import select
import signal
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Container
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from hydra_plugins.workstation_launcher._pickling import loads

FORK, SPAWN = "fork", "spawn"
_BOOTSTRAP = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]); "
    "from hydra_plugins.workstation_launcher import _fork_server; _fork_server.{main}()"
)


@dataclass(frozen=True)
class Setup:
    """First message to the server."""

    application: bytes
    """A pickled :class:`~hydra_plugins.workstation_launcher._job.Application`."""
    preload: tuple[str, ...]
    start_method: str
    """``auto``, ``fork`` or ``spawn``."""


@dataclass(frozen=True)
class Ready:
    """First answer: how jobs will be started, and why not as asked."""

    start_method: str
    reason: str | None = None
    error: str | None = None
    """Why no job can be started at all."""


@dataclass(frozen=True)
class Start:
    """Start a process for a pickled :class:`~hydra_plugins.workstation_launcher._job.WorkOrder`."""

    token: int
    order: bytes


@dataclass(frozen=True)
class Send:
    """Send a signal to a process; to all of its session if it is SIGKILL."""

    token: int
    signal: int


@dataclass(frozen=True)
class Exited:
    """A process has ended: its exit status, negative for a signal."""

    token: int
    exit_status: int


def command(main: str) -> list[str]:
    """The command line of an interpreter like this one that runs a function of this module."""
    flags = subprocess._args_from_interpreter_flags()  # type: ignore[attr-defined]
    return [sys.executable, *flags, "-c", _BOOTSTRAP.format(main=main), json.dumps(sys.path)]


def serve() -> None:
    """Main function of the server; its end of the pipe is the descriptor in the second argument."""
    descriptor = int(sys.argv[2])
    os.set_inheritable(descriptor, False)
    connection = Connection(descriptor)
    with contextlib.suppress(EOFError, BrokenPipeError, ConnectionResetError):
        setup: Setup = connection.recv()
        server = _Server(connection, setup)
        connection.send(server.prepare())
        server.loop()
    # The launcher waits for this end, and taking down an interpreter that has loaded PyTorch takes a second.
    os._exit(0)


class _Server:
    def __init__(self, connection: Connection, setup: Setup) -> None:
        self._connection, self._setup = connection, setup
        self._application: Any = None
        self._start_method = SPAWN
        self._tokens: dict[int, int] = {}  # process to token
        self._wake, wake_up = os.pipe()
        for end in (self._wake, wake_up):
            os.set_blocking(end, False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(wake_up, warn_on_full_buffer=False)
        _adopt_orphans()

    def prepare(self) -> Ready:
        """Load the application, and find out whether it can be forked."""
        if self._setup.start_method == SPAWN:
            return Ready(SPAWN)
        if sys.platform != "linux":
            return Ready(SPAWN, reason=f"forking is not safe on {sys.platform}")
        try:
            self._application = _load(self._setup)
        except BaseException as error:
            traceback.print_exc()
            return Ready(FORK, error=f"{type(error).__name__}: {error}")
        reason = _cannot_fork()
        if reason is None:
            self._start_method = FORK
        return Ready(self._start_method, reason=reason)

    def loop(self) -> None:
        """Serve until the launcher is gone, then kill what it left."""
        try:
            files: list[Any] = [self._connection, self._wake]
            while True:
                readable, _, _ = select.select(files, [], [])
                if self._wake in readable:
                    os.read(self._wake, 4096)
                    self._report_ended()
                if self._connection in readable:
                    self._obey(self._connection.recv())
        finally:
            self._kill_all()

    def _obey(self, message: Start | Send) -> None:
        if isinstance(message, Start):
            start = self._fork if self._start_method == FORK else self._spawn
            self._tokens[start(message.order)] = message.token
            return
        for process, token in self._tokens.items():
            if token == message.token:
                _signal(process, message.signal)

    def _fork(self, order: bytes) -> int:
        process = os.fork()
        if process:
            return process
        # In the job. Nothing may return from here into the server's loop.
        exit_status = 1
        try:
            signal.set_wakeup_fd(-1)
            self._connection.close()
            os.close(self._wake)
            exit_status = _work(self._application, order)
        except BaseException:
            traceback.print_exc()
        finally:
            _leave(exit_status)
        raise AssertionError("unreachable: a job's process ends in _leave")

    def _spawn(self, order: bytes) -> int:
        with tempfile.TemporaryFile() as contents:
            for content in (self._setup.application, order):
                contents.write(len(content).to_bytes(8, "big") + content)
            contents.seek(0)
            process = subprocess.Popen(command("work_alone"), stdin=contents, start_new_session=True, close_fds=False)
        process.returncode = 0  # this server waits for it, not Popen
        return process.pid

    def _report_ended(self) -> None:
        while (ended := _reap(self._tokens)) is not None:
            process, status = ended
            token = self._tokens.pop(process, None)
            if token is not None:
                self._connection.send(Exited(token, os.waitstatus_to_exitcode(status)))

    def _kill_all(self) -> None:
        for process in self._tokens:
            _signal(process, signal.SIGKILL)
        # Children of killed jobs, in whatever session they are, become this process's.
        deadline = time.monotonic() + 5
        while time.monotonic() < deadline:
            for process in _children():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(process, signal.SIGKILL)
            try:
                os.waitpid(-1, 0)
            except ChildProcessError:
                return


def work_alone() -> None:
    """Main function of a job that is not forked: application and order come through standard input."""
    from hydra_plugins.workstation_launcher import _job

    _job.enter_job_process()
    contents = [sys.stdin.buffer.read(int.from_bytes(sys.stdin.buffer.read(8), "big")) for _ in range(2)]
    order: _job.WorkOrder = loads(contents[1])
    os.environ.update(order.environment)  # before the application is loaded, which may start CUDA
    application: _job.Application = loads(contents[0])
    application.install()
    sys.exit(_job.work(application, order))


def _load(setup: Setup) -> Any:
    for module in setup.preload:
        importlib.import_module(module)
    application = loads(setup.application)
    application.install()
    return application


def _cannot_fork() -> str | None:
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_initialized():
        return "the application starts CUDA when it is imported"
    if threading.active_count() > 1:
        return "the application starts threads when it is imported"
    return None


def _work(application: Any, order: bytes) -> int:
    from hydra_plugins.workstation_launcher import _job

    _job.enter_job_process()
    return _job.work(application, loads(order))


def _leave(exit_status: int) -> None:
    """End a forked job as an interpreter ends, without taking down what it shares with the server."""
    import atexit

    with contextlib.suppress(BaseException):
        threading._shutdown()  # type: ignore[attr-defined]
        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(exit_status)


def _signal(process: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(process, number)
    if number == signal.SIGKILL:
        # Its session, which it does not have in its first moments.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process, number)


def _adopt_orphans() -> None:
    if sys.platform == "linux":
        import ctypes

        set_child_subreaper = 36  # PR_SET_CHILD_SUBREAPER of linux/prctl.h
        ctypes.CDLL(None).prctl(set_child_subreaper, 1)


def _reap(jobs: Container[int]) -> tuple[int, int] | None:
    """A child that has ended, and its wait status; what a job started and did not wait for is killed with it."""
    try:
        if not hasattr(os, "waitid"):  # macOS
            process, status = os.waitpid(-1, os.WNOHANG)
            if process in jobs:
                _signal(process, signal.SIGKILL)
            return (process, status) if process else None
        ended = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        if ended is None:
            return None
        # While it has not been waited for, the number of its session cannot be given to another.
        if ended.si_pid in jobs:
            _signal(ended.si_pid, signal.SIGKILL)
        return os.waitpid(ended.si_pid, 0)
    except ChildProcessError:
        return None


def _children() -> list[int]:
    try:
        listing = Path(f"/proc/self/task/{os.getpid()}/children").read_text(encoding="ascii")
    except OSError:
        return []
    return [int(process) for process in listing.split()]
