"""Which room may import which: the arrows run one way, and stop at what a room has made public.

catalogues -> configuration -> data, network -> training -> train      runs -> analysis -> commands, scripts
"""

import ast
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from graphlib import TopologicalSorter
from importlib.util import resolve_name
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY

# A room, and the rooms (or single modules of theirs) that it may import besides itself; a module belongs to the longest
# name here that it starts with. A new arrow is a decision: it is written here, and no way may lead back along it.
_ALLOWED = {
    "hydra_plugins": "",
    "rnn_mnist.errors": "",
    "rnn_mnist.typesetting": "",
    "rnn_mnist.tables": "typesetting",
    "rnn_mnist.characters": "",
    "rnn_mnist.ctrl_c": "",
    "rnn_mnist.shell": "characters ctrl_c errors",
    "rnn_mnist.catalogues": "errors",
    "rnn_mnist.configuration": "catalogues errors hydra_plugins",
    "rnn_mnist.data": "configuration catalogues errors hydra_plugins",
    "rnn_mnist.network": "configuration catalogues errors",
    "rnn_mnist.explain": "network data configuration catalogues errors tables typesetting shell",
    "rnn_mnist.runs": "configuration catalogues errors hydra_plugins",
    "rnn_mnist.training": "network data runs configuration catalogues errors hydra_plugins",
    "rnn_mnist.before_run": "task runs configuration",
    "rnn_mnist.task": "training data.files data.readiness runs configuration catalogues errors hydra_plugins",
    "rnn_mnist.train": "task training runs configuration ctrl_c errors shell hydra_plugins",
    # What a sweep looks like and says afterwards: from the files of its runs, and never by way of torch.
    "rnn_mnist.analysis": "",
    "rnn_mnist.analysis.reading": "runs configuration catalogues errors hydra_plugins",
    "rnn_mnist.analysis.statistics": "analysis.reading data.files runs configuration catalogues errors",
    "rnn_mnist.analysis.plots": "analysis.statistics analysis.reading data.files runs configuration catalogues errors",
    "rnn_mnist.sweep_end": "analysis training.trackers runs catalogues errors",
    "rnn_mnist.analysis.report": "analysis.plots analysis.statistics analysis.reading runs configuration catalogues "
    "errors tables",
}
ROOMS = {
    name: [part if part == "hydra_plugins" else f"rnn_mnist.{part}" for part in allowed.split()]
    for name, allowed in _ALLOWED.items()
}
# Doors may open any room, and no room opens a door: the package itself with its API, the commands, the scripts.
DOORS = ("rnn_mnist", "rnn_mnist.commands", "scripts")
ROOMS |= {door: ["rnn_mnist", "hydra_plugins"] for door in DOORS}

WITHOUT_TORCH = """
import importlib, sys

class NoTorch:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("torch", "torchvision"):
            raise ImportError(f"{name} is not to be imported here")

sys.meta_path.insert(0, NoTorch())
for module in sys.argv[1:]:
    importlib.import_module(module)
"""


@dataclass(frozen=True)
class Import:
    """``importer`` imports the module ``imported``, or ``name`` from it."""

    importer: str
    imported: str
    name: str | None

    def __str__(self) -> str:
        """``a imports b.c``."""
        return f"{self.importer} imports {self.imported}{f'.{self.name}' if self.name else ''}"


def module_name(path: Path) -> str:
    return ".".join(path.relative_to(REPOSITORY).with_suffix("").parts).removesuffix(".__init__")


MODULES = {
    module_name(path): path
    for folder in ("rnn_mnist", "hydra_plugins", "scripts")
    for path in sorted((REPOSITORY / folder).rglob("*.py"))
}


def read_imports(module: str) -> Iterator[Import]:
    """All imports of ours that stand in a module, wherever in it."""
    path = MODULES[module]
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found: list[tuple[str, str | None]] = [(alias.name, None) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            origin = resolve_name("." * node.level + (node.module or ""), package)
            found = [
                (f"{origin}.{alias.name}", None) if f"{origin}.{alias.name}" in MODULES else (origin, alias.name)
                for alias in node.names
            ]
        else:
            continue
        for imported, name in found:
            # The benchmark's modules import each other as a script's neighbours do.
            imported = f"scripts.{imported}" if f"scripts.{imported}" in MODULES else imported
            if imported.partition(".")[0] in ("rnn_mnist", "hydra_plugins", "scripts"):
                yield Import(module, imported, name)


IMPORTS = [found for module in MODULES for found in read_imports(module)]


def lies_in(module: str, place: str) -> bool:
    return f"{module}.".startswith(f"{place}.")


def room(module: str) -> str:
    return max((name for name in ROOMS if lies_in(module, name)), key=len)


def test_every_module_is_in_a_room() -> None:
    assert len(MODULES) > 100
    homeless = [module for module in MODULES if room(module) == "rnn_mnist" and module.count(".") > 1]
    assert not homeless, f"a new room needs a line in ROOMS: {homeless}"


@pytest.mark.parametrize("name", ROOMS)
def test_imports_run_one_way(name: str) -> None:
    wrong = [
        str(found)
        for found in IMPORTS
        if room(found.importer) == name
        and room(found.imported) != name
        and not any(lies_in(found.imported, allowed) for allowed in ROOMS[name])
    ]
    assert not wrong


def test_no_way_leads_back() -> None:
    rooms = {name: {room(allowed) for allowed in ROOMS[name]} for name in ROOMS if name not in DOORS}
    assert len(list(TopologicalSorter(rooms).static_order())) == len(rooms)
    assert not [name for name, allowed in rooms.items() if allowed & set(DOORS)]


def test_no_room_imports_what_is_private_to_another() -> None:
    assert not [
        str(found)
        for found in IMPORTS
        if room(found.importer) != room(found.imported)
        and any(
            part.startswith("_") and not part.startswith("__") for part in f"{found.imported}.{found.name}".split(".")
        )
    ]


def test_analysis_and_what_it_stands_on_do_without_torch() -> None:
    torch_free = ("rnn_mnist.analysis", "rnn_mnist.catalogues", "rnn_mnist.configuration", "rnn_mnist.runs")
    modules = [module for module in MODULES if any(lies_in(module, name) for name in torch_free)]
    modules += ["rnn_mnist", "rnn_mnist.train", "rnn_mnist.data.files"]
    child = subprocess.run(
        [sys.executable, "-c", WITHOUT_TORCH, *modules], cwd=REPOSITORY, capture_output=True, text=True, check=False
    )
    assert child.returncode == 0, child.stderr


@pytest.mark.parametrize(
    ("line", "wrong"),
    [
        ("from rnn_mnist.training import trainer", "rnn_mnist.training.trainer"),
        ("from rnn_mnist.training.trainer import Trainer", "rnn_mnist.training.trainer.Trainer"),
        ("import rnn_mnist.training.trainer as t", "rnn_mnist.training.trainer"),
        ("def f():\n    from ..training import trainer", "rnn_mnist.training.trainer"),
    ],
)
def test_an_arrow_back_is_seen(line: str, wrong: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "classifier.py"
    path.write_text(line)
    monkeypatch.setitem(MODULES, "rnn_mnist.network.classifier", path)
    (found,) = read_imports("rnn_mnist.network.classifier")
    assert str(found) == f"rnn_mnist.network.classifier imports {wrong}"
    assert not any(lies_in(found.imported, allowed) for allowed in ROOMS["rnn_mnist.network"])
