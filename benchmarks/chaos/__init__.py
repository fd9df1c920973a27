"""Faults under load: what is killed, filled, locked, stopped, paused, emptied, and what clients then see."""
