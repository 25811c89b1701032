"""What Hydra finds under ``pkg://hydra_plugins.grid_sweeper.conf``."""
