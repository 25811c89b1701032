"""What ``scripts/benchmark.py`` measures, one file a question."""
