"""How the server (``_fork_server``) comes into being: as a fork of this process, or as a new interpreter."""

import contextlib
import os
import random
import signal
import socket
import subprocess
import sys
import traceback
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, NoReturn

from hydra_plugins.workstation_launcher._devices import THREAD_VARIABLES
from hydra_plugins.workstation_launcher._fork_server import serve_forked
from hydra_plugins.workstation_launcher._job import HEEDED, Application, Handlers
from hydra_plugins.workstation_launcher._leaving import flush_streams
from hydra_plugins.workstation_launcher._messages import FORK, SPAWN
from hydra_plugins.workstation_launcher._new_interpreter import Content, Spawning, command, content_of
from hydra_plugins.workstation_launcher._pickling import UnpicklableError
from hydra_plugins.workstation_launcher._processes import why_not_to_fork


@dataclass(frozen=True)
class Setup:
    """What all jobs of a sweep need."""

    application: Application
    preload: tuple[str, ...]
    start_method: str
    """``auto``, ``fork`` or ``spawn``."""
    threads: int | None
    """CPU threads of each job; None leaves the environment as it is."""
    lock: Path | None = None
    """The file by which this process keeps others out; it stays locked until the last job is gone."""

    def variables(self) -> dict[str, str]:
        """What is added to the environment of jobs, before libraries are loaded that heed it."""
        if self.threads is None:
            return {}
        return {name: str(self.threads) for name in THREAD_VARIABLES if name not in os.environ}


@dataclass(frozen=True)
class Birth:
    """How the launching process stood before it began to show the sweep and to heed signals itself."""

    handlers: Handlers
    streams: tuple[Any, Any]
    """Standard output and error."""
    random_state: Any
    """Of Python's generator, which every fork seeds anew."""

    @classmethod
    def here(cls) -> "Birth":
        """Of this process, as it stands now."""
        return cls({number: signal.getsignal(number) for number in HEEDED}, (sys.stdout, sys.stderr), random.getstate())


def start_server(setup: Setup, birth: Birth, reports: int, progress: int) -> tuple[int, Connection]:
    """Start the server.

    Args:
        setup: what it is to have.
        birth: how its jobs are to find things.
        reports: end of a pipe that is this process's alone.
        progress: end of a pipe that is for jobs.

    Returns:
        The process, and the pipe to it.

    Raises:
        UnpicklableError: if the application would have to be sent to new interpreters and cannot be.
        OSError: if the system allows of no more processes.
    """
    _fill_standard_descriptors()
    with _copies(descriptors_of(setup.lock)) as held:
        if setup.start_method == SPAWN:
            return _execute(setup, progress, held, None)
        forced = setup.start_method == FORK
        reason = f"forking is not safe on {sys.platform}" if sys.platform != "linux" else why_not_to_fork(forced=forced)
        if reason is not None:
            return _execute(setup, progress, held, reason)
        return _fork(setup, birth, reports, progress, held)


def _fork(setup: Setup, birth: Birth, reports: int, progress: int, held: Sequence[int]) -> tuple[int, Connection]:
    ours, theirs = socket.socketpair()
    flush_streams()
    process = os.fork()
    if process == 0:
        for descriptor in (ours.detach(), reports):
            os.close(descriptor)
        _serve(Connection(theirs.detach()), setup, birth, progress, held)
    theirs.close()
    return process, Connection(ours.detach())


def _serve(connection: Connection, setup: Setup, birth: Birth, progress: int, held: Sequence[int]) -> NoReturn:
    """In the fork. Nothing may return from here into the application."""

    def in_new_interpreters(reason: str) -> Spawning:
        os.set_inheritable(progress, True)
        return Spawning(_content(setup, reason))

    try:
        random.setstate(birth.random_state)
        sys.stdout, sys.stderr = birth.streams
        os.environ.update(setup.variables())
        with contextlib.suppress(EOFError, OSError):
            serve_forked(
                connection,
                setup.application,
                birth.handlers,
                preload=setup.preload,
                forced=setup.start_method == FORK,
                held=list({*held, *descriptors_of(setup.lock)}),
                in_new_interpreters=in_new_interpreters,
            )
    except BaseException:
        traceback.print_exc()
    finally:
        # The launcher waits for this end, and taking down an interpreter that has loaded PyTorch takes a second.
        os._exit(0)
    raise AssertionError("unreachable: the process has ended")


def _execute(setup: Setup, progress: int, held: Sequence[int], reason: str | None) -> tuple[int, Connection]:
    content = _content(setup, reason)
    ours, theirs = socket.socketpair()
    with theirs:
        process = subprocess.Popen(
            [*command("serve"), *map(str, [theirs.fileno(), *held])],
            stdin=subprocess.DEVNULL,
            env=os.environ | setup.variables(),
            pass_fds=(theirs.fileno(), progress, *held),
            start_new_session=True,
        )
    process.returncode = 0  # others wait for it
    connection = Connection(ours.detach())
    connection.send((content, reason))
    return process.pid, connection


def _content(setup: Setup, reason: str | None) -> Content:
    try:
        return content_of(setup.application)
    except UnpicklableError as error:
        because = f" (each job needs a new interpreter, because {reason})" if reason else ""
        ways = "hydra/launcher=basic does" if reason else "hydra.launcher.start_method=fork and hydra/launcher=basic do"
        raise UnpicklableError(f"{error}{because}; {ways} without") from error


@contextlib.contextmanager
def _copies(descriptors: Sequence[int]) -> Iterator[list[int]]:
    """Copies of descriptors, for a library may close in a fork those that it knows of."""
    copies = [os.dup(descriptor) for descriptor in descriptors]
    try:
        yield copies
    finally:
        for descriptor in copies:
            os.close(descriptor)


def descriptors_of(path: Path | None) -> list[int]:
    """Those of this process that a file is open under."""
    found: list[int] = []
    if path is None:
        return found
    wanted = path.stat()
    for name in os.listdir("/dev/fd"):  # noqa: PTH208 - names are enough
        with contextlib.suppress(OSError):
            if os.path.samestat(os.fstat(int(name)), wanted):
                found.append(int(name))
    return found


def _fill_standard_descriptors() -> None:
    """Open those that are closed, lest something else gets their numbers that a job then prints into."""
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= 2:  # up to standard error
        os.set_inheritable(descriptor, True)
    os.close(descriptor)
