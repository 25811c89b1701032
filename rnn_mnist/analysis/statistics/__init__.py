"""What the runs of a sweep say, and how surely."""
