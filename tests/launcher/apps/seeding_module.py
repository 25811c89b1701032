"""A module that seeds when it is imported."""

import random

random.seed("a text")
random.random()
