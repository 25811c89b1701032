"""What happens in the process of a job: its environment, its output, the app's task function, its record."""

import contextlib
import dataclasses
import errno
import faulthandler
import io
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hydra.core.utils import JobReturn, JobStatus, run_job
from hydra.types import HydraContext, TaskFunction

from hydra_plugins.workstation_launcher._disk import EXIT_STATUS
from hydra_plugins.workstation_launcher._failures import in_one_line
from hydra_plugins.workstation_launcher._hydra_internals import failure
from hydra_plugins.workstation_launcher._messages import Report, WorkOrder
from hydra_plugins.workstation_launcher._pickling import dumps, loads
from hydra_plugins.workstation_launcher._processes import adopt_orphans, die_with_parent
from hydra_plugins.workstation_launcher._progress import ANSWER, ANSWERS, DESCRIPTOR, Pruned
from hydra_plugins.workstation_launcher._records import OUTPUT, State, Status

Handlers = Mapping[int, Any]
"""Signals, and what the application has made of them."""

HEEDED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD)
_DISK_ERRORS = {
    errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM, errno.EIO, errno.ENOENT, errno.ENOTDIR,
    errno.ESTALE,
}  # fmt: skip
_LONGEST_VALUE = 1 << 24  # bytes; what is longer belongs into a file
_FORMER_FAILURE = ".failure.pickle"


@dataclass(frozen=True)
class Application:
    """What all jobs of a sweep have in common."""

    task_function: TaskFunction
    hydra_context: HydraContext


def enter_job_process(handlers: Handlers) -> None:
    """Make this process a job's: with a session and all of its descendants for its own, and gone when its parent is."""
    if os.getpid() != os.getsid(0):
        os.setsid()
    die_with_parent()
    adopt_orphans()
    for number, handler in handlers.items():
        if number != signal.SIGINT and handler is not None:
            signal.signal(number, handler)


def work(order: WorkOrder, config: bytes, load: Callable[[], Application], handlers: Handlers, report_to: int) -> int:
    """Do a job, and keep its record.

    Args:
        order: the job.
        config: its ``DictConfig`` with its ``hydra`` node, in which all directories are settled, as a pickle.
        load: what makes the application; what it raises is the job's failure.
        handlers: the application's own, for signals.
        report_to: file descriptor for the report.

    Returns:
        The exit status for this process: 0 if the job was completed, 75 if its record could not be kept.
    """
    process, begun = os.getpid(), time.monotonic()
    directory = order.directory.absolute()  # wherever the task goes
    report, status = Report(), dataclasses.replace(order.status, pid=process)
    os.environ.update(order.environment)
    os.environ[DESCRIPTOR] = f"{order.progress}:{order.number}"
    os.environ.pop(ANSWERS, None)
    if order.is_heard:
        os.environ[ANSWERS] = str(directory)
    try:
        _begin(directory, status)
        ended = _call(order, config, load, handlers)
        if os.getpid() != process:
            return _status_of_child(ended)  # the task has forked, and its child came back here: it is no job
        _conclude(status, ended, report)
        status.seconds = round(time.monotonic() - begun, 3)
        status.write(directory)
    except OSError as error:
        report.trouble = f"{error.filename or directory}: {error.strerror or error}"
        print(report.trouble, file=sys.stderr)
        return EXIT_STATUS if error.errno in _DISK_ERRORS else 1
    finally:
        if os.getpid() == process:
            with open(report_to, "wb", closefd=False) as file:
                file.write(report.dumps())
    return 0 if status.state == State.completed else 1


def _begin(directory: Path, status: Status) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    _redirect_output(directory / OUTPUT)
    faulthandler.enable(file=2)
    # A job that is stopped for hanging first writes where it hangs.
    faulthandler.register(signal.SIGUSR1, file=2, all_threads=True)
    status.write(directory)
    for name in (_FORMER_FAILURE, ANSWER):
        (directory / name).unlink(missing_ok=True)


def _redirect_output(path: Path) -> None:
    """Have what this process prints in a file, whatever the application has put in the place of its streams."""
    streams = [stream for stream in (sys.stdout, sys.stderr) if stream is not None]
    descriptors = {1, 2}
    for stream in streams:
        with contextlib.suppress(Exception):
            stream.flush()
        with contextlib.suppress(Exception):  # one without a descriptor, or with a file of its own
            if any(os.path.sameopenfile(stream.fileno(), standard) for standard in (1, 2)):
                descriptors.add(stream.fileno())
    output = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
    for descriptor in descriptors:
        os.dup2(output, descriptor)
    if output not in descriptors:
        os.close(output)
    for stream in streams:
        if isinstance(stream, io.TextIOWrapper) and stream.errors == "strict":
            stream.reconfigure(errors="backslashreplace")  # a log in ASCII is no reason for a job to fail


