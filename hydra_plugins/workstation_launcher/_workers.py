"""The launcher's end of the pipe to the process that starts the jobs."""

import contextlib
import os
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

from hydra.errors import CompactHydraException
from omegaconf import DictConfig

from hydra_plugins.workstation_launcher._messages import Exited, Ready, Refuse, Send, Start, WorkOrder
from hydra_plugins.workstation_launcher._pickling import UnpicklableError, dumps_or_explain
from hydra_plugins.workstation_launcher._processes import (
    adopt_orphans,
    children,
    kill_children,
    send_signal,
    session_of,
)
from hydra_plugins.workstation_launcher._records import Status
from hydra_plugins.workstation_launcher._server_start import Birth, Setup, start_server

_KILL_SECONDS = 10.0


class ApplicationError(CompactHydraException):
    """The application's jobs cannot have processes of their own."""


class Workers:
    """This machine, as a place for jobs: starts processes for them, and says when they end.

    Its server is kept from one batch of a sweep to the next.
    """

    name = "workstation"
    queues = False
    outlives = False
    _servers: ClassVar[set[int]] = set()
    """The servers of this process that live."""

    def __init__(self, setup: Setup, birth: Birth) -> None:
        """``birth`` is how jobs shall find things; nothing is started before :meth:`opened`."""
        self._setup, self._birth = setup, birth
        self._not_ours = children()
        self.reports, self.progress = _pipe()
        """The ends of the pipe for what jobs report of themselves."""
        self._pipe: socket.socket | None = None
        self._server = 0
        self._running: set[int] = set()
        self._ready: Ready | None = None

    def opened(self) -> "Workers":
        """Start the server, if none is there; it loads what is to be preloaded while the caller goes on.

        Raises:
            ApplicationError: if it cannot be started.
        """
        if self._server == 0:
            self._ready = None
            self._running.clear()
            adopt_orphans()
            try:
                self._server, self._connection = start_server(self._setup, self._birth, self.reports, self.progress)
            except UnpicklableError as error:
                raise ApplicationError(str(error)) from None
            except OSError as error:
                raise ApplicationError(f"no process can be started for the jobs: {error.strerror or error}") from None
            self._servers.add(self._server)
        return self

    def wait_until_ready(self) -> Ready:
        """How jobs are started; waits for the application to be loaded.

        Raises:
            ApplicationError: if it cannot be loaded.
        """
        if self._ready is None:
            try:
                ready: Ready = self._connection.recv()
            except (EOFError, OSError):
                ready = Ready(error="the process that loads it was killed")
            if ready.error is not None:
                raise ApplicationError(
                    f"the application cannot be loaded in another process: {ready.error}; "
                    "hydra/launcher=basic runs the jobs in this one"
                )
            self._ready = ready
        return self._ready

    def fileno(self) -> int:
        """For ``select``: readable when :meth:`news` has something to say."""
        return self._connection.fileno()

    def start(self, token: int, order: WorkOrder, config: DictConfig) -> None:
        """Start a process for a job.

        Raises:
            OSError: if the server is gone.
        """
        by_value = self._ready is not None and self._ready.main_by_value
        message: Start | Refuse
        try:
            message = Start(token, order, dumps_or_explain(config, "its configuration", main_by_value=by_value))
        except UnpicklableError as error:
            message = Refuse(token, str(error))
        self._running.add(token)
        self._connection.send(message)

    def send_signal(self, token: int, number: int) -> None:
        """Send a signal to the process of a token, if it still runs.

        Raises:
            OSError: if the server is gone.
        """
        self._connection.send(Send(token, number))

    def submit(self) -> Mapping[int, str]:
        """Nothing waits here: a job begins when it is started."""
        return {}

    def release(self) -> None:
        """Nothing waits here."""

    def adopt(self, token: int, number: int, status: Status, directory: Path) -> None:
        """No job outlives the command that started it.

        Raises:
            NotImplementedError: always.
        """
        raise NotImplementedError

    def news(self) -> list[Exited]:
        """The processes that have ended since.

        Raises:
            EOFError: if the server is gone, and all its jobs with it.
        """
        exits: list[Exited] = []
        try:
            while self._connection.poll():
                exits.append(self._connection.recv())
        except (EOFError, OSError):
            if not exits:
                raise EOFError from None
        self._running.difference_update(each.token for each in exits)
        return exits

    def close(self) -> None:
        """Kill what still runs. A server that has nothing to do is kept until :meth:`end`."""
        if self._running or self._ready is None or self._server_is_gone():
            self._stop()

    def end(self) -> None:
        """End the server; nothing can be started after that."""
        self._stop()
        for descriptor in (self.reports, self.progress):
            with contextlib.suppress(OSError):
                os.close(descriptor)
        self.reports = self.progress = -1

    def _server_is_gone(self) -> bool:
        with contextlib.suppress(EOFError, OSError):
            if not self._connection.poll():
                return False
        return True

    def _stop(self) -> None:
        """End the server, which kills what still runs, and make sure that nothing of it is left."""
        if self._server == 0:
            return
        with contextlib.suppress(OSError), socket.socket(fileno=os.dup(self._connection.fileno())) as pipe:
            pipe.shutdown(socket.SHUT_RDWR)  # whoever else has a copy of this end
        self._connection.close()
        if self._ready is None:
            send_signal(self._server, 9)  # it is loading, and no job runs
        with contextlib.suppress(ChildProcessError):
            os.waitpid(self._server, 0)
        self._servers.discard(self._server)
        self._server = 0
        # If it was killed, what was below it has come to this process, whose own children share its session.
        session = os.getsid(0)
        kill_children(
            lambda process: (
                process not in self._not_ours
                and process not in self._servers
                and session_of(process) not in (session, None)
            ),
            _KILL_SECONDS,
        )
        if not self._servers:
            adopt_orphans(adopt=False)


def _pipe() -> tuple[int, int]:
    ends = os.pipe()
    for end in ends:
        os.set_blocking(end, False)
    return ends
