"""``${job_directory:}``, for ``hydra.sweep.subdir`` and ``hydra.run.dir``."""

import inspect
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from hydra_plugins.workstation_launcher._identity import as_identities, job_identities
from hydra_plugins.workstation_launcher._names import directory_name, safe_identifier


def register_resolver() -> None:
    """Make the resolver known to OmegaConf.

    ``${job_directory:}`` is the job's overrides and its fingerprint. ``${job_directory:IDENTITY}`` has an identity of
    the app's own instead, or a list that begins with it and goes on with those that the job had earlier, and
    ``${job_directory:IDENTITY,PARENT}`` is the name that a directory of one of them already has in the folder PARENT,
    however the job is spelled this time.
    """

    def resolve(identity: str | Sequence[str] | None = None, parent: str | None = None, *, _root_: DictConfig) -> str:
        options: Any = OmegaConf.select(_root_, "hydra.launcher") or {}
        if identity is None:
            identities = job_identities(_root_, options.get("identity"), options.get("not_identity") or ())
        else:
            identities = as_identities(identity)
        identifiers = [safe_identifier(each) for each in identities]
        if parent is not None and Path(parent).is_dir():
            for identifier in identifiers:
                for existing in sorted(Path(parent).glob(f"*__{identifier}")):
                    return existing.name
        return directory_name(identifiers[0], _root_.hydra.overrides.task, leave_out=options.get("not_in_names") or ())

    # OmegaConf 2.4 gives the function the name that once belonged to another.
    renamed = "replace" in inspect.signature(OmegaConf.register_resolver).parameters
    register: Any = OmegaConf.register_resolver if renamed else OmegaConf.register_new_resolver
    register("job_directory", resolve, replace=True)
