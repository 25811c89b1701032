"""What can be chosen with ``group=option``: from the catalogues, from ``conf/``, and a user's own studies."""

from functools import lru_cache
from pathlib import Path

from rnn_mnist.configuration import schema
from rnn_mnist.configuration.studies import GROUP, OWN, study_names

_PACKAGE = Path(__file__).parent.parent
CONFIG_DIR = next(path for path in (_PACKAGE / "conf", _PACKAGE.parent / "conf") if path.is_dir())
"""``conf/``: inside the package in a wheel, beside it in a checkout."""


def options(group: str, config_dir: Path | None = None) -> list[str]:
    """What can be chosen with ``group=...``: the catalogue's members, or the files of a folder but those for others."""
    if group in schema.SELECTORS:
        return list(schema.options(group))
    return study_names(study_folders(config_dir) if group == GROUP else [CONFIG_DIR / group])


def study_folders(config_dir: Path | None) -> tuple[Path, ...]:
    """Where studies lie, in the order in which Hydra searches them."""
    return (CONFIG_DIR / GROUP, *([] if config_dir is None else [config_dir / GROUP]), OWN)


def groups_and_options(config_dir: Path | None) -> str:
    """For ``--help``, whose own list has the schema and the files that others are built from as well."""
    return "\n".join(f"{group}: {', '.join(options(group, config_dir))}" for group in groups())


@lru_cache(maxsize=1)
def groups() -> list[str]:
    """The groups in which something can be chosen."""
    return [*schema.SELECTORS, *(path.name for path in sorted(CONFIG_DIR.iterdir()) if options(path.name))]
