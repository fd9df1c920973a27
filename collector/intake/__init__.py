"""Intakes: one file per event schema, each normalising to the contract."""
