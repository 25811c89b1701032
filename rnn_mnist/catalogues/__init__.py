"""What there is to choose from, as plain values: keys, cells, data sets, optimizers, schedules, sequences, metrics.

Imports neither torch nor Hydra.
"""
