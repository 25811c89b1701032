"""From the files of sweeps to answers. Never imports torch, so that a laptop without it can read what a GPU made."""

import logging

# As it is first imported on a machine it logs that it has "generated new fontManager".
logging.getLogger("matplotlib.font_manager").setLevel(logging.WARNING)
