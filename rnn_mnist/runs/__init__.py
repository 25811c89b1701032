"""Runs and sweeps on disk. Imports torch for checkpoints alone."""
