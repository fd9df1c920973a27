"""Experiments: assignment, interleaving, statistics, verdicts. Only `ab_testing.api` is imported by others."""
