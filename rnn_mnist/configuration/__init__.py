"""What a run is told: its schema, what of it takes effect, its identity. Imports no torch."""
