"""Checks of the join's health that look at searches. One check a file."""
