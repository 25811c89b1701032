"""Sweeps as tables: runs, their factors and levels."""