def _call(
    order: WorkOrder, config: bytes, load: Callable[[], Application], handlers: Handlers
) -> JobReturn | BaseException:
    """What Hydra makes of the job, or what is raised around it."""
    # Ctrl-C of the sweep comes as SIGINT, and the app sees a KeyboardInterrupt unless it has asked for something else.
    own = handlers.get(signal.SIGINT)
    signal.signal(signal.SIGINT, own if callable(own) and own != signal.SIG_IGN else signal.default_int_handler)
    try:
        application = load()
        if order.threads is not None and "torch" in sys.modules:
            # OMP_NUM_THREADS is read when the library is loaded, which may have been before this process was begun.
            sys.modules["torch"].set_num_threads(order.threads)
        result: JobReturn = run_job(
            hydra_context=application.hydra_context,
            task_function=application.task_function,
            config=loads(config),
            job_dir_key="hydra.sweep.dir",
            job_subdir_key="hydra.sweep.subdir",
        )
        # What is done is done: an interruption that comes now must not undo it.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    except BaseException as error:
        return error
    return result


def _conclude(status: Status, ended: JobReturn | BaseException, report: Report) -> None:
    """Put into the record how the job has ended, and into the report what the sweeper is to have of it."""
    error = ended
    if isinstance(ended, JobReturn):
        if ended.status == JobStatus.COMPLETED and not _is_pruned(ended.return_value):
            _keep_value(status, ended.return_value, report)
            status.finish(State.completed)
            return
        error = failure(ended)
        if _is_pruned(error):
            status.finish(
                State.pruned, " ".join(str(error).split()) if isinstance(error, Pruned) and str(error) else "pruned"
            )
            return
        # An exception that cannot be pickled stays what the record says of it.
        with contextlib.suppress(Exception):
            report.failure = dumps(dataclasses.replace(ended, cfg=None, hydra_cfg=None))
    assert isinstance(error, BaseException)
    code = error.code if isinstance(error, SystemExit) else None
    said = f"SystemExit: {code}" if isinstance(error, SystemExit) else in_one_line(error)
    if isinstance(error, KeyboardInterrupt):
        status.finish(State.interrupted, "interrupted")
    elif any(isinstance(each, KeyboardInterrupt) for each in _chain(error)):
        # What a task does to clean up may fail, and that is what its user must know.
        status.finish(State.interrupted, "interrupted" if code in (0, 130) else f"interrupted; then {said}")
    elif isinstance(error, SystemExit) and code in (None, 0):
        status.finish(State.completed)
        return
    else:
        status.finish(State.failed, said)
    if not isinstance(error, KeyboardInterrupt | SystemExit):
        traceback.print_exception(error)


def _is_pruned(value: Any) -> bool:
    """Whether the task has raised or returned that it ends early."""
    return isinstance(value, Pruned) or value is Pruned


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The exceptions in whose handling others were raised, the last first."""
    seen: set[int] = set()
    waiting: list[BaseException | None] = [error]
    while waiting:
        each = waiting.pop()
        if each is not None and id(each) not in seen:
            seen.add(id(each))
            yield each
            waiting += [each.__cause__, each.__context__]


def _keep_value(status: Status, value: Any, report: Report) -> None:
    """Keep what the task returned; whatever that is, it costs nobody the job."""
    if status.set_value(value):
        return
    try:
        content = dumps(value)
        report.value = content if len(content) <= _LONGEST_VALUE else None
    except Exception as error:
        _warn(report, f"what the task returned ({type(value).__name__}) cannot be given to the sweeper: {error}")


def _warn(report: Report, line: str) -> None:
    print(f"warning: {line}", file=sys.stderr)
    report.said.append(f"warning: {line}")


def _status_of_child(ended: JobReturn | BaseException) -> int:
    """The exit status that a process forked by the task would have had under Hydra alone."""
    error = failure(ended) if isinstance(ended, JobReturn) and ended.status == JobStatus.FAILED else ended
    if isinstance(error, SystemExit):
        if isinstance(error.code, int | None):
            return error.code or 0
        print(error.code, file=sys.stderr)
        return 1
    if isinstance(error, BaseException):
        traceback.print_exception(error)
        return 1
    return 0
