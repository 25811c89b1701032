"""What Slurm starts on a node: the keeper of one job of an array."""

import dataclasses
import os
import signal
import sys
from pathlib import Path

from hydra_plugins.workstation_launcher._disk import EXIT_STATUS
from hydra_plugins.workstation_launcher._keeper import Keeper, own_record
from hydra_plugins.workstation_launcher._orders import ForeignOrderError, read_order
from hydra_plugins.workstation_launcher._records import State, Status
from hydra_plugins.workstation_launcher._slurm_queue import PlaceError, requeue

WARNING = signal.SIGUSR2
"""What Slurm sends some time before the time limit: stop, for you will be started again."""


def main() -> None:
    """Main function of the batch script; the arguments are the batch's folder, its digest and how often to requeue."""
    folder, digest, requeues = Path(sys.argv[2]), sys.argv[3], int(sys.argv[4])
    told: list[int] = []
    keeper: Keeper | None = None

    def tell(number: int, _: object) -> None:
        told.append(number)
        if keeper is not None:
            keeper.stop()

    for number in (WARNING, signal.SIGTERM):
        signal.signal(number, tell)
    try:
        content, start = read_order(folder, digest, int(os.environ["SLURM_ARRAY_TASK_ID"]))
    except (ForeignOrderError, OSError) as error:
        sys.exit(f"this job was not started: {error}")
    name = f"{os.environ['SLURM_ARRAY_JOB_ID']}_{os.environ['SLURM_ARRAY_TASK_ID']}"
    restarts = int(os.environ.get("SLURM_RESTART_COUNT", "0"))
    found = own_record(start.order.directory, start.order.status.attempt_id)
    if found is None:
        sys.exit(f"this job was not started: the record in {start.order.directory} is another attempt's, or has ended")
    status = dataclasses.replace(
        found,
        attempts=start.order.status.attempts + restarts,
        host=os.environ.get("SLURMD_NODENAME") or os.uname().nodename,
        place="slurm",
        place_job=f"slurm {name}",
        error=None,
        died=False,
    )
    try:
        keeper = Keeper(content, start, status)
        if told:
            keeper.stop()
        ended = keeper.run()
        if ended.state == State.interrupted and WARNING in told and restarts < requeues:
            _put_back(ended, start.order.directory, name)
            return
    except OSError as error:
        print(f"{error.filename}: {error.strerror or error}", file=sys.stderr)
        sys.exit(EXIT_STATUS)
    sys.exit(0 if ended.state == State.completed else 1)


def _put_back(status: Status, directory: Path, name: str) -> None:
    """Requeue this job. From then on it may be killed at any moment."""
    error, status.state, status.error = status.error, State.queued, None
    status.write(directory)
    try:
        requeue(name)
    except PlaceError as refused:
        status.state, status.error = State.interrupted, f"{error}; it could not be requeued: {refused}"
        status.write(directory)
        sys.exit(1)
    signal.pause()  # Slurm ends it
