"""A Hydra launcher for one workstation: jobs side by side on its GPUs or cores, contained, resumable, in view.

    python app.py -m hydra/launcher=workstation learning_rate=0.1,0.01,0.001

Any Hydra application can use it; docs/launcher.md describes it. The modules whose names begin with an underscore are
left alone by Hydra's search for plugins, which would run the others a second time and so double their classes.
"""

from hydra_plugins.workstation_launcher._atomic_files import remove_leftovers, write_atomically, write_json
from hydra_plugins.workstation_launcher._declared_options import (
    checked,
    configuration_field,
    described,
    flag,
    option,
    register_node,
    table_of,
)
from hydra_plugins.workstation_launcher._devices import available_cores
from hydra_plugins.workstation_launcher._failures import already_shown
from hydra_plugins.workstation_launcher._names import directory_name, override_key, readable, without
from hydra_plugins.workstation_launcher._options import described_options, option_called
from hydra_plugins.workstation_launcher._progress import in_job, report
from hydra_plugins.workstation_launcher._records import State, Status, new_status, typed_command

__all__ = [
    "State",
    "Status",
    "already_shown",
    "available_cores",
    "checked",
    "configuration_field",
    "described",
    "described_options",
    "directory_name",
    "flag",
    "in_job",
    "new_status",
    "option",
    "option_called",
    "override_key",
    "readable",
    "register_node",
    "remove_leftovers",
    "report",
    "table_of",
    "typed_command",
    "without",
    "write_atomically",
    "write_json",
]
