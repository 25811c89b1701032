"""The process that starts the jobs: it has the application loaded already, and outlives none of them.

A child of the launcher, and the parent of the jobs. It is a fork of the launching process, as that stands when Hydra
calls its launcher: all that the application has done until then is done in each job too, as it would be under Hydra's
basic launcher. Each job is forked from it in milliseconds, before CUDA or any thread pool has been started. Where that
cannot work, it is a new interpreter, and so is each job (``_new_interpreter``). When the launcher ends, however that
happens, all jobs are killed.

``multiprocessing``'s own fork server does not fit: its children keep it alive when their parent is killed, a job that
hangs in C code would then never end, and Python 3.11's does not preload the main module.
"""

import contextlib
import errno
import importlib
import os
import select
import signal
import traceback
from collections.abc import Callable, Iterable
from multiprocessing.connection import Connection
from typing import Any, NoReturn, Protocol

from hydra_plugins.workstation_launcher import _job
from hydra_plugins.workstation_launcher._disk import EXIT_STATUS
from hydra_plugins.workstation_launcher._leaving import Leaving, disown
from hydra_plugins.workstation_launcher._messages import Exited, Ready, Refuse, Report, Send, Start, report_in
from hydra_plugins.workstation_launcher._processes import (
    adopt_orphans,
    children,
    kill_children,
    reap,
    send_signal,
    why_not_to_fork,
)
from hydra_plugins.workstation_launcher._random_state import RandomState

_PARENT_SECONDS = 1.0
"""How soon the end of the launcher is seen where a copy of its end of the pipe keeps that from telling."""
_KILL_SECONDS = 10.0


class Starter(Protocol):
    """How processes for jobs are started."""

    main_by_value: bool
    """Whether they have no main module that could be executed."""

    def start(self, message: Start, report_to: int) -> int:
        """Start one; its number is returned."""


class Server:
    """Starts processes, signals them, and says when they end."""

    def __init__(self, connection: Connection, held: Iterable[int] = ()) -> None:
        """``held``: descriptors that stay open until the last job is gone, and are not for jobs."""
        self._connection, self._held = connection, list(held)
        self._launcher = os.getppid()
        self._tokens: dict[int, int] = {}  # process to token
        self._reports: dict[int, int] = {}  # process to descriptor
        self._wake, self._wake_up = os.pipe()
        for end in (self._wake, self._wake_up):
            os.set_blocking(end, False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(self._wake_up, warn_on_full_buffer=False)
        adopt_orphans()

    @property
    def descriptors(self) -> list[int]:
        """Those that are this process's alone."""
        return [self._connection.fileno(), self._wake, self._wake_up, *self._held]

    def serve(self, starter: Starter) -> None:
        """Serve until the launcher is gone, then kill what it left."""
        self._starter = starter
        self._own = children()  # of the application's modules
        files: list[Any] = [self._connection, self._wake]
        try:
            while os.getppid() == self._launcher:
                readable, _, _ = select.select(files, [], [], _PARENT_SECONDS)
                if self._wake in readable:
                    os.read(self._wake, 4096)
                    self._report_ended()
                if self._connection in readable:
                    self._obey(self._connection.recv())
        finally:
            kill_children(lambda _: True, _KILL_SECONDS)

    def _obey(self, message: Start | Send | Refuse) -> None:
        if isinstance(message, Start):
            self._start(message)
        elif isinstance(message, Refuse):
            self._connection.send(Exited(message.token, 1, refused=message.reason))
        else:
            for process, token in self._tokens.items():
                if token == message.token:
                    send_signal(process, message.signal)

    def _start(self, message: Start) -> None:
        try:
            report = memory_file()
            try:
                process = self._starter.start(message, report)
            except BaseException:
                os.close(report)
                raise
        except OSError as error:
            reason = f"no process could be started for it: {error.strerror or error}"
            if error.errno == errno.EAGAIN:
                reason += " (the limit of processes)"
            self._connection.send(Exited(message.token, EXIT_STATUS, refused=reason))
            return
        self._tokens[process], self._reports[process] = message.token, report

    def _report_ended(self) -> None:
        while (ended := reap(self._tokens)) is not None:
            process, status = ended
            # What a job has left behind comes to this process, and what that leaves, when its turn has come.
            for child in children() - self._tokens.keys() - self._own:
                send_signal(child, signal.SIGKILL)
            token = self._tokens.pop(process, None)
            if token is not None:
                report = self._read_report(self._reports.pop(process))
                self._connection.send(Exited(token, os.waitstatus_to_exitcode(status), report))

    def _read_report(self, descriptor: int) -> Report:
        with os.fdopen(descriptor, "rb") as file:
            file.seek(0)
            return report_in(file.read())


def serve_forked(
    connection: Connection,
    application: _job.Application,
    handlers: _job.Handlers,
    *,
    preload: Iterable[str],
    forced: bool,
    held: Iterable[int],
    in_new_interpreters: Callable[[str], Starter],
) -> None:
    """What the server does in a fork of the launching process.

    Args:
        connection: to the launcher.
        application: the one that is there.
        handlers: the application's own, for signals.
        preload: modules to be imported here.
        forced: whether to fork although there are threads of Python's.
        held: see :class:`Server`.
        in_new_interpreters: makes what starts jobs if they cannot be forked, for the reason that it is given.
    """
    os.setsid()
    _without_terminal()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
    server = Server(connection, held)
    starter: Starter
    try:
        for module in preload:
            importlib.import_module(module)
        reason = why_not_to_fork(forced=forced)
        starter = _Forking(application, handlers, server.descriptors) if reason is None else in_new_interpreters(reason)
    except BaseException as error:
        traceback.print_exc()
        connection.send(Ready(error=f"{type(error).__name__}: {error}"))
        return
    connection.send(Ready(reason, starter.main_by_value))
    server.serve(starter)


class _Forking:
    """Forks this process."""

    main_by_value = False

    def __init__(self, application: _job.Application, handlers: _job.Handlers, closed: list[int]) -> None:
        self._application, self._handlers, self._closed = application, handlers, closed
        self._random = RandomState()
        self._files = disown()

    def start(self, message: Start, report_to: int) -> int:
        process = os.fork()
        if process == 0:
            self._run(message, report_to)
        return process

    def _run(self, message: Start, report_to: int) -> NoReturn:
        # In the job. Nothing may return from here into the server's loop.
        exit_status = 1
        try:
            leaving = Leaving(self._files)
            signal.set_wakeup_fd(-1)
            for descriptor in self._closed:
                os.close(descriptor)
            _job.enter_job_process(self._handlers)
            self._random.restore()
            exit_status = _job.work(message.order, message.config, lambda: self._application, self._handlers, report_to)
        except BaseException:
            traceback.print_exc()
        finally:
            try:
                leaving.leave(exit_status)
            finally:
                os._exit(exit_status)
        raise AssertionError("unreachable: a job's process ends in leave")


def memory_file() -> int:
    """A descriptor for a file that is on no disk, which may be full."""
    if hasattr(os, "memfd_create"):
        descriptor = os.memfd_create("report")
    else:  # macOS
        import tempfile

        with tempfile.TemporaryFile() as file:
            descriptor = os.dup(file.fileno())
    os.set_inheritable(descriptor, True)
    return descriptor


def _without_terminal() -> None:
    with contextlib.suppress(OSError):
        null = os.open(os.devnull, os.O_RDONLY)
        os.dup2(null, 0)
        if null:
            os.close(null)
