"""What an application has its say in: the functions that the launcher's options name."""

import contextlib
import hashlib
import logging
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from hydra.types import TaskFunction
from hydra.utils import get_method
from omegaconf import DictConfig

from hydra_plugins.workstation_launcher._failures import in_one_line
from hydra_plugins.workstation_launcher._forecast import Expect
from hydra_plugins.workstation_launcher._git_version import git_version
from hydra_plugins.workstation_launcher._options import Options
from hydra_plugins.workstation_launcher._patience import Patience
from hydra_plugins.workstation_launcher._sweep import Job

log = logging.getLogger("hydra_plugins.workstation_launcher")


class Hooks:
    """The functions of one application, each called in the launching process."""

    def __init__(self, options: Options, task_function: TaskFunction) -> None:
        """``task_function`` is the application's own, whose code is what runs."""
        self._options, self._task_function = options, task_function

    def check(self, jobs: Sequence[Job], *, with_each: Callable[[Job], object]) -> None:
        """Have the app say what is amiss with the jobs that are to run, while nothing of them is written.

        ``with_each`` asks the app for more of a job, whose configuration need not be made twice then.
        """
        path, patience = self._options.check_job, Patience()
        check: Callable[[DictConfig], None] | None = None if path is None else get_method(path)
        for number, job in enumerate(jobs):
            if job.is_to_run:
                if check is not None:
                    check(job.config)
                with_each(job)
            patience.told("checked %d of %d jobs", number, len(jobs))

    def code_version(self) -> str | None:
        """What tells the code that runs now from other code; None if nothing does."""
        if self._options.code_version is not None:
            describe: Callable[[], str] = get_method(self._options.code_version)
            return str(describe())
        source = getattr(sys.modules.get(self._task_function.__module__), "__file__", None)
        if source is None:
            return None
        return git_version(Path(source)) or _file_version(Path(source))

    def is_whole(self, directory: Path, identities: tuple[str, ...], *, unless_said: bool = False) -> bool:
        """What the application says of a completed job's results, or ``unless_said`` where its function fails."""
        if self._options.completed is None:
            return True
        try:
            return bool(get_method(self._options.completed)(directory, identities))
        except FileNotFoundError:
            return False  # a file that it looks into
        except (Exception, SystemExit) as error:
            self._warn_of("completed", error)
            return unless_said

    def tell_of_taking(self, config: DictConfig, source: Path, directory: Path) -> None:
        """Let the app put its mark on a job that is taken over; what it raises keeps the job from being taken."""
        if self._options.on_job_taken is not None:
            get_method(self._options.on_job_taken)(config, source, directory)

    def explain_twins(self, jobs: list[Job]) -> None:
        """Say of each job that is another again what makes it so."""
        for job in jobs:
            if job.twin is None:
                continue
            differing = sorted(set(job.overrides) ^ set(job.twin.overrides))
            job.same_because = f"{' and '.join(differing)} makes no difference" if differing else "given twice"
            if self._options.same_because is not None:
                try:
                    said = str(get_method(self._options.same_because)(job.config, job.twin.config))
                    job.same_because = said or job.same_because
                except (Exception, SystemExit) as error:
                    self._warn_of("same_because", error)

    def expectation(self) -> Expect | None:
        """How long the app expects a job to take, if it says."""
        path = self._options.expected_seconds
        if path is None:
            return None
        expect: Expect = get_method(path)
        return expect

    def call(self, name: str, *arguments: Any) -> None:
        """Call the function that an option names, if it does; whatever it raises is a warning, ``SystemExit`` too.

        Raises:
            KeyboardInterrupt: on Ctrl-C.
        """
        path = getattr(self._options, name)
        if path is None:
            return
        try:
            get_method(path)(*arguments)
        except BaseException as error:
            # Ctrl-C comes to the main thread only.
            if isinstance(error, KeyboardInterrupt) and threading.current_thread() is threading.main_thread():
                raise
            # The runs are what matters; a hook can be repeated.
            self._warn_of(name, error)

    def load_end(self) -> None:
        """Import what ``on_sweep_end`` needs; what is wrong with it is said when it is called."""
        if self._options.on_sweep_end is not None:
            with contextlib.suppress(Exception):
                get_method(self._options.on_sweep_end)

    def end_is_interrupted(self, directory: Path) -> bool:
        """Call ``on_sweep_end``, and say whether Ctrl-C kept it from its end."""
        try:
            self.call("on_sweep_end", directory)
        except KeyboardInterrupt:
            return True
        return False

    def _warn_of(self, hook: str, error: BaseException) -> None:
        path = getattr(self._options, hook)
        log.warning("warning: hydra.launcher.%s=%s: %s", hook, path, in_one_line(error))


def _file_version(path: Path) -> str | None:
    """Of code outside of a repository; with its name, for two programs in a folder may share much of their code."""
    try:
        return f"{path.name} {hashlib.sha256(path.read_bytes()).hexdigest()[:12]}"
    except OSError:  # a module within an archive
        return None
