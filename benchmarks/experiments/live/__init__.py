"""Experiments over the real service, over the fold, and on real tests."""
