"""From the files of sweeps to answers. Never imports torch, so that a laptop without it can read what a GPU made."""
