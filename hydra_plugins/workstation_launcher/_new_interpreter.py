"""Jobs in interpreters of their own, for applications that cannot be forked, and the server that starts those.

The main module is executed in each as ``multiprocessing`` does it for its own processes: under the name
``__mp_main__``, so that what is under ``if __name__ == "__main__":`` is left out, and known as ``__main__`` as well.
"""

import contextlib
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from multiprocessing import spawn
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from hydra.core.singleton import Singleton
from hydra.core.utils import setup_globals

from hydra_plugins.workstation_launcher import _job
from hydra_plugins.workstation_launcher._fork_server import Server, memory_file
from hydra_plugins.workstation_launcher._messages import Ready, Start
from hydra_plugins.workstation_launcher._pickling import dumps, dumps_or_explain, loads

_BOOTSTRAP = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]); "
    "from hydra_plugins.workstation_launcher import {module}; {module}.{main}()"
)


_becoming_main: list[bool] = []


def is_becoming_main() -> bool:
    """Whether this process is a job's, and executes the main module to become like the launching one."""
    return bool(_becoming_main)


@dataclass(frozen=True)
class Content:
    """What an interpreter needs to become one of the application's, as pickles."""

    preparation: bytes
    """Of the interpreter, for ``multiprocessing.spawn.prepare``, and its command."""
    application: bytes
    """The application, and the state of Hydra's singletons and OmegaConf's resolvers."""
    main_by_value: bool
    """Whether it has no main module that could be executed."""


def content_of(application: _job.Application) -> Content:
    """Of this process.

    Raises:
        UnpicklableError: if a part of it cannot be sent to another process.
    """
    known = spawn.get_preparation_data("job")
    wanted = ("sys_path", "dir", "orig_dir", "init_main_from_name", "init_main_from_path")
    preparation = {key: known[key] for key in wanted if key in known}
    main_by_value = not _executes_main(preparation)
    if main_by_value:
        preparation.pop("init_main_from_path", None)
    named = {
        "the task function": application.task_function,
        "Hydra's callbacks": application.hydra_context.callbacks,
        "Hydra's loader of configurations": application.hydra_context.config_loader,
        "the state of Hydra's singletons and OmegaConf's resolvers": Singleton.get_state(),
    }
    try:
        pickled = dumps((application, named[list(named)[-1]]), main_by_value=main_by_value)
    except Exception:
        for name, part in named.items():
            dumps_or_explain(part, name, main_by_value=main_by_value)
        raise
    return Content(dumps((preparation, sys.argv, sys.orig_argv)), pickled, main_by_value)


def _executes_main(preparation: dict[str, Any]) -> bool:
    """Whether ``multiprocessing`` would. That of a package or an archive need not have a guard, and is left alone."""
    name, path = preparation.get("init_main_from_name"), preparation.get("init_main_from_path")
    return (path is not None and Path(path).is_file()) or (
        name is not None and name != "__main__" and not name.endswith(".__main__")
    )


def command(main: str, module: str = "_new_interpreter") -> list[str]:
    """The command line of an interpreter like this one that runs a function of a module of this package."""
    flags = subprocess._args_from_interpreter_flags()  # type: ignore[attr-defined]
    path = json.dumps([os.fspath(entry) for entry in sys.path])
    return [sys.executable, *flags, "-c", _BOOTSTRAP.format(main=main, module=module), path]


def serve() -> None:
    """Main function of the server; its end of the pipe and what it holds are descriptors in its arguments."""
    descriptors = [int(argument) for argument in sys.argv[2:]]
    for descriptor in descriptors:
        os.set_inheritable(descriptor, False)
    connection = Connection(descriptors[0])
    with contextlib.suppress(EOFError, OSError):
        content, reason = connection.recv()
        connection.send(Ready(reason, content.main_by_value))
        Server(connection, descriptors[1:]).serve(Spawning(content))
    # The launcher waits for this end.
    os._exit(0)


class Spawning:
    """Starts new interpreters."""

    def __init__(self, content: Content, main: str = "work_alone", module: str = "_new_interpreter") -> None:
        """``content``: what each of them is to have; ``main``: the function that is theirs, of which module."""
        self._content, self.main_by_value = content, content.main_by_value
        self._command = command(main, module)

    def start(self, message: Start, report_to: int) -> int:
        """Start one."""
        descriptor = memory_file()
        with os.fdopen(descriptor, "w+b") as contents:
            for content in (dumps(message.order), message.config, self._content.preparation, self._content.application):
                contents.write(len(content).to_bytes(8, "big") + content)
            contents.seek(0)
            process = subprocess.Popen(
                [*self._command, str(report_to)], stdin=contents, start_new_session=True, close_fds=False
            )
        process.returncode = 0  # this server waits for it, not Popen
        return process.pid


def work_alone() -> None:
    """Main function of a job that is not forked: what it needs comes through standard input."""
    _job.enter_job_process({})
    contents = [sys.stdin.buffer.read(int.from_bytes(sys.stdin.buffer.read(8), "big")) for _ in range(4)]
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)
    order, config, preparation, application = loads(contents[0]), *contents[1:]
    sys.exit(_job.work(order, config, lambda: _loaded(preparation, application), {}, int(sys.argv[2])))


def _loaded(preparation: bytes, application: bytes) -> _job.Application:
    """Make this process one in which Hydra can run the application's jobs."""
    prepared, sys.argv, sys.orig_argv = loads(preparation)
    _becoming_main.append(True)
    try:
        spawn.prepare(prepared)
    except SystemExit as error:  # as hydra.main ends, and said why
        raise ImportError(
            "the main module ends the process when it is imported, as a job in a new interpreter does: "
            'keep the call of the task function under if __name__ == "__main__":'
        ) from error
    finally:
        _becoming_main.clear()
    loaded: _job.Application
    loaded, singletons = loads(application)
    setup_globals()
    Singleton.set_state(singletons)
    return loaded
