"""The one place where Hydra has to be changed, for it has no door: a function more in its grammar of overrides.

Hydra makes its table of functions anew for each command line, long before a sweeper is chosen. Tested with Hydra 1.3.8
and 1.4.0rc3. With another version, look here first.
"""

import functools
from collections.abc import Callable
from typing import Any

from hydra._internal.grammar.functions import Functions
from hydra.core.override_parser import overrides_parser


def add_function(name: str, function: Callable[..., Any]) -> None:
    """Make a function known to each parser of overrides that this process makes from now on, once.

    One of that name that Hydra has itself, in a version to come, stays Hydra's.
    """
    make = overrides_parser.create_functions
    if name in make().definitions:
        return

    @functools.wraps(make)
    def create_functions() -> Functions:
        functions = make()
        functions.register(name=name, func=function)
        return functions

    overrides_parser.create_functions = create_functions
