"""``resolve.json``: the plan of a sweep, written before its first run, and what each look has found since."""

import json
import shutil
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from hydra_plugins.resolve_sweeper import PLAN
from hydra_plugins.resolve_sweeper._decision import Design
from hydra_plugins.resolve_sweeper._grid import Grid
from hydra_plugins.resolve_sweeper._options import Options, ResolveError
from hydra_plugins.resolve_sweeper._sequential import SPENDING
from hydra_plugins.workstation_launcher import read_object, remove_leftovers, write_json

SCHEMA_VERSION = 1
_MOST_DIFFERENCES = 4


def make_plan(grid: Grid, design: Design, options: Options, config: DictConfig) -> dict[str, Any]:
    """All that a sweep's answer depends on, as JSON has it.

    Args:
        grid: with its references.
        design: as the options have it.
        options: of the sweeper.
        config: the application's, as composed without the factors; what of it changes makes other runs.
    """
    plan = {
        "factors": {factor.key: list(factor.levels) for factor in grid.factors},
        "reference": {factor.key: factor.levels[factor.reference] for factor in grid.factors},
        "family": [[contrast.label, contrast.reference] for contrast in grid.contrasts],
        "filter": options.filter,
        "margin": design.margin,
        "alpha": design.alpha,
        "spending": SPENDING,
        "looks": list(design.looks),
        "max_seeds": options.max_seeds,
        "seed_key": options.seed_key,
        "first_seed": options.first_seed,
        "measure": options.measure,
        "unit": options.unit,
        "higher_is_better": options.higher_is_better,
        "configuration": {key: value for key, value in _flat(config) if key not in ("hydra", options.seed_key)},
    }
    plain: dict[str, Any] = json.loads(json.dumps(plan, default=str))
    return plain


class Record:
    """The file, in the directory of its sweep."""

    def __init__(self, directory: Path, plan: Mapping[str, Any]) -> None:
        """Read what is there; nothing is written.

        Raises:
            ResolveError: if another plan is, or a file that cannot be read.
        """
        self.path = directory / PLAN
        self._directory_was_there = directory.exists()
        found = _read(self.path)
        self.is_new = found is None
        self._content = found or {"schema_version": SCHEMA_VERSION, "created": _now(), "plan": dict(plan), "looks": []}
        differences = list(_differences(self._content["plan"], plan))
        if differences:
            more = len(differences) - _MOST_DIFFERENCES
            shown = differences[:_MOST_DIFFERENCES] + ([f"and {more} more"] if more > 0 else [])
            raise ResolveError(
                f"{self.path}: this sweep was planned otherwise, and its looks are not those of another plan: "
                f"{'; '.join(shown)}; give the command as it was, or another hydra.sweep.dir"
            )

    @property
    def looks(self) -> list[dict[str, Any]]:
        """What each look has found, from the first."""
        looks: list[dict[str, Any]] = self._content["looks"]
        return looks

    def write_plan(self) -> None:
        """Write a plan that is new, whole or not at all.

        One that is there may belong to a command that is at work, which alone knows what it has found.

        Raises:
            OSError: if the folder cannot be written.
        """
        if self.is_new and not self.path.exists():
            self._write()

    def _write(self) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        remove_leftovers(self.path)
        write_json(self.path, self._content)

    def add(self, look: Mapping[str, Any]) -> None:
        """Keep what a look has found."""
        self.looks.append({**look, "ended": _now()})
        self._write()

    def discard_unless_started(self) -> None:
        """Leave nothing of a new sweep none of whose runs was started."""
        folder = self.path.parent
        if not self.is_new or not folder.is_dir():
            return
        if {path.name for path in folder.iterdir()} <= {PLAN, "multirun.yaml", ".lock"}:
            self.path.unlink(missing_ok=True)
            if not self._directory_was_there:
                shutil.rmtree(folder)


def _read(path: Path) -> dict[str, Any] | None:
    try:
        content: Any = read_object(path)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ResolveError(f"{path}: cannot be read: {error.strerror}") from None
    except ValueError:
        content = None
    types = {"schema_version": int, "plan": dict, "looks": list}
    if not isinstance(content, dict) or not all(isinstance(content.get(key), kind) for key, kind in types.items()):
        raise ResolveError(f"{path}: not a plan that this sweeper can read; delete it to begin anew")
    if content["schema_version"] > SCHEMA_VERSION:
        raise ResolveError(f"{path}: written by a newer version of the sweeper; update it")
    return content


def _differences(there: Mapping[str, Any], here: Mapping[str, Any]) -> Iterator[str]:
    for key in {**there, **here}:
        if key == "family":  # follows from the factors and the references
            continue
        one, other = there.get(key), here.get(key)
        if isinstance(one, dict) and isinstance(other, dict):
            for inner in {**one, **other}:
                if one.get(inner, "none") != other.get(inner, "none"):
                    name = f"{key} of {inner}" if key != "configuration" else inner
                    yield f"{name} {_text(one.get(inner, 'none'))} there, {_text(other.get(inner, 'none'))} here"
        elif one != other:
            yield f"{key} {_text(one)} there, {_text(other)} here"


def _text(value: Any) -> str:
    if isinstance(value, list):
        return ",".join(map(str, value))
    return value if isinstance(value, str) else json.dumps(value)


def _flat(config: DictConfig) -> Iterator[tuple[str, Any]]:
    """Dotted keys and values, as they are written: an interpolation may depend on the machine and the time."""
    content = OmegaConf.to_container(config, resolve=False, enum_to_str=True)

    def walk(values: dict[Any, Any], prefix: str) -> Iterator[tuple[str, Any]]:
        for key, value in values.items():
            if not prefix and key == "hydra":
                continue
            if isinstance(value, dict) and value:
                yield from walk(value, f"{prefix}{key}.")
            else:
                yield f"{prefix}{key}", value

    assert isinstance(content, dict)
    yield from walk(content, "")


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
