"""Versions, their lineage and status, the champion pointer, and the artifacts they are made of."""
