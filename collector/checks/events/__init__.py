"""Checks of the join's health that look at events. One check a file."""
