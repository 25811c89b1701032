"""The classifier and how its weights start."""
