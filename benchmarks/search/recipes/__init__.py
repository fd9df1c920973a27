"""Searches that people write themselves, to compare with."""
