"""What Hydra finds under ``pkg://hydra_plugins.workstation_launcher.conf``."""
