"""Frozen datasets, splits that do not leak, and whether there is enough to learn from."""
