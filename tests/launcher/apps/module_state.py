"""A program that sets up its interpreter at the level of its module, before its task is called."""

import decimal
import locale
import os
import sys
import warnings

import hydra
import numpy as np
import torch
from facts import keep
from omegaconf import DictConfig

torch.set_default_dtype(torch.float64)
np.seterr(divide="raise")
warnings.filterwarnings("error", message="of this program")
sys.setrecursionlimit(4321)
decimal.getcontext().prec = 7
locale.setlocale(locale.LC_ALL, "C")
os.environ["SET_BY_MODULE"] = "yes"
sys.argv.append("+appended=1")


@hydra.main(version_base=None, config_path=None)
def app(config: DictConfig) -> None:
    raised = ""
    try:
        warnings.warn("of this program", stacklevel=1)
    except UserWarning:
        raised = "UserWarning"
    try:
        np.array(1.0) / np.array(0.0)
    except FloatingPointError:
        raised += " FloatingPointError"
    keep(
        dtype=torch.zeros(1).dtype,
        raised=raised,
        recursion=sys.getrecursionlimit(),
        decimal=decimal.Decimal(1) / decimal.Decimal(3),
        locale=locale.setlocale(locale.LC_ALL),
        variable=os.environ["SET_BY_MODULE"],
        arguments=sys.argv[-1],
        original=sys.orig_argv[-1],
        config=dict(config),
        main=hasattr(sys.modules["__main__"], "app"),
        name=__name__ if __name__ != "__mp_main__" else "__main__",
    )


if __name__ == "__main__":
    app()
