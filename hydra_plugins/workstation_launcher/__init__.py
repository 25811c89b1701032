"""A Hydra launcher for one workstation: jobs side by side on its GPUs or cores, contained, resumable, in view.

    python app.py -m hydra/launcher=workstation learning_rate=0.1,0.01,0.001

Any Hydra application can use it; docs/launcher.md describes it. The modules whose names begin with an underscore are
left alone by Hydra's search for plugins, which would run the others a second time and so double their classes.
"""

from hydra_plugins.workstation_launcher import _schemas as schemas
from hydra_plugins.workstation_launcher._atomic_files import remove_leftovers, write_atomically, write_json
from hydra_plugins.workstation_launcher._declared_options import (
    checked,
    configuration_node,
    described,
    flag,
    option,
    register_node,
    table_of,
)
from hydra_plugins.workstation_launcher._devices import available_cores, sees_gpus
from hydra_plugins.workstation_launcher._failures import already_shown
from hydra_plugins.workstation_launcher._held import live_jobs
from hydra_plugins.workstation_launcher._lock import process_is_gone
from hydra_plugins.workstation_launcher._names import directory_name, override_key, readable, without
from hydra_plugins.workstation_launcher._options import check_function, described_options, option_called
from hydra_plugins.workstation_launcher._output import can_show_live, console, contained, let_go
from hydra_plugins.workstation_launcher._plain_files import (
    NotPlainError,
    is_inside,
    open_plain,
    read_object,
    read_plain,
    set_aside,
)
from hydra_plugins.workstation_launcher._progress import Pruned, in_job, report, report_value
from hydra_plugins.workstation_launcher._records import State, Status, new_status, typed_command
from hydra_plugins.workstation_launcher._stream import JobStream

__all__ = [
    "JobStream",
    "NotPlainError",
    "Pruned",
    "State",
    "Status",
    "already_shown",
    "available_cores",
    "can_show_live",
    "check_function",
    "checked",
    "configuration_node",
    "console",
    "contained",
    "described",
    "described_options",
    "directory_name",
    "flag",
    "in_job",
    "is_inside",
    "let_go",
    "live_jobs",
    "new_status",
    "open_plain",
    "option",
    "option_called",
    "override_key",
    "process_is_gone",
    "read_object",
    "read_plain",
    "readable",
    "register_node",
    "remove_leftovers",
    "report",
    "report_value",
    "schemas",
    "sees_gpus",
    "set_aside",
    "table_of",
    "typed_command",
    "without",
    "write_atomically",
    "write_json",
]
