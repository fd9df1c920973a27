"""Versions as folders of sentence-transformers, on their way out and in."""
