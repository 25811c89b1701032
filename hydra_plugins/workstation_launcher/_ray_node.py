"""What Ray runs on a node for a job: a keeper, in a process of Ray's that takes one job after another."""

import dataclasses
import os
import socket
from collections.abc import Mapping

from hydra_plugins.workstation_launcher._keeper import Keeper, own_record
from hydra_plugins.workstation_launcher._messages import Report, Start
from hydra_plugins.workstation_launcher._new_interpreter import Content
from hydra_plugins.workstation_launcher._pickling import loads
from hydra_plugins.workstation_launcher._records import State

_OF_A_NODE = ("RAY_", "CUDA_VISIBLE_DEVICES", "HOSTNAME", "TMPDIR")
"""Beginnings of variables that are the node's own."""


def run(content: bytes, start: bytes, variables: Mapping[str, str], folder: str) -> tuple[int, str | None, bytes]:
    """Run a job to its end.

    Args:
        content: what its process is to have; as the next, a pickle that came through Ray.
        start: its order.
        variables: the environment of the launching process.
        folder: where that stands.

    Returns:
        The exit status, why it died if it did, and the report's pickle.
    """
    os.environ.update({name: value for name, value in variables.items() if not name.startswith(_OF_A_NODE)})
    os.chdir(folder)
    application: Content = loads(content)
    order: Start = loads(start)
    found = own_record(order.order.directory, order.order.status.attempt_id)
    if found is None:
        return 1, "it was not started: its record is another attempt's, or cannot be seen on its node", Report().dumps()
    keeper = Keeper(application, order, dataclasses.replace(found, host=socket.gethostname()))
    ended = keeper.run()
    cause = ended.error if ended.died else None
    return 0 if ended.state == State.completed else 1, cause, keeper.report.dumps()
