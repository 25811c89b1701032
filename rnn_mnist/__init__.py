"""What does each parameter of a recurrent network do? A Hydra sweep harness over PyTorch's modules on MNIST.

The Python API is here, one function for each thing that the commands do::

    from rnn_mnist import compose, train, sweep, load_runs, summarize, compare, importance, plot, report, explain
    from rnn_mnist import load_model, read_digit

Each is imported when it is first asked for, so that reading results needs no PyTorch.
"""

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rnn_mnist.api import (
        compare,
        compose,
        explain,
        importance,
        load_model,
        load_runs,
        plot,
        read_digit,
        report,
        summarize,
        sweep,
        train,
    )

__version__ = "0.1.0"
__all__ = [
    "compare",
    "compose",
    "explain",
    "importance",
    "load_model",
    "load_runs",
    "plot",
    "read_digit",
    "report",
    "summarize",
    "sweep",
    "train",
]


class _Package(ModuleType):
    """This package, whose functions ``train`` and ``explain`` share their names with its entry points.

    ``import rnn_mnist.train`` has Python set the submodule as the package's attribute of that name, in place of the
    function; here the function stays. The submodule is reached by ``python -m rnn_mnist.train`` and ``from
    rnn_mnist.train import ...`` all the same.
    """

    def __getattr__(self, name: str) -> Any:
        if name not in __all__:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = getattr(import_module("rnn_mnist.api"), name)
        setattr(self, name, value)
        return value

    def __setattr__(self, name: str, value: Any) -> None:
        if not (name in __all__ and isinstance(value, ModuleType)):
            super().__setattr__(name, value)

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *__all__})


sys.modules[__name__].__class__ = _Package
