"""Tells other services of every decision: signed, at least once, and never inside a network that is not public."""
