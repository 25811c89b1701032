"""What Hydra finds under ``pkg://hydra_plugins.resolve_sweeper.conf``."""
