"""The launcher's end of the pipe to the process that starts the jobs."""

import os
import socket
import subprocess
from multiprocessing.connection import Connection

from hydra.errors import CompactHydraException

from hydra_plugins.workstation_launcher._devices import THREAD_VARIABLES
from hydra_plugins.workstation_launcher._fork_server import Exited, Ready, Send, Setup, Start, command


class ApplicationError(CompactHydraException):
    """The application cannot be loaded in another process."""


class Workers:
    """Starts processes for jobs, and says when they end."""

    def __init__(self, setup: Setup, threads: int | None) -> None:
        """Start the server; it loads the application while the caller goes on.

        Args:
            setup: what the server needs.
            threads: CPU threads of each job; None leaves the environment as it is.
        """
        environment = dict(os.environ)
        if threads is not None:
            environment |= {name: str(threads) for name in THREAD_VARIABLES if name not in environment}
        readable, self.progress = os.pipe()
        os.set_blocking(self.progress, False)
        os.set_blocking(readable, False)
        self.reports = readable
        """Read end of the progress pipe."""
        ours, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(
                [*command("serve"), str(theirs.fileno())],
                stdin=subprocess.DEVNULL,
                env=environment,
                pass_fds=(theirs.fileno(), self.progress),
                start_new_session=True,
            )
        self._connection = Connection(ours.detach())
        self._connection.send(setup)
        self._ready: Ready | None = None

    def wait_until_ready(self) -> Ready:
        """How jobs are started; waits for the application to be loaded.

        Raises:
            ApplicationError: if it cannot be loaded.
        """
        if self._ready is None:
            try:
                self._ready = self._connection.recv()
            except (EOFError, ConnectionResetError):
                self._ready = Ready("", error=f"the process that loads it ended with status {self._process.wait()}")
            if self._ready.error is not None:
                raise ApplicationError(
                    f"the application cannot be loaded in another process: {self._ready.error}; "
                    "hydra/launcher=basic runs the jobs in this one"
                )
        return self._ready

    def fileno(self) -> int:
        """For ``select``: readable when :meth:`ended` has something to say."""
        return self._connection.fileno()

    def start(self, token: int, order: bytes) -> None:
        """Start a process for a pickled work order.

        Raises:
            OSError: if the server is gone.
        """
        self._connection.send(Start(token, order))

    def send_signal(self, token: int, number: int) -> None:
        """Send a signal to the process of a token, if it still runs."""
        self._connection.send(Send(token, number))

    def ended(self) -> list[Exited]:
        """The processes that have ended since.

        Raises:
            EOFError: if the server is gone, and all its jobs with it.
        """
        exits: list[Exited] = []
        try:
            while self._connection.poll():
                exits.append(self._connection.recv())
        except (EOFError, ConnectionResetError):
            if not exits:
                raise EOFError from None
        return exits

    def close(self) -> None:
        """End the server, which kills what still runs."""
        self._connection.close()
        os.close(self.progress)
        os.close(self.reports)
        if self._ready is None:
            self._process.kill()  # it is loading, and no job runs
        self._process.wait()
