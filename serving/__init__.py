"""Hybrid search, the catalog behind it, and the loader that swaps versions."""
