"""Nearest passages by inner product."""
