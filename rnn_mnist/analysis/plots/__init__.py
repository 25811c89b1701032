"""Figures, one file a kind: a pure function turns runs into a small info object, another draws that."""
